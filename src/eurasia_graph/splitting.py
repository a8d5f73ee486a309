"""
Split a text into sentences, headings, list items, notes and page furniture.

The rules are typographic and know no source: a text of lines or of wrapped paragraphs, with notes
below the page or at the end, comes out in pieces that together hold every letter of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

# A page number or a line that only dates the page carries no statement.
PAGE_NUMBER = re.compile(r"\W*\d{1,4}\W*")
DATE_LINE = re.compile(r"(?:[^\W\d]+ \d{1,2},|\d{1,2} [^\W\d]+) \d{4}")
BULLET = re.compile(r"[●•▪◦‣∙*–—-]\s+")
NOTE = re.compile(r"(\d{1,3})\s?(?=[^\W\d])")
NOTE_MARKER = re.compile(r"(?<=[.!?…,;:”’\"'»)\]])(\d{1,3})(?=\s|$)")
SENTENCE_END = re.compile(r"[.!?…]+[”’\"'»)\]]*(?:(?<=\D)\d{1,3})?\s+(?=[“‘\"'«(\[]*([^\W_]))")
ABBREVIATION = re.compile(
    r"(?:\b[^\W\d_]|\b(?:no|nos|vol|vols|pp|p|ed|eds|fig|dr|mr|mrs|ms|prof|st|vs|cf|al|jr|sr|inc|ltd|co))\.$",
    re.IGNORECASE,
)
FINISHED = re.compile(r"[.!?…:;][”’\"'»)\]]*\d{0,3}$")
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
    section: str | None
    spans: tuple[Span, ...]


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
    blocks = [each for block in _blocks(text) for each in _classify(text, block, wrapped)]
    pieces: list[Piece] = []
    section: str | None = None
    marker = 0
    for paragraph in _rejoined(text, blocks):
        if paragraph.kind is Kind.HEADING:
            section = " ".join(text[paragraph.spans[0].start : paragraph.spans[0].end].split())
        if paragraph.kind is not Kind.SENTENCE:
            pieces.append(Piece(paragraph.kind, section, tuple(paragraph.spans)))
            continue
        for spans, last_marker in _sentences(text, paragraph.spans, marker):
            marker = last_marker
            pieces.append(Piece(Kind.SENTENCE, section, spans))
    return sorted(pieces, key=lambda piece: piece.spans[0].start)


def _lines(text: str, span: Span) -> Iterator[Span]:
    start = span.start
    for line in text[span.start : span.end].split("\n"):
        yield Span(start, start + len(line))
        start += len(line) + 1


def _blocks(text: str) -> Iterator[list[Span]]:
    """Yield runs of lines, stripped; a blank line or an indented capital letter opens a new run."""
    block: list[Span] = []
    for line in _lines(text, Span(0, len(text))):
        stripped = _stripped(text, line)
        blank = stripped.start == stripped.end
        indented = stripped.start > line.start
        if block and (blank or (indented and text[stripped.start].isupper())):
            yield block
            block = []
        if not blank:
            block.append(stripped)
    if block:
        yield block


def _stripped(text: str, span: Span) -> Span:
    content = text[span.start : span.end]
    start = span.start + len(content) - len(content.lstrip())
    return Span(start, max(start, span.end - (len(content) - len(content.rstrip()))))


def _is_wrapped(text: str) -> bool:
    """Tell whether line breaks fall inside sentences: often enough a line goes on in lower case."""
    lines = [line.strip() for line in text.split("\n")]
    following = [after for line, after in pairwise(lines) if line and after]
    going_on = sum(1 for line in following if line[0].islower())
    return going_on > len(following) / 5


def _classify(text: str, block: list[Span], wrapped: bool) -> Iterator[_Paragraph]:
    whole = Span(block[0].start, block[-1].end)
    content = text[whole.start : whole.end]
    if len(block) == 1 and (PAGE_NUMBER.fullmatch(content) or DATE_LINE.fullmatch(content)):
        yield _Paragraph(Kind.FURNITURE, [whole])
    elif _is_heading(content, len(block) if wrapped else 2 * len(block)):
        yield _Paragraph(Kind.HEADING, [whole])
    else:
        yield from _group_lines(text, block, wrapped)


def _is_heading(content: str, lines: int) -> bool:
    return (
        lines <= HEADING_LINES
        and len(content) <= LONGEST_HEADING
        and not content[0].islower()
        and not BULLET.match(content)
        and not FINISHED.search(content)
        and not SENTENCE_END.search(content)
        and not content.endswith(",")
    )


def _group_lines(text: str, block: list[Span], wrapped: bool) -> Iterator[_Paragraph]:
    """Group the lines of a block into paragraphs: notes by their numbers, items by their bullets."""
    note_starts = _note_starts(text, block)
    group: _Paragraph | None = None
    for index, line in enumerate(block):
        bullet = BULLET.match(text[line.start : line.end])
        starts_note = index in note_starts
        in_notes = group is not None and group.kind is Kind.NOTE
        if group and not starts_note and not bullet and (wrapped or (in_notes and index < len(block) - 1)):
            group.spans[-1] = Span(group.spans[-1].start, line.end)
            continue
        if group:
            yield group
        start = line.start + (bullet.end() if bullet else 0)
        group = _Paragraph(Kind.NOTE if starts_note else Kind.SENTENCE, [Span(start, line.end)])
    if group:
        yield group


def _note_starts(text: str, block: list[Span]) -> set[int]:
    """Find the lines that open a note: numbers that count up by one, two of them at the least."""
    numbered = [
        (index, int(match.group(1)))
        for index, line in enumerate(block)
        if (match := NOTE.match(text[line.start : line.end]))
    ]
    runs: list[tuple[int, int]] = []
    for index, number in numbered:
        if not runs or number == runs[-1][1] + 1:
            runs.append((index, number))
    return {index for index, _ in runs} if len(runs) > 1 else set()


def _rejoined(text: str, paragraphs: list[_Paragraph]) -> Iterator[_Paragraph]:
    """Put the two halves of a sentence together where notes or a page number stand between them."""
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
        if unfinished.kind is not Kind.SENTENCE or FINISHED.search(text[last.start : last.end]):
            yield unfinished
            yield from waiting
            unfinished, waiting = None, []
    if unfinished:
        yield unfinished
        yield from waiting


def _sentences(text: str, spans: list[Span], marker: int) -> Iterator[tuple[tuple[Span, ...], int]]:
    """Split the text of a paragraph, which may lie in several spans, into sentences."""
    joined = "".join(text[span.start : span.end] + "\n" for span in spans)
    offsets = [offset for span in spans for offset in range(span.start, span.end + 1)]
    start = 0
    for end in _sentence_ends(joined):
        parts, marker = _cut_markers(joined, start, end, marker)
        found = tuple(part for first, last in parts for part in _original(joined, offsets, first, last, spans))
        if found:
            yield found, marker
        start = end


def _sentence_ends(joined: str) -> Iterator[int]:
    for match in SENTENCE_END.finditer(joined):
        before = joined[max(0, match.start() - 11) : match.start() + 1]
        if not match.group(1).islower() and not ABBREVIATION.search(before):
            yield match.end()
    yield len(joined)


def _cut_markers(joined: str, start: int, end: int, marker: int) -> tuple[list[tuple[int, int]], int]:
    """Cut a sentence where the marker of a note stands in or after it; markers count up by one."""
    parts: list[tuple[int, int]] = []
    for match in NOTE_MARKER.finditer(joined, start, end):
        if marker < int(match.group(1)) <= marker + 3:
            marker = int(match.group(1))
            parts.append((start, match.start()))
            start = match.end()
    parts.append((start, end))
    return [(first, last) for first, last in parts if any(each.isalnum() for each in joined[first:last])], marker


def _original(joined: str, offsets: list[int], first: int, last: int, spans: list[Span]) -> Iterator[Span]:
    """Translate a slice of the joined text back into slices of the text, one for each span it lies in."""
    while joined[first].isspace():
        first += 1
    while joined[last - 1].isspace():
        last -= 1
    start, end = offsets[first], offsets[last - 1] + 1
    for span in spans:
        if span.start < end and start < span.end:
            yield Span(max(start, span.start), min(end, span.end))
