"""Compute the closure of the schema with owlrl, and that of the instances of each source with rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyoxigraph import NamedNode, QueryTriples, RdfFormat, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import effects, rules
from eurasia_graph.build.lines import lines_of
from eurasia_graph.build.pieces import Pieces, key_of
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.build.toolkit import toolkit_digest
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS, graph_of

CLOSURE_OF_SCHEMA = ns.GRAPH("closure-ontology")
CLOSURE_OF_ENTITIES = ns.GRAPH("closure-entities")
SCHEMA = (*SCHEMA_GRAPHS, CLOSURE_OF_SCHEMA)


# What owlrl adds to any graph: reflexive axioms, owl:Thing, types of literals, axioms about datatypes.
NOISE_CLASSES = {ns.OWL(name) for name in ("Thing", "Nothing")} | {
    ns.RDFS(name) for name in ("Resource", "Datatype", "Literal")
}


def close(dataset: Dataset, pieces: Pieces | None = None) -> None:
    """
    Compute the closure of the schema with owlrl, then with rules that of the entities, once, and of each source.

    Args:
        dataset: With facts and memberships.
        pieces: The pieces kept between builds.
    """
    kept = pieces or Pieces()
    close_schema(dataset.store, kept)
    closer = Closer(dataset.store, kept)
    closer.close_entities()
    for source in map(source_name, dataset.sources()):
        closer.close_source(source)


class Closer:
    """The rules of the closure, with the effects of single statements."""

    def __init__(self, store: Store, pieces: Pieces) -> None:
        """
        Read the rules.

        Args:
            store: With the closed schema; read, and extended by what follows.
            pieces: The pieces kept between builds: the effects of single statements.
        """
        self.store, self.pieces = store, pieces
        found = [rule for group in rules.ordered(store, "closure") for rule in group]
        # A rule that joins statements about instances needs all of them at the same time.
        self.joining = [rule for rule in found if len(effects.instances_of(rule)) > 1]
        self.single = [rule for rule in found if rule not in self.joining]
        self.terms = effects.schema_terms(found)
        self.known = {line for graph in SCHEMA for line in self._of_schema(self._lines(graph))}
        self.effects = self._find()

    def _find(self) -> effects.Effects:
        key = key_of("effects", toolkit_digest(), *(rule.text for rule in self.single), *sorted(self.known))
        kept = self.pieces.get(key)
        if kept is not None:
            return effects.Effects.read(kept)
        found = effects.find(self.single, self.known)
        self.pieces.put(key, found.write())
        return found

    def close_entities(self) -> None:
        """Write what follows from the schemes and the entities alone."""
        self._close([*SCHEMA, ENTITIES], [], CLOSURE_OF_ENTITIES)

    def close_source(self, source: str) -> None:
        """Write what follows from a source and the entities together, and not from the entities alone."""
        own = [graph_of(kind, source) for kind in ("claims", "passages", "facts", "memberships")]
        self._close(own, [*SCHEMA, ENTITIES, CLOSURE_OF_ENTITIES], graph_of("closure", source))

    def _close(self, graphs: Sequence[NamedNode], closed: Sequence[NamedNode], writes: NamedNode) -> None:
        """
        Write what follows from some graphs, and is in none of them, into another.

        Args:
            graphs: To be closed.
            closed: Graphs that are read as well, and closed already.
            writes: The graph that receives what follows.
        """
        reads = [*closed, *graphs]
        made: set[bytes] = set()
        for graph in graphs:
            lines = self._lines(graph)
            if self._learn(lines):
                self._close(reads, [], writes)
                return
            made |= self.effects.apply(lines)
        new = made = self._without(made, reads)
        while new:
            if self._learn(new):
                self._close(reads, [], writes)
                return
            self.store.bulk_load(b"".join(new), format=RdfFormat.N_TRIPLES, to_graph=writes, lenient=True)
            joined: set[bytes] = set()
            for rule in self.joining:
                triples = self.store.query(rule.text, default_graph=[*reads, writes])
                assert isinstance(triples, QueryTriples)
                joined |= set(lines_of(triples.serialize(format=RdfFormat.N_TRIPLES)))
            new = self._without(joined | self.effects.apply(joined), reads) - made
            made |= new

    def _lines(self, graph: NamedNode) -> list[bytes]:
        return lines_of(self.store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph))

    def _of_schema(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        return (line for line in lines if effects.speaks_of_schema(line, self.terms))

    def _learn(self, lines: Iterable[bytes]) -> bool:
        """Find the effects again if schema statements occur outside the ontology, or follow."""
        more = set(self._of_schema(lines)) - self.known
        if more:
            self.known |= more
            self.effects = self._find()
        return bool(more)

    def _without(self, lines: set[bytes], graphs: Iterable[NamedNode]) -> set[bytes]:
        for graph in graphs:
            lines.difference_update(self._lines(graph))
        return lines


def close_schema(store: Store, pieces: Pieces) -> None:
    """
    Write what OWL 2 RL adds to the ontology and its alignments.

    The schemes are left to the rules, since they contain instances only, and no blank nodes. owlrl is run once for
    each ontology: what it adds is kept.
    """
    texts = [sorted(lines_of(store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph))) for graph in SCHEMA_GRAPHS[:2]]
    key = key_of("closure-ontology", toolkit_digest(), *(b"".join(lines) for lines in texts))
    kept = pieces.get(key)
    if kept is None:
        schema = set(_parse(b"".join(line for lines in texts for line in lines)))
        new = close_by_owlrl(schema) - schema
        kept = b"".join(sorted(f"{triple} .\n".encode() for triple in new))
        pieces.put(key, kept)
    store.bulk_load(kept, format=RdfFormat.N_TRIPLES, to_graph=CLOSURE_OF_SCHEMA, lenient=True)


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
