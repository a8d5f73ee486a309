"""
What the service says of itself: service description, VoID with counts, DCAT, canned queries and prefixes.

The same triples stand in the graph `service` that free-form queries see beside a release, so that an
editor finds examples, prefixes and counts where it looks for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pyoxigraph import (
    DefaultGraph,
    Literal,
    NamedNode,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
    serialize,
)

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.formats import FORMATS, Content, Format, carrying
from eurasia_graph.store import DESCRIPTION, LICENCE, PUBLISHER, TITLE
from eurasia_graph.web.context import Service, the_service
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.responses import respond

blueprint = Blueprint("description", __name__)

GRAPH = ns.GRAPH("service")
OFFERED = carrying(Content.GRAPH, Content.DATASET)
PREFIXES = {
    **{name: ns.PREFIXES[name] for name in ("eg", "dcterms", "foaf", "rdfs", "schema", "sh", "xsd")},
    "dcat": "http://www.w3.org/ns/dcat#",
    "formats": "http://www.w3.org/ns/formats/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "void": "http://rdfs.org/ns/void#",
}
# Source: https://www.w3.org/ns/formats/
W3C_NAMES = {
    "json": "SPARQL_Results_JSON",
    "xml": "SPARQL_Results_XML",
    "csv": "SPARQL_Results_CSV",
    "tsv": "SPARQL_Results_TSV",
    "turtle": "Turtle",
    "ntriples": "N-Triples",
    "rdfxml": "RDF_XML",
    "jsonld": "JSON-LD",
    "trig": "TriG",
    "nquads": "N-Quads",
}


@blueprint.route("/.well-known/void")
def void() -> Response:
    """Describe the datasets where crawlers look."""
    chosen = choose(request, OFFERED)
    assert chosen
    return answer(chosen)


def answer(chosen: Format, subject: str | None = None) -> Response:
    """Write the description, or what it says of one subject."""
    text = turtle(the_service())
    found = (quad.triple for quad in parse(text, format=RdfFormat.TURTLE))
    said = (triple for triple in found if subject in {None, ns.value(triple.subject)})
    body = serialize(said, format=chosen.rdf, prefixes=PREFIXES)
    return respond(body or b"", chosen)


def is_seen(service: Service) -> bool:
    """Tell whether free-form queries see the graph `service`: beside a release that is held here."""
    return service.store.iri is not None and isinstance(service.store.engine, Store)


def triples(service: Service) -> set[Triple]:
    """Return what free-form queries see in the graph `service`; nothing where they see none."""
    return _triples(service, _counted(service)) if is_seen(service) else set()


def quads(service: Service) -> bytes:
    """Write the graph `service` as N-Quads, in its own graph and in the default graph."""
    both = (GRAPH, DefaultGraph())
    return "".join(f"{ns.quad(triple, graph)} .\n" for triple in triples(service) for graph in both).encode()


def _triples(service: Service, counts: Counts) -> set[Triple]:
    return {quad.triple for quad in parse(_turtle(service, counts), format=RdfFormat.TURTLE)}


def turtle(service: Service) -> str:
    """Describe a service with the dataset that is counted."""
    return _turtle(service, _counted(service))


def _turtle(service: Service, counts: Counts) -> str:
    home = service.home
    at, front = NamedNode(f"{home}sparql"), NamedNode(home)
    dataset = service.store.iri or NamedNode(f"{home}.well-known/void#dataset")
    formats = " , ".join(f"<{PREFIXES['formats']}{name}>" for name in W3C_NAMES.values())
    lines = [
        *(f"@prefix {name}: <{iri}> ." for name, iri in PREFIXES.items()),
        f"{at} a sd:Service ; sd:endpoint {at} ; sd:supportedLanguage sd:SPARQL11Query ;",
        f"  sd:resultFormat {formats} ;",
        f"  sd:defaultDataset {dataset} .",
        f"{dataset} a sd:Dataset , void:Dataset ; void:sparqlEndpoint {at} ; foaf:homepage {front} .",
        *_partitions(dataset, counts),
    ]
    if service.store.iri:
        lines.extend(_release(service, dataset, at, home))
    return "\n".join(lines)


def _partitions(dataset: NamedNode, counts: Counts) -> Iterator[str]:
    """Say how many triples, classes and properties there are in the default graph, and triples in each named graph."""
    yield f"{dataset} void:triples {counts.triples} ;"
    yield f"  void:distinctSubjects {counts.subjects} ; void:distinctObjects {counts.objects} ;"
    yield f"  void:classes {len(counts.classes)} ; void:properties {len(counts.properties)} ;"
    for iri, count in sorted(counts.classes.items()):
        yield f"  void:classPartition [ void:class <{iri}> ; void:entities {count} ] ;"
    for iri, count in sorted(counts.properties.items()):
        yield f"  void:propertyPartition [ void:property <{iri}> ; void:triples {count} ] ;"
    for iri, count in sorted(counts.graphs.items()):
        yield f"  sd:namedGraph [ a sd:NamedGraph ; sd:name <{iri}> ;"
        yield f"    sd:graph [ a sd:Graph , void:Dataset ; void:triples {count} ] ] ;"
    yield f"  sd:defaultGraph [ a sd:Graph , void:Dataset ; void:triples {counts.triples} ] ."


def _release(service: Service, dataset: NamedNode, at: NamedNode, home: str) -> Iterator[str]:
    """Describe the release as DCAT, the canned queries as SHACL executables, and the prefixes."""
    version = Literal(service.version)
    yield f"{dataset} a dcat:Dataset ; dcterms:title {Literal(TITLE, language='en')} ; dcterms:identifier {version} ;"
    yield f"  dcterms:description {Literal(DESCRIPTION, language='en')} ;"
    yield f"  dcterms:publisher [ a foaf:Agent ; foaf:name {Literal(PUBLISHER)} ] ;"
    yield f"  dcterms:license <{LICENCE}> ; void:vocabulary <{ns.BASE}ontology> ; void:uriSpace {Literal(ns.ID)} ;"
    yield f'  dcterms:bibliographicCitation "Eurasia Graph, release {service.version}, {dataset.value}" .'
    for name in (each.name for each in OFFERED):
        found = FORMATS[name]
        file = NamedNode(f"{home}export/eurasia-graph.{found.extension}")
        yield f"{dataset} dcat:distribution {file} ; void:dataDump {file} ."
        yield f"{file} a dcat:Distribution ; dcat:downloadURL {file} ; dcat:mediaType {Literal(found.media_type)} ;"
        yield f"  dcterms:license <{LICENCE}> ."
    prefixes = NamedNode(f"{ns.BASE}ontology")
    for name, iri in ns.PREFIXES.items():
        yield f"{prefixes} sh:declare [ a sh:PrefixDeclaration ; sh:prefix {Literal(name)} ;"
        yield f'  sh:namespace "{iri}"^^xsd:anyURI ] .'
    for canned in queries.load().values():
        form = "Select"
        query = NamedNode(f"{home}queries/{canned.name}")
        yield f"{query} a sh:SPARQLExecutable , sh:SPARQL{form}Executable ; sh:prefixes {prefixes} ;"
        yield f"  rdfs:label {Literal(canned.name)} ; rdfs:comment {Literal(canned.summary, language='en')} ;"
        yield f"  schema:target {at} ; schema:keywords {Literal(canned.group)} ; sh:select {Literal(canned.text)} ."


# --- counting ------------------------------------------------------------------------------

ALL = "{ ?s ?x ?o }"
# Other stores count a triple once for every graph of the default graph that it stands in (Oxigraph 0.5.13).
MERGED = f"{{ SELECT DISTINCT ?s ?x ?o {ALL} }}"
TOTALS = f"SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?m) (COUNT(DISTINCT ?o) AS ?k) {ALL}"
CLASSES = "SELECT ?x (COUNT(DISTINCT ?s) AS ?n) { ?s a ?x FILTER(isIRI(?x)) } GROUP BY ?x"
PROPERTIES = f"SELECT ?x (COUNT(*) AS ?n) {ALL} GROUP BY ?x"
GRAPHS = "SELECT ?x (COUNT(*) AS ?n) { GRAPH ?x { ?s ?p ?o } FILTER(isIRI(?x)) } GROUP BY ?x"
# New counts bring new triples, which are counted as well; it takes three rounds until nothing changes.
MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What there is in the default graph, members by class and triples by property; and triples by named graph."""

    triples: int
    subjects: int
    objects: int
    classes: Counter[str]
    properties: Counter[str]
    graphs: Counter[str]


def _counted(service: Service) -> Counts:
    """Count what a free-form query sees, once for every release; the dataset does not change."""
    found = service.counted.get(service.version)
    if found is None:
        found = _with_description(service, _count(service))
        service.counted = {service.version: found}
    assert isinstance(found, Counts)
    return found


def _count(service: Service) -> Counts:
    """Count the dataset by itself."""
    is_embedded = isinstance(service.store.engine, Store)

    def ask(text: str) -> list[list[str]]:
        found: Any = service.store.engine.query(text if is_embedded else text.replace(ALL, MERGED))
        assert isinstance(found, QuerySolutions)
        return [[ns.value(term) for term in row] for row in found]

    total, subjects, objects = map(int, ask(TOTALS)[0])

    def counted(text: str) -> Counter[str]:
        return Counter({iri: int(count) for iri, count in ask(text)})

    return Counts(
        triples=total,
        subjects=subjects,
        objects=objects,
        classes=counted(CLASSES),
        properties=counted(PROPERTIES),
        graphs=counted(GRAPHS),
    )


def _with_description(service: Service, alone: Counts) -> Counts:
    """Count the dataset with its description, which holds these very counts."""
    counts = alone
    for _ in range(MOST_ROUNDS if is_seen(service) else 0):
        again = _plus(alone, service.store.local, _triples(service, counts))
        if again == counts:
            break
        counts = again
    return counts


def _plus(alone: Counts, engine: Store, more: set[Triple]) -> Counts:
    """Count a dataset with one more graph, whose triples stand in the default graph as well."""

    def is_new(subject: Any = None, predicate: Any = None, obj: Any = None) -> bool:
        return next(engine.quads_for_pattern(subject, predicate, obj, DefaultGraph()), None) is None

    new = [each for each in more if is_new(each.subject, each.predicate, each.object)]
    kinds = [each.object for each in new if each.predicate == ns.RDF("type")]
    return Counts(
        triples=alone.triples + len(new),
        subjects=alone.subjects + sum(is_new(subject=each) for each in {triple.subject for triple in new}),
        objects=alone.objects + sum(is_new(obj=each) for each in {triple.object for triple in new}),
        classes=alone.classes + Counter(each.value for each in kinds if isinstance(each, NamedNode)),
        properties=alone.properties + Counter(each.predicate.value for each in new),
        graphs=alone.graphs + Counter({GRAPH.value: len(more)}),
    )
