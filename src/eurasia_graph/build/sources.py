"""
Find the Turtle files, parse them and remember where every statement is written.

Each file belongs to one named graph, so that every quad can be traced to its file, line and column. These
are looked up when a finding asks for them.
A file that cannot be read does not hide the others: its error is kept beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build.findings import Place
from eurasia_graph.errors import SourceError, UsageError
from eurasia_graph.graphs import ENTITIES, LINKS, NOTES, graph_of
from eurasia_graph.paths import root
from eurasia_graph.turtle.reader import Part, Text, read, refuse_newer

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class TurtleFile:
    """A Turtle file and the named graph that its statements belong to."""

    path: Path
    graph: NamedNode


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
        refuse_newer(file.path, text, triples)
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
    for term, kind in (("passageOf", "passages"), ("statedIn", "claims")):
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


def source_name(source: NamedNode) -> str:
    """Return the name of a source, which its graphs carry."""
    return ns.local_name(source.value)


def value_of(store: Store, subject: NamedNode, term: str) -> str | None:
    """Return the value of a property in eg:, whichever graph has it; None if none has."""
    quad = next(store.quads_for_pattern(subject, ns.EG(term), None, None), None)
    return quad.object.value if quad and isinstance(quad.object, (Literal, NamedNode)) else None
