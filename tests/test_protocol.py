"""The SPARQL 1.1 Protocol: the cases of the W3C manifest by their names, and what no case asks."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse
from werkzeug.test import TestResponse

from conftest import TESTS
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Limits, Settings, create_app
from trap import Trap

W3C = tomllib.loads((TESTS / "cases" / "w3c-protocol.toml").read_text(encoding="utf-8"))
BEYOND = tomllib.loads((TESTS / "cases" / "beyond-w3c.toml").read_text(encoding="utf-8"))
GRAPHS = [f"http://kasei.us/2009/09/sparql/data/data{number}.rdf" for number in range(4)]
TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
PROBLEM = "application/problem+json"


def dataset() -> ReleaseStore:
    """The three graphs of the manifest, and two graphs with one triple in common."""
    engine = Store()
    for iri in GRAPHS[1:]:
        node = NamedNode(iri)
        engine.add(Quad(node, TYPE, NamedNode("http://xmlns.com/foaf/0.1/Document"), node))
    for name, value in (("g1", "both"), ("g1", "one"), ("g2", "both"), ("g2", "two")):
        named = NamedNode(f"http://example.org/{name}")
        engine.add(Quad(NamedNode("http://example.org/s"), NamedNode("http://example.org/p"), Literal(value), named))
    for graph in list(engine.named_graphs()):
        engine.update(f"ADD {graph} TO DEFAULT")
    return ReleaseStore(engine)


@pytest.fixture(scope="module")
def small() -> FlaskClient:
    """A client of a service over the dataset of the cases, with limits that a small answer meets."""
    limits = Limits(timeout_s=5, rows=50, answer_bytes=50_000)
    return create_app(dataset(), Settings(limits=limits)).test_client()


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    """A server on this machine that nobody may connect to."""
    with Trap() as opened:
        yield opened


@pytest.mark.parametrize("name", W3C)
def test_w3c(small: FlaskClient, name: str) -> None:
    """One case of the manifest, with the exact status that we have chosen."""
    case = W3C[name]
    url, body = case.get("url", ""), case.get("body")
    for number, iri in enumerate(GRAPHS):
        url = url.replace(f"{{{number}}}", quote(iri, safe=""))
        body = body and body.replace(f"{{{number}}}", iri)
    response = small.open(
        f"/sparql/?{url}",
        method=case.get("method", "GET" if body is None else "POST"),
        data=body and body.encode(case.get("encoding", "utf-8")),
        content_type=case.get("type"),
    )

    assert response.status_code == case["status"], response.text
    if "boolean" in case:
        assert json.loads(response.data)["boolean"] is case["boolean"]
    if "gives" in case:
        assert response.mimetype == case["gives"]
    if response.status_code >= 400:
        assert response.mimetype == PROBLEM


def test_the_manifest_is_complete() -> None:
    """34 cases, of which 27 are served and seven updates are refused by design."""
    assert len(W3C) == 34
    assert sum(name.startswith("update_") for name in W3C) == 7


def ask(client: FlaskClient, case: dict[str, Any], trap: str) -> TestResponse:
    """Send the request of a case."""
    query = {"query": case["query"].replace("{trap}", trap)} if "query" in case else {}
    extra = case.get("extra", "").replace("{trap}", trap)
    url = "&".join([*(f"{name}={quote(value, safe='')}" for name, value in query.items()), *([extra] if extra else [])])
    headers = {"Accept": case.get("accept"), "Accept-Encoding": case.get("encoding_header")}
    body = case.get("body")
    return client.open(
        f"/sparql?{url}",
        method=case.get("method", "GET" if body is None else "POST"),
        data=body and body.replace("{trap}", trap),
        content_type=case.get("type"),
        headers={name: value for name, value in headers.items() if value},
    )


@pytest.mark.parametrize("name", BEYOND)
def test_beyond_the_w3c_set(small: FlaskClient, trap: Trap, name: str) -> None:
    """One request that other services get wrong."""
    case = BEYOND[name]
    response = ask(small, case, trap.url)

    assert response.status_code == case.get("status", 200), response.text
    if response.status_code >= 400:
        assert response.mimetype == PROBLEM
        assert json.loads(response.data)["status"] == response.status_code
    if "gives" in case:
        assert response.mimetype == case["gives"]
    body = response.data
    if response.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    assert case.get("text", "") in body.decode()
    for header, part in case.get("has", {}).items():
        assert (
            (part.replace("{trap}", trap.url) in response.headers[header]) if part else header not in response.headers
        )
    assert trap.connections == 0


def test_the_same_request_again_is_304(small: FlaskClient) -> None:
    """The ETag depends on the data, the query and the format, and a client that has it gets no body."""
    first = small.get("/sparql?query=ASK%7B%7D")
    again = small.get("/sparql?query=ASK%7B%7D", headers={"If-None-Match": first.headers["ETag"]})
    other = small.get("/sparql?query=ASK%7B%7D&format=xml", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status_code == 200


def test_the_tag_of_a_graph_is_weak(small: FlaskClient) -> None:
    """The order of its prefixes may differ from time to time; a client that has it gets no body all the same."""
    asked = "/sparql?query=CONSTRUCT%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D"
    tag = small.get(asked).headers["ETag"]

    assert tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        assert small.get(asked, headers={"If-None-Match": known}).status_code == 304, known


def test_a_graph_whose_name_ends_in_a_fragment_mark_can_be_asked_for() -> None:
    """An absolute IRI is taken to the letter, by the protocol and by the Graph Store Protocol."""
    engine, name = Store(), "http://example.org/ns#"
    engine.add(Quad(NamedNode("a:s"), NamedNode("a:p"), Literal(1), NamedNode(name)))
    client = create_app(ReleaseStore(engine)).test_client()
    asked = client.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }", "default-graph-uri": name})
    read = client.get("/store", query_string={"graph": name}, headers={"Accept": "application/n-triples"})
    wrong = client.get("/store?graph=http://%5B")

    assert asked.json == {"head": {}, "boolean": True}
    assert read.text.startswith("<a:s> <a:p>")
    assert (wrong.status_code, wrong.mimetype) == (400, PROBLEM)


def test_warnings_stay_within_what_proxies_take(client: FlaskClient) -> None:
    """However many terms a query makes up, a few are named."""
    terms = " ".join(f"eg:a{number}{'x' * 300}" for number in range(200))
    query = f"PREFIX eg: <https://w3id.org/eurasia-graph/ontology#> ASK {{ VALUES ?x {{ {terms} }} FILTER(false) }}"
    warnings = client.post("/sparql", data={"query": query}).headers.getlist("Warning")

    assert len(warnings) == 6
    assert "195 more" in warnings[-1]
    assert sum(map(len, warnings)) < 3000


def test_the_tag_changes_with_the_limits() -> None:
    """Another limit may cut another number of rows."""
    asked = "/sparql?query=SELECT%20*%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D"
    tags = [
        create_app(ReleaseStore(Store(), content="0" * 64), Settings(limits=Limits(rows=rows)))
        .test_client()
        .get(asked)
        .headers["ETag"]
        for rows in (10, 20)
    ]

    assert tags[0] != tags[1]


def test_a_body_over_the_limit_is_413(small: FlaskClient) -> None:
    """Whether or not its length is given, and however it is sent."""
    long = "ASK { } #" + "x" * 1_100_000
    direct = small.post("/sparql", data=long, content_type="application/sparql-query")
    in_url = small.get("/sparql", query_string={"query": long[:150_000]})

    assert (direct.status_code, in_url.status_code) == (413, 413)
    assert direct.mimetype == PROBLEM


@pytest.mark.parametrize(
    ("query", "line", "column", "says"),
    [
        ("SELECT *\nWHERE { ?s foaf:name ?o }", 2, 12, "add PREFIX foaf: <http://xmlns.com/foaf/0.1/>"),
        ("SELECT * { ?s skso:broader ?o }", 1, 15, "write skos: and add PREFIX skos:"),
        ("SELECT * { ?s xyzzy:broader ?o }", 1, 15, "add PREFIX xyzzy: <...>"),
        ("ASK {\n  ?s ?p ?o", 2, 11, "expected"),
        ("SELCT * {}", 1, 1, "write SELECT instead of SELCT"),
        ("PREFIX a: <a:>\nCONSTUCT { ?s ?p ?o } { ?s ?p ?o }", 2, 1, "write CONSTRUCT instead of CONSTUCT"),
        ("Which bodies are there?", 1, 1, "Which cannot begin a query; start with PREFIX lines"),
        ("SELECT ?s { ?s ?p ?o } GROUP BY ?p", 1, 35, "every variable of SELECT to be grouped by"),
        # What people write, and the first word that cannot stand there.
        ("ASK {\n  ?s a <a:b>\n  ?s a <a:c>\n}", 3, 3, 'expected ",", ".", ";", "{", "}"'),
        ("SELECT ?a, ?b { ?a ?b ?c }", 1, 10, "remove the comma"),
        ("SELECT ?a { ?a ?b ?c } ORDER ?a", 1, 30, "expected BY"),
        ("SELECT ?a { ?a ?b ?c BIND(1 AS ?a) }", 1, 32, "?a already has a value"),
        ("SELECT ?a { ?a ?b ?c FILTER ?c = 1 }", 1, 29, 'expected "("'),
        ("SELECT ?a { ?a ?b ?c } }", 1, 24, "expected the end of the query"),
        ("SELECT ?a { ?a ?b ?c UNION ?a ?b ?d }", 1, 22, "write { ... } UNION { ... }"),
        ("SELECT ?a { ?a ?b <http://a b> }", 1, 19, "%20"),
        ("PREFIX eg: https://example.org/ ASK {}", 1, 12, "write PREFIX eg: <...>"),
        ("PREFIX eg <https://example.org/> ASK {}", 1, 8, "write PREFIX eg: <...>"),
        ("@prefix eg: <https://example.org/> .\nASK {}", 1, 1, "without @ and without a final dot"),
        ("SELECT COUNT(?a) { ?a ?b ?c }", 1, 8, "write (COUNT(?x) AS ?n)"),
        ("SELECT ?a { ?a ?b ?c FILTER(?b = 1 AND ?c = 2) }", 1, 36, "write &&"),
        ("SELECT ?a { ?a ?b ?c FILTER(regex(?c, 'x') }", 1, 44, 'expected ")"'),
        ("SELECT ?a { ?a ?b ?c } LIMIT ten", 1, 30, "expected a number"),
        ("SELECT ?a { ?a ?b 'c }", 1, 19, "is not closed"),
        ("SELECT * WHERE ?a a eg:Body }", 1, 16, 'expected "{"'),
    ],
)
def test_a_syntax_error_is_shown_where_it_stands(
    small: FlaskClient, query: str, line: int, column: int, says: str
) -> None:
    """Line, column, the text with a caret below it, what was expected and what to add."""
    problem = json.loads(small.get("/sparql", query_string={"query": query}).data)

    assert (problem["line"], problem["column"]) == (line, column), problem
    text, caret = problem["excerpt"].split("\n")
    assert text == query.split("\n")[line - 1]
    assert caret == " " * (column - 1) + "^"
    assert says in problem["detail"]
    assert problem["expected"]
    assert problem["hint"]


def test_a_browser_sees_the_caret(small: FlaskClient) -> None:
    """The page has the same text as the document for programs."""
    page = small.get("/sparql?query=SELCT", headers={"Accept": "text/html"})

    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert "^</pre>" in page.text


def test_an_unknown_term_of_ours_is_named_where_nothing_is_found(client: FlaskClient) -> None:
    """A misspelt property gives no error and no row, only silence; the header breaks it."""
    prefix = "PREFIX eg: <https://w3id.org/eurasia-graph/ontology#> "
    empty = client.get("/sparql", query_string={"query": prefix + "SELECT * { ?claim eg:sayActor ?actor }"})
    found = client.get("/sparql", query_string={"query": prefix + "SELECT * { ?claim eg:saysActor ?actor } LIMIT 1"})

    assert "eg:sayActor is not a term of the ontology; nearest: eg:saysActor" in empty.headers["Warning"]
    assert "Warning" not in found.headers


def test_an_answer_names_its_release(client: FlaskClient, release: ReleaseStore) -> None:
    """And how to cite it."""
    response = client.get("/sparql?query=ASK%7B%7D")

    assert release.iri
    assert response.headers["X-Release"] == release.iri.value
    assert 'rel="cite-as"' in response.headers["Link"]


def test_csv_for_spreadsheets_begins_with_a_mark(small: FlaskClient) -> None:
    """?bom=1, since some programs read UTF-8 as something else without it."""
    marked = small.get("/sparql?query=SELECT(1%20AS%20%3Fx)%7B%7D&format=csv&bom=1")
    plain = small.get("/sparql?query=SELECT(1%20AS%20%3Fx)%7B%7D&format=csv")

    assert marked.data == b"\xef\xbb\xbf" + plain.data


# --- service description and Graph Store Protocol ------------------------------------------


@pytest.mark.parametrize(
    ("accept", "syntax"),
    [
        ("text/turtle", RdfFormat.TURTLE),
        ("application/rdf+xml", RdfFormat.RDF_XML),
        ("application/ld+json", RdfFormat.JSON_LD),
        ("application/n-triples", RdfFormat.N_TRIPLES),
    ],
)
def test_the_endpoint_describes_itself(client: FlaskClient, accept: str, syntax: RdfFormat) -> None:
    """RDF with a matching sd:endpoint, queries only, no federation and no union."""
    response = client.get("/sparql", headers={"Accept": accept})
    store = Store()
    store.load(response.data, format=syntax)
    sd = "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#>"

    assert response.mimetype == accept
    assert store.query(
        f"{sd} ASK {{ ?s a sd:Service ; sd:endpoint <https://w3id.org/eurasia-graph/sparql> ; sd:supportedLanguage sd:SPARQL11Query ; "
        "sd:resultFormat <http://www.w3.org/ns/formats/SPARQL_Results_JSON> ; "
        "sd:defaultDataset [ sd:defaultGraph [ a sd:Graph ] ; sd:namedGraph [ sd:name ?g ; sd:graph [ a sd:Graph ] ] ] }"
    )
    assert not store.query(f"{sd} ASK {{ ?s sd:feature ?feature }}")
    assert not store.query(f"{sd} ASK {{ ?s sd:supportedLanguage sd:SPARQL11Update }}")


def test_an_editor_finds_examples_prefixes_and_counts_in_the_endpoint(client: FlaskClient) -> None:
    """The three questions that an editor asks to configure itself."""

    def count(query: str) -> int:
        answer = client.get("/sparql", query_string={"query": query})
        return len(json.loads(answer.data)["results"]["bindings"])

    sh = "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
    void = "PREFIX void: <http://rdfs.org/ns/void#> "
    executable = (
        "?query a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?text"
    )

    assert count(f"{sh} SELECT * {{ {executable} }}") >= 10
    assert count(f"{sh} SELECT * {{ [] sh:prefix ?prefix ; sh:namespace ?namespace }}") > 20
    assert count(f"{void} SELECT * {{ [] void:classPartition [ void:class ?c ; void:entities ?n ] }}") > 20
    assert count(f"{void} SELECT * {{ [] void:propertyPartition [ void:property ?p ; void:triples ?n ] }}") > 20


def test_void_counts_what_is_there(client: FlaskClient, release: ReleaseStore) -> None:
    """At the well-known path; a named graph has as many triples as it says."""
    store = Store()
    store.load(client.get("/.well-known/void").data, format=RdfFormat.TURTLE)
    graph = NamedNode("https://w3id.org/eurasia-graph/graph/entities")
    real = sum(1 for _ in release.engine.quads_for_pattern(None, None, None, graph))

    assert store.query(
        "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#> PREFIX void: <http://rdfs.org/ns/void#> "
        f"ASK {{ ?d sd:namedGraph [ sd:name {graph} ; sd:graph [ void:triples {real} ] ] }}"
    )
    assert store.query("PREFIX dcat: <http://www.w3.org/ns/dcat#> ASK { ?d a dcat:Dataset ; dcat:distribution ?file }")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/store?graph=http%3A%2F%2Fexample.org%2Fg1", 200),
        ("HEAD", "/store?graph=http%3A%2F%2Fexample.org%2Fg1", 200),
        ("GET", "/store?default", 200),
        ("GET", "/store?graph=http%3A%2F%2Fexample.org%2Fg9", 404),
        ("HEAD", "/store?graph=http%3A%2F%2Fexample.org%2Fg9", 404),
        ("GET", "/store?graph=http%3A%2F%2Fexample.org%2Fg%2531", 404),
        ("GET", "/store?graph=http%3A%2F%2Fexample.org%2Fg%31", 200),
        ("GET", "/store", 400),
        ("GET", "/store?default&graph=http%3A%2F%2Fexample.org%2Fg1", 400),
        ("GET", "/store?graph=http%3A%2F%2Fa%20b", 400),
        ("PUT", "/store?graph=http%3A%2F%2Fexample.org%2Fg1", 405),
        ("POST", "/store?default", 405),
        ("DELETE", "/store?graph=http%3A%2F%2Fexample.org%2Fg1", 405),
        ("PATCH", "/graph/entities", 405),
    ],
)
def test_the_graph_store_protocol_is_served_for_reading(
    small: FlaskClient, method: str, path: str, status: int
) -> None:
    """Known graphs 200, unknown 404, writing 405 with what is allowed; an IRI is decoded once."""
    response = small.open(path, method=method)

    assert response.status_code == status, response.text
    if status == 200:
        assert response.content_type == "text/turtle; charset=utf-8"
    if status == 405:
        assert {"GET", "HEAD", "OPTIONS"} == set(response.headers["Allow"].split(", "))


def test_a_graph_of_the_release_stands_at_its_own_address(client: FlaskClient, release: ReleaseStore) -> None:
    """And holds what the release holds."""
    data = client.get("/graph/entities", headers={"Accept": "application/n-triples"}).data
    graph = NamedNode("https://w3id.org/eurasia-graph/graph/entities")

    assert {quad.triple for quad in parse(data, format=RdfFormat.N_TRIPLES)} == {
        quad.triple for quad in release.engine.quads_for_pattern(None, None, None, graph)
    }
