"""
Put Turtle files in their canonical form, and never change what they say.

The graph before and after is compared on every run. What cannot be compared, or would be lost, is refused, and
the file left alone.
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
    """Whether a graph would be written as it is cannot be told in time."""


class ChangedGraphError(EurasiaGraphError):
    """What would be written is another graph, which is a fault of ours."""


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
        problem = f"a comment would be lost{others}; say it in a triple, such as skos:note, or delete it"
        raise SourceError(path, *text.lines.at(comments[0].start), problem)
    try:
        return compared(triples, tags=_tags(text))
    except (NotComparedError, ChangedGraphError) as error:
        raise SourceError(path, 1, 1, f"{error}; the file is left as it is") from None


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
            f"another graph would be written, which is a fault of eurasia-graph; please report it with {odd[0]}"
        )
    return text


def rewrite(path: Path, text: str) -> None:
    """
    Put a text in the place of a file at once, so that nobody meets half of it, with the mode of the file.

    Raises:
        SourceError: If the file cannot be written.
    """
    target = path.resolve()  # a link stays one
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
        raise SourceError(path, 1, 1, f"the file cannot be written: {error.strerror}; check its rights") from None
