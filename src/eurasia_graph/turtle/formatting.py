"""
Write Turtle files in their canonical form, without changing their meaning.

The graphs before and after are compared on every run. If they cannot be compared, or something would be lost, the
file is refused and left unchanged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import monotonic

from pyoxigraph import Quad, RdfFormat, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError, SourceError
from eurasia_graph.turtle import places, reader, writer
from eurasia_graph.turtle.canonical import SECONDS, canonical


class NotComparedError(EurasiaGraphError):
    """The graph cannot be compared with what would be written in time."""


class ChangedGraphError(EurasiaGraphError):
    """What would be written is a different graph, which is a bug."""


def format_file(path: Path) -> str:
    """
    Return the canonical form of a Turtle file.

    Raises:
        SourceError: If the file is not Turtle, holds a comment, which no triple keeps, or cannot be
            compared with what would be written.
    """
    text, triples = reader.read(path)
    comments = [token for token in places.tokens(text.content) if token.kind == "comment"]
    if comments:
        more = len(comments) - 1
        others = f" (and {more} more below)" if more else ""
        problem = f"a comment would be lost{others}; write it as a triple, such as skos:note, or delete it"
        raise SourceError(path, *text.lines.at(comments[0].start), problem)
    try:
        return compared(triples, tags=_tags(text))
    except (NotComparedError, ChangedGraphError) as error:
        raise SourceError(path, 1, 1, f"{error}; the file was not changed") from None


def _tags(text: reader.Text) -> dict[str, str]:
    """Find the languages that are not written in lower case, as the engine keeps them, by their literals."""
    found: dict[str, str] = {}
    for string, tag in pairwise(places.tokens(text.content)):
        if tag.kind == "language" and string.kind == "string" and tag.text != tag.text.lower():
            literal = str(next(parse(f"<a:a> <a:a> {string.text}{tag.text} .", format=RdfFormat.TURTLE)).object)
            found[literal] = min(tag.text, found.get(literal, tag.text))
    return found


def compared(triples: Iterable[Triple], seconds: float = SECONDS, tags: Mapping[str, str] | None = None) -> str:
    """
    Return the canonical Turtle of a graph, after it has been read again and compared.

    Args:
        triples: Its statements.
        seconds: How long comparing may take.
        tags: How the language of a literal is written, where not in lower case.
    Raises:
        NotComparedError: If RDFC-1.0 does not end in time.
        ChangedGraphError: If the graph that was read again is another one.
    """
    before, end = [ns.quad(triple) for triple in triples], monotonic() + seconds
    text = writer.format_graph(before, seconds, tags)
    try:
        after: list[Quad] = list(parse(text.encode(), format=RdfFormat.TURTLE))
    except (SyntaxError, MemoryError) as error:
        raise ChangedGraphError(f"the graph cannot be written so that it can be read again ({error})") from None
    found = canonical(before, after, seconds=max(0.0, end - monotonic()))
    if found is None:
        raise NotComparedError(
            f"the graph cannot be compared with what would be written: naming its blank nodes (RDFC-1.0) takes more "
            f"than {seconds:g} s; give some of them IRIs"
        )
    mine, theirs = found
    if mine != theirs:
        odd = sorted({*mine} ^ {*theirs})
        raise ChangedGraphError(
            f"a different graph would be written, which is a bug in eurasia-graph; please report it with {odd[0]}"
        )
    return text


def rewrite(path: Path, text: str) -> None:
    """
    Replace a file atomically, keeping its mode.

    Raises:
        SourceError: If the file cannot be written.
    """
    target = path.resolve()  # a symbolic link is kept
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(target.stat().st_mode & 0o7777)
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise SourceError(path, 1, 1, f"the file cannot be written: {error.strerror}; check its permissions") from None
