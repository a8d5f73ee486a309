"""
Find the ends of sentences, and the digits that are note markers.

The rules are those of English typography: a full stop after an abbreviation ends a sentence only if the
next word opens one. If both readings are possible, the sentence continues, since a curator notices a sentence
that is too long, but not half of one that reads well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# --- marks of notes ------------------------------------------------------------------------

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_BRACKETED = (
    r"\[(?:\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,6}|\^[\w-]{1,20}|(?:note|nb|n)\.?\s?\d{1,3}|"
    r"(?:citation|clarification) needed|\d{1,3}\]\[\d{1,3})\]"
)
# No space is needed after such a mark: it cannot be part of a word or a number.
_CLEAR = (
    rf"(?:\[{_BRACKETED}\](?:\([^)\s]{{0,200}}\))?|{_BRACKETED}(?:\(#[^)\s]{{0,200}}\))?|<sup>\[?\d{{1,3}}\]?</sup>"
    rf"|⁽?[{SUPERSCRIPTS}]{{1,3}}⁾?)"
)
_NUMBERS = r"\d{1,3}(?:[,–-]\d{1,3}){0,4}"
CLEAR_MARK = re.compile(_CLEAR)
# `[a]` is a mark after a word; in a quotation it is an inserted word.
LETTER_MARK = re.compile(r"(?<=[\w.!?…,;:”’\"'»)])\[[a-z]{1,2}\](?![^\W\d_])")
NUMBER_MARK = re.compile(
    rf"(?<=[.!?…,;:”’\"'»)\]])({_NUMBERS})(?=\s|$)"
    r"|(?<=[^\W\d_][^\W\d_][^\W\d_])(\d{1,3})(?=[\s.,;:!?)”’\"»]|$)"
    r"|(?<=[^\s\d(\[])\((\d{1,3})\)(?=[\s.,;:!?)”’\"»]|$)"
)
UNIT = re.compile(r"(?:^|[^\w])\d*\s?(?:[kcmdµn]?m|mi|ft|in|s|yd)$")
YEAR = re.compile(r"(?:^|\D)(?:1[0-9]|20)\d\d$")
ROMAN = re.compile(r"[IVXLC]+")

# --- ends of sentences ---------------------------------------------------------------------

LONGEST_ASIDE = 200  # an unclosed bracket must not swallow the rest
CLOSED = re.compile(r"[^()]*+\)")
LONGEST_STOP = 6  # more dots lead to the number of a page
CLOSERS = r"”’\"'»›)\]*_†‡"
OPENERS = r"“‘„‚\"'«‹(\[*_¿¡"
# What may come before the first word of a sentence in the middle of a line: a bullet, `§`, `(b)`.
_ITEM = r"(?:[•‣▪●◦∙■□§]+\s*|\([a-z]{1,4}\)\s+(?=[“‘\"'(]?[^\W\d_a-z]))?"
_TAIL = (
    rf"(?:[{CLOSERS}]|\s?{_CLEAR}(?:\s?[,–-]\s?{_CLEAR})*|\[[a-z]{{1,2}}\]|\(\d{{1,3}}\)|(?<!\d){_NUMBERS}(?=\s|$))*"
)
SENTENCE_END = re.compile(
    rf"(?<![.!?…])(?P<stop>[.!?…]++)(?P<tail>{_TAIL})(?P<gap>\s*+)(?=(?P<open>{_ITEM}[{OPENERS}]*+)(?P<next>[^\W_]))"
)
FINISHED = re.compile(rf"[.!?…:;]{_TAIL}$")
TOKEN = re.compile(r"(?<![\w=/&@])(?:[^\W\d_]+\.)*[^\W\d_]+$")
ACRONYM = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
LIST_NUMBER = re.compile(
    r"[\s“‘\"'(\[*_•‣▪●◦∙■□§]*(?:\d{1,3}(?:\.\d{1,2})*|[IVX]{1,5}|[^\W\d_]"
    r"|(?:Article|Chapter|Section|Part|Annex|Title|Paragraph)\s(?:\d{1,3}|[IVX]{1,5}))"
)
INLINE_NUMBER = re.compile(r"[:;]\s+\(?\d{1,2}$")
WORD = re.compile(r"[^\W_]+(?:[’'-][^\W_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# These never end a sentence.
ALWAYS = _words("e.g i.e cf viz ca approx vs ed eds trans comp esp incl op cit ibid")
# After these a name follows.
TITLES = _words(
    "Gen Lt Col Maj Capt Cpt Sgt Cpl Adm Brig Cmdr Cdr Mr Mrs Ms "
    "Mx Dr Prof St Sts Mt Ft Gov Sen Rep Pres Amb Hon Rev "
    "Fr Msgr Messrs Mme Mlle Supt Atty Dir Min Acad Assoc Asst Sec Dep Exc Fed Sov Russ Ukr"
)
# After these a number follows.
REFERENCES = _words(
    "no nos art arts sec sect secs ch chap chaps para paras par fig figs tab vol vols p pp n nn res doc docs app "
    "annex cl reg pt pts bk ser iss nr § "
    "fn fns ref refs eq eqs max est fl rs tel ext suppl prot"
)
DATES = _words("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun")
# These may end a sentence, as acronyms with full stops may.
PERHAPS = _words("al jr sr inc ltd co corp bros llc plc dept govt univ assn esq rep intl natl mn mln mio bn bln tn")
# Words that open a sentence and follow no abbreviation in the middle of one.
STARTS = _words(
    "The This That These Those They Then There Their Thus Therefore It Its He His She We Our You Your In On At "
    "After Although Also And As Because Before Between But By During "
    "Despite Each Even Every Everybody Everyone Finally First For From "
    "Further Furthermore Hence However If Indeed Instead Later Likewise Meanwhile Moreover Most Nevertheless Next "
    "Nobody Nor Not Nothing Now Of Once Only Or Other "
    "Others Otherwise Perhaps Rather Several Similarly Since Some Soon "
    "Still Subsequently To Today Under Unlike Until What When Where Whereas Whether Which While Who Why With Within "
    "Without Yet"
)
# These do so as well, but are also names or initials.
STARTS_OR_NAMES = STARTS | _words("A An All Another Any Both Her How I Many Much My Neither No One So Such Two")
SPEECH = (
    r"(?:said|says|asked|asks|replied|added|wrote|writes|declared|stated|noted|argued|warned|told|answered|exclaimed|"
    r"insisted|remarked|observed|stressed|explained|concluded|continued|claimed|announced|wondered)"
)
SPEAKER = re.compile(rf"(?:[^\W\d_][\w’'-]*\.?\s+){{1,4}}{SPEECH}\b")
TIME_ZONE = re.compile(r"[A-Z]{2,4}\b|(?:[^\W\d_]+\s+){1,2}[Tt]ime\b")
# The symbol of a document: A/46, S/RES/1373, E/CN.4, C-284.
SYMBOL = re.compile(r"[A-Z]{1,6}(?:/\w|[-–.]?\d)")
ABBREVIATED_NEXT = re.compile(r"([^\W\d_]+)\.\s*\S")


def sentence_ends(joined: str) -> Iterator[int]:
    """Yield where the sentences of a paragraph end, including the spaces after them; the last is the end of it."""
    begin = 0
    for match in SENTENCE_END.finditer(joined):
        if _is_end(joined, begin, match):
            begin = match.end()
            yield begin
    yield len(joined)


def is_finished(content: str) -> bool:
    """Return whether a text ends like a sentence, ignoring quotation marks and note markers after it."""
    tail = content[-200:]
    return any(FINISHED.match(tail, each.start()) for each in re.finditer(r"[.!?…:;]", tail))


def _is_end(joined: str, begin: int, match: re.Match[str]) -> bool:  # noqa: PLR0911  (one for each kind)
    stop, tail, following = match["stop"], match["tail"], joined[match.start("next") : match.end() + 60]
    if len(stop) > LONGEST_STOP or match["next"].islower() or not (match["gap"] or _may_touch(match)):
        return False
    if _is_aside(joined, begin, match):
        return False
    before = joined[max(begin, match.start() - 24) : match.start()]
    if before[-1:].isdigit() and tail[:1].isdigit() and not (YEAR.search(before) and match["next"].isupper()):
        return False  # a decimal number
    if stop == "." and LIST_NUMBER.fullmatch(joined, begin, min(match.start(), begin + 30)) and not tail:
        return False
    if stop == "." and INLINE_NUMBER.search(before):
        return False
    if stop[0] in "!?" and set(tail) & set("”’\"'»") and _names_speaker(following):
        return False
    token = TOKEN.search(before)
    return not (stop == "." and token) or _ends_behind(token.group(), tail, following)


def _is_aside(joined: str, begin: int, match: re.Match[str]) -> bool:
    """Return whether a full stop is in brackets that the sentence opened and that are closed soon."""
    before = joined[max(begin, match.start() - LONGEST_ASIDE) : match.end("tail")]
    lead, bracket, inside = before.rpartition("(")
    if not bracket or ")" in inside or not WORD.search(lead):
        return False
    return bool(CLOSED.match(joined, match.end(), match.end() + LONGEST_ASIDE))


def _may_touch(match: re.Match[str]) -> bool:
    """Return whether the next sentence may begin without a space: after an unambiguous note marker."""
    return bool(CLEAR_MARK.search(match["tail"])) and match["next"].isupper() and "(" not in match["open"]


def _names_speaker(following: str) -> bool:
    word = WORD.match(following)
    return bool(word and word.group() not in STARTS_OR_NAMES and SPEAKER.match(following))


def _ends_behind(token: str, tail: str, following: str) -> bool:  # noqa: PLR0911  (one for each kind)
    """Return whether a full stop after a word, which may be an abbreviation, ends a sentence."""
    small, found = token.casefold(), WORD.match(following)
    word = found.group() if found else ""
    glued = tail[:1].isdigit()  # Art.5
    if small in ALWAYS:
        return False
    if small in REFERENCES and (len(token) > 1 or token.islower()):
        is_title = token in TITLES and word not in STARTS  # Gen.-Sec. Zhang
        return not glued and not is_title and not _is_reference(small, word, following)
    if token in TITLES:
        return not glued and word in STARTS
    if token in DATES:
        return not glued and word in STARTS_OR_NAMES
    if small in {"a.m", "p.m"}:
        return not (word[:1].isdigit() or word[:3] in DATES or word.endswith("day") or TIME_ZONE.match(following))
    if small in PERHAPS or ACRONYM.fullmatch(token):
        return word in STARTS_OR_NAMES
    if len(token) == 1:
        return not glued and word in STARTS
    return True


def _is_reference(abbreviation: str, word: str, following: str) -> bool:
    """Return whether what follows `Art.` or `no.` is what it refers to."""
    if word[:1].isdigit() or SYMBOL.match(following):
        return True
    if abbreviation == "no":
        return False
    abbreviated = ABBREVIATED_NEXT.match(following)
    if abbreviated and (abbreviated.group(1) in TITLES or abbreviated.group(1).casefold() in REFERENCES):
        return True
    return bool(ROMAN.fullmatch(word)) or (len(word) == 1 and word not in {"A", "I"})


# --- marks ---------------------------------------------------------------------------------


def note_marks(joined: str, start: int, end: int, last: int) -> Iterator[tuple[int, int, int]]:
    """
    Find the note markers in a sentence.

    Numbers in brackets or superscript are always markers. Plain digits are markers if they come after punctuation
    or a word and are in ascending order.

    Args:
        joined: The text of a paragraph.
        start: Where the sentence begins in it.
        end: Where it ends.
        last: The number of the last note marked by plain digits, 0 at the beginning of a text.
    Yields:
        Where each marker begins and ends, and the number of the last note after it.
    """
    found = [(match, "clear") for match in CLEAR_MARK.finditer(joined, start, end) if _is_raised_mark(joined, match)]
    found += [(match, "clear") for match in LETTER_MARK.finditer(joined, start, end)]
    found += [(match, "number") for match in NUMBER_MARK.finditer(joined, start, end)]
    reached = start
    for match, kind in sorted(found, key=lambda each: each[0].start()):
        if match.start() < reached:
            continue
        if kind == "number":
            number = _counted(joined, match, end, last)
            if number is None:
                continue
            last = number
        reached = match.end()
        yield match.start(), match.end(), last


def _is_raised_mark(joined: str, match: re.Match[str]) -> bool:
    """Distinguish a note marker from an exponent: km², 10⁶."""
    if match.group().strip("⁽⁾")[0] not in SUPERSCRIPTS:
        return True
    before = joined[max(0, match.start() - 12) : match.start()]
    if before[-1:].isdigit():
        return bool(YEAR.search(before))
    return not UNIT.search(before)


def _counted(joined: str, match: re.Match[str], end: int, last: int) -> int | None:
    """Return the number of the note that plain digits mark, or None if it is not the next one."""
    behind_stop, behind_word, in_brackets = match.groups()
    numbers = [int(each) for each in re.split(r"[,–-]", match.group().strip("()"))]
    before = joined[max(0, match.start() - 24) : match.start()]
    if behind_word:
        return numbers[0] if numbers[0] == last + 1 and before[-1].islower() else None
    counts_up = last < numbers[0] <= last + 3
    if in_brackets:
        word = re.split(r"\W+", before)[-1]
        in_a_law = word and (ROMAN.fullmatch(word) or len(word) == 1)
        return numbers[-1] if counts_up and not in_a_law else None
    assert behind_stop
    if "://" in before or "www." in before:
        return None
    inner = before.rstrip(CLOSERS + ".!?…,;:")
    touches = len(before) - len(inner) == 1
    if inner[-1:].isdigit() and touches and not YEAR.search(inner):
        return None
    token = TOKEN.search(inner)
    if token and touches and before[-1] == "." and (token.group().casefold() in REFERENCES or len(token.group()) == 1):
        return None
    # A text may begin in the middle of another, with note 17.
    at_the_end = re.search(r"[.!?…][”’\"'»)\]]*$", before) and not re.search(r"\w", joined[match.end() : end])
    return numbers[-1] if counts_up or (not last and at_the_end and numbers[0]) else None
