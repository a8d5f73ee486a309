"""What XML cannot say is refused as XML, and everything else is read by another parser."""

from __future__ import annotations

import xml.sax
from urllib.parse import quote

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse

from eurasia_graph.export import write
from eurasia_graph.export.xmlform import XmlError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import create_app

NOT_XML = {
    "a property that ends in digits": (NamedNode("http://a.example/2024"), Literal("x")),
    "a property that ends in a slash": (NamedNode("http://a.example/p/"), Literal("x")),
    "a property with brackets": (NamedNode("http://a.example/p(q)"), Literal("x")),
    "a property with a sign of no name": (NamedNode("http://a.example/\u00d7"), Literal("x")),
    "a property that is a picture": (NamedNode("http://a.example/\U0001f600"), Literal("x")),
    "a property that RDF/XML keeps for itself": (
        NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#li"),
        Literal("x"),
    ),
    "a property in the namespace of namespaces": (NamedNode("http://www.w3.org/2000/xmlns/a"), Literal("x")),
    "a bell": (NamedNode("http://a.example/p"), Literal("ding \x07")),
    "a NUL": (NamedNode("http://a.example/p"), Literal("\x00")),
    "no character": (NamedNode("http://a.example/p"), Literal("\uffff")),
}

THING = NamedNode("https://w3id.org/eurasia-graph/id/thing/one")


def holding(predicate: NamedNode, value: Literal | NamedNode) -> ReleaseStore:
    """A dataset of one triple, in a named graph and in the default graph, and of one that can always be written."""
    engine, fine = Store(), NamedNode("http://a.example/fine")
    for graph in (NamedNode("http://a.example/g"), None):
        engine.add(Quad(THING, predicate, value, *([graph] if graph else [])))
        engine.add(Quad(THING, fine, Literal("fine"), *([graph] if graph else [])))
    return ReleaseStore(engine)


ADDRESSES = [
    "/store?default",
    "/store?graph=http://a.example/g",
    "/export/eurasia-graph.rdf",
    "/data/thing/one",
    "/sparql?query=" + quote("CONSTRUCT WHERE { ?s ?p ?o }"),
    "/sparql?query=" + quote(f"DESCRIBE {THING}"),
]


@pytest.mark.parametrize("name", NOT_XML)
def test_rdf_xml_that_no_parser_reads_is_refused_everywhere(name: str) -> None:
    """406 with the reason at every address, an error on the command line; other formats say it as it is."""
    store = holding(*NOT_XML[name])
    client = create_app(store).test_client()
    for address in ADDRESSES:
        joined = "&" if "?" in address else "?"
        refused = client.get(f"{address}{joined}format=rdfxml")
        assert (refused.status_code, refused.mimetype) == (406, "application/problem+json"), (address, refused.text)
        assert "ask for another format" in refused.json["detail"]  # type: ignore[index]
        if "export" not in address:
            assert len(list(parse(client.get(f"{address}{joined}format=nt").data, format=RdfFormat.N_TRIPLES))) == 2
    with pytest.raises(XmlError, match="another format"):
        write.export(store, "rdfxml")


@pytest.mark.parametrize("name", ["a bell", "a NUL", "no character"])
def test_rows_with_what_xml_cannot_hold_are_refused_as_xml(name: str) -> None:
    """The same of results: a control character has no place in a document."""
    client = create_app(holding(*NOT_XML[name])).test_client()
    asked = "/sparql?query=" + quote("SELECT ?o { ?s ?p ?o }")

    assert client.get(f"{asked}&format=xml").status_code == 406
    assert client.get(f"{asked}&format=json").status_code == 200


def test_rdf_xml_that_can_be_written_is_read_by_another_parser() -> None:
    """Typed texts, white space, line ends, odd addresses, blank nodes with names of others."""
    engine = Store()
    for value in (Literal(" a\r\n\tb "), Literal("<b>&amp;]]>"), Literal("x", language="ru"), NamedNode("a:?x&y='z'")):
        engine.add(Quad(THING, NamedNode("http://a.example/p"), value))
    engine.extend(parse("_:1a <http://a.example/p> _:-b- .".replace("-b-", "b"), format=RdfFormat.TURTLE))
    client = create_app(ReleaseStore(engine)).test_client()
    for address in ("/store?default", "/export/eurasia-graph.rdf", ADDRESSES[4]):
        joined = "&" if "?" in address else "?"
        answer = client.get(f"{address}{joined}format=rdfxml")
        xml.sax.parseString(answer.data, xml.sax.ContentHandler())  # noqa: S317  (what we have written)
        assert len(list(parse(answer.data, format=RdfFormat.RDF_XML))) == 5, answer.text
