"""The named graphs of a release, by their kinds."""

from __future__ import annotations

from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns

SCHEMA_GRAPHS = (ns.GRAPH("ontology"), ns.GRAPH("align"), ns.GRAPH("schemes"))


ENTITIES = ns.GRAPH("entities")


LINKS = ns.GRAPH("links")


NOTES = ns.GRAPH("notes")


# Generated: what is looked up in queries and told by no text.
NAMES = ns.GRAPH("names")


YEARS = ns.GRAPH("years")


# One for each source: what people write, and what is generated from it.
WRITTEN_OF_SOURCE = ("passages", "claims")


GENERATED_OF_SOURCE = ("bounds", "facts", "memberships", "closure")


def is_hand_written(graph: NamedNode) -> bool:
    """Whether people write a graph; all others are generated."""
    kind = graph.value.removeprefix(ns.GRAPH).partition("-")[0]
    return graph in {*SCHEMA_GRAPHS, ENTITIES, LINKS, NOTES} or kind in WRITTEN_OF_SOURCE


def graphs_of(source: str) -> set[NamedNode]:
    """Name all graphs of a source."""
    return {graph_of(kind, source) for kind in (*WRITTEN_OF_SOURCE, *GENERATED_OF_SOURCE)}


def graph_of(kind: str, source: str) -> NamedNode:
    """Name the graph of one source: `claims`, `passages`, `bounds`, `facts`, `memberships` or `closure`."""
    return ns.GRAPH(f"{kind}-{source}")
