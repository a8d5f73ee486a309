"""
Find the Turtle files, parse them and remember where every statement is written.

Each file belongs to one named graph, so that every quad can be traced to its file, line and column. These
are looked up when a finding asks for them.
A file that cannot be read does not hide the others: its error is kept beside them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal as OneOf
from typing import TypeAlias

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph.turtle import places
from eurasia_graph.errors import SourceError, UsageError, nearest

SCHEMA_GRAPHS = (ns.GRAPH("ontology"), ns.GRAPH("align"), ns.GRAPH("schemes"))
ENTITIES = ns.GRAPH("entities")
LINKS = ns.GRAPH("links")
NOTES = ns.GRAPH("notes")
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
# How deep triple terms may stand in each other: far deeper than anything meant, and the engine ends the process.
DEEPEST = 100
BOM = codecs.BOM_UTF8.decode("utf-8")
# How much of a line a message shows before and behind the place it names.
AROUND = 60

Part: TypeAlias = OneOf["subject", "predicate", "object"]


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


class Text:
    """The text of a Turtle file; its lines and where its statements are written are found when asked for."""

    def __init__(self, content: str) -> None:
        """Keep the text, so that places hold even if the file is changed meanwhile."""
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


@dataclass
class Dataset:
    """
    What the files say: quads in named graphs, an empty default graph, and where every statement comes from.

    `origins` has the file of every quad and its number there, counted from 0; `texts` the files. `errors` holds the
    files that could not be read.
    """

    store: Store = field(default_factory=Store)
    origins: dict[Quad, tuple[Path, int]] = field(default_factory=dict)
    texts: dict[Path, Text] = field(default_factory=dict)
    errors: list[SourceError] = field(default_factory=list)

    def place_of(self, quad: Quad, part: Part = "object") -> Place | None:
        """
        Say where a part of a statement is written, or None where no file holds the statement.

        Args:
            quad: The statement, as it stands in the store.
            part: Which of its terms; the value, if left out.
        """
        found = self.origins.get(quad)
        if found is None:
            return None
        path, number = found
        return Place(path, *self.texts[path].place_of(number, part))

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
        text, triples = read(file.path)
        _refuse_newer(file.path, text, triples)
    except SourceError as error:
        dataset.errors.append(error)
        return
    dataset.texts[file.path] = text
    quads = [ns.quad(triple, file.graph) for triple in triples]
    dataset.store.extend(quads)
    for number, quad in enumerate(quads):
        dataset.origins.setdefault(_as_stored(quad), (file.path, number))


def _as_stored(quad: Quad) -> Quad:
    """Write a value as the engine does, which keeps 12.50 as 12.5, so that its place is found again."""
    term = quad.object
    if not isinstance(term, Literal):
        return quad
    datatype = term.datatype.value
    if not datatype.startswith(ns.XSD) or datatype == f"{ns.XSD}string":
        return quad
    if datatype == f"{ns.XSD}integer" and PLAIN_INTEGER.fullmatch(term.value):
        return quad
    return Quad(quad.subject, quad.predicate, _kept(term), quad.graph_name)


@lru_cache(maxsize=1024)
def _kept(term: Literal) -> Literal:
    scratch = Store()
    scratch.add(Quad(ns.RDF("value"), ns.RDF("value"), term))
    stored = next(iter(scratch)).object
    assert isinstance(stored, Literal)
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
    dataset.texts |= scratch.texts
    homes: dict[object, NamedNode] = {}
    for term, kind in (("passageOf", "passages"), ("madeBy", "claims")):
        for quad in scratch.store.quads_for_pattern(None, ns.EG(term), None, None):
            if isinstance(quad.object, NamedNode):
                homes[quad.subject] = graph_of(kind, ns.local_name(quad.object.value))
    for quad, origin in scratch.origins.items():
        home = homes.get(quad.subject) or home_of(quad.subject) or ENTITIES
        moved = ns.quad(quad.triple, LINKS if quad.predicate == ns.EG("reportsEvent") else home)
        dataset.store.add(moved)
        dataset.origins[_as_stored(moved)] = origin


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
        raise SourceError(path, 1, 1, "the file holds no statement; write Turtle in it or delete it")
    return text, triples


def statements_of(path: Path) -> Iterator[tuple[Triple, int]]:
    """
    Parse a Turtle file into triples, each with its number, counted from 0.

    Raises:
        SourceError: If the file cannot be read, is not UTF-8, is empty or is not Turtle.
    """
    for number, triple in enumerate(read(path)[1]):
        yield triple, number


def _refuse_newer(path: Path, text: Text, triples: list[Triple]) -> None:
    """Refuse what RDF 1.2 has beside RDF 1.1, which neither shapes nor claims know of."""
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
            "write the statement itself, and who states it as a claim of its own with eg:madeBy and eg:evidence"
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
