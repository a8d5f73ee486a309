"""
Find where in a Turtle file every statement is written: its subject, its predicate and its object.

The engine decides what a file means; this module reads tokens and follows brackets, so that a finding can be shown
at its line and column. Statements come in the order in which the engine gives them.

A line ends where editors end it, as in the Language Server Protocol: at a line feed, at a carriage return or
at both, and at no other character; U+2028, U+2029, U+0085, VT and FF stand within a line. Columns count code
points from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from eurasia_graph.sparql.tokens import LATER, LOCAL, NAME

# Names are read more liberally than by the engine, which has already refused anything that is not Turtle.
TOKEN = (
    r"(?P<blank>[ \t\r\n]++)"
    r"|(?P<comment>#[^\r\n]*+)"
    r'|(?P<string>"""(?:[^"\\]++|\\.|"(?!""))*+"""'
    r"|'''(?:[^'\\]++|\\.|'(?!''))*+'''"
    r'|"(?:[^"\\\r\n]++|\\.)*+"'
    r"|'(?:[^'\\\r\n]++|\\.)*+')"
    r"|(?P<mark><<\(?|\)>>|>>|\{\||\|\}|\^\^|[\[\](),;~])"
    r"|(?P<iri><[^<>\"{}|^`\x00-\x20]*+>)"
    r"|(?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)"
    r"|(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+|\.[0-9]+[eE][+-]?[0-9]+|[0-9]*\.[0-9]+|[0-9]+))"
    rf"|(?P<label>_:{NAME}{LATER}*+)"
    rf"|(?P<name>(?:{NAME}{LATER}*+)?{LOCAL})"
    rf"|(?P<word>{NAME}{LATER}*+)"
    r"|(?P<other>.)"
)
LINE_END = re.compile(r"\r\n|\r|\n")
# How many tokens follow the word that begins a directive, its dot included.
DIRECTIVES = {"@prefix": 3, "@base": 2, "@version": 2, "prefix": 2, "base": 1, "version": 1}
# What RDF 1.2 adds to RDF 1.1: triple terms, reified triples, annotations and reifiers.
RDF_12 = {"<<", "<<(", "{|", "~"}


class Token(NamedTuple):
    """A token: blank, comment, string, mark, iri, language, number, label, name, word or other, and where it is."""

    kind: str
    text: str
    start: int


class Written(NamedTuple):
    """Where a statement is written: the offsets of its subject, its predicate and its object."""

    subject: int
    predicate: int
    object: int


class Lines:
    """The lines of a text as editors count them."""

    def __init__(self, text: str) -> None:
        """Find where they begin."""
        self._text = text
        self._starts = [0, *(match.end() for match in LINE_END.finditer(text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset, both counted from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return a line without its end; nothing for one that is not there."""
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = LINE_END.search(self._text, start)
        return self._text[start : end.start() if end else len(self._text)]


@lru_cache(maxsize=1)
def _token() -> re.Pattern[str]:
    """Compile the pattern when a file is first read so; that takes as long as reading a small one."""
    return re.compile(TOKEN, re.DOTALL)


def tokens(text: str) -> Iterator[Token]:
    """Read the tokens of a Turtle file, blanks left out."""
    pattern, position = _token(), 0
    while position < len(text):
        for match in pattern.finditer(text, position):
            kind, written = str(match.lastgroup), match.group()
            position = match.end()
            if kind == "blank":
                continue
            # A name ends before the dots after it, unless the last is escaped.
            if kind in {"label", "name", "word"}:
                kind, written = _without_dots(kind, written)
            yield Token(kind, written, match.start())
            if match.start() + len(written) < position:
                position = match.start() + len(written)
                break


def _without_dots(kind: str, written: str) -> tuple[str, str]:
    before, colon, _ = written.partition(":")
    if kind == "name" and colon and before.endswith("."):
        # `true.:a` is a word, a dot and a name.
        return "word", before.rstrip(".")
    while written.endswith(".") and written[-2:-1] != "\\" and len(written) > 1:
        written = written[:-1]
    return kind, written


def statements(text: str) -> list[Written]:
    """
    List where the statements of a file are written, in the order in which the engine gives them.

    Args:
        text: Turtle 1.1 that the engine has read without complaint.
    """
    walk = _Walk()
    for token in tokens(text):
        if token.kind != "comment":
            walk.take(token)
    return walk.found


class _Frame:
    """An open bracket, or the file around them all: what is said of whom, and what comes next."""

    def __init__(self, bracket: str, start: int) -> None:
        self.bracket = bracket
        self.start = self.subject = self.predicate = start
        self.awaits = {"": "subject", "[": "verb", "(": "first"}[bracket]


class _Walk:
    """
    Follow the tokens of a file.

    The engine gives what one token completes in reverse, and completes a string when it sees the token
    after it, which could be a language or a datatype.
    """

    def __init__(self) -> None:
        self.found: list[Written] = []
        self._step: list[Written] = []
        self._frames = [_Frame("", 0)]
        self._string: int | None = None
        self._skipped = 0

    def take(self, token: Token) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self._take(token)
        self.found += reversed(self._step)
        self._step.clear()

    def _take(self, token: Token) -> None:
        if self._string is not None:
            start, self._string = self._string, None
            self._finish(self._frames[-1], start)
            if token.kind == "language":
                return
            if token.text == "^^":
                # The datatype completes the literal, alone.
                self._skipped = 1
                return
        frame = self._frames[-1]
        if frame.bracket == "(":
            self._in_list(frame, token)
        elif token.text == "]":
            self._frames.pop()
            self._close(self._frames[-1], frame.start)
        elif frame.awaits == "subject":
            self._subject(frame, token)
        elif frame.awaits == "verb":
            self._verb(frame, token)
        elif frame.awaits == "object":
            self._object(frame, token)
        else:
            frame.awaits = {",": "object", ";": "verb", ".": "subject"}.get(token.text, frame.awaits)

    def _subject(self, frame: _Frame, token: Token) -> None:
        if token.kind in {"word", "language"} and token.text.lower() in DIRECTIVES:
            self._skipped = DIRECTIVES[token.text.lower()]
        elif token.text in {"[", "("}:
            self._frames.append(_Frame(token.text, token.start))
        else:
            frame.subject, frame.awaits = token.start, "verb"

    def _verb(self, frame: _Frame, token: Token) -> None:
        if token.text == ".":
            frame.awaits = "subject"
        elif token.text != ";":
            frame.predicate, frame.awaits = token.start, "object"

    def _object(self, frame: _Frame, token: Token) -> None:
        if token.text in {"[", "("}:
            self._frames.append(_Frame(token.text, token.start))
        elif token.kind == "string":
            self._string = token.start
        else:
            self._finish(frame, token.start)

    def _in_list(self, frame: _Frame, token: Token) -> None:
        outer = self._frames[-2]
        if token.text == ")":
            self._frames.pop()
            if frame.awaits == "first":
                self._close(outer, frame.start)
            else:
                self._step.append(Written(frame.subject, token.start, token.start))
                self._close(outer, frame.start, told=True)
            return
        if frame.awaits == "first":
            if outer.awaits != "subject":
                self._tell(outer, frame.start)
        else:
            self._step.append(Written(frame.subject, token.start, token.start))
        frame.subject = frame.predicate = token.start
        frame.awaits = "rest"
        self._object(frame, token)

    def _close(self, frame: _Frame, start: int, *, told: bool = False) -> None:
        """Continue after a bracket, which is the subject or an object of what is around it."""
        if frame.awaits == "subject":
            frame.subject, frame.awaits = start, "verb"
        elif told:
            frame.awaits = "after" if frame.bracket != "(" else frame.awaits
        else:
            self._finish(frame, start)

    def _finish(self, frame: _Frame, start: int) -> None:
        self._tell(frame, start)
        if frame.bracket != "(":
            frame.awaits = "after"

    def _tell(self, frame: _Frame, start: int) -> None:
        self._step.append(Written(frame.subject, frame.predicate, start))
