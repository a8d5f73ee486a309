"""
Write the passages of a source, and check them against a copy of its text.

The commands `passages` and `verify` call this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import NamedNode

from eurasia_graph import graphs, paths
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.files import write_whole
from eurasia_graph.store import ReleaseStore
from eurasia_graph.text.passages import (
    Found,
    Passage,
    Verification,
    clause,
    describe,
    from_store,
    keep_cuts,
    read_text,
    text_digest,
    to_triples,
    verify,
)
from eurasia_graph.text.splitting import Kind, Piece, Span, split
from eurasia_graph.turtle import reader
from eurasia_graph.turtle.writer import format_triples

LONGEST_SHOWN = 80
# How much a copy may have around the text; searching more of it for sentences takes minutes.
TIMES_LONGER, FREE_LENGTH = 10, 100_000


def write_passages(
    data: Path | None,
    source: str,
    textfile: Path,
    new_clause: tuple[str, str] | None = None,
    headings: str = "",
) -> list[str]:
    """
    Write `sources/<source>/passages.ttl` from the text of the source.

    Args:
        data: The data folder; the shipped one if left out.
        source: The name of a folder in `sources/`.
        textfile: The text, UTF-8.
        new_clause: The number of a sentence and words in it, to add a clause.
        headings: The numbers of the sentences that are headings, with commas between; or `all`, for all that the
            splitter takes for one. Those it proposes count as not encoded until they are accepted here.
    Returns:
        Lines to print: what was written, and what the splitter takes for headings and page furniture.
    Raises:
        UsageError: If there is no such source, or the text lacks a passage that is known.
        SourceError: If a file cannot be read.
    """
    path = _folder(data, source) / "passages.ttl"
    text = read_text(textfile)
    known = _known(path, source)
    pieces, as_before = keep_cuts(text, split(text), known)
    found = describe(text, pieces, known)
    if headings:
        found = describe(text, pieces, known, _chosen(headings, pieces, found))
    numbers = {each.name for each in known}
    notices = list(_proposals(textfile, text, pieces, found, numbers))
    if as_before:
        notices.append(
            f"passages kept as they were cut before: {', '.join(as_before)}; the text would be split otherwise today"
        )
    if new_clause:
        found.append(_new_clause(text, found, *new_clause))
    lines = "\n".join(f"{triple} ." for triple in to_triples(source, text, found))
    write_whole(path, format_triples(lines).encode())
    new = sum(1 for each in found if each.name not in numbers)
    return [f"{path}: {len(found)} passages, {new} new, {len(found) - new} kept", *notices]


def _chosen(headings: str, pieces: list[Piece], found: list[Passage]) -> set[str]:
    """Read the numbers of the headings that were decided on."""
    named = list(zip(pieces, found, strict=False))
    if headings.strip() == "all":
        return {passage.name for piece, passage in named if piece.kind is Kind.HEADING and not passage.reason}
    chosen = {each.strip() for each in headings.split(",")}
    unknown = sorted(chosen - {passage.name for _, passage in named})
    if unknown:
        raise UsageError(
            f"no sentence {unknown[0]!r} for --headings; give numbers from 1 to {len(named)}, as in 1,8, or all"
        )
    return chosen


def _proposals(textfile: Path, text: str, pieces: list[Piece], found: list[Passage], known: set[str]) -> Iterator[str]:
    """Say what the splitter takes for headings, which stay open, and what it takes for page furniture."""
    proposed = 0
    for piece, passage in zip(pieces, found, strict=False):
        words = " ".join(text[piece.spans[0].start : piece.spans[-1].end].split())
        seen = f"{words[:LONGEST_SHOWN]}…" if len(words) > LONGEST_SHOWN else words
        place = f"{textfile}:{_place(text, piece.spans[0])}: sentence {passage.name}"
        if piece.kind is Kind.HEADING and not passage.reason:
            proposed += 1
            yield f"{place} looks like a heading: {seen}"
        elif piece.kind is Kind.FURNITURE and passage.name not in known:
            yield f"{place} is taken for page furniture, which needs no claim: {seen}"
    if proposed:
        yield (
            f"headings proposed: {proposed}; each counts as an open sentence until a claim rests on it or you accept "
            "it: run the command again with --headings all, or with numbers, such as --headings 1,8"
        )


def verify_passages(
    data: Path | None, source: str, textfile: Path, store: ReleaseStore | None = None
) -> tuple[list[str], int]:
    """
    Look for the passages of a source in a copy of its text.

    Args:
        data: The data folder; the shipped one if left out.
        source: The name of a source.
        textfile: The copy, UTF-8.
        store: A release whose passages are looked for, instead of those of the data folder.
    Returns:
        Lines to print, and how many passages were not found.
    Raises:
        UsageError: If there is no such source, it has no passages, or the copy is far longer than the source.
    """
    known, digest = _of_release(store, source) if store else _of_folder(data, source)
    if not known:
        raise UsageError(f"{source} has no passages yet; run eurasia-graph passages {source} {textfile} first")
    text = read_text(textfile)
    longest = TIMES_LONGER * max(each.span.end for each in known) + FREE_LENGTH
    if len(text) > longest:
        raise UsageError(
            f"{textfile} has {len(text)} characters, more than {TIMES_LONGER} times as many as the source; "
            "cut the text of the source out of it, and give that"
        )
    results = verify(known, text)
    counts = {state: sum(1 for each in results if each.found is state) for state in Found}
    lines = [_line(textfile, text, each) for each in results if each.found is not Found.IN_PLACE]
    same = " (the very same text)" if digest == text_digest(text).sha256 else ""
    lines.append(", ".join(f"{count} {state.value}" for state, count in counts.items()) + f" of {len(results)}{same}")
    return lines, counts[Found.NOWHERE]


def _folder(data: Path | None, source: str) -> Path:
    folder = (data or paths.root() / "data") / "sources"
    known = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if source not in known:
        error = UnknownNameError("source", source, known)
        raise UsageError(f"{error}; to add one, make the folder {folder / source} with a source.ttl in it")
    return folder / source


def _known(path: Path, source: str) -> list[Passage]:
    if not path.is_file():
        return []
    graph = graphs.graph_of("passages", source)
    dataset = sources.load([sources.TurtleFile(path, graph)])
    if dataset.errors:
        raise dataset.errors[0]
    return from_store(dataset.store, source)


def _of_folder(data: Path | None, source: str) -> tuple[list[Passage], str]:
    """Read the passages of a source and the digest of its text from a data folder."""
    path = _folder(data, source) / "passages.ttl"
    known = _known(path, source)
    return known, _text_digest_of(path) if known else ""


def _of_release(store: ReleaseStore, source: str) -> tuple[list[Passage], str]:
    """Read the passages of a source and the digest of its text from a release."""
    prefix = ns.GRAPH("passages-").value
    names = (graph.value for graph in store.local.named_graphs() if isinstance(graph, NamedNode))
    known = sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
    if source not in known:
        raise UsageError(f"no source {source!r}; there are {', '.join(known)}")
    graph = graphs.graph_of("passages", source)
    digests = (ns.value(quad.object) for quad in store.local.quads_for_pattern(None, ns.EG("textSha256"), None, graph))
    return from_store(store.local, source), next(digests, "")


def _text_digest_of(path: Path) -> str:
    triples = (triple for triple, _ in reader.statements_of(path))
    found = (triple.object for triple in triples if triple.predicate.value.endswith("#textSha256"))
    return next((getattr(term, "value", "") for term in found), "")


def _new_clause(text: str, found: list[Passage], number: str, words: str) -> Passage:
    sentences = {each.name: each for each in found if not each.sentence}
    if number not in sentences:
        raise UsageError(f"no sentence {number!r}; the numbers go from 1 to {len(sentences)}")
    taken = sum(1 for each in found if each.sentence == number)
    return clause(text, sentences[number], words, f"{number}-{taken + 1}")


def _line(textfile: Path, text: str, result: Verification) -> str:
    name = result.passage.name
    section = f" ({result.passage.section})" if result.passage.section else ""
    here = f"; it stands at {_place(text, result.spans[0])}" if result.spans else ""
    after = (
        f"after {result.after[0]}, which ends at {_end(text, result.after[1])}" if result.after else "at the beginning"
    )
    before = f"before {result.before[0]} at {_place(text, result.before[1])}" if result.before else "at the end"
    return f"{textfile}: passage {name}{section} {result.found.value}{here}; it should stand {after}, and {before}"


def _place(text: str, span: Span) -> str:
    line = text.count("\n", 0, span.start) + 1
    return f"{line}:{span.start - (text.rfind(chr(10), 0, span.start) + 1) + 1}"


def _end(text: str, span: Span) -> str:
    return _place(text, Span(span.end, span.end))
