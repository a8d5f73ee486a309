"""The files that belong to no source (ontology, entities, links, notes), and what a source uses of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA, close_schema
from eurasia_graph.build.lines import dump, lines_of, terms_of
from eurasia_graph.build.pieces import Pieces, key_of
from eurasia_graph.build.sources import TurtleFile
from eurasia_graph.build.toolkit import file_digest, ontology_files, toolkit_digest
from eurasia_graph.graphs import ENTITIES, LINKS, NOTES, SCHEMA_GRAPHS

OF_NO_SOURCE = (*SCHEMA_GRAPHS, ENTITIES, LINKS, NOTES)
CLAIM, PASSAGE = (f"<{ns.ID}{kind}/".encode() for kind in ("claim", "passage"))
REPORTS_EVENT = str(ns.EG("reportsEvent")).encode()

Place = tuple[Path, int]


class Origins(dict[Quad, Place]):
    """The origins of statements; those of other files are looked up on demand and not listed."""

    def __init__(self, own: dict[Quad, Place], beside: Callable[[Quad], Place | None]) -> None:
        super().__init__(own)
        self._beside = beside

    def __contains__(self, quad: object) -> bool:
        """Return whether the origin of a statement is known."""
        return super().__contains__(quad) or (isinstance(quad, Quad) and self._beside(quad) is not None)

    def __missing__(self, quad: Quad) -> Place:
        """Look the origin of a statement up."""
        found = self._beside(quad)
        if found is None:
            raise KeyError(quad)
        return found

    def get(self, quad: Quad, default: Place | None = None) -> Place | None:  # type: ignore[override]
        """Return the origin of a statement, or the default."""
        own = super().get(quad)
        return own or self._beside(quad) or default


class Shared:
    """The parsed files that belong to no source."""

    def __init__(self, files: Iterable[TurtleFile], pieces: Pieces) -> None:
        """
        Read them.

        Args:
            files: All files of a data folder and of the ontology.
            pieces: The pieces kept between builds: the closure of the ontology.
        """
        self.files = [file for file in files if file.graph in OF_NO_SOURCE]
        self.pieces = pieces
        self.dataset = sources.load(self.files)

    @cached_property
    def toolkit(self) -> str:
        """The digest of the code, the versions and the ontology with its rules and shapes."""
        return key_of(toolkit_digest(), *(f"{path.name} {file_digest(path)}" for path in ontology_files()))

    @cached_property
    def schema(self) -> dict[NamedNode, bytes]:
        """The graphs of the ontology and its closure, as N-Triples."""
        store = Store()
        graphs = [*SCHEMA_GRAPHS, CLOSURE_OF_SCHEMA]
        for graph in SCHEMA_GRAPHS:
            store.bulk_load(dump(self.dataset.store, graph), format=RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)
        close_schema(store, self.pieces)
        return {graph: dump(store, graph) for graph in graphs}

    @cached_property
    def _entities(self) -> tuple[dict[bytes, list[bytes]], dict[bytes, list[bytes]]]:
        """The statements about entities by their subjects, and by their values."""
        by_subject: dict[bytes, list[bytes]] = defaultdict(list)
        by_object: dict[bytes, list[bytes]] = defaultdict(list)
        for line in lines_of(dump(self.dataset.store, ENTITIES)):
            subject, _, value = terms_of(line)
            by_subject[subject].append(line)
            by_object[value].append(line)
        return by_subject, by_object

    @cached_property
    def _links(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = defaultdict(list)
        for line in lines_of(dump(self.dataset.store, LINKS)):
            found[terms_of(line)[0]].append(line)
        return found

    def touched(self, source: str, terms: set[bytes]) -> tuple[bytes, bytes]:
        """
        Return the statements about entities and the links on which the results for a source can depend.

        Entities: those that the source names, everything reachable from them, and what refers to them. Links: the
        events that the claims of the source report, and the statements about these.

        Args:
            source: Its name.
            terms: The IRIs that its files name, in N-Triples.
        """
        by_subject, by_object = self._entities
        links = [line for term in terms for line in self._links.get(term, ()) if _is_link(line, source)]
        events = {terms_of(line)[2] for line in links}
        links += [line for event in events for line in self._links.get(event, ())]
        named = terms | {terms_of(line)[2] for line in links} | {f"<{ns.ID}source/{source}>".encode()}
        found = {line for term in named for line in by_object.get(term, ())}
        reached, waiting = set(named), list(named)
        while waiting:
            for line in by_subject.get(waiting.pop(), ()):
                found.add(line)
                value = terms_of(line)[2]
                if value not in reached:
                    reached.add(value)
                    waiting.append(value)
        return b"".join(sorted(found)), b"".join(sorted(set(links)))

    def is_apart(self) -> bool:
        """Return whether these files say nothing about claims and passages, except which events the claims report."""
        store = self.dataset.store
        for graph in (ENTITIES, NOTES, LINKS):
            for line in lines_of(dump(store, graph)):
                subject, predicate, _ = terms_of(line)
                of_source = subject.startswith((CLAIM, PASSAGE))
                if of_source and not (graph == LINKS and predicate == REPORTS_EVENT):
                    return False
        return True


def _is_link(line: bytes, source: str) -> bool:
    return line.startswith(CLAIM + source.encode() + b"/")
