"""`/sparql` answers as the protocol says, with one shape of error."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient
from pyoxigraph import (
    QuerySolutions,
    RdfFormat,
    parse,
    parse_query_results,
)

from conftest import BROWSER
from eurasia_graph.formats import FORMATS

SELECT = "SELECT (1 AS ?value) {}"
CONSTRUCT = "CONSTRUCT { <s> <p> 1 } WHERE {}"


def test_query_get(client: FlaskClient) -> None:
    """GET with the query in the URL."""
    response = client.get("/sparql", query_string={"query": "ASK {}"})

    assert (response.status_code, response.json) == (200, {"head": {}, "boolean": True}), response.text


def test_query_post_form(client: FlaskClient) -> None:
    """POST with the query as a form field, with or without a charset."""
    for kind in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8"):
        response = client.post("/sparql", data="query=ASK%20%7B%7D", content_type=kind)
        assert (response.status_code, response.mimetype) == (200, "application/sparql-results+json"), response.text


def test_query_post_direct(client: FlaskClient) -> None:
    """POST with the query as the body."""
    response = client.post("/sparql", data="ASK {}", content_type="application/sparql-query")

    assert response.json == {"head": {}, "boolean": True}


def test_a_form_is_decoded_once(client: FlaskClient) -> None:
    """%25 in a query is a percent sign, and stays one."""
    response = client.post(
        "/sparql", data="query=SELECT+(%22100%2525%22+AS+%3Fx)+%7B%7D", content_type="application/x-www-form-urlencoded"
    )

    assert response.json["results"]["bindings"][0]["x"]["value"] == "100%25"  # type: ignore[index]


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_rows_come_in_the_type_that_is_asked_for(client: FlaskClient, name: str) -> None:
    """Each of the four result formats, by Accept, parsed again."""
    wanted = FORMATS[name]
    response = client.get("/sparql", query_string={"query": SELECT}, headers={"Accept": wanted.media_type})

    assert response.mimetype == wanted.media_type
    assert "Accept" in response.headers["Vary"]
    if name in {"json", "xml", "tsv"}:
        rows = parse_query_results(response.data, format=wanted.rows)
        assert isinstance(rows, QuerySolutions)
        assert [getattr(row["value"], "value", None) for row in rows] == ["1"]
    else:
        assert response.text.split() == ["value", "1"]


@pytest.mark.parametrize(
    ("media_type", "syntax"),
    [
        ("text/turtle", RdfFormat.TURTLE),
        ("application/n-triples", RdfFormat.N_TRIPLES),
        ("application/rdf+xml", RdfFormat.RDF_XML),
    ],
)
def test_graphs_come_in_the_type_that_is_asked_for(client: FlaskClient, media_type: str, syntax: RdfFormat) -> None:
    """CONSTRUCT as Turtle, N-Triples or RDF/XML; relative IRIs are resolved against the endpoint."""
    response = client.get("/sparql", query_string={"query": CONSTRUCT}, headers={"Accept": media_type})

    assert response.mimetype == media_type
    assert [str(quad.subject) for quad in parse(response.data, format=syntax)] == ["<https://w3id.org/eurasia-graph/s>"]


def test_parameters_of_types_are_passed_over_everywhere(client: FlaskClient) -> None:
    """Before the framework, after it, and on an error page."""
    rows = client.get("/queries/members-on?body=csto&date=2010", headers={"Accept": "text/csv; header=present"})
    data = client.get("/data/body/SCO", headers={"Accept": "text/turtle; version=1.2"})
    error = client.get("/id/body/XYZ", headers={"Accept": "text/html; charset=utf-8"})

    assert (rows.mimetype, data.mimetype, error.mimetype) == ("text/csv", "text/turtle", "text/html")


@pytest.mark.parametrize(
    ("accept", "gives"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("application/*", "application/sparql-results+json"),
        ("text/csv;q=0.5, application/sparql-results+xml", "application/sparql-results+xml"),
        ("image/png, text/tab-separated-values;q=0.1, video/*", "text/tab-separated-values"),
        ("application/sparql-results+json;q=0, text/csv", "text/csv"),
    ],
)
def test_the_best_of_an_accept_header_wins(client: FlaskClient, accept: str | None, gives: str) -> None:
    """Wildcards, weights and exclusions as HTTP defines them."""
    headers = {"Accept": accept} if accept else {}
    response = client.get("/sparql", query_string={"query": SELECT}, headers=headers)

    assert response.mimetype == gives


@pytest.mark.parametrize(
    ("method", "arguments", "status"),
    [
        ("PUT", {"query_string": {"query": "ASK {}"}}, 405),
        ("GET", {"query_string": "query=ASK%20%7B%7D&query=ASK%20%7B%7D"}, 400),
        ("GET", {"query_string": {"query": ""}}, 400),
        ("GET", {"query_string": {"query": "ASK {"}}, 400),
        ("GET", {"query_string": {"query": "INSERT DATA { <a:a> <a:b> 1 }"}}, 400),
        ("GET", {"query_string": {"update": "CLEAR ALL"}}, 400),
        ("GET", {"query_string": {"query": "ASK {}"}, "headers": {"Accept": "image/png"}}, 406),
        ("GET", {"query_string": {"query": "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"}}, 403),
        ("POST", {"data": "ASK {}", "content_type": "text/plain"}, 415),
        ("POST", {"data": "query=ASK%20%7B%7D"}, 415),
        ("POST", {"data": "ASK {}".encode("utf-16"), "content_type": "application/sparql-query; charset=UTF-16"}, 415),
        ("POST", {"data": b"ASK { \xff }", "content_type": "application/sparql-query"}, 415),
        ("POST", {"data": "CLEAR ALL", "content_type": "application/sparql-update"}, 403),
        ("POST", {"data": "update=CLEAR%20ALL", "content_type": "application/x-www-form-urlencoded"}, 403),
        (
            "POST",
            {"data": "ASK {}", "content_type": "application/sparql-query", "query_string": {"query": "ASK {}"}},
            400,
        ),
        ("POST", {"data": "query=" + "x" * 1_100_000, "content_type": "application/x-www-form-urlencoded"}, 413),
    ],
)
def test_what_is_refused_is_refused_in_one_shape(
    client: FlaskClient, method: str, arguments: dict[str, object], status: int
) -> None:
    """A clear status, and a problem document that says what to do."""
    response = client.open("/sparql", method=method, **arguments)  # type: ignore[arg-type]

    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), response.text
    problem = json.loads(response.data)
    assert problem["status"] == status
    assert problem["detail"]
    assert "Traceback" not in response.text


def test_a_refused_method_names_those_there_are(client: FlaskClient) -> None:
    """405 comes with Allow."""
    assert {"GET", "POST"} <= set(client.put("/sparql").headers["Allow"].split(", "))


def test_a_browser_gets_a_form_and_a_program_the_description(client: FlaskClient) -> None:
    """Without a query, a person can write one, and a program learns what the service is."""
    page = client.get("/sparql", headers={"Accept": BROWSER})
    description = client.get("/sparql")
    reason = client.post("/sparql", content_type="application/x-www-form-urlencoded")

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "<textarea" in page.text
    assert (description.status_code, description.mimetype) == (200, "text/turtle")
    assert reason.status_code == 400
