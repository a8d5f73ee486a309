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


def graph_of(kind: str, source: str) -> NamedNode:
    """Name the graph of one source: `claims`, `passages`, `bounds`, `facts`, `memberships` or `closure`."""
    return ns.GRAPH(f"{kind}-{source}")
