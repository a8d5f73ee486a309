"""
What the service says of itself: service description, VoID with counts, DCAT, canned queries and prefixes.

The same triples stand in the graph `service` that free-form queries see beside a release, so that an
editor finds examples, prefixes and counts where it looks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request, url_for
from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions, RdfFormat, Store, parse, serialize

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.formats import FORMATS, Content, Format, carrying
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
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


@blueprint.route("/.well-known/void")
def void() -> Response:
    """Describe the datasets where crawlers look."""
    chosen = choose(request, OFFERED)
    assert chosen
    return answer(chosen)


def answer(chosen: Format) -> Response:
    """Write the description for the address that the client came to."""
    text = turtle(the_service(), url_for("sparql.endpoint", _external=True), url_for("pages.front", _external=True))
    body = serialize(
        (quad.triple for quad in parse(text, format=RdfFormat.TURTLE)), format=chosen.rdf, prefixes=PREFIXES
    )
    return respond(body or b"", chosen)


def quads(service: Service) -> bytes:
    """Write the description as N-Quads, in its own graph and in the default graph."""
    home = f"{service.base_url.rstrip('/')}/" if service.base_url else str(ns.BASE)
    triples = [quad.triple for quad in parse(turtle(service, f"{home}sparql", home), format=RdfFormat.TURTLE)]
    return "".join(f"{ns.quad(triple, graph)} .\n" for triple in triples for graph in (GRAPH, DefaultGraph())).encode()


def turtle(service: Service, endpoint: str, home: str) -> str:
    """
    Describe a service.

    Args:
        service: With the dataset that is counted.
        endpoint: The address of the SPARQL endpoint.
        home: The address of the front page, with a slash at the end.
    """
    at, front = NamedNode(endpoint), NamedNode(home)
    dataset = service.store.iri or NamedNode(f"{home}.well-known/void#dataset")
    formats = " , ".join(f"<{PREFIXES['formats']}{name}>" for name in W3C_NAMES.values())
    lines = [
        *(f"@prefix {name}: <{iri}> ." for name, iri in PREFIXES.items()),
        f"{at} a sd:Service ; sd:endpoint {at} ; sd:supportedLanguage sd:SPARQL11Query ;",
        f"  sd:resultFormat {formats} ;",
        f"  sd:defaultDataset {dataset} .",
        f"{dataset} a sd:Dataset , void:Dataset ; void:sparqlEndpoint {at} ; foaf:homepage {front} .",
        *_counts(service, dataset),
    ]
    if service.store.iri:
        lines.extend(_release(service, dataset, at, home))
    return "\n".join(lines)


def _counts(service: Service, dataset: NamedNode) -> Iterator[str]:
    """Count triples, classes and properties of the default graph, and the triples of each named graph."""
    counted = _counted(service)
    total, subjects, objects = counted["totals"][0]
    yield f"{dataset} void:triples {total} ; void:distinctSubjects {subjects} ; void:distinctObjects {objects} ;"
    yield f"  void:classes {len(counted['classes'])} ; void:properties {len(counted['properties'])} ;"
    for iri, count in counted["classes"]:
        yield f"  void:classPartition [ void:class <{iri}> ; void:entities {count} ] ;"
    for iri, count in counted["properties"]:
        yield f"  void:propertyPartition [ void:property <{iri}> ; void:triples {count} ] ;"
    for iri, count in counted["graphs"]:
        yield f"  sd:namedGraph [ a sd:NamedGraph ; sd:name <{iri}> ;"
        yield f"    sd:graph [ a sd:Graph , void:Dataset ; void:triples {count} ] ] ;"
    yield f"  sd:defaultGraph [ a sd:Graph , void:Dataset ; void:triples {total} ] ."


ALL = "{ ?s ?x ?o }"
# Other stores count a triple once for every graph of the default graph that it stands in (Oxigraph 0.5.13).
MERGED = f"{{ SELECT DISTINCT ?s ?x ?o {ALL} }}"
COUNTS = {
    "totals": f"SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?m) (COUNT(DISTINCT ?o) AS ?k) {ALL}",
    "classes": "SELECT ?x (COUNT(DISTINCT ?s) AS ?n) { ?s a ?x FILTER(isIRI(?x)) } GROUP BY ?x ORDER BY ?x",
    "properties": f"SELECT ?x (COUNT(*) AS ?n) {ALL} GROUP BY ?x ORDER BY ?x",
    "graphs": "SELECT ?x (COUNT(*) AS ?n) { GRAPH ?x { ?s ?p ?o } FILTER(isIRI(?x)) } GROUP BY ?x ORDER BY ?x",
}


def _counted(service: Service) -> dict[str, list[list[str]]]:
    """Count once for every release; the dataset does not change."""
    if service.version not in service.counted:
        counted = {}
        embedded = isinstance(service.store.engine, Store)
        for name, text in COUNTS.items():
            found: Any = service.store.engine.query(text if embedded else text.replace(ALL, MERGED))
            assert isinstance(found, QuerySolutions)
            counted[name] = [[ns.value(term) for term in row] for row in found]
        service.counted = {service.version: counted}
    return service.counted[service.version]


def _release(service: Service, dataset: NamedNode, at: NamedNode, home: str) -> Iterator[str]:
    """Describe the release as DCAT, the canned queries as SHACL executables, and the prefixes."""
    version = Literal(service.version)
    yield f'{dataset} a dcat:Dataset ; dcterms:title "Eurasia Graph"@en ; dcterms:identifier {version} ;'
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
