"""Read a Turtle file into triples, and report where a file is not Turtle."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal as OneOf
from typing import TypeAlias

from pyoxigraph import Literal, RdfFormat, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import SourceError, nearest
from eurasia_graph.turtle import places

# How deep triple terms may be nested: far deeper than anything intended, but below what crashes the engine.
DEEPEST = 100


BOM = codecs.BOM_UTF8.decode("utf-8")


# How much of a line a message shows before and after the location.
AROUND = 60


Part: TypeAlias = OneOf["subject", "predicate", "object"]


class Text:
    """The text of a Turtle file; its lines and where its statements are written are found when asked for."""

    def __init__(self, content: str) -> None:
        """Keep the text, so that locations stay valid even if the file is changed."""
        self.content = content
        self.count = 0

    @cached_property
    def lines(self) -> places.Lines:
        """Its lines, as editors count them."""
        return places.Lines(self.content)

    @cached_property
    def _written(self) -> list[places.Written]:
        return places.statements(self.content)

    def place_of(self, number: int, part: Part) -> tuple[int, int]:
        """Return line and column of a part of a statement; the beginning, if these cannot be told apart."""
        known = len(self._written) == self.count
        return self.lines.at(getattr(self._written[number], part)) if known else (1, 1)


def read(path: Path) -> tuple[Text, list[Triple]]:
    """
    Parse a Turtle file into its text and its triples, in the order in which they are written.

    Raises:
        SourceError: If the file cannot be read, is not UTF-8, is empty or is not Turtle.
    """
    raw = _read(path)
    text = Text(raw.decode("utf-8"))
    _refuse_depth(path, text)
    try:
        # The whole of it at once: from a file of ours the engine takes no more than it asks for, or aborts.
        triples = [quad.triple for quad in parse(raw, format=RdfFormat.TURTLE)]
    except SyntaxError as error:
        raise _syntax_error(path, text, error) from None
    except MemoryError:
        raise _too_long(path, text) from None
    text.count = len(triples)
    if not triples:
        raise SourceError(path, 1, 1, "the file contains no statements; write Turtle in it or delete it")
    return text, triples


def statements_of(path: Path) -> Iterator[tuple[Triple, int]]:
    """
    Parse a Turtle file into triples, each with its number, counted from 0.

    Raises:
        SourceError: If the file cannot be read, is not UTF-8, is empty or is not Turtle.
    """
    for number, triple in enumerate(read(path)[1]):
        yield triple, number


def refuse_newer(path: Path, text: Text, triples: list[Triple]) -> None:
    """
    Refuse the additions of RDF 1.2 to RDF 1.1, which neither shapes nor claims support.

    Raises:
        SourceError: If there is one, with its line and column.
    """
    if not any(_is_newer(triple.object) for triple in triples):
        return
    found = next(
        each
        for each in places.tokens(text.content)
        if each.text in places.RDF_12 or (each.kind == "language" and "--" in each.text)
    )
    if found.kind == "language":
        way_out = f"a base direction is of RDF 1.2, which the data does not use; write {found.text.partition('--')[0]}"
    else:
        way_out = (
            f"{found.text} begins a triple term, a reifier or an annotation of RDF 1.2, which the data does not use; "
            "write the statement itself, and who states it as a claim of its own with eg:statedIn and eg:evidence"
        )
    raise SourceError(path, *text.lines.at(found.start), way_out)


def _is_newer(term: object) -> bool:
    return isinstance(term, Triple) or (isinstance(term, Literal) and term.direction is not None)


def _refuse_depth(path: Path, text: Text) -> None:
    """Refuse triple terms that stand so deep in each other that the engine would end the process."""
    if text.content.count("<<(") <= DEEPEST:
        return
    depth = 0
    for token in places.tokens(text.content):
        depth += (token.text == "<<(") - (token.text == ")>>")
        if depth > DEEPEST:
            problem = (
                f"triple terms stand more than {DEEPEST} deep in each other; give the inner ones names of their own"
            )
            raise SourceError(path, *text.lines.at(token.start), problem)


def _too_long(path: Path, text: Text) -> SourceError:
    """Say where the string or name stands that is longer than the engine reads."""
    longest = max(places.tokens(text.content), key=lambda token: len(token.text))
    problem = "a string or a comment here is longer than 16 MiB, which the engine does not read; divide it"
    return SourceError(path, *text.lines.at(longest.start), problem)


def not_utf8(path: Path, raw: bytes, error: UnicodeDecodeError) -> SourceError:
    """Say where a file stops being UTF-8, in lines and columns counted from 1."""
    before = raw[: error.start].decode("utf-8").removeprefix(BOM)
    line, column = places.Lines(before).at(len(before))
    problem = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8, for instance with iconv -t UTF-8"
    return SourceError(path, line, column, problem)


def _read(path: Path) -> bytes:
    """Read a file without the mark that some editors put before UTF-8."""
    try:
        if path.exists() and not path.is_file():
            raise SourceError(path, 1, 1, "this is not a file; give the path of a Turtle file")
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(path, 1, 1, f"the file cannot be read: {error.strerror}; check its name and rights") from None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(path, raw, error) from None
    return raw.removeprefix(codecs.BOM_UTF8)


def _syntax_error(path: Path, text: Text, error: SyntaxError) -> SourceError:
    line, column = error.lineno or 1, error.offset or 1
    problem = re.sub(r"^Parser error (?:at|between) .*?: ", "", error.msg)
    return SourceError(
        path, line, column, f"this is not Turtle: {problem}; {_way_out(problem)}{_pointer(text, line, column)}"
    )


def _pointer(text: Text, line: int, column: int) -> str:
    """Show the line with a mark below the column; of a long one, what is around it."""
    seen = text.lines.line(line)
    if not seen:
        return ""
    start = max(0, column - 1 - AROUND)
    end = column + AROUND
    before, behind = "… " if start else "", " …" if end < len(seen) else ""
    # What moves the cursor would move the mark.
    shown = "".join(each if each.isprintable() else " " for each in seen[start:end])
    return f"\n    {before}{shown}{behind}\n    {' ' * (len(before) + column - 1 - start)}^"


def _way_out(problem: str) -> str:
    """Say what to do about the parser's complaint; of prefixes, which one was probably meant."""
    prefix = re.search(r"prefix (\S*): has not been declared", problem)
    if prefix:
        name = prefix.group(1)
        near = nearest(name, ns.PREFIXES)
        if name in ns.PREFIXES:
            return f"add a line PREFIX {name}: <{ns.PREFIXES[name]}> at the top"
        meant = f"; nearest known: {', '.join(near)}" if near else ""
        return f"write a declared prefix or add a line PREFIX {name}: <...> at the top{meant}"
    if "No scheme found" in problem:
        return "write the whole IRI, or say with a line BASE <...> at the top what it begins with"
    if "dot" in problem.lower():
        return "end the statement before with a dot, or go on with a semicolon"
    return "expected: subject predicate object, then ; or , to go on or . to end"
