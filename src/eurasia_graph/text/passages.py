"""
Describe each sentence of a text by offsets and a digest, and find it again in another copy.

The project keeps no text. A sentence is two offsets into the normalised text and the digest of
its fold, which survives other line breaks, hyphenation, quotation marks and capital letters.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UsageError
from eurasia_graph.files import MIB, read_bounded
from eurasia_graph.graphs import graph_of
from eurasia_graph.text.splitting import Kind, Piece, Span
from eurasia_graph.turtle.reader import not_utf8

HEADING_WORDS = 7
# Longer than the longest book; a text of which nothing is found takes minutes from there on.
LARGEST_TEXT = 16 * MIB
# How far a copy may run on with furniture, in folded code points, before a sentence that stands
# after it counts as moved.
FURNITURE_ALLOWANCE = 2000


@dataclass(frozen=True, slots=True)
class Digest:
    """The sha256 (lower-case hexadecimal) and the length in code points of a fold."""

    sha256: str
    length: int


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A sentence or a clause of a source, as the graph keeps it.

    `name` is the last part of its IRI: the number of a sentence, or `<sentence>-<n>` for a clause.
    `parts` is empty unless furniture or the marker of a note interrupts the passage; `digest` is
    that of the folds of its parts joined.
    """

    name: str
    span: Span
    digest: Digest
    parts: tuple[tuple[Span, Digest], ...] = ()
    section: str | None = None
    reason: str | None = None
    sentence: str | None = None


def read_text(path: Path) -> str:
    """
    Read a source text: UTF-8, NFC, line feeds, nothing else changed.

    Raises:
        UsageError: If there is no such file, or it is larger than any text that people encode.
        SourceError: If it is not UTF-8; names the line and column of the first bad byte.
    """
    raw = read_bounded(path, LARGEST_TEXT, "give the path of the source's text, one UTF-8 file")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(path, raw, error) from None
    return unicodedata.normalize("NFC", decoded.replace("\r\n", "\n").replace("\r", "\n"))


def fold(text: str) -> str:
    r"""
    Reduce a text to what survives a change of layout: NFKC, case-folded, letters and digits only.

    >>> fold("The “Shanghai\nFive”, 1996")
    'theshanghaifive1996'
    """
    return "".join(_fold_character(character) for character in unicodedata.normalize("NFC", text))


def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).casefold()
    return "".join(each for each in folded if each.isalnum())


def digest(text: str) -> Digest:
    """Digest the fold of a text."""
    folded = fold(text)
    return Digest(_sha256(folded), len(folded))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def text_digest(text: str) -> Digest:
    """Digest a normalised text as it is, which shows at once whether two texts are identical."""
    return Digest(_sha256(text), len(text))


# --- describing ----------------------------------------------------------------------------

# Furniture says nothing. Whether something is a heading, a person decides: until then it counts as open.
REASONS = {Kind.FURNITURE: "bibliographic-furniture"}
HEADING = "heading"
# So many names of passages stand in a message.
SHOWN = 8


def describe(
    text: str, pieces: Iterable[Piece], known: Iterable[Passage] = (), headings: Container[str] = ()
) -> list[Passage]:
    """
    Describe the pieces of a text as passages and keep the numbers that are known already.

    Args:
        text: As `read_text` returns it.
        pieces: As `splitting.split` returns them for this text.
        known: The passages of the source so far. A sentence with the same fold keeps its number
            and its reason; a clause is found again inside its sentence.
        headings: The numbers of the sentences that the curator marks as headings.
    Returns:
        One passage for each piece, in order, and then the clauses.
    Raises:
        UsageError: If a known passage is not in the text, so that its number would be lost.
    """
    by_digest: dict[Digest, list[Passage]] = {}
    clauses: list[Passage] = []
    for passage in known:
        if passage.sentence:
            clauses.append(passage)
        else:
            by_digest.setdefault(passage.digest, []).append(passage)
    last = max((int(each.name) for group in by_digest.values() for each in group), default=0)
    found: list[Passage] = []
    pieces = list(pieces)
    for piece in pieces:
        passage = _describe(text, piece)
        same = by_digest.get(passage.digest)
        if same:
            before = same.pop(0)
            passage = replace(passage, name=before.name, reason=before.reason)
        else:
            last += 1
            passage = replace(passage, name=str(last))
        found.append(replace(passage, reason=HEADING) if passage.name in headings else passage)
    found = list(_with_sections(text, pieces, found))
    lost = [each.name for group in by_digest.values() for each in group]
    by_name = {passage.name: passage for passage in found}
    for clause in clauses:
        again = clause.sentence in by_name and _clause_again(text, by_name[clause.sentence], clause)
        if again:
            found.append(again)
        else:
            lost.append(clause.name)
    if lost:
        names = sorted(lost, key=lambda name: [int(number) for number in name.split("-")])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise UsageError(
            f"passage {', '.join(names[:SHOWN])}{more} of the source is not in this text; give the text that the "
            "source was encoded from, or remove the passage and its claims first"
        )
    return found


def keep_cuts(text: str, pieces: Iterable[Piece], known: Iterable[Passage]) -> tuple[list[Piece], list[str]]:
    """
    Keep known passages as they were cut, even if the splitter would cut differently today.

    Claims are based on them. The rest of the new pieces becomes separate pieces.

    Returns:
        The pieces, and the names of the passages that were kept so.
    """
    pieces, known = list(pieces), [each for each in known if not each.sentence]
    today = Counter(_describe(text, piece).digest for piece in pieces)
    before = Counter(each.digest for each in known)
    if before <= today:
        return pieces, []
    kept = [
        each for each in verify(known, text) if each.spans and before[each.passage.digest] > today[each.passage.digest]
    ]
    taken = sorted(span for each in kept for span in ((one.start, one.end) for one in each.spans))
    cut = [Piece(Kind.SENTENCE, each.spans) for each in kept]
    for piece in pieces:
        left = tuple(span for whole in piece.spans for span in _without(text, whole, taken))
        if left == piece.spans:
            cut.append(piece)
        elif left:
            cut.append(Piece(Kind.SENTENCE, left))
    return sorted(cut, key=lambda piece: piece.spans[0].start), [each.passage.name for each in kept]


def _without(text: str, whole: Span, taken: list[tuple[int, int]]) -> Iterator[Span]:
    """Yield the remaining parts of a slice without others, if they contain a letter or digit."""
    start = whole.start
    for first, last in [*(each for each in taken if each[0] < whole.end and each[1] > start), (whole.end, whole.end)]:
        content = text[start : max(start, first)]
        if any(character.isalnum() for character in content):
            begin = start + len(content) - len(content.lstrip())
            yield Span(begin, begin + len(content.strip()))
        start = max(start, last)


def _describe(text: str, piece: Piece) -> Passage:
    slices = [text[span.start : span.end] for span in piece.spans]
    parts = tuple(zip(piece.spans, map(digest, slices), strict=True)) if len(slices) > 1 else ()
    return Passage(
        name="",
        span=Span(piece.spans[0].start, piece.spans[-1].end),
        digest=digest("".join(slices)),
        parts=parts,
        reason=REASONS.get(piece.kind),
    )


def _with_sections(text: str, pieces: list[Piece], passages: list[Passage]) -> Iterator[Passage]:
    """Return the heading above each passage: proposed headings count until the curator has decided on one."""
    undecided = all(each.reason != HEADING for each in passages)
    section = None
    for piece, passage in zip(pieces, passages, strict=True):
        proposed = piece.kind is Kind.HEADING and (undecided or passage.reason)
        if proposed or passage.reason == HEADING:
            section = _shortened(" ".join(text[span.start : span.end] for span in piece.spans))
        yield replace(passage, section=section)


def _shortened(heading: str) -> str | None:
    """Keep at most seven words of a heading: enough to recognise it, too few to be a sentence."""
    words = heading.split()
    short = " ".join(words[:HEADING_WORDS])
    return (f"{short} …" if len(words) > HEADING_WORDS else short) or None


def clause(text: str, sentence: Passage, words: str, name: str) -> Passage:
    """
    Describe a clause by its words, which must be in one sentence.

    Raises:
        UsageError: If they are not in it.
    """
    wanted = digest(words)
    copy = Copy(text[sentence.span.start : sentence.span.end])
    span = copy.find(wanted, 0, len(copy.folded)) if wanted.length else None
    if span is None:
        raise UsageError(
            f"the words {words!r} are not in sentence {sentence.name}; give whole words exactly as they are there"
        )
    shifted = Span(sentence.span.start + span.start, sentence.span.start + span.end)
    return Passage(name=name, span=shifted, digest=wanted, section=sentence.section, sentence=sentence.name)


def _clause_again(text: str, sentence: Passage, known: Passage) -> Passage | None:
    copy = Copy(text[sentence.span.start : sentence.span.end])
    span = copy.find(known.digest, 0, len(copy.folded))
    if span is None:
        return None
    return replace(known, span=Span(sentence.span.start + span.start, sentence.span.start + span.end))


# --- to and from the graph -----------------------------------------------------------------


def to_triples(source: str, text: str, passages: Iterable[Passage]) -> Iterator[Triple]:
    """Write passages as triples, with the digest of the whole text on the source."""
    node = ns.ID(f"source/{source}")
    whole = text_digest(text)
    yield Triple(node, ns.EG("textSha256"), Literal(whole.sha256))
    yield Triple(node, ns.EG("textLength"), Literal(whole.length))
    for passage in passages:
        subject = ns.ID(f"passage/{source}/{passage.name}")
        yield Triple(subject, ns.RDF("type"), ns.EG("Passage" if passage.sentence else "Sentence"))
        yield from _slice_triples(subject, node, passage.span, passage.digest)
        if passage.section:
            yield Triple(subject, ns.EG("section"), Literal(passage.section))
        if passage.reason:
            yield Triple(subject, ns.EG("notEncodedBecause"), ns.SCHEME(f"reason/{passage.reason}"))
        if passage.sentence:
            yield Triple(subject, ns.EG("inSentence"), ns.ID(f"passage/{source}/{passage.sentence}"))
        else:
            yield Triple(subject, ns.EG("number"), Literal(int(passage.name)))
        for number, (span, folded) in enumerate(passage.parts, start=1):
            part = ns.ID(f"passage/{source}/{passage.name}-part-{number}")
            yield Triple(subject, ns.EG("part"), part)
            yield Triple(part, ns.RDF("type"), ns.EG("Passage"))
            yield Triple(part, ns.EG("number"), Literal(number))
            yield from _slice_triples(part, node, span, folded)


def _slice_triples(subject: NamedNode, source: NamedNode, span: Span, folded: Digest) -> Iterator[Triple]:
    yield Triple(subject, ns.EG("passageOf"), source)
    yield Triple(subject, ns.EG("start"), Literal(span.start))
    yield Triple(subject, ns.EG("end"), Literal(span.end))
    yield Triple(subject, ns.EG("foldedSha256"), Literal(folded.sha256))
    yield Triple(subject, ns.EG("foldedLength"), Literal(folded.length))


def from_store(store: Store, source: str) -> list[Passage]:
    """Read the passages of a source back, sentences and clauses, in the order of the text."""
    found: list[Passage] = []
    parts: set[NamedNode | BlankNode | Triple] = set()
    graph = graph_of("passages", source)
    for quad in store.quads_for_pattern(None, ns.EG("passageOf"), None, graph):
        values = {
            each.predicate.value[len(ns.EG) :]: each.object
            for each in store.quads_for_pattern(quad.subject, None, None, graph)
            if each.predicate.value.startswith(ns.EG) and each.predicate != ns.EG("part")
        }
        own_parts = [each.object for each in store.quads_for_pattern(quad.subject, ns.EG("part"), None, graph)]
        parts.update(part for part in own_parts if isinstance(part, NamedNode))
        found.append(_from_values(store, quad.subject, values, own_parts))
    names = {ns.local_name(part.value) for part in parts if isinstance(part, NamedNode)}
    return sorted(
        (each for each in found if each.name not in names), key=lambda each: (each.span.start, -each.span.end)
    )


def _from_values(store: Store, subject: Any, values: dict[str, Any], parts: list[Any]) -> Passage:
    def slice_of(node: Any) -> tuple[Span, Digest]:
        own = {each.predicate: ns.value(each.object) for each in store.quads_for_pattern(node, None, None, None)}
        span = Span(int(own[ns.EG("start")]), int(own[ns.EG("end")]))
        return span, Digest(own[ns.EG("foldedSha256")], int(own[ns.EG("foldedLength")]))

    span, folded = slice_of(subject)
    reason, sentence, section = (values.get(key) for key in ("notEncodedBecause", "inSentence", "section"))
    return Passage(
        name=ns.local_name(subject.value),
        span=span,
        digest=folded,
        parts=tuple(sorted(map(slice_of, parts), key=lambda part: part[0].start)),
        section=ns.value(section) if section else None,
        reason=ns.local_name(reason.value) if reason else None,
        sentence=ns.local_name(sentence.value) if sentence else None,
    )


# --- finding again -------------------------------------------------------------------------


class Found(Enum):
    """How a passage was found in a copy of the text."""

    IN_PLACE = "found"
    MOVED = "moved"
    NOWHERE = "not found"


@dataclass(frozen=True, slots=True)
class Verification:
    """
    Where a passage is in a copy of its text.

    `spans` are slices of the copy, empty where it was not found; then `after` and `before` are
    the nearest neighbours that were, by name and by their slice of the copy.
    """

    passage: Passage
    found: Found
    spans: tuple[Span, ...] = ()
    after: tuple[str, Span] | None = None
    before: tuple[str, Span] | None = None


class Copy:
    """A copy of a text, folded, with a mapping from the fold back to the copy."""

    def __init__(self, text: str) -> None:
        """Fold a normalised text."""
        self.text = text
        pieces = [(_fold_character(character), offset) for offset, character in enumerate(text)]
        self.folded = "".join(folded for folded, _ in pieces)
        self.origin = [offset for folded, offset in pieces for _ in folded]
        self.starts = [
            index
            for index, offset in enumerate(self.origin)
            if offset == 0 or not text[offset - 1].isalnum() or (index and self.origin[index - 1] == offset)
        ]

    def find(self, wanted: Digest, first: int, last: int) -> Span | None:
        """Find the first slice with a fold of this digest that begins at a word in folded [first, last)."""
        for start in self.starts[bisect_left(self.starts, first) : bisect_left(self.starts, last)]:
            end = start + wanted.length
            if end > len(self.folded):
                return None
            after = self.origin[end - 1] + 1
            ends_word = after >= len(self.text) or not self.text[after].isalpha()
            if ends_word and _sha256(self.folded[start:end]) == wanted.sha256:
                return self._with_marks(self.origin[start], after)
        return None

    def _with_marks(self, start: int, end: int) -> Span:
        """Include the quotation marks before and the punctuation after, which the fold leaves out."""
        while start and not self.text[start - 1].isspace() and not self.text[start - 1].isalnum():
            start -= 1
        while end < len(self.text) and not self.text[end].isspace() and not self.text[end].isalnum():
            end += 1
        return Span(start, end)


def verify(passages: Iterable[Passage], text: str) -> list[Verification]:
    """
    Look for every passage in a copy of its text, whatever its line breaks and furniture.

    Args:
        passages: All passages of the source.
        text: The copy, as `read_text` returns it.
    Returns:
        One verification for each passage, in the order of the source.
    """
    copy = Copy(text)
    results: list[Verification] = []
    cursor, pending = 0, 0
    for passage in sorted(passages, key=lambda each: (each.span.start, -each.span.end)):
        begin = 0 if passage.sentence else cursor
        reach = len(copy.folded) if passage.sentence else cursor + pending + FURNITURE_ALLOWANCE
        spans = _spans(copy, passage, begin, reach)
        if spans:
            results.append(Verification(passage, Found.IN_PLACE, spans))
            if not passage.sentence:
                cursor, pending = bisect_left(copy.origin, spans[0].end), 0
            continue
        spans = _spans(copy, passage, 0, len(copy.folded))
        results.append(Verification(passage, Found.MOVED if spans else Found.NOWHERE, spans))
        pending += passage.digest.length
    return list(_with_neighbours(results))


def _spans(copy: Copy, passage: Passage, first: int, last: int) -> tuple[Span, ...]:
    """Find a passage as a whole or, where it has parts, part by part."""
    whole = copy.find(passage.digest, first, last)
    if whole or not passage.parts:
        return (whole,) if whole else ()
    spans: list[Span] = []
    for _, wanted in passage.parts:
        span = copy.find(wanted, first, max(last, first + FURNITURE_ALLOWANCE))
        if span is None:
            return ()
        spans.append(span)
        first = bisect_left(copy.origin, span.end)
    return tuple(spans)


def _with_neighbours(results: list[Verification]) -> Iterator[Verification]:
    in_place = [
        (index, (each.passage.name, each.spans[-1]))
        for index, each in enumerate(results)
        if each.found is Found.IN_PLACE and not each.passage.sentence
    ]
    for index, each in enumerate(results):
        if each.found is Found.IN_PLACE:
            yield each
            continue
        after = next((neighbour for at, neighbour in reversed(in_place) if at < index), None)
        before = next((neighbour for at, neighbour in in_place if at > index), None)
        yield replace(each, after=after, before=before)
