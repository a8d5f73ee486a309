"""The web face answers as the protocol says, with one shape of error."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    parse,
    parse_query_results,
)

from conftest import CHECKOUT
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import UsageError
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore, from_quads, load_files
from eurasia_graph.web import Limits, Settings, context, create_app
from eurasia_graph.web.cache import Front
from eurasia_graph.web.lane import Lane

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SELECT = "SELECT (1 AS ?value) {}"
CONSTRUCT = "CONSTRUCT { <s> <p> 1 } WHERE {}"


# --- /sparql -------------------------------------------------------------------------------


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
    """In front of the framework, behind it and on the page of an error."""
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


# --- /queries ------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["SELECT (1 AS ?value) {}", "ASK {}", CONSTRUCT])
def test_a_page_goes_on_with_what_it_was_asked_with(client: FlaskClient, query: str) -> None:
    """The form and the links to files keep the graphs and the seconds; an unknown graph is told."""
    asked = {"query": query, "default-graph-uri": ["http://a/1", "http://a/2"], "named-graph-uri": "x", "timeout": "3"}
    page = client.get("/sparql", query_string=asked, headers={"Accept": BROWSER}).text
    links = [html.unescape(each) for each in re.findall(r'<a href="(/sparql\?[^"]*)"', page)]

    assert len(links) == (6 if query == CONSTRUCT else 4)
    for link in links:
        assert parse_qs(urlsplit(link).query) | {"format": []} == {
            "query": [query],
            "default-graph-uri": ["http://a/1", "http://a/2"],
            "named-graph-uri": ["x"],
            "timeout": ["3"],
            "format": [],
        }
        assert client.get(link).status_code == 200
    for name, value in (("default-graph-uri", "http://a/2"), ("named-graph-uri", "x"), ("timeout", "3")):
        assert f'name="{name}" value="{value}" checked' in page
    assert "There is no graph <code>http://a/1</code> here" in page


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("SELECT * { ?s <b> }", 400, "line 1, column"),
        ("SELECT * { ?s a ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }", 503, "stopped after"),
        ("ASK { SERVICE <http://a/> { ?s a <z> } }", 403, "SERVICE is refused"),
    ],
)
def test_an_error_leaves_the_form_filled_in(client: FlaskClient, query: str, status: int, says: str) -> None:
    """The error stands above the query, with the caret; a program gets the problem alone."""
    asked = {"query": query, "timeout": "0.1"}
    page = client.get("/sparql", query_string=asked, headers={"Accept": BROWSER})
    program = client.get("/sparql", query_string=asked)

    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert page.text.index(says) < page.text.index("<textarea")
    assert f">{html.escape(query)}</textarea>" in page.text
    assert ("^" in page.text) == (status == 400)
    assert (program.status_code, program.mimetype) == (status, "application/problem+json")


def test_languages_are_marked(client: FlaskClient) -> None:
    """Programs that read aloud need to know that a label is Russian."""
    query = 'SELECT ?l { ?s <http://www.w3.org/2004/02/skos/core#prefLabel> ?l FILTER(LANG(?l) = "ru") } LIMIT 1'
    rows = client.get("/sparql", query_string={"query": query}, headers={"Accept": BROWSER}).text
    page = client.get("/page/body/SCO").text

    assert '<span lang="ru">' in rows
    assert '<span lang="ru">' in page


def test_files_have_no_links_to_what_is_not_there(tmp_path: Path) -> None:
    """Neither the ontology nor the canned queries, which know no entity of them."""
    file = tmp_path / "other.nt"
    file.write_text('<http://a/s> <http://a/p> "o" .', encoding="utf-8")
    page = create_app(load_files([file])).test_client().get("/").text

    assert "/ontology" not in page
    assert "/queries/" not in page
    assert 'href="/sparql"' in page


@pytest.mark.parametrize("name", list(queries.load()))
def test_every_canned_query_has_a_form_with_its_parameters(client: FlaskClient, name: str) -> None:
    """The form comes from the same file as the command."""
    page = client.get(f"/queries/{name}", headers={"Accept": BROWSER})

    assert page.status_code == 200
    for parameter in queries.by_name(name).parameters:
        assert f'name="{parameter.name}"' in page.text


def test_json_is_an_array_of_objects(client: FlaskClient) -> None:
    """By extension, by Accept, or by default for a program."""
    for path, headers in (("members-on.json", {}), ("members-on", {"Accept": "application/json"}), ("members-on", {})):
        response = client.get(f"/queries/{path}?body=cst&date=1992-12-31", headers=headers)
        assert response.mimetype == "application/json"
        assert [row["memberLabel"] for row in json.loads(response.data)] == [
            "Armenia",
            "Kazakhstan",
            "Kyrgyzstan",
            "Russia",
            "Tajikistan",
            "Uzbekistan",
        ]


def test_the_results_format_is_given_where_it_is_asked_for(client: FlaskClient) -> None:
    """application/sparql-results+json keeps datatypes and languages."""
    response = client.get("/queries/succession?body=caec", headers={"Accept": "application/sparql-results+json"})

    assert response.json["head"]["vars"][0] == "step"  # type: ignore[index]
    assert response.json["results"]["bindings"][0]["step"]["datatype"].endswith("#integer")  # type: ignore[index]


@pytest.mark.parametrize(
    "asked",
    [
        *(f"factors{end}?effect=spillover" for end in (".csv", ".CSV", ".json", ".tsv", ".xml", "", ".srx")),
        *(f"timeline{end}?body=csto&body=cst" for end in (".csv", "")),
        *("timeline", "timeline?format=turtle", "timeline?format=csv", "timeline.nt"),
    ],
)
def test_the_lane_answers_as_the_framework_does(release: ReleaseStore, asked: str) -> None:
    """Canned queries are answered in front of the framework, with the same body and headers, and errors behind."""
    app = create_app(release, Settings(cache_bytes=0))
    quick = app.test_client().get(f"/queries/{asked}")
    assert isinstance(app.wsgi_app, Front)
    assert isinstance(app.wsgi_app.app, Lane)
    app.wsgi_app.app = app.wsgi_app.app.app
    slow = app.test_client().get(f"/queries/{asked}")

    assert (quick.status, quick.data) == (slow.status, slow.data)
    assert set(quick.headers) - {("ETag", quick.headers.get("ETag"))} == set(slow.headers) - {
        ("ETag", slow.headers.get("ETag"))
    }


@pytest.mark.parametrize("path", ["/queries/timeline.json", "/queries/timeline"])
def test_a_parameter_that_is_given_twice_is_refused(client: FlaskClient, path: str) -> None:
    """Neither the first nor the last wins in silence; the page keeps the form."""
    accept = "text/csv" if path.endswith("json") else BROWSER
    response = client.get(f"{path}?body=csto&body=sco", headers={"Accept": accept})

    assert response.status_code == 400
    assert "body is given 2 times (body=csto and body=sco); give it once" in response.text
    assert ("<form" in response.text) == (accept == BROWSER)


def test_digits_of_other_scripts_are_no_date(client: FlaskClient) -> None:
    """A date is written in ASCII, as the standard says."""
    response = client.get("/queries/members-on.json", query_string={"body": "csto", "date": "١٩٩٥"})

    assert response.status_code == 400
    assert "is not a date" in response.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["turtle", "ntriples", "rdfxml", "jsonld"])
def test_a_query_is_described_at_its_own_name(client: FlaskClient, name: str) -> None:
    """An executable of the service description leads to what the description says of it, and to nothing else."""
    wanted = FORMATS[name]
    response = client.get("/queries/members-on", headers={"Accept": wanted.media_type})
    triples = [quad.triple for quad in parse(response.data, format=wanted.rdf)]
    subject = NamedNode("https://w3id.org/eurasia-graph/queries/members-on")
    whole = [quad.triple for quad in parse(client.get("/sparql?format=nt").data, format=RdfFormat.N_TRIPLES)]

    assert response.mimetype == wanted.media_type
    assert set(triples) == {triple for triple in whole if triple.subject == subject}
    assert ns.SH("SPARQLExecutable") in {triple.object for triple in triples}
    filled_in = client.get("/queries/members-on?body=csto&date=1995", headers={"Accept": wanted.media_type})
    assert filled_in.status_code == 406


def test_canned_queries_on_a_large_dataset_have_limits(release: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """There they run as free queries do: the same answers, and none that takes a thread for ever."""
    monkeypatch.setattr(context, "MOST_SMALL_QUADS", 1000)
    asked = "/queries/members-on.csv?body=cst&date=1993"
    here = release.query(queries.by_name("members-on").bind(release, {"body": "cst", "date": "1993"}))
    assert isinstance(here, QuerySolutions)

    patient = create_app(release, Settings(cache_bytes=0)).test_client()
    hasty = create_app(release, Settings(limits=Limits(timeout_s=0.001))).test_client()

    assert patient.get(asked).data == here.serialize(format=QueryResultsFormat.CSV)
    assert "Kazakhstan" in patient.get(asked.replace(".csv", ""), headers={"Accept": BROWSER}).text
    assert hasty.get(asked).status_code == 503
    assert "stopped after 0.001 s" in hasty.get(asked.replace(".csv", ".json")).text


def test_csv_has_a_header_and_the_rows(client: FlaskClient) -> None:
    """A spreadsheet reads it as it is."""
    response = client.get("/queries/treaty-acts.csv?treaty=cst-protocol-1999")

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == 10
    assert {row["act"].rsplit("#")[-1] for row in rows} == {"Signature", "Ratification", "NonRatification"}


@pytest.mark.parametrize("extension", ["csv", "json", "tsv", "xml", "srj"])
def test_an_empty_answer_says_what_that_means(client: FlaskClient, extension: str) -> None:
    """In a header, whatever the format; an answer with rows has none."""
    empty = client.get(f"/queries/members-on.{extension}?body=cst&date=1950")
    full = client.get(f"/queries/members-on.{extension}?body=cst&date=1993")

    assert "no rows: " in empty.headers["X-Note"]
    assert "X-Note" not in full.headers


@pytest.mark.parametrize("extension", ["csv", "json", "tsv", "xml", "srj"])
def test_what_an_answer_leaves_out_is_named_in_every_format(client: FlaskClient, extension: str) -> None:
    """In a header, and on the page below the number of rows."""
    note = "left out: 2 claims that name no organ (icds-2016/61, icds-2016/90)"

    answer = client.get(f"/queries/organs.{extension}?body=sco")
    page = client.get("/queries/organs?body=sco", headers={"Accept": BROWSER})

    assert answer.headers.getlist("X-Note") == [note]
    assert note in page.text


def test_a_page_shows_the_rows_with_links_and_notes(client: FlaskClient) -> None:
    """A reader goes from a row to its claim, and is told what the text cannot know."""
    page = client.get("/queries/members-on?body=eacu&date=2020", headers={"Accept": BROWSER})

    assert 'href="/id/claim/icds-2016/' in page.text
    assert "cannot tell of 2020" in page.text
    assert '<option value="EACU" selected>' in page.text


def test_a_wrong_value_keeps_the_form_filled_in(client: FlaskClient) -> None:
    """The reason stands above the answer that is not there, and nothing has to be typed again."""
    page = client.get("/queries/members-on?body=cso&date=1993", headers={"Accept": BROWSER})

    assert page.status_code == 400
    assert "nearest: csto, sco, eco" in page.text
    assert 'value="1993"' in page.text


def test_what_a_reader_typed_is_shown_as_text(client: FlaskClient) -> None:
    """Markup in a value stays a value."""
    page = client.get("/queries/find?text=%3Cscript%3Ealert(1)%3C/script%3E", headers={"Accept": BROWSER})

    assert "<script>" not in page.text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/queries/member-on", 404, "nearest: members-on"),
        ("/queries/members-on.json?body=cso&date=1993", 400, "nearest: csto, sco, eco"),
        ("/queries/members-on.json?body=csto", 400, "needs date"),
        ("/queries/members-on.json?body=csto&date=1993&when=1", 400, "no parameter 'when'"),
        ("/queries/members-on.xls?body=csto&date=1993", 400, "no format 'xls'"),
        ("/nowhere", 404, "not found"),
        ("/id/body/CSO", 404, "nearest: body/CSTO"),
        ("/id/nothing/at/all", 404, "knows no nothing/at/all"),
    ],
)
def test_a_near_miss_over_http_says_what_is_right(client: FlaskClient, path: str, status: int, says: str) -> None:
    """The same words as on the command line, as a problem document or as a page."""
    problem = client.get(path)
    page = client.get(path, headers={"Accept": BROWSER})

    assert (problem.status_code, problem.mimetype) == (status, "application/problem+json")
    assert says in json.loads(problem.data)["detail"]
    assert (page.status_code, page.mimetype) == (status, "text/html")


# --- pages and data ------------------------------------------------------------------------


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
    """A dataset of somebody else's has the same endpoint."""
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
    assert isinstance(front, Front)

    assert front._bytes <= 200_000
    assert 2 < len(front._kept) < 200


def test_a_public_address_that_is_none_is_refused(release: ReleaseStore) -> None:
    """Before anything is served."""
    with pytest.raises(UsageError, match="is no address"):
        create_app(release, Settings(base_url="example.org"))


# --- a real server -------------------------------------------------------------------------


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(release: object) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The command `serve` on a port of this machine."""
    assert release
    port = free_port()
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert f"http://127.0.0.1:{port}/" in process.stderr.readline()
        yield port, process
        process.kill()


def test_a_real_server_answers(server: tuple[int, object]) -> None:
    """Over a socket, as a client meets it; the header names the product and no versions."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{server[0]}/queries/members-on.json?body=cst&date=1992-12-31", timeout=30
    ) as response:
        rows = json.load(response)

    assert len(rows) == 6
    assert response.headers["Server"] == "eurasia-graph"


def test_a_taken_port_is_said_with_another_to_try(server: tuple[int, object]) -> None:
    """The message names the option, and nothing hangs."""
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(server[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert (
        f"cannot serve on 127.0.0.1:{server[0]}: another program is using it; try --port {server[0] + 1}" in done.stderr
    )


def test_ctrl_c_ends_the_server_quietly() -> None:
    """Exit status 0 and no traceback."""
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(free_port())]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "http://" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert process.returncode == 0, said
    assert "Traceback" not in said
