"""The web face answers as the protocol says, with one shape of error."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import QuerySolutions, RdfFormat, parse, parse_query_results

from eurasia_graph import queries
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import load_files
from eurasia_graph.web import create_app

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
    assert [str(quad.subject) for quad in parse(response.data, format=syntax)] == ["<http://localhost/s>"]


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


def test_csv_has_a_header_and_the_rows(client: FlaskClient) -> None:
    """A spreadsheet reads it as it is."""
    response = client.get("/queries/treaty-acts.csv?treaty=cst-protocol-1999")

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == 10
    assert {row["act"].rsplit("#")[-1] for row in rows} == {"Signature", "Ratification", "NonRatification"}


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


@pytest.mark.external
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_shows_the_answer(server: tuple[int, object]) -> None:
    """The page a reader sees has the table, the styles and no word of an error."""
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=4000",
        "--dump-dom",
    ]
    with tempfile.TemporaryDirectory() as profile:
        address = f"http://127.0.0.1:{server[0]}/queries/members-on?body=CST&date=1993-06-30"
        command = ["chromium", *options, f"--user-data-dir={profile}", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout.count("<tr>") == 10, done.stderr[-2000:]
    assert "Azerbaijan" in done.stdout
