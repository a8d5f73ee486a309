"""
Find the Turtle files, parse them and remember the line of every statement.

Each file belongs to one named graph, so that every quad can be traced to its file and line.
A file that cannot be read does not hide the others: its error is kept beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, cast

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import SourceError, UsageError, nearest

SCHEMA_GRAPHS = (ns.GRAPH("ontology"), ns.GRAPH("align"), ns.GRAPH("schemes"))
ENTITIES = ns.GRAPH("entities")
LINKS = ns.GRAPH("links")
NOTES = ns.GRAPH("notes")
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
NUMBERS = {ns.XSD + name for name in ("integer", "decimal", "double", "float")}


@dataclass(frozen=True, slots=True)
class TurtleFile:
    """A Turtle file and the named graph that its statements belong to."""

    path: Path
    graph: NamedNode


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement is written; line and column count from 1."""

    path: Path
    line: int
    column: int


@dataclass
class Dataset:
    """
    What the files say: quads in named graphs, an empty default graph, and the line of every statement.

    `errors` holds the files that could not be read.
    """

    store: Store = field(default_factory=Store)
    lines: dict[Quad, tuple[Path, int]] = field(default_factory=dict)
    errors: list[SourceError] = field(default_factory=list)

    def place_of(self, quad: Quad) -> Place | None:
        """Say where a statement is written, or None where no file holds it."""
        found = self.lines.get(quad)
        if found is None:
            return None
        path, line = found
        return Place(path, line, _column(path, line))

    def head_of(self, quad: Quad) -> Place | None:
        """Say where the subject of a statement is written: the line above it that is not indented."""
        found = self.lines.get(quad)
        if found is None:
            return None
        path, line = found
        lines = _text_lines(path)
        while line > 1 and lines[line - 1][:1].isspace():
            line -= 1
        return Place(path, line, 1)

    def sources(self) -> list[NamedNode]:
        """List the sources that the files describe, sorted by IRI."""
        kind = ns.EG("Source")
        found = {quad.subject for quad in self.store.quads_for_pattern(None, ns.RDF("type"), kind, None)}
        return sorted((node for node in found if isinstance(node, NamedNode)), key=lambda node: node.value)


def shown(path: Path) -> Path:
    """Write a path as somebody in the current folder would: relative if it is below, whole if not."""
    with suppress(ValueError):
        return path.resolve().relative_to(Path.cwd())
    return path


@lru_cache(maxsize=1)
def root() -> Path:
    """
    Return the folder that holds ontology/, data/ and queries/.

    The checkout is preferred to the copy inside the package, which an editable install makes
    once and never renews.
    """
    package = Path(__file__).resolve().parent
    checkout = package.parent.parent
    return checkout if (checkout / "ontology" / "eurasia.ttl").is_file() else package / "_files"


def graph_of(kind: str, source: str) -> NamedNode:
    """Name the graph of one source: `claims`, `passages`, `bounds`, `facts`, `memberships` or `closure`."""
    return ns.GRAPH(f"{kind}-{source}")


def find(data: Path | None = None) -> list[TurtleFile]:
    """
    List the Turtle files of the ontology and of a data folder with their graphs, in a fixed order.

    Args:
        data: A folder like the shipped `data/`; that one if left out.
    Raises:
        UsageError: If the folder, or a file that it must hold, is missing.
    """
    ontology = root() / "ontology"
    files = [
        TurtleFile(ontology / f"{name}.ttl", ns.GRAPH(graph))
        for name, graph in (("eurasia", "ontology"), ("align", "align"))
    ]
    files += [TurtleFile(path, ns.GRAPH("schemes")) for path in sorted((ontology / "schemes").glob("*.ttl"))]
    return files + _data_files(data or root() / "data")


def _data_files(data: Path) -> list[TurtleFile]:
    if not data.is_dir():
        raise UsageError(f"no folder {data}; give the path of a folder like data/, with entities/ and sources/ in it")
    for name in ("entities", "sources"):
        if not (data / name).is_dir():
            raise UsageError(f"no folder {data / name}; a data folder needs entities/ and sources/, as in data/")
    files = [TurtleFile(path, ENTITIES) for path in sorted((data / "entities").glob("*.ttl"))]
    for folder in sorted(path for path in (data / "sources").iterdir() if path.is_dir()):
        files += _source_files(folder)
    files += [
        TurtleFile(data / f"{graph}.ttl", ns.GRAPH(graph))
        for graph in ("links", "notes")
        if (data / f"{graph}.ttl").is_file()
    ]
    _refuse_strays(data, {file.path for file in files})
    return files


def _source_files(folder: Path) -> list[TurtleFile]:
    description = folder / "source.ttl"
    if not description.is_file():
        raise UsageError(f"no file {description}; describe the source in it, as in data/sources/icds-2016/source.ttl")
    found = [TurtleFile(description, ENTITIES)]
    for kind in ("passages", "claims"):
        path = folder / f"{kind}.ttl"
        if path.is_file():
            found.append(TurtleFile(path, graph_of(kind, folder.name)))
    return found


def _refuse_strays(data: Path, known: set[Path]) -> None:
    strays = sorted(path for path in data.rglob("*.ttl") if path not in known)
    if strays:
        raise UsageError(
            f"{strays[0]} has no place in a data folder and would not be read; move it to entities/, or into "
            "sources/<source>/ as source.ttl, passages.ttl or claims.ttl"
        )


def load(files: Iterable[TurtleFile]) -> Dataset:
    """
    Parse Turtle files into a dataset with one named graph per kind of file.

    Args:
        files: UTF-8 Turtle files with their graphs.
    Returns:
        The dataset; files that cannot be read are in its `errors`, one error each.
    Source: RDF 1.1 Turtle, https://www.w3.org/TR/turtle/
    """
    dataset = Dataset()
    for file in files:
        add(dataset, file)
    return dataset


def add(dataset: Dataset, file: TurtleFile) -> None:
    """Parse one more file into a dataset; of a file that cannot be read, nothing is added."""
    try:
        statements = [(ns.quad(triple, file.graph), line) for triple, line in statements_of(file.path)]
    except SourceError as error:
        dataset.errors.append(error)
        return
    dataset.store.extend(quad for quad, _ in statements)
    for quad, line in statements:
        dataset.lines.setdefault(_as_stored(quad), (file.path, line))


def _as_stored(quad: Quad) -> Quad:
    """Write a number as the engine does, which keeps 12.50 as 12.5, so that its line is found again."""
    term = quad.object
    if not isinstance(term, Literal) or term.datatype.value not in NUMBERS or PLAIN_INTEGER.fullmatch(term.value):
        return quad
    scratch = Store()
    scratch.add(quad)
    stored: Quad = next(iter(scratch))
    return stored


def add_by_content(dataset: Dataset, path: Path) -> None:
    """
    Parse a Turtle file from outside the data folder into the graphs that its statements ask for.

    What is said of a claim goes to the claims of the source that makes it, what is said of a
    passage to the passages of its source, events and judgements to the links, all else to the
    entities.
    """
    scratch = Dataset()
    add(scratch, TurtleFile(path, ENTITIES))
    dataset.errors.extend(scratch.errors)
    homes: dict[object, NamedNode] = {}
    for term, kind in (("passageOf", "passages"), ("madeBy", "claims")):
        for quad in scratch.store.quads_for_pattern(None, ns.EG(term), None, None):
            if isinstance(quad.object, NamedNode):
                homes[quad.subject] = graph_of(kind, ns.local_name(quad.object.value))
    for quad, line in scratch.lines.items():
        home = homes.get(quad.subject) or home_of(quad.subject) or ENTITIES
        moved = ns.quad(quad.triple, LINKS if quad.predicate == ns.EG("reportsEvent") else home)
        dataset.store.add(moved)
        dataset.lines[_as_stored(moved)] = line


def home_of(subject: object) -> NamedNode | None:
    """
    Name the graph in which a record stands, which its IRI tells: `claims-icds-2016` for `id/claim/icds-2016/9`.

    Returns:
        None for what is no record: terms, memberships, IRIs of others.
    """
    iri = subject.value if isinstance(subject, NamedNode) else ""
    if iri == LINKS.value:
        return LINKS
    if iri.startswith(ns.SCHEME):
        return ENTITIES
    kind, _, name = iri.removeprefix(ns.ID).partition("/")
    if not iri.startswith(ns.ID) or not name:
        return None
    if kind in {"claim", "passage"}:
        return graph_of(f"{kind}s", name.partition("/")[0])
    homes = {"event": LINKS, "judgement": LINKS, "note": NOTES, "match": ENTITIES}
    return homes.get(kind) or (ENTITIES if kind in ns.KINDS_OF_ENTITY else None)


def statements_of(path: Path) -> Iterator[tuple[Triple, int]]:
    """
    Parse a Turtle file into triples, each with the line it ends on, counted from 1.

    Raises:
        SourceError: If the file cannot be read, is not UTF-8, is empty or is not Turtle.
    """
    lines = _Lines(_read(path))
    empty = True
    try:
        for quad in parse(cast("IO[bytes]", lines), format=RdfFormat.TURTLE):
            empty = False
            yield quad.triple, lines.number
    except SyntaxError as error:
        raise _syntax_error(path, lines, error) from None
    if empty:
        raise SourceError(path, 1, 1, "the file holds no statement; write Turtle in it or delete it")


def not_utf8(path: Path, raw: bytes, error: UnicodeDecodeError) -> SourceError:
    """Say where a file stops being UTF-8, in lines and columns counted from 1."""
    before = raw[: error.start].decode("utf-8")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    problem = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8, for instance with iconv -t UTF-8"
    return SourceError(path, line, column, problem)


class _Lines:
    """
    A binary file that hands out one line per read.

    The parser cannot read ahead further than it is given, so the number of lines given so far is
    the line of the statement that it returns.
    """

    def __init__(self, raw: bytes) -> None:
        self.lines = raw.splitlines(keepends=True)
        self.number = 0

    def read(self, _size: int = -1) -> bytes:
        """Hand out the next line, whatever the size asked for."""
        if self.number == len(self.lines):
            return b""
        self.number += 1
        return self.lines[self.number - 1]


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(path, 1, 1, f"the file cannot be read: {error.strerror}; check its name and rights") from None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(path, raw, error) from None
    return raw


def _syntax_error(path: Path, lines: _Lines, error: SyntaxError) -> SourceError:
    line, column = error.lineno or 1, error.offset or 1
    seen = lines.lines[line - 1].decode("utf-8").rstrip("\n") if line <= len(lines.lines) else ""
    problem = re.sub(r"^Parser error at .*?: ", "", error.msg)
    pointer = f"\n    {seen}\n    {' ' * (column - 1)}^" if seen else ""
    return SourceError(path, line, column, f"this is not Turtle: {problem}; {_way_out(problem)}{pointer}")


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
    if "dot" in problem.lower():
        return "end the statement before with a dot, or go on with a semicolon"
    return "expected: subject predicate object, then ; or , to go on or . to end"


@lru_cache(maxsize=16)
def _text_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _column(path: Path, line: int) -> int:
    content = _text_lines(path)[line - 1]
    return len(content) - len(content.lstrip()) + 1
