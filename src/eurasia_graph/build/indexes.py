"""
Write what queries look up and no text says: the years in which members are counted, and the names to search.

SPARQL can count in them, and find in them, what it cannot make up.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.graphs import ENTITIES, NAMES, SCHEMA_GRAPHS, YEARS, graph_of
from eurasia_graph.variants import searched

NAMING = (ns.SKOS("prefLabel"), ns.SKOS("altLabel"), ns.SKOS("hiddenLabel"))
LABEL = ns.SKOS("prefLabel")
TYPE = ns.RDF("type")


def add_indexes(dataset: Dataset) -> None:
    """Write the years of every source and the names of everything that is named."""
    for source in dataset.sources():
        dataset.store.extend(ns.quad(triple, YEARS) for triple in _years(dataset.store, source))
    dataset.store.extend(ns.quad(triple, NAMES) for triple in _names(dataset.store))


def _years(store: Store, source: NamedNode) -> Iterator[Triple]:
    """Name the years from that of the first possible standing to that of the horizon, each with the day to count on."""
    name = source_name(source)
    horizon = _first(store, source, "horizon", graph_of("bounds", name))
    begun = [
        ns.value(quad.object)
        for quad in store.quads_for_pattern(None, ns.EG("circleFrom"), None, graph_of("memberships", name))
    ]
    if horizon is None or not begun:
        return
    for year in range(int(min(begun)[:4]), int(horizon[:4]) + 1):
        node = ns.ID(f"year/{name}/{year:04}")
        day = min(f"{year:04}-12-31", horizon)
        yield Triple(node, TYPE, ns.EG("CountedYear"))
        yield Triple(node, ns.EG("year"), Literal(year))
        yield Triple(node, ns.EG("countedOn"), Literal(day, datatype=NamedNode(ns.XSD + "date")))
        yield Triple(node, ns.EG("accordingTo"), source)


def _first(store: Store, subject: NamedNode, term: str, graph: NamedNode) -> str | None:
    found = next(store.quads_for_pattern(subject, ns.EG(term), None, graph), None)
    return ns.value(found.object) if found else None


def _names(store: Store) -> Iterator[Triple]:
    """Fold the names of entities and of the concepts of all schemes."""
    for graph in (ENTITIES, SCHEMA_GRAPHS[2]):
        for quad in store.quads_for_pattern(None, LABEL, None, graph):
            if isinstance(quad.subject, NamedNode) and _is_english(quad):
                for folded in sorted(set(_folded(store, quad.subject, graph))):
                    yield Triple(quad.subject, ns.EG("foldedName"), Literal(folded))


def _folded(store: Store, entity: NamedNode, graph: NamedNode) -> Iterator[str]:
    yield searched(ns.local_name(entity.value))
    for term in NAMING:
        for quad in store.quads_for_pattern(entity, term, None, graph):
            yield searched(ns.value(quad.object))


def _is_english(quad: Quad) -> bool:
    return isinstance(quad.object, Literal) and quad.object.language == "en"
