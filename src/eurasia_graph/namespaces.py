"""
Every IRI constant and prefix of the project; no other module defines one.

`EG("saysActor")` is a node; `PREFIXES` is the table that Turtle, SPARQL and the
pages share.
"""

from __future__ import annotations

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Triple


class Namespace(str):
    """An IRI that other IRIs start with; calling it with a local name gives a node."""

    __slots__ = ()

    def __call__(self, local: str) -> NamedNode:
        """Append a local name."""
        return NamedNode(f"{self}{local}")


BASE = Namespace("https://w3id.org/eurasia-graph/")
EG = Namespace(f"{BASE}ontology#")
ID = Namespace(f"{BASE}id/")
SCHEME = Namespace(f"{BASE}scheme/")
GRAPH = Namespace(f"{BASE}graph/")
RELEASE = Namespace(f"{BASE}release/")
# Scratch terms of the rules, which no release contains.
STEP = Namespace(f"{BASE}rules#")
SHAPE = Namespace(f"{BASE}shape/")

CC_BY = "https://creativecommons.org/licenses/by/4.0/"
DCAT = Namespace("http://www.w3.org/ns/dcat#")
DCTERMS = Namespace("http://purl.org/dc/terms/")
EDTF = Namespace("http://id.loc.gov/datatypes/edtf/")
FORMATS = Namespace("http://www.w3.org/ns/formats/")
OWL = Namespace("http://www.w3.org/2002/07/owl#")
PROV = Namespace("http://www.w3.org/ns/prov#")
RDF = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
SH = Namespace("http://www.w3.org/ns/shacl#")
SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VANN = Namespace("http://purl.org/vocab/vann/")
VOID = Namespace("http://rdfs.org/ns/void#")
XSD = Namespace("http://www.w3.org/2001/XMLSchema#")

KINDS_OF_ENTITY = ("state", "body", "treaty", "person", "place", "concept", "work", "event", "source", "agent")
KINDS_OF_RECORD = ("claim", "passage", "observation")

PREFIXES: dict[str, str] = {
    "eg": EG,
    **{kind: f"{ID}{kind}/" for kind in KINDS_OF_ENTITY},
    "match": f"{ID}match/",
    "note": f"{ID}note/",
    "membership": f"{ID}membership/",
    "graph": GRAPH,
    "shape": SHAPE,
    "dcterms": DCTERMS,
    "edtf": EDTF,
    "fabio": "http://purl.org/spar/fabio/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "lang": "http://id.loc.gov/vocabulary/iso639-1/",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "owl": OWL,
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": "https://schema.org/",
    "sem": "http://semanticweb.cs.vu.nl/2009/11/sem/",
    "sh": SH,
    "skos": SKOS,
    "vann": VANN,
    "wd": "http://www.wikidata.org/entity/",
    "xsd": XSD,
}


def value(term: object) -> str:
    """Return the text of any term: the IRI of a node, the lexical form of a literal, else its Turtle."""
    return str(getattr(term, "value", term))


def quad(triple: Triple, graph: NamedNode | BlankNode | DefaultGraph | None = None) -> Quad:
    """Put a triple into a graph, or into the default graph."""
    return Quad(triple.subject, triple.predicate, triple.object, graph)


def local_name(iri: str) -> str:
    """Return the part of an IRI after the last `/` or `#`: `SCO` for the body."""
    return iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1]


def shorten(iri: str) -> str:
    """
    Shorten an IRI for display: `SCO` for an entity, `icds-2016/12` for a claim, `prefix:name` for others.

    Other IRIs are returned unchanged.
    """
    if iri.startswith(ID):
        return iri[len(ID) :].partition("/")[2]
    if iri.startswith(SCHEME):
        return local_name(iri)
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri
