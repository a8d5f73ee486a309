"""
Find the Turtle files, parse them and record where every statement is written.

Each file belongs to one named graph, so every quad can be traced to its file, line and column. Lines and
columns are computed only when a finding needs them.
A file that cannot be read does not stop the others from being read: its error is collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build import data_folder
from eurasia_graph.build.findings import Place
from eurasia_graph.errors import SourceError
from eurasia_graph.graphs import ENTITIES, LINKS, NOTES, graph_of
from eurasia_graph.turtle.reader import Part, Text, read, refuse_newer

TurtleFile = data_folder.TurtleFile
find = data_folder.find
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


@dataclass
class Dataset:
    """
    The contents of the files: quads in named graphs, an empty default graph, and the origin of every statement.

    `origins` maps every quad to its file and its number there, counted from 0; `texts` maps a path to the text of
    the file. `errors` holds one error for each file that could not be read.
    """

    store: Store = field(default_factory=Store)
    origins: dict[Quad, tuple[Path, int]] = field(default_factory=dict)
    texts: dict[Path, Text] = field(default_factory=dict)
    errors: list[SourceError] = field(default_factory=list)

    def place_of(self, quad: Quad, part: Part = "object") -> Place | None:
        """
        Return where a part of a statement is written, or None if no file contains the statement.

        Args:
            quad: The statement, as it is in the store.
            part: Which of its terms; the object by default.
        """
        found = self.origins.get(quad)
        if found is None:
            return None
        path, number = found
        return Place(path, *self.texts[path].place_of(number, part))

    def sources(self) -> list[NamedNode]:
        """Return the sources that the files describe, sorted by IRI."""
        kind = ns.EG("Source")
        found = {quad.subject for quad in self.store.quads_for_pattern(None, ns.RDF("type"), kind, None)}
        return sorted((node for node in found if isinstance(node, NamedNode)), key=lambda node: node.value)


def load(files: Iterable[TurtleFile]) -> Dataset:
    """
    Parse Turtle files into a dataset with one named graph per kind of file.

    Args:
        files: UTF-8 Turtle files with their graphs.
    Returns:
        The dataset; its `errors` has one error for each file that cannot be read.
    Source: RDF 1.1 Turtle, https://www.w3.org/TR/turtle/
    """
    dataset = Dataset()
    for file in files:
        add(dataset, file)
    return dataset


def add(dataset: Dataset, file: TurtleFile) -> None:
    """Parse one more file into a dataset; nothing is added from a file that cannot be read."""
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
    """Normalise a value as the engine does, which stores 12.50 as 12.5, so that its origin can be looked up."""
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
    Parse a Turtle file from outside the data folder, and put each statement into the graph where it belongs.

    Statements about a claim go to the claims of its source, those about a passage to the passages of its
    source, events and judgements to the links, everything else to the entities.
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
    Derive the graph of a record from its IRI: `claims-icds-2016` for `id/claim/icds-2016/9`.

    Returns:
        None for anything that is not a record: terms, memberships, IRIs of other datasets.
    """
    return _home(subject.value) if isinstance(subject, NamedNode) else None


@lru_cache(maxsize=65536)
def _home(iri: str) -> NamedNode | None:
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
    """Return the name of a source, which is part of the names of its graphs."""
    return ns.local_name(source.value)


def value_of(store: Store, subject: NamedNode, term: str) -> str | None:
    """Return a value of a property in eg: from any graph, or None if there is none."""
    quad = next(store.quads_for_pattern(subject, ns.EG(term), None, None), None)
    return quad.object.value if quad and isinstance(quad.object, (Literal, NamedNode)) else None
