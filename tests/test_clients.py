"""Programs that people have, unmodified, against a running server."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, Store, parse

import programs
from conftest import TESTS

pytestmark = pytest.mark.external

PREFIXES = """PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX body: <https://w3id.org/eurasia-graph/id/body/>
"""
LABELS = f'{PREFIXES} SELECT ?state ?label {{ ?state a eg:State ; skos:prefLabel ?label FILTER(LANG(?label) = "ru") }} ORDER BY ?state'
GRAPH = f"{PREFIXES} CONSTRUCT {{ ?s skos:prefLabel ?l }} WHERE {{ ?s a eg:State ; skos:prefLabel ?l }}"


@pytest.fixture(scope="module")
def base(release: object) -> Iterator[str]:
    """The address of the command `serve`."""
    assert release
    port = programs.free_port()
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port), "--timeout", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "http://" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)


# --- SPARQLWrapper -------------------------------------------------------------------------


def wrapper(base: str, query: str, form: str, method: str = "GET") -> Any:
    """Ask through SPARQLWrapper in one of its formats."""
    sparqlwrapper = pytest.importorskip("SPARQLWrapper", reason="SPARQLWrapper is not installed")
    client = sparqlwrapper.SPARQLWrapper(f"{base}/sparql")
    client.setReturnFormat(getattr(sparqlwrapper, form))
    client.setMethod(method)
    client.setQuery(query)
    return client


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("form", ["JSON", "XML", "CSV", "TSV"])
def test_sparqlwrapper_reads_rows(base: str, form: str, method: str) -> None:
    """Each of its formats for SELECT, by GET and by POST, with Cyrillic labels whole."""
    found = wrapper(base, LABELS, form, method).queryAndConvert()
    text = (
        found.toxml() if form == "XML" else json.dumps(found, ensure_ascii=False) if form == "JSON" else found.decode()
    )

    assert "Казахстан" in text
    if form == "JSON":
        assert len(found["results"]["bindings"]) > 10


@pytest.mark.parametrize("form", ["JSON", "XML"])
def test_sparqlwrapper_reads_a_boolean(base: str, form: str) -> None:
    """ASK."""
    found = wrapper(base, "ASK {}", form).queryAndConvert()

    assert (found["boolean"] is True) if form == "JSON" else "true" in found.toxml()


# SPARQLWrapper 2.0 makes graphs of a class that rdflib 7 calls old.
# It accepts "rdf" as a format, with a warning.
@pytest.mark.filterwarnings("ignore:Sending Accept header:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("form", ["TURTLE", "N3", "RDFXML", "RDF", "XML", "JSONLD"])
def test_sparqlwrapper_reads_a_graph(base: str, form: str) -> None:
    """Each of its formats for CONSTRUCT."""
    found = wrapper(base, GRAPH, form).queryAndConvert()
    if isinstance(found, bytes):
        import rdflib

        found = rdflib.Graph().parse(data=found, format="turtle")

    assert len(found) > 20


def test_sparqlwrapper_tells_a_bad_query_and_a_slow_one(base: str) -> None:
    """Its exceptions carry our reason."""
    exceptions = pytest.importorskip("SPARQLWrapper.SPARQLExceptions", reason="SPARQLWrapper is not installed")
    with pytest.raises(exceptions.QueryBadFormed, match="line 1, column"):
        wrapper(base, "SELECT * {", "JSON").query()
    with pytest.raises(urllib.error.HTTPError, match="503"):
        wrapper(base, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }", "JSON").query()


# --- rdflib, pandas, curl ------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_asks_through_its_store(base: str, method: str) -> None:
    """SPARQLStore as a graph, in each of its three ways."""
    from rdflib import Graph
    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    store = SPARQLStore(f"{base}/sparql", method=method, returnFormat="json")
    rows = list(Graph(store).query(LABELS))

    assert {"Казахстан", "Россия"} <= {str(row[1]) for row in rows}  # type: ignore[index]


def test_pandas_reads_csv_from_the_address(base: str) -> None:
    """A canned query is a data frame."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_csv(f"{base}/queries/members-on.csv?body=cst&date=1992-12-31")

    assert list(frame["memberLabel"])[:2] == ["Armenia", "Kazakhstan"]
    assert list(frame.columns)[:4] == ["body", "bodyLabel", "member", "memberLabel"]


def curl(*words: str) -> str:
    """Run curl."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *words], capture_output=True, check=True)
    # Not as text, which would turn the line ends of CSV into others.
    return done.stdout.decode()


def test_curl_asks_in_every_way(base: str) -> None:
    """GET, a form, a direct body, QUERY, and the name of a thing followed to its data."""
    query = ["--data-urlencode", "query=ASK {}"]

    assert json.loads(curl("-G", f"{base}/sparql", *query))["boolean"]
    assert json.loads(curl(f"{base}/sparql", *query))["boolean"]
    for method in ("POST", "QUERY"):
        direct = ["-X", method, "-H", "Content-Type: application/sparql-query", "--data", "ASK {}"]
        assert json.loads(curl(f"{base}/sparql", *direct))["boolean"]
    assert "body:SCO" in curl("-L", "-H", "Accept: text/turtle", f"{base}/id/body/SCO")
    assert curl("-o", os.devnull, "-w", "%{http_code}", "-X", "PUT", f"{base}/sparql") == "405"


def test_curl_sees_head_gzip_and_304(base: str) -> None:
    """Over a socket as in memory."""
    address = f"{base}/queries/members-on.csv?body=cst&date=1992-12-31"
    head = curl("-I", address).lower()
    etag = next(line.split(":", 1)[1].strip() for line in head.splitlines() if line.startswith("etag:"))
    plain = curl(address)

    assert f"content-length: {len(plain.encode())}" in head
    assert head.count("server:") == 1
    assert "server: eurasia-graph" in head
    assert curl("--compressed", address) == plain
    assert curl("-o", os.devnull, "-w", "%{http_code}", "-H", f"If-None-Match: {etag}", address) == "304"


def test_a_raw_request_with_a_wrong_length_is_no_hazard(base: str) -> None:
    """While a client that promises more than it sends is waited for, others get their answers."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 99\r\n\r\nASK"
        )
        assert json.loads(curl("-G", f"{base}/sparql", "--data-urlencode", "query=ASK {}"))["boolean"]


# --- Java and JavaScript -------------------------------------------------------------------


def test_jena_asks_as_a_client(base: str, tmp_path: Path) -> None:
    """`rsparql` of Apache Jena, whose reader of results is strict."""
    if reason := programs.missing("fuseki"):
        pytest.skip(reason)
    jar = str(programs.jar("jena-fuseki-server"))
    (tmp_path / "labels.rq").write_text(LABELS, encoding="utf-8")
    command = ["java", "-Dfile.encoding=UTF-8", "-cp", jar, "arq.rsparql", "--service", f"{base}/sparql"]
    done = subprocess.run(
        [*command, "--results=CSV", f"--query={tmp_path / 'labels.rq'}"], capture_output=True, timeout=120, check=True
    )

    assert "Казахстан" in done.stdout.decode()


def test_n3_js_and_oxigraph_read_what_we_send(base: str, tmp_path: Path) -> None:
    """Turtle, N-Triples, TriG and N-Quads of the whole: as many statements for one parser as for the other."""
    library = programs.node_module("n3")
    if library is None:
        pytest.skip("Node or N3.js is not installed; run make stores")
    for extension, syntax in (
        ("ttl", RdfFormat.TURTLE),
        ("nt", RdfFormat.N_TRIPLES),
        ("trig", RdfFormat.TRIG),
        ("nq", RdfFormat.N_QUADS),
    ):
        file = tmp_path / f"all.{extension}"
        file.write_text(curl(f"{base}/export/eurasia-graph.{extension}"), encoding="utf-8", newline="")
        command = ["node", str(TESTS / "javascript" / "count.js"), str(library), str(file), syntax.media_type]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        assert done.stdout.strip() == str(sum(1 for _ in parse(path=str(file), format=syntax))), done.stderr


def test_oxigraph_reads_json_ld_and_rdf_xml(base: str) -> None:
    """The two syntaxes that N3.js does not know hold the same graph as Turtle."""
    graphs = []
    for extension, syntax in (("ttl", RdfFormat.TURTLE), ("rdf", RdfFormat.RDF_XML)):
        store = Store()
        store.load(curl(f"{base}/export/eurasia-graph.{extension}").encode(), format=syntax)
        graphs.append(len(store))

    assert graphs[0] == graphs[1] > 1000


# --- a browser -----------------------------------------------------------------------------


needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")


@needs_chromium
def test_a_browser_opens_the_form_asks_and_follows_a_link(base: str) -> None:
    """The form, the answer with a link to an entity, and the page that the link leads to."""
    form = programs.browse(f"{base}/sparql")
    answer = programs.browse(f"{base}/queries/members-on?body=CST&date=1993-06-30")
    start = answer.index('href="/id/state/') + len('href="')
    link = answer[start : answer.index('"', start)]
    page = programs.browse(f"{base}{link}")

    assert "<textarea" in form
    assert answer.count("<tr>") == 10
    assert "Azerbaijan" in answer
    assert f"<code>https://w3id.org/eurasia-graph{link}</code>" in page
    assert "All that is said of it" in page


@needs_chromium
def test_a_browser_shows_the_answer_of_a_query_of_ones_own(base: str) -> None:
    """As a table, below the form."""
    page = programs.browse(f"{base}/sparql?query=SELECT%20(1%20AS%20%3Fone)%20%7B%7D")

    assert '<th scope="col">one</th>' in page


# --- the command ---------------------------------------------------------------------------


def test_a_stop_lets_requests_in_hand_end() -> None:
    """SIGTERM while a query runs: the client gets its answer, and no process is left running."""
    port = programs.free_port()
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port), "--timeout", "2"]
    slow = "SELECT%20(COUNT(*)%20AS%20%3Fn)%20%7B%20%3Fa%20%3Fb%20%3Fc%20.%20%3Fd%20%3Fe%20%3Ff%20.%20%3Fg%20%3Fh%20%3Fi%20%7D"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        process.stderr.readline()
        asking = subprocess.Popen(
            ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", f"http://127.0.0.1:{port}/sparql?query={slow}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.7)
        process.send_signal(signal.SIGTERM)
        status, _ = asking.communicate(timeout=20)
        process.stderr.read()

    assert status == "503"
    assert process.returncode == 0


def test_a_service_below_a_path_links_to_itself(tmp_path: Path) -> None:
    """--base-url: pages link below the path, IRIs in data stay; with or without the path in the request."""
    port = programs.free_port()
    public = "https://example.org/eurasia"
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port), "--base-url", public]
    with subprocess.Popen([*command, "--access-log"], stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr
        process.stderr.readline()
        base = f"http://127.0.0.1:{port}"
        page = curl(f"{base}/eurasia/")
        cut = curl(f"{base}/")
        location = curl("-o", os.devnull, "-w", "%{redirect_url}", f"{base}/eurasia/id/body/SCO")
        data = curl(f"{base}/eurasia/data/body/SCO")
        rows = list(csv.reader(io.StringIO(curl(f"{base}/queries/members-on.csv?body=cst&date=1993-06-30"))))
        process.send_signal(signal.SIGTERM)
        log = [json.loads(line) for line in process.stderr if line.startswith("{")]

    assert page == cut
    assert 'href="/eurasia/queries/' in page
    assert location.endswith("/eurasia/data/body/SCO")
    assert "https://w3id.org/eurasia-graph/id/body/" in data
    assert "example.org" not in data
    assert rows[1][0] == "https://w3id.org/eurasia-graph/id/body/CST"
    assert [line["path"] for line in log][:2] == ["/", "/"]
    assert "127.0.0.1" not in json.dumps(log)
