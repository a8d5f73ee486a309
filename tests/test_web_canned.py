"""`/queries/` answers canned queries as forms, tables and data."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from pyoxigraph import (
    NamedNode,
    RdfFormat,
    parse,
)

from conftest import BROWSER
from eurasia_graph import namespaces as ns
from eurasia_graph import queries, tabular
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore, load_files
from eurasia_graph.web import Limits, Settings, context, create_app

SELECT = "SELECT (1 AS ?value) {}"
CONSTRUCT = "CONSTRUCT { <s> <p> 1 } WHERE {}"


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
    here = queries.by_name("members-on").run(release, {"body": "cst", "date": "1993"})

    patient = create_app(release, Settings(cache_bytes=0)).test_client()
    hasty = create_app(release, Settings(limits=Limits(timeout_s=0.001))).test_client()

    assert patient.get(asked).text == tabular.separated(here, ",", "\r\n")
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
    note = "2 claims that name no organ (icds-2016/61, icds-2016/90)"

    answer = client.get(f"/queries/organs.{extension}?body=sco")
    page = client.get("/queries/organs?body=sco", headers={"Accept": BROWSER})

    assert note in " ".join(answer.headers.getlist("X-Note"))
    assert note in page.text


def test_a_page_shows_the_rows_with_links_and_notes(client: FlaskClient) -> None:
    """A row links to its claim, and a note says what the text cannot know."""
    page = client.get("/queries/members-on?body=eacu&date=2020", headers={"Accept": BROWSER})

    assert 'href="/id/claim/icds-2016/' in page.text
    assert "cannot know about 2020" in page.text
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
