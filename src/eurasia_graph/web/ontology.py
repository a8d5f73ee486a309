"""What the page of the ontology shows of each term: its definition, what it connects, and an example from the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuerySolutions, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.store import Engine

ONTOLOGY = ns.GRAPH("ontology")
# Subject and object of a property are derived from the shapes, in the graph of the closure.
GRAPHS = (ONTOLOGY, ns.GRAPH("closure-ontology"))
SCHEMA = ns.PREFIXES["schema"]
CONNECTS = (NamedNode(f"{SCHEMA}domainIncludes"), NamedNode(f"{SCHEMA}rangeIncludes"))
PARTS = (
    ("definition", ns.SKOS("definition")),
    ("for instance", ns.SKOS("example")),
    ("note", ns.SKOS("scopeNote")),
    ("question it answers", ns.EG("competencyQuestion")),
    ("subclass of", ns.RDFS("subClassOf")),
    ("subproperty of", ns.RDFS("subPropertyOf")),
    ("subject", CONNECTS[0]),
    ("object", CONNECTS[1]),
    ("what then holds", ns.EG("states")),
)
SECTIONS = {
    "Class": "Classes",
    "ObjectProperty": "Object properties",
    "DatatypeProperty": "Datatype properties",
    "AnnotationProperty": "Annotation properties",
}
LEAST = """SELECT ?term (MIN(STR(?subject)) AS ?least) WHERE {{
  {{ VALUES ?term {{ {classes} }} GRAPH ?graph {{ ?subject a ?term }} }}
  UNION {{ VALUES ?term {{ {properties} }} GRAPH ?graph {{ ?subject ?term ?object }} }}
  FILTER(ISIRI(?subject))
}} GROUP BY ?term"""
OBJECTS = """SELECT ?subject ?term ?object
WHERE {{ VALUES (?subject ?term) {{ {pairs} }} GRAPH ?graph {{ ?subject ?term ?object }} }}"""


@dataclass
class Term:
    """A term with its label, the parts of its description by title, and an instance or a triple from the data."""

    iri: NamedNode
    label: str
    parts: list[tuple[str, list[NamedNode | Literal]]] = field(default_factory=list)
    instance: NamedNode | None = None
    triple: Triple | None = None

    @property
    def name(self) -> str:
        """The local name, which is the anchor on the page."""
        return self.iri.value.removeprefix(ns.EG)


def as_data(engine: Engine) -> Store:
    """
    Return the ontology as its page shows it: its own statements, and the classes that each property connects.

    Args:
        engine: What holds the release.
    Returns:
        A store with the statements in its default graph.
    """
    found = Store()
    found.extend(Quad(*quad.triple) for quad in engine.quads_for_pattern(None, None, None, ONTOLOGY))
    for each in CONNECTS:
        found.extend(Quad(*quad.triple) for quad in engine.quads_for_pattern(None, each, None, GRAPHS[1]))
    return found


def sections(engine: Engine) -> dict[str, list[Term]]:
    """
    Describe all terms of the ontology, by kind and name.

    Args:
        engine: What holds the release; another store is asked few times, however many terms there are.
    """
    local = Store()
    for graph in GRAPHS:
        local.extend(engine.quads_for_pattern(None, None, None, graph))
    found = {title: _terms(local, kind) for kind, title in SECTIONS.items()}
    classes = {term.iri for term in found["Classes"]}
    properties = {term.iri for terms in found.values() for term in terms} - classes
    examples = _examples(engine, classes, properties)
    for terms in found.values():
        for term in terms:
            example = examples.get(term.iri)
            if isinstance(example, NamedNode):
                term.instance = example
            else:
                term.triple = example
    return found


def _terms(local: Store, kind: str) -> list[Term]:
    found = []
    for quad in local.quads_for_pattern(None, ns.RDF("type"), ns.OWL(kind), ONTOLOGY):
        node = quad.subject
        if isinstance(node, NamedNode) and node.value.startswith(ns.EG):
            parts = [(title, _values(local, node, predicate)) for title, predicate in PARTS]
            found.append(Term(node, _label(local, node), [part for part in parts if part[1]]))
    return sorted(found, key=lambda term: term.name.casefold())


def _values(local: Store, node: NamedNode, predicate: NamedNode) -> list[NamedNode | Literal]:
    graphs = GRAPHS if predicate.value.startswith(SCHEMA) else (ONTOLOGY,)
    values = {quad.object for graph in graphs for quad in local.quads_for_pattern(node, predicate, None, graph)}
    return sorted((each for each in values if isinstance(each, (NamedNode, Literal))), key=str)


def _label(local: Store, node: NamedNode) -> str:
    labels = (quad.object for quad in local.quads_for_pattern(node, ns.RDFS("label"), None, ONTOLOGY))
    return next((each.value for each in labels if isinstance(each, Literal) and each.language == "en"), "")


# --- examples ------------------------------------------------------------------------------


def _examples(
    engine: Engine, classes: Iterable[NamedNode], properties: Iterable[NamedNode]
) -> dict[NamedNode, NamedNode | Triple]:
    """Find an instance of each class and a triple of each property: the first by IRI, so that all answers agree."""
    text = LEAST.format(classes=_written(classes), properties=_written(properties))
    try:
        rows = engine.query(text)
    except EurasiaGraphError:
        # A store that cannot answer this in time still shows the ontology.
        return {}
    assert isinstance(rows, QuerySolutions)
    least = {row["term"]: NamedNode(row["least"].value) for row in rows}
    wanted = set(classes)
    found: dict[NamedNode, NamedNode | Triple] = {term: least[term] for term in least if term in wanted}
    return found | _triples(engine, {term: least[term] for term in least if term not in wanted})


def _triples(engine: Engine, subjects: dict[NamedNode, NamedNode]) -> dict[NamedNode, NamedNode | Triple]:
    if not subjects:
        return {}
    pairs = " ".join(f"({subject} {term})" for term, subject in subjects.items())
    rows = engine.query(OBJECTS.format(pairs=pairs))
    assert isinstance(rows, QuerySolutions)
    found: dict[NamedNode, list[Triple]] = {}
    for row in rows:
        if not isinstance(row["object"], BlankNode):
            found.setdefault(row["term"], []).append(Triple(row["subject"], row["term"], row["object"]))
    return {term: min(triples, key=str) for term, triples in found.items()}


def _written(terms: Iterable[NamedNode]) -> str:
    return " ".join(sorted(map(str, terms)))
