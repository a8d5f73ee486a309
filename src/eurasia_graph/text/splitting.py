"""
Split a text into sentences, headings, list items, notes and page furniture.

The rules are typographic and independent of the source: a text of lines or of wrapped paragraphs, with footnotes
or endnotes, is split into pieces that together contain every letter of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from eurasia_graph.text.sentences import SUPERSCRIPTS, is_finished, note_marks, sentence_ends

# A page number or a line with only a date makes no statement.
PAGE_NUMBER = re.compile(r"\W*\d{1,4}\W*")
DATE_LINE = re.compile(r"(?:[^\W\d]+ \d{1,2},|\d{1,2} [^\W\d]+) \d{4}")
BULLET = re.compile(r"[●•▪◦‣∙*+↑^–—-]\s+|(?:>\s?)+")
# Of Markdown: `> ` before each line of a quotation, `[^1]: ` before a note, whatever its name.
QUOTED = re.compile(r"(?:>\s?)+")
NAMED_NOTE = re.compile(r"\[\^[^\]\s]{1,40}\]:\s*(?=\S)")
DASH = re.compile(r"[–—-]\s")
# `1.`, `1)`, `(1)`, `a)`, `(iv)`; a letter with a full stop is an initial more often.
ITEM_NUMBER = re.compile(r"(?P<full>(\d{1,2})\.)\s+|\(?(?P<half>\d{1,2}|[a-z]|[ivx]{1,5})\)\s+")
# `a.`, `ii.`, `IV.` open an item only if the previous or next line continues the numbering.
LETTER_NUMBER = re.compile(r"([a-zA-Z]|[ivx]{1,5}|[IVX]{1,5})\.\s+")
ROMAN = {"i": 1, "v": 5, "x": 10}
OPENING = re.compile(r"\(?[a-z]{1,5}[.)]\s")
MARKDOWN_HEADING = re.compile(r"#{1,6}\s+(?=\S)")
NOTE = re.compile(
    rf"(?P<clear>\[\d{{1,3}}\]|[{SUPERSCRIPTS}]{{1,3}})\s?(?=\S)|(?P<plain>\d{{1,3}})\s?(?!(?:st|nd|rd|th)\b)(?=[^\W\d])"
)
TABLE_ROW = " | "
LONGEST_HEADING = 120
HEADING_LINES = 2


class Kind(Enum):
    """What a piece of text is."""

    SENTENCE = "sentence"
    HEADING = "heading"
    NOTE = "note"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Span:
    """A slice of a text, in code points counted from 0, the end excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A sentence, heading, list item, note or piece of furniture as `split` finds it.

    More than one span means that page furniture or a note marker interrupts it.
    """

    kind: Kind
    spans: tuple[Span, ...]


_NOWHERE = Span(0, 0)


@dataclass(slots=True)
class _Paragraph:
    kind: Kind
    spans: list[Span]


def split(text: str) -> list[Piece]:
    """
    Split a normalised text into sentences, headings, list items, notes and furniture, in order.

    Every letter and digit of the text is in exactly one span, except the markers of notes
    and the numbers and bullets that open list items.

    Args:
        text: As `read_text` returns it.
    """
    wrapped = _is_wrapped(text)
    found = list(_blocks(text))
    listed = _listed(text, found)
    blocks = [
        each for index, block in enumerate(found) for each in _classify(text, block, wrapped, listed=index in listed)
    ]
    pieces: list[Piece] = []
    marker = 0
    for paragraph in _rejoined(text, blocks):
        if paragraph.kind is Kind.HEADING:
            pieces.append(Piece(paragraph.kind, _without_marks(text, paragraph.spans)))
            continue
        if paragraph.kind is not Kind.SENTENCE:
            pieces.append(Piece(paragraph.kind, tuple(paragraph.spans)))
            continue
        for spans, last_marker in _sentences(text, paragraph.spans, marker):
            marker = last_marker
            pieces.append(Piece(Kind.SENTENCE, spans))
    return sorted(pieces, key=lambda piece: piece.spans[0].start)


def _lines(text: str, span: Span) -> Iterator[Span]:
    start = span.start
    for line in text[span.start : span.end].split("\n"):
        yield Span(start, start + len(line))
        start += len(line) + 1


def _blocks(text: str) -> Iterator[list[Span]]:
    """
    Yield runs of lines, stripped.

    A line without letters and digits, an indented capital letter or the heading of a Markdown file opens a new run.
    """
    block: list[Span] = []
    for line in _lines(text, Span(0, len(text))):
        stripped = _stripped(text, line)
        blank = not any(each.isalnum() for each in text[stripped.start : stripped.end])
        indented = stripped.start > line.start
        heading = MARKDOWN_HEADING.match(text, stripped.start, stripped.end)
        if block and (blank or heading or (indented and text[stripped.start].isupper())):
            yield block
            block = []
        if heading:
            yield [stripped]
        elif not blank:
            block.append(stripped)
    if block:
        yield block


def _listed(text: str, blocks: list[list[Span]]) -> set[int]:
    """Find the blocks that are items of one list: their numbers, such as 1. and 2., count up from block to block."""
    openings = [text[block[0].start : block[0].end] for block in blocks]
    listed: set[int] = set()
    for index, (one, after) in enumerate(pairwise(openings)):
        if _counts_on(one, after):
            listed |= {index, index + 1}
    return listed


def _numbers(line: str) -> set[tuple[str, int]]:
    """Read the number that opens a line in every possible way: `i.` is a letter and a Roman number."""
    number = ITEM_NUMBER.match(line)
    if number and number[2]:
        return {("number", int(number[2]))}
    letter = LETTER_NUMBER.match(line)
    if not letter:
        return set()
    mark, case = letter[1], "small" if letter[1].islower() else "large"
    found = {(f"{case} letter", ord(mark.lower()) - ord("a") + 1)} if len(mark) == 1 else set()
    if set(mark.lower()) <= ROMAN.keys():
        values = [ROMAN[each] for each in mark.lower()]
        found.add((f"{case} Roman", sum(-one if one < two else one for one, two in pairwise([*values, 0]))))
    return found


def _counts_on(line: str, after: str) -> bool:
    """Return whether the number that opens a line follows that of another."""
    return bool({(style, number + 1) for style, number in _numbers(line)} & _numbers(after))


def _stripped(text: str, span: Span) -> Span:
    content = text[span.start : span.end]
    start = span.start + len(content) - len(content.lstrip())
    return Span(start, max(start, span.end - (len(content) - len(content.rstrip()))))


def _is_wrapped(text: str) -> bool:
    """Return whether line breaks fall inside sentences: whether lines often continue in lower case."""
    lines = [line.strip() for line in text.split("\n")]
    following = [after for line, after in pairwise(lines) if line and after]
    going_on = sum(1 for line in following if line[0].islower() and not OPENING.match(line))
    return going_on > len(following) / 5


def _classify(text: str, block: list[Span], wrapped: bool, *, listed: bool) -> Iterator[_Paragraph]:
    whole = Span(block[0].start, block[-1].end)
    content = text[whole.start : whole.end]
    marked = MARKDOWN_HEADING.match(content)
    if marked:
        yield _Paragraph(Kind.HEADING, [Span(whole.start + marked.end(), whole.end)])
    elif len(block) == 1 and (PAGE_NUMBER.fullmatch(content) or DATE_LINE.fullmatch(content)):
        yield _Paragraph(Kind.FURNITURE, [whole])
    elif (
        not listed
        and not _counts_within(text, block)
        and _is_heading(content, len(block) if wrapped else 2 * len(block))
    ):
        yield _Paragraph(Kind.HEADING, [whole])
    else:
        yield from _group_lines(text, block, wrapped, listed=listed)


def _counts_within(text: str, block: list[Span]) -> bool:
    lines = [text[line.start : line.end] for line in block[: HEADING_LINES + 1]]
    return any(_counts_on(line, after) for line, after in pairwise(lines))


def _is_heading(content: str, lines: int) -> bool:
    item = ITEM_NUMBER.match(content)
    return (
        lines <= HEADING_LINES
        and len(content) <= LONGEST_HEADING
        and not content[0].islower()
        and not BULLET.match(content)
        and not (item and item["half"])
        and TABLE_ROW not in content
        and not is_finished(content)
        and next(sentence_ends(content)) == len(content)
        and not content.endswith(",")
    )


def _group_lines(text: str, block: list[Span], wrapped: bool, *, listed: bool) -> Iterator[_Paragraph]:
    """Group the lines of a block into paragraphs: notes by their numbers, items by their bullets and numbers."""
    note_starts = _note_starts(text, block)
    group: _Paragraph | None = None
    for index, line in enumerate(block):
        item = _item(text, block, index, wrapped, listed=listed and not index)
        starts_note = index in note_starts
        in_notes = group is not None and group.kind is Kind.NOTE
        row = TABLE_ROW in text[line.start : line.end]
        quoted = QUOTED.match(text[line.start : line.end])
        if quoted and index and QUOTED.match(text[block[index - 1].start : line.start]) and group:
            group.spans.append(Span(line.start + quoted.end(), line.end))
            continue
        if group and not (starts_note or item or row) and (wrapped or (in_notes and index < len(block) - 1)):
            group.spans[-1] = Span(group.spans[-1].start, line.end)
            continue
        if group:
            yield group
        start = line.start + (0 if starts_note else item)
        group = _Paragraph(Kind.NOTE if starts_note else Kind.SENTENCE, [Span(start, line.end)])
    if group:
        yield group


def _item(text: str, block: list[Span], index: int, wrapped: bool, *, listed: bool) -> int:
    """Return the length of the bullet or number that opens a list item in this line, 0 if there is none."""
    line = text[block[index].start : block[index].end]
    before, after = (
        text[each.start : each.end]
        for each in (*(block[index - 1 : index] or [_NOWHERE]), *(block[index + 1 : index + 2] or [_NOWHERE]))
    )
    in_a_run = listed or _counts_on(before, line) or _counts_on(line, after)
    found = BULLET.match(line) or ITEM_NUMBER.match(line) or (LETTER_NUMBER.match(line) if in_a_run else None)
    if not found:
        return 0
    if wrapped and index and not in_a_run and (DASH.match(line) or not BULLET.match(line)):
        # In the middle of a sentence, a line may begin with a dash or a number by chance.
        same = DASH if DASH.match(line) else ITEM_NUMBER
        beside = same.match(before) or same.match(after)
        if not beside and not is_finished(before) and not before.endswith((",", "and", "or")):
            return 0
    return found.end()


def _note_starts(text: str, block: list[Span]) -> set[int]:
    """
    Find the lines that open a note: at least two consecutive numbers.

    A single number in brackets or superscript at the start of the block is enough.
    """
    numbered = [
        (index, int(unicodedata.normalize("NFKC", match.group().strip("[] ")).strip("[] ")), bool(match["clear"]))
        for index, line in enumerate(block)
        if (match := NOTE.match(text[line.start : line.end]))
    ]
    runs: list[tuple[int, int]] = []
    for index, number, _ in numbered:
        if not runs or number == runs[-1][1] + 1:
            runs.append((index, number))
    alone = bool(numbered) and numbered[0][0] == 0 and numbered[0][2]
    named = {index for index, line in enumerate(block) if NAMED_NOTE.match(text[line.start : line.end])}
    return named | ({index for index, _ in runs} if len(runs) > 1 or alone else set())


def _rejoined(text: str, paragraphs: list[_Paragraph]) -> Iterator[_Paragraph]:
    """Join the two halves of a sentence that are separated by notes or a page number."""
    unfinished: _Paragraph | None = None
    waiting: list[_Paragraph] = []
    for paragraph in paragraphs:
        first = text[paragraph.spans[0].start]
        if unfinished and paragraph.kind is Kind.SENTENCE and first.islower():
            unfinished.spans.extend(paragraph.spans)
        elif unfinished and paragraph.kind in {Kind.NOTE, Kind.FURNITURE}:
            waiting.append(paragraph)
            continue
        else:
            if unfinished:
                yield unfinished
                yield from waiting
                waiting = []
            unfinished = paragraph
        last = unfinished.spans[-1]
        if unfinished.kind is not Kind.SENTENCE or is_finished(text[last.start : last.end]):
            yield unfinished
            yield from waiting
            unfinished, waiting = None, []
    if unfinished:
        yield unfinished
        yield from waiting


def _sentences(text: str, spans: list[Span], marker: int) -> Iterator[tuple[tuple[Span, ...], int]]:
    """Split the text of a paragraph, which may consist of several spans, into sentences."""
    joined = "".join(text[span.start : span.end] + "\n" for span in spans)
    offsets = [offset for span in spans for offset in range(span.start, span.end + 1)]
    start = 0
    for end in sentence_ends(joined):
        parts, marker = _cut_markers(joined, start, end, marker)
        found = tuple(part for first, last in parts for part in _original(joined, offsets, first, last, spans))
        if found:
            yield found, marker
        start = end


def _cut_markers(joined: str, start: int, end: int, marker: int) -> tuple[list[tuple[int, int]], int]:
    """Cut a sentence at the note markers in or after it."""
    parts: list[tuple[int, int]] = []
    for first, last, number in note_marks(joined, start, end, marker):
        parts.append((start, first))
        start, marker = last, number
    parts.append((start, end))
    return [(first, last) for first, last in parts if any(each.isalnum() for each in joined[first:last])], marker


def _without_marks(text: str, spans: list[Span]) -> tuple[Span, ...]:
    """Remove note markers from a heading: only those that need not be consecutive."""
    never = 1_000_000
    found: list[Span] = []
    for span in spans:
        parts, _ = _cut_markers(text, span.start, span.end, never)
        found += [_stripped(text, Span(first, last)) for first, last in parts]
    return tuple(found) or tuple(spans)


def _original(joined: str, offsets: list[int], first: int, last: int, spans: list[Span]) -> Iterator[Span]:
    """Translate a slice of the joined text back into slices of the text, one for each span that it covers."""
    while joined[first].isspace():
        first += 1
    while joined[last - 1].isspace():
        last -= 1
    start, end = offsets[first], offsets[last - 1] + 1
    for span in spans:
        if span.start < end and start < span.end:
            yield Span(max(start, span.start), min(end, span.end))
