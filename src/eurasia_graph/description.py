"""
The description of a release: VoID, DCAT, licence and citation, and the description of a service that offers it.

The release folder, the service and its pages all use this module. The triples about a service are in the graph
`service`, which free-form queries see together with the release, so that query editors find examples, prefixes and
counts where they look for them.

Source: https://www.w3.org/TR/void/, https://www.w3.org/TR/vocab-dcat-3/,
https://www.w3.org/TR/sparql11-service-description/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions, RdfFormat, Store, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.formats import Content, carrying
from eurasia_graph.store import Engine, ReleaseStore

# As in CITATION.cff, with which a test compares them.
TITLE = "Eurasia Graph"
DESCRIPTION = (
    "A knowledge graph of Eurasian integration: who belonged to what, when, with which status, and who says so."
)
PUBLISHER = "The Eurasia Graph founders"
LICENCE = ns.CC_BY
LICENCE_NAME = "CC BY 4.0"
LICENCE_ID = "CC-BY-4.0"  # SPDX

GRAPH = ns.GRAPH("service")
OFFERED = carrying(Content.GRAPH, Content.DATASET)
PREFIXES = {
    **{name: ns.PREFIXES[name] for name in ("eg", "dcterms", "foaf", "rdfs", "schema", "sh", "xsd")},
    "dcat": ns.DCAT,
    "formats": ns.FORMATS,
    "sd": ns.SD,
    "spdx": ns.SPDX,
    "void": ns.VOID,
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


def citation(iri: NamedNode | None) -> str:
    """Return how a release is cited; for other files, only the title can be cited."""
    return f"{TITLE}, release {ns.local_name(iri.value)}, {iri.value}" if iri else TITLE


def about(iri: NamedNode | None) -> dict[str, str]:
    """Return what every file says about its release: IRI, licence and citation."""
    return {"release": iri.value if iri else "", "licence": LICENCE, "citation": citation(iri)}


def read(lines: Iterable[str]) -> set[Triple]:
    """Read what the functions of this module write: Turtle that uses `PREFIXES`."""
    declared = (f"@prefix {name}: <{iri}> ." for name, iri in PREFIXES.items())
    return {quad.triple for quad in parse("\n".join([*declared, *lines]), format=RdfFormat.TURTLE)}


# --- the release ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a release: its IRI and media type; title, size in bytes and sha256 where the file is at hand."""

    iri: str
    media_type: str
    title: str | None = None
    size: int | None = None
    sha256: str | None = None


def release(node: NamedNode, iri: NamedNode | None) -> Iterator[str]:
    """Describe a release: publisher, licence and citation."""
    yield f"{node} a void:Dataset , dcat:Dataset ; dcterms:title {Literal(TITLE, language='en')} ;"
    yield f"  dcterms:description {Literal(DESCRIPTION, language='en')} ; dcterms:publisher _:publisher ;"
    yield f"  dcterms:license <{LICENCE}> ; dcterms:bibliographicCitation {Literal(citation(iri))} ;"
    for vocabulary in (f"{ns.BASE}ontology", ns.EG, ns.SKOS, ns.PROV, ns.DCTERMS):
        yield f"  void:vocabulary <{vocabulary}> ;"
    yield f"  void:uriSpace {Literal(ns.ID)} ."
    yield f"_:publisher a foaf:Agent ; foaf:name {Literal(PUBLISHER)} ."
    if iri:
        yield f"{node} dcterms:identifier {Literal(ns.local_name(iri.value))} ."


def contents(node: NamedNode, engine: Store) -> Iterator[str]:
    """Count the triples of all named graphs together, and those in each."""
    total = 0
    for graph in sorted(engine.named_graphs(), key=str):
        quads = list(engine.quads_for_pattern(None, None, None, graph))
        total += len(quads)
        subjects, properties = {quad.subject for quad in quads}, {quad.predicate for quad in quads}
        yield f"{node} void:subset {graph} . {graph} a void:Dataset ; void:triples {len(quads)} ;"
        yield f"  void:distinctSubjects {len(subjects)} ; void:properties {len(properties)} ."
    yield f"{node} void:triples {total} ."


def files(node: NamedNode, given: Iterable[File]) -> Iterator[str]:
    """Describe the files of a release and where they are."""
    for file in given:
        iana = f"https://www.iana.org/assignments/media-types/{file.media_type}"
        yield f"{node} dcat:distribution <{file.iri}> ; void:dataDump <{file.iri}> ."
        yield f"<{file.iri}> a dcat:Distribution ; dcat:downloadURL <{file.iri}> ; dcterms:license <{LICENCE}> ;"
        yield f"  dcat:mediaType {Literal(file.media_type)} , <{iana}> ."
        if file.title:
            yield f"<{file.iri}> dcterms:title {Literal(file.title)} ."
        if file.size is not None:
            yield f"<{file.iri}> dcat:byteSize {file.size} ."
        if file.sha256:
            yield f"<{file.iri}> spdx:checksum <{file.iri}#sha256> . <{file.iri}#sha256> a spdx:Checksum ;"
            yield f"  spdx:algorithm spdx:checksumAlgorithm_sha256 ; spdx:checksumValue {Literal(file.sha256)} ."


# --- the service ---------------------------------------------------------------------------


@dataclass(frozen=True)
class ServiceDescription:
    """
    The description of a service and of what it serves.

    `home` is the IRI of its front page, with a slash at the end.
    """

    store: ReleaseStore
    home: str

    @property
    def is_seen(self) -> bool:
        """Whether free-form queries see the graph `service`: with a release that is held here."""
        return self.store.iri is not None and isinstance(self.store.engine, Store)

    @cached_property
    def counts(self) -> Counts:
        """What a free-form query sees, including this description, which contains these counts."""
        alone = counts = count(self.store.engine)
        for _ in range(MOST_ROUNDS if self.is_seen else 0):
            again = _plus(alone, self.store.local, read(self._lines(counts)))
            if again == counts:
                break
            counts = again
        return counts

    def triples(self) -> set[Triple]:
        """Return all of it."""
        return read(self._lines(self.counts))

    def seen(self) -> set[Triple]:
        """Return what free-form queries see in the graph `service`; empty if they do not see it."""
        return self.triples() if self.is_seen else set()

    def quads(self) -> bytes:
        """Write the graph `service` as N-Quads, in its own graph and in the default graph."""
        both = (GRAPH, DefaultGraph())
        return "".join(f"{ns.quad(triple, graph)} .\n" for triple in self.seen() for graph in both).encode()

    def _lines(self, counts: Counts) -> Iterator[str]:
        at, front = NamedNode(f"{self.home}sparql"), NamedNode(self.home)
        dataset = self.store.iri or NamedNode(f"{self.home}.well-known/void#dataset")
        formats = " , ".join(f"formats:{name}" for name in W3C_NAMES.values())
        yield f"{at} a sd:Service ; sd:endpoint {at} ; sd:supportedLanguage sd:SPARQL11Query ;"
        yield f"  sd:resultFormat {formats} ; sd:defaultDataset {dataset} ."
        yield f"{dataset} a sd:Dataset , void:Dataset ; void:sparqlEndpoint {at} ; foaf:homepage {front} ."
        yield from _partitions(dataset, counts)
        if self.store.iri:
            yield from release(dataset, self.store.iri)
            offered = ((f"{self.home}export/eurasia-graph.{each.extension}", each.media_type) for each in OFFERED)
            yield from files(dataset, (File(iri=iri, media_type=kind) for iri, kind in offered))
            yield from _examples(at, self.home)


def _partitions(dataset: NamedNode, counts: Counts) -> Iterator[str]:
    """Count triples, classes and properties in the default graph, and triples in each named graph."""
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


def _examples(at: NamedNode, home: str) -> Iterator[str]:
    """Describe the canned queries as SHACL executables, and the prefixes."""
    prefixes = NamedNode(f"{ns.BASE}ontology")
    for name, iri in ns.PREFIXES.items():
        yield f"{prefixes} sh:declare [ a sh:PrefixDeclaration ; sh:prefix {Literal(name)} ;"
        yield f'  sh:namespace "{iri}"^^xsd:anyURI ] .'
    for canned in queries.load().values():
        query = NamedNode(f"{home}queries/{canned.name}")
        yield f"{query} a sh:SPARQLExecutable , sh:SPARQLSelectExecutable ; sh:prefixes {prefixes} ;"
        yield f"  rdfs:label {Literal(canned.name)} ; rdfs:comment {Literal(canned.summary, language='en')} ;"
        yield f"  schema:target {at} ; schema:keywords {Literal(canned.group)} ; sh:select {Literal(canned.text)} ."


# --- counting ------------------------------------------------------------------------------

ALL = "{ ?s ?x ?o }"
# Other stores count a triple once for every graph of the default graph that has it (Oxigraph 0.5.13).
MERGED = f"{{ SELECT DISTINCT ?s ?x ?o {ALL} }}"
TOTALS = f"SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?m) (COUNT(DISTINCT ?o) AS ?k) {ALL}"
CLASSES = "SELECT ?x (COUNT(DISTINCT ?s) AS ?n) { ?s a ?x FILTER(isIRI(?x)) } GROUP BY ?x"
PROPERTIES = f"SELECT ?x (COUNT(*) AS ?n) {ALL} GROUP BY ?x"
GRAPHS = "SELECT ?x (COUNT(*) AS ?n) { GRAPH ?x { ?s ?p ?o } FILTER(isIRI(?x)) } GROUP BY ?x"
# New counts add new triples, which are counted as well; it takes three rounds until nothing changes.
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


def count(engine: Engine) -> Counts:
    """Count a dataset without its description."""
    is_embedded = isinstance(engine, Store)

    def ask(text: str) -> list[list[str]]:
        found: Any = engine.query(text if is_embedded else text.replace(ALL, MERGED))
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


def _plus(alone: Counts, engine: Store, more: set[Triple]) -> Counts:
    """Count a dataset with one more graph, whose triples are in the default graph as well."""

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
