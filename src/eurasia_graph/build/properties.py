"""
Write which classes and datatypes each property connects, as the shapes say.

`schema:domainIncludes` and `schema:rangeIncludes` document a property without inferring anything from it, unlike
`rdfs:domain` and `rdfs:range`. They are written to the graph of the closure of the ontology.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import QueryTriples, RdfFormat, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import rules
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA
from eurasia_graph.paths import root

STAGE = "properties"


def describe_properties(store: Store) -> None:
    """Add the classes and datatypes of all properties to a store."""
    store.extend(ns.quad(triple, CLOSURE_OF_SCHEMA) for triple in connections())


def connections() -> Iterator[Triple]:
    """Yield `schema:domainIncludes` and `schema:rangeIncludes` of the properties that the shapes mention."""
    shapes = Store()
    for path in shape_files():
        shapes.load(path=str(path), format=RdfFormat.TURTLE)
    for rule in sorted(rules.folder_of(STAGE).glob("*.rq")):
        triples = shapes.query(rule.read_text(encoding="utf-8"))
        assert isinstance(triples, QueryTriples)
        yield from triples


def shape_files() -> list[Path]:
    """Return the files of all shapes: those that validation runs, and those that only document terms."""
    folder = root() / "ontology"
    return [*sorted((folder / "shapes").glob("*.ttl")), folder / "term-shapes.ttl"]
