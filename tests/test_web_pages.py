"""Pages, data, descriptions, OpenAPI and the headers of every answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
)

from conftest import BROWSER, CHECKOUT
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import UsageError
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore, from_quads, load_files
from eurasia_graph.web import Settings, create_app
from eurasia_graph.web.cache import AnswerCache

SELECT = "SELECT (1 AS ?value) {}"


def test_the_front_page_leads_to_every_query(client: FlaskClient) -> None:
    """And names the release, with a line to cite."""
    page = client.get("/")

    for name in queries.load():
        assert f'href="/queries/{name}"' in page.text
    assert "To cite: Eurasia Graph, release" in page.text


@pytest.mark.parametrize(
    ("accept", "leads_to"), [("text/turtle", "/data/body/SCO"), (BROWSER, "/page/body/SCO"), ("*/*", "/data/body/SCO")]
)
def test_the_name_of_a_thing_leads_to_a_document(client: FlaskClient, accept: str, leads_to: str) -> None:
    """303 to the data or the page, as the client prefers."""
    response = client.get("/id/body/SCO", headers={"Accept": accept})

    assert (response.status_code, response.headers["Location"]) == (303, leads_to)
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize(
    "thing",
    [
        "body/SCO",
        "state/KZ",
        "treaty/csto-charter",
        "claim/icds-2016/8",
        "passage/icds-2016/29",
        "source/icds-2016",
        "event/sco-founded",
        "membership/icds-2016/AZ-CST-9",
        "person/nazarbayev",
    ],
)
def test_everything_has_data_and_a_page(client: FlaskClient, thing: str) -> None:
    """Turtle that parses and holds the thing, and a page with its IRI."""
    data = client.get(f"/id/{thing}", headers={"Accept": "text/turtle"}, follow_redirects=True)
    page = client.get(f"/id/{thing}", headers={"Accept": BROWSER}, follow_redirects=True)

    subjects = {str(quad.subject) for quad in parse(data.data, format=RdfFormat.TURTLE)}
    assert f"<https://w3id.org/eurasia-graph/id/{thing}>" in subjects
    assert f"https://w3id.org/eurasia-graph/id/{thing}" in page.text


def test_files_are_served_as_they_are(tmp_path: Path) -> None:
    """Other datasets have the same endpoint."""
    file = tmp_path / "other.nq"
    file.write_text('<http://a/s> <http://a/p> "o" <http://a/g> .\n', encoding="utf-8")
    client = create_app(load_files([file])).test_client()

    assert client.get(
        "/sparql", query_string={"query": "ASK { <http://a/s> ?p ?o GRAPH <http://a/g> { ?s ?p ?o } }"}
    ).json["boolean"]  # type: ignore[index]
    assert "neither checked nor derived" in client.get("/").text


def test_a_graph_named_by_a_blank_node_is_in_the_merge_and_listed_without_a_link(tmp_path: Path) -> None:
    """Such a name says nothing outside its file, but its triples are there as any others."""
    file = tmp_path / "other.trig"
    file.write_text("GRAPH _:g { <http://a/s> <http://a/p> 1 }\n<http://a/g> { <http://a/s> <http://a/p> 2 }", "utf-8")
    client = create_app(load_files([file])).test_client()
    listed = client.get("/graph/").text

    assert counted(client, "SELECT (COUNT(*) AS ?n) { <http://a/s> ?p ?o }") == [["2"]]
    assert listed.count('<a href="/store?graph=http://a/g">') == 1
    assert "a blank node" in listed
    assert listed.count("<li>") == 2


def test_what_is_not_ascii_is_readable_in_the_log_and_encoded_in_headers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """WSGI hands on paths byte by byte; a header holds ASCII alone."""
    file = tmp_path / "other.nq"
    file.write_text('<http://a/s> <http://a/p> "o" <http://a/граф> .\n', encoding="utf-8")
    client = create_app(load_files([file]), Settings(access_log=True)).test_client()
    found = client.get("/store", query_string={"graph": "http://a/граф"})
    client.get("/id/body/ЕврАзЭС")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert (found.status_code, found.headers["Link"]) == (200, f'<http://a/{quote("граф")}>; rel="canonical"')
    assert lines[-1]["path"] == "/id/body/ЕврАзЭС"


def counted(client: FlaskClient, query: str) -> list[list[str]]:
    """Ask over HTTP; returns the rows as texts."""
    answer = client.get("/sparql", query_string={"query": query, "format": "csv"})

    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text)))[1:]


VOID = """PREFIX void: <http://rdfs.org/ns/void#> PREFIX sd: <http://www.w3.org/ns/sparql-service-description#>
SELECT ?x ?n WHERE {"""


def test_the_description_counts_what_a_query_sees(client: FlaskClient) -> None:
    """Itself included: triples, members of every class, triples of every property and of every named graph."""
    description = Store()
    description.load(client.get("/.well-known/void").data, format=RdfFormat.TURTLE)

    def described(pattern: str) -> dict[str, int]:
        found = description.query(f"{VOID} {pattern} }}")
        assert isinstance(found, QuerySolutions)
        return {ns.value(row["x"]): int(ns.value(row["n"])) for row in found}

    def held(pattern: str) -> dict[str, int]:
        return {iri: int(n) for iri, n in counted(client, f"SELECT ?x (COUNT(*) AS ?n) {{ {pattern} }} GROUP BY ?x")}

    totals = "SELECT (COUNT(*) AS ?a) (COUNT(DISTINCT ?s) AS ?b) (COUNT(DISTINCT ?o) AS ?c) { ?s ?p ?o }"
    triples, subjects, objects = map(int, counted(client, totals)[0])
    classes, properties = held("?s a ?x"), held("?s ?x ?o")
    whole = described("VALUES ?x { void:triples void:distinctSubjects void:distinctObjects } ?d a sd:Dataset ; ?x ?n")

    assert [
        whole[f"http://rdfs.org/ns/void#{name}"] for name in ("triples", "distinctSubjects", "distinctObjects")
    ] == [
        triples,
        subjects,
        objects,
    ]
    assert described("?d void:classPartition [ void:class ?x ; void:entities ?n ]") == classes
    assert described("?d void:propertyPartition [ void:property ?x ; void:triples ?n ]") == properties
    assert described("?d void:classes ?n BIND(1 AS ?x)") == {"1": len(classes)}
    assert described("?d void:properties ?n BIND(1 AS ?x)") == {"1": len(properties)}
    assert described("?d sd:namedGraph [ sd:name ?x ; sd:graph [ void:triples ?n ] ]") == held("GRAPH ?x { ?s ?p ?o }")


@pytest.mark.parametrize("path", ["/graph/service", "/store?graph=https://w3id.org/eurasia-graph/graph/service"])
def test_the_graph_that_describes_the_service_can_be_taken(client: FlaskClient, path: str) -> None:
    """As many triples as a query finds in it; it is listed and has a page as every graph."""
    number = int(counted(client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{ns.GRAPH}service> {{ ?s ?p ?o }} }}")[0][0])
    taken = list(parse(client.get(path).data, format=RdfFormat.TURTLE))

    assert len(taken) == number
    assert 'href="/graph/service"' in client.get("/graph/").text
    assert f"A graph of {number} triples" in client.get("/graph/service", headers={"Accept": BROWSER}).text


def test_the_default_graph_is_taken_as_a_query_sees_it(client: FlaskClient) -> None:
    """With the description, and every triple once."""
    lines = client.get("/store?default&format=nt").text.splitlines()

    assert len(lines) == len(set(lines)) == int(counted(client, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")[0][0])


def test_turtle_declares_the_prefixes_that_it_uses(tmp_path: Path) -> None:
    """A graph of one triple stays small."""
    file = tmp_path / "one.nq"
    file.write_text("<http://a/s> <http://www.w3.org/2002/07/owl#sameAs> <http://a/o> <http://a/g> .\n", "utf-8")
    client = create_app(load_files([file])).test_client()

    for path in ("/store?default", "/store?graph=http://a/g"):
        text = client.get(path).text
        assert text.count("@prefix") == 1, path
        assert "owl:sameAs" in text


@pytest.mark.parametrize(
    ("path", "accept", "status", "leads_to"),
    [
        ("/scheme/status/member", "text/turtle", 303, "/data/scheme/status/member"),
        ("/scheme/status/member", BROWSER, 303, "/page/scheme/status/member"),
        ("/shape/Claim", BROWSER, 303, "/page/shape/Claim"),
        ("/id/body/SCO?format=jsonld", BROWSER, 303, "/data/body/SCO?format=jsonld"),
        ("/ontology/0.1.0", BROWSER, 303, "/ontology"),
        ("/queries", BROWSER, 302, "/queries/"),
        ("/scheme/status/membr", "text/turtle", 404, None),
        ("/shape/Clam", "text/turtle", 404, None),
        ("/ontology/9.9.9", "text/turtle", 404, None),
        ("/release/0000", "text/turtle", 404, None),
        ("/id/a b/%3C", "text/turtle", 404, None),
        ("/export/eurasia-graph.xls", "text/turtle", 404, None),
    ],
)
def test_every_kind_of_iri_is_answered(
    client: FlaskClient, path: str, accept: str, status: int, leads_to: str | None
) -> None:
    """Concepts, shapes and versions as well as things; what is not there gets a reason."""
    response = client.get(path, headers={"Accept": accept})

    assert (response.status_code, response.headers.get("Location")) == (status, leads_to), response.text
    if leads_to:
        assert client.get(leads_to, headers={"Accept": accept}).status_code == 200
    else:
        assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/id/body/SCO?output=jsonld", "/data/body/SCO?format=jsonld"),
        ("/id/body/SCO?results=ntriples", "/data/body/SCO?format=ntriples"),
        ("/id/body/SCO?output=html", "/page/body/SCO"),
        ("/id/body/SCO?output=nothing", "/data/body/SCO?format=turtle"),
        ("/id/body/SCO", "/data/body/SCO"),
        ("/ontology/0.1.0?results=nt", "/ontology?format=nt"),
    ],
)
def test_a_redirect_keeps_the_format(client: FlaskClient, asked: str, leads_to: str) -> None:
    """By whichever of the three parameters it was named."""
    assert client.get(asked).headers["Location"] == leads_to


@pytest.mark.parametrize(
    ("path", "varies"),
    [("/queries", False), ("/graph", False), ("/ontology/0.1.0", False), ("/id/body/SCO", True), ("/sparql/", True)],
)
def test_redirects_may_be_kept(client: FlaskClient, path: str, varies: bool) -> None:
    """They depend on the release, and on Accept where it decides between page and data."""
    headers = client.get(path).headers

    assert headers["Cache-Control"] == "public, max-age=60"
    assert ("Accept" in headers.get("Vary", "").split(", ")) == varies


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("claim/icds-2016/99999", "claim/icds-2016/9"),
        ("passage/icds-2016/9999", "passage/icds-2016/"),
        ("event/icds-2016/999", "event/icds-2016/"),
        ("membership/icds-2016/AZ-CSTO-9", "membership/icds-2016/AZ-CST-9"),
        ("body/CSTX", "body/CSTO"),
    ],
)
def test_every_kind_of_name_has_nearest_names(client: FlaskClient, name: str, nearest: str) -> None:
    """Records as well as entities."""
    detail = client.get(f"/id/{name}").json["detail"]  # type: ignore[index]

    assert detail.startswith(f"the graph knows no {name}; nearest: ")
    assert nearest in detail


def test_the_release_describes_itself(client: FlaskClient, release: ReleaseStore) -> None:
    """At the address that every answer names."""
    assert release.iri
    path = release.iri.value.removeprefix("https://w3id.org/eurasia-graph")

    assert "contentSha256" in client.get(path, follow_redirects=True).text


@pytest.mark.parametrize("name", ["turtle", "ntriples", "rdfxml", "jsonld"])
def test_data_about_a_thing_come_in_four_formats(client: FlaskClient, name: str) -> None:
    """By Accept; the headers name the others."""
    wanted = FORMATS[name]
    response = client.get("/data/body/SCO", headers={"Accept": wanted.media_type})

    assert response.mimetype == wanted.media_type
    assert any("SCO" in str(quad.subject) for quad in parse(response.data, format=wanted.rdf))
    links = ", ".join(response.headers.getlist("Link"))
    assert 'rel="alternate"; type="application/ld+json"' in links
    assert '<https://w3id.org/eurasia-graph/id/body/SCO>; rel="describes"' in links


def test_a_page_shows_what_texts_say_with_source_and_passage(client: FlaskClient) -> None:
    """Label, type, facts, claims with their gist, source and passage, and where the thing is used."""
    page = client.get("/page/body/SCO").text

    assert "<h1>Shanghai Cooperation Organisation</h1>" in page
    assert 'href="/ontology#Organisation"' in page
    assert 'href="/id/source/icds-2016"' in page
    assert 'href="/id/passage/icds-2016/' in page
    assert "Where it is used" in page


@pytest.mark.parametrize("name", ["body/SCO", "state/KZ", "state/RU"])
def test_a_page_leaves_no_claim_out(client: FlaskClient, release: ReleaseStore, name: str) -> None:
    """Hundreds of claims refer to the states and bodies that the texts are about."""
    page, data = client.get(f"/page/{name}"), client.get(f"/data/{name}")
    asked = f"SELECT DISTINCT ?claim {{ ?claim ?says <{ns.ID}{name}> ; <{ns.EG}gist> ?gist }}"
    claims = release.query(asked)
    assert isinstance(claims, QuerySolutions)

    for row in claims:
        short = str(getattr(row[0], "value", "")).removeprefix(ns.ID)
        assert f'href="/page/{short}"' in page.text or f'href="/id/{short}"' in page.text, short
    assert "X-Result-Truncated" not in page.headers
    assert "X-Result-Truncated" not in data.headers


def test_every_term_of_the_ontology_is_documented(client: FlaskClient, release: ReleaseStore) -> None:
    """With an anchor that its IRI leads to."""
    page = client.get("/ontology", headers={"Accept": BROWSER}).text
    graph = NamedNode("https://w3id.org/eurasia-graph/graph/ontology")
    owl = "http://www.w3.org/2002/07/owl#"
    for kind in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty"):
        for quad in release.engine.quads_for_pattern(None, None, NamedNode(owl + kind), graph):
            name = str(getattr(quad.subject, "value", "")).partition("/eurasia-graph/ontology#")[2]
            assert not name or f'<section class="term" id="{name}">' in page
    assert "An actor joins a treaty that others have signed earlier." in page


def test_a_term_is_shown_with_what_it_connects_and_an_example(client: FlaskClient) -> None:
    """Subject and object of a property as the shapes have them; an instance of a class, a triple of a property."""
    page = client.get("/ontology", headers={"Accept": BROWSER}).text
    found = re.findall(r'id="(\w+)">(.*?)</section>', page, re.DOTALL)
    sections = {name: re.sub(r"\s+", " ", text) for name, text in found}
    used = {"Membership": "id/membership/", "holder": "id/membership/", "Status": "scheme/status/"}

    assert re.search(r"<dt>subject</dt><dd>.*eg:Membership.*<dt>object</dt><dd>.*eg:Actor", sections["holder"])
    for name, start in used.items():
        assert re.search(f"<dt>example</dt><dd> *<a href=[^>]*>{start}", sections[name]), name


@pytest.mark.parametrize("form", ["turtle", "ntriples", "rdfxml", "jsonld"])
def test_the_ontology_as_data_says_what_a_property_connects(
    client: FlaskClient, release: ReleaseStore, form: str
) -> None:
    """As its page does, though the shapes say it and not the file; and nothing else of the closure."""
    schema = "https://schema.org/"
    answer = client.get(f"/ontology?format={form}")
    found = {quad.triple for quad in parse(answer.data, format=FORMATS[form].rdf)}
    written = {quad.triple for quad in release.local.quads_for_pattern(None, None, None, ns.GRAPH("ontology"))}
    added = {triple for triple in found if triple.predicate.value.startswith(schema)}

    assert Triple(ns.EG("holder"), NamedNode(f"{schema}domainIncludes"), ns.EG("Membership")) in found
    assert Triple(ns.EG("holder"), NamedNode(f"{schema}rangeIncludes"), ns.EG("Actor")) in found
    assert len(found) == len(written | added)
    assert {triple.predicate.value.removeprefix(schema) for triple in added} == {"domainIncludes", "rangeIncludes"}


def test_a_withdrawn_name_is_410_and_a_merged_one_leads_on() -> None:
    """As the data say by owl:deprecated and dcterms:isReplacedBy."""
    engine = Store()
    graph = NamedNode("https://w3id.org/eurasia-graph/graph/entities")
    deprecated = NamedNode("http://www.w3.org/2002/07/owl#deprecated")
    replaced = NamedNode("http://purl.org/dc/terms/isReplacedBy")
    thing = "https://w3id.org/eurasia-graph/id/body/"
    engine.add(Quad(NamedNode(thing + "OLD"), deprecated, Literal(True), graph))
    engine.add(Quad(NamedNode(thing + "TWICE"), deprecated, Literal(True), graph))
    engine.add(Quad(NamedNode(thing + "TWICE"), replaced, NamedNode(thing + "ONCE"), graph))
    own = create_app(from_quads(engine)).test_client()
    gone, moved = own.get("/id/body/OLD"), own.get("/id/body/TWICE")

    assert (gone.status_code, gone.mimetype) == (410, "application/problem+json")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/id/body/ONCE")


def test_openapi_has_every_query_with_its_parameters(client: FlaskClient) -> None:
    """From the same files as the forms."""
    document = json.loads(client.get("/openapi.json").data)

    assert document["openapi"].startswith("3.1")
    for name, canned in queries.load().items():
        operation = document["paths"][f"/queries/{name}.json"]["get"]
        assert [each["name"] for each in operation["parameters"]] == [each.name for each in canned.parameters]
        assert [each["required"] for each in operation["parameters"]] == [each.required for each in canned.parameters]


def test_openapi_has_both_ways_to_send_a_query(client: FlaskClient) -> None:
    """In the URL or in the body, with the graphs, the seconds and the format."""
    endpoint = json.loads(client.get("/openapi.json").data)["paths"]["/sparql"]
    form = endpoint["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    names = ["query", "default-graph-uri", "named-graph-uri", "timeout", "format"]

    assert [each["name"] for each in endpoint["get"]["parameters"]] == names
    assert (list(form["properties"]), form["required"]) == (names, ["query"])
    assert [each["name"] for each in endpoint["post"]["parameters"]] == names[1:]
    assert "application/sparql-query" in endpoint["post"]["requestBody"]["content"]
    assert "application/ld+json" in endpoint["get"]["responses"]["200"]["content"]


def test_the_release_is_described_as_its_citation_says(client: FlaskClient) -> None:
    """Title, description and publisher are those of CITATION.cff, and nothing is made up."""
    citation = (CHECKOUT / "CITATION.cff").read_text(encoding="utf-8")
    store = Store()
    store.load(client.get("/.well-known/void").data, format=RdfFormat.TURTLE)
    said = store.query(
        """PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/>
        SELECT ?title ?description ?name {
          ?d dcterms:title ?title ; dcterms:description ?description ; dcterms:publisher [ foaf:name ?name ] }"""
    )
    assert isinstance(said, QuerySolutions)

    for row in said:
        for key, name in (("title", "title"), ("abstract", "description"), ("  - name", "name")):
            assert f'{key}: "{ns.value(row[name])}"' in citation


@pytest.mark.parametrize(
    ("path", "text"), [("/healthz", "alive"), ("/readyz", "ready"), ("/metrics", "eurasia_graph_requests_total")]
)
def test_those_who_run_it_can_see_how_it_does(client: FlaskClient, path: str, text: str) -> None:
    """Alive, ready, and counted; none of it is kept by caches."""
    response = client.get(path)

    assert response.status_code == 200
    assert text in response.text
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/queries/", "/queries/find.csv?text=shanghai", "/page/body/SCO", "/graph/entities"]
)
def test_every_answer_has_the_headers_of_caches_browsers_and_readers(client: FlaskClient, path: str) -> None:
    """HEAD as GET, gzip, ETag and 304, CORS, no foreign scripts, the release."""
    response = client.get(path)
    head = client.head(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})

    assert {**head.headers} == {**response.headers}
    assert head.data == b""
    assert gzip.decompress(packed.data) == response.data if "Content-Encoding" in packed.headers else True
    assert packed.headers["ETag"] != response.headers["ETag"] or "Content-Encoding" not in packed.headers
    assert (again.status_code, again.data) == (304, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "Accept-Encoding" in response.headers["Vary"]
    assert "X-Release" in response.headers


def test_the_cache_keeps_no_more_than_it_may(release: ReleaseStore) -> None:
    """What is longest unused goes first."""
    app = create_app(release, Settings(cache_bytes=200_000))
    own = app.test_client()
    for day in range(1, 29):
        assert own.get(f"/queries/members-on.json?body=cst&date=1993-06-{day:02}").status_code == 200
    front = app.wsgi_app
    assert isinstance(front, AnswerCache)

    assert front._bytes <= 200_000
    assert 2 < len(front._kept) < 200


def test_a_public_address_that_is_none_is_refused(release: ReleaseStore) -> None:
    """Before anything is served."""
    with pytest.raises(UsageError, match="is not a valid URL"):
        create_app(release, Settings(base_url="example.org"))
