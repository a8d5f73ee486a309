"""Compute the closure of the schema with owlrl, and that of the instances of each source with rules."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import NamedNode, RdfFormat, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import rules
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS, graph_of

CLOSURE_OF_SCHEMA = ns.GRAPH("closure-ontology")


# What owlrl adds to any graph: reflexive axioms, owl:Thing, types of literals, axioms about datatypes.
NOISE_CLASSES = {ns.OWL(name) for name in ("Thing", "Nothing")} | {
    ns.RDFS(name) for name in ("Resource", "Datatype", "Literal")
}


def close(dataset: Dataset) -> None:
    """Compute the closure of the schema once with owlrl, then that of each source with rules that read it."""
    _close_schema(dataset.store)
    for source in map(source_name, dataset.sources()):
        own = [graph_of(kind, source) for kind in ("claims", "passages", "facts", "memberships")]
        reads = [*SCHEMA_GRAPHS, CLOSURE_OF_SCHEMA, ENTITIES, *own]
        rules.run(dataset.store, "closure", reads, graph_of("closure", source), only_new=True)


def _close_schema(store: Store) -> None:
    """
    Write what OWL 2 RL adds to the ontology and its alignments.

    The schemes are left to the rules, since they contain instances only, and no blank nodes.
    """
    schema = {quad.triple for graph in SCHEMA_GRAPHS[:2] for quad in store.quads_for_pattern(None, None, None, graph)}
    store.extend(ns.quad(triple, CLOSURE_OF_SCHEMA) for triple in close_by_owlrl(schema) - schema)


def close_by_owlrl(triples: set[Triple]) -> set[Triple]:
    """Return the OWL 2 RL closure of triples as computed by owlrl, without the noise that it adds to any graph."""
    from owlrl import DeductiveClosure, OWLRL_Semantics
    from rdflib import Graph

    graph = Graph()
    graph.parse(data=b"\n".join(str(triple).encode() + b" ." for triple in triples), format="nt")
    DeductiveClosure(OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    # owlrl gives types to literals, which no RDF syntax can express: leave them out before serialising.
    lines = b"\n".join(
        " ".join(term.n3() for term in triple).encode() + b" ."
        for triple in graph
        if not triple[0].n3().startswith('"')
    )
    return {triple for triple in _parse(lines) if not is_noise(triple)}


def _parse(lines: bytes) -> Iterator[Triple]:
    from pyoxigraph import parse

    return (quad.triple for quad in parse(lines, format=RdfFormat.N_TRIPLES))


def is_noise(triple: Triple) -> bool:
    """Return whether a triple says nothing about the graph from which it was inferred."""
    subject, predicate, obj = triple
    reflexive = subject == obj and predicate in {
        ns.OWL("sameAs"),
        ns.OWL("equivalentClass"),
        ns.OWL("equivalentProperty"),
        ns.RDFS("subClassOf"),
        ns.RDFS("subPropertyOf"),
    }
    about_datatypes = isinstance(subject, NamedNode) and subject.value.startswith(ns.XSD)
    return reflexive or about_datatypes or obj in NOISE_CLASSES or subject in NOISE_CLASSES
