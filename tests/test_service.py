"""The service takes whole requests from hosts that are some, waits for nobody for ever, and writes no broken XML."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from conftest import TESTS
from eurasia_graph.store import ReleaseStore, load_files
from eurasia_graph.web import Settings, canned, create_app
from eurasia_graph.web.cache import AnswerCache
from eurasia_graph.web.connections import Flow, Watch, _Client
from eurasia_graph.web.fast_path import FastPath
from eurasia_graph.web.sending import Sending
from eurasia_graph.web.volatile import is_changing
from slow import PATIENCE_S, Served, serving, until

HALF = tomllib.loads((TESTS / "cases" / "half-requests.toml").read_text(encoding="utf-8"))
NEVER_KEPT = tomllib.loads((TESTS / "cases" / "never-kept.toml").read_text(encoding="utf-8"))
POST = "POST /sparql HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/sparql-query\r\n"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux reports the state of connections")


@pytest.fixture(scope="module")
def served(release: object) -> Iterator[Served]:
    """A server on a port of this machine that waits for a second where another waits for ten."""
    assert release
    with serving() as found:
        yield found


def said(connection: socket.socket, seconds: float = 20) -> bytes:
    """Read until the other side closes or says no more."""
    connection.settimeout(seconds)
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
            head, _, body = found.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if length and len(body) >= int(length.group(1)):
                break
    except OSError:
        pass
    return found


def status_of(answer: bytes) -> int:
    """Read the status of an answer."""
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(found.group(1)) if found else 0


# --- half a request ------------------------------------------------------------------------


def queries_run(served: Served) -> float:
    """How many free queries were evaluated until now."""
    with served.open(b"GET /metrics HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n") as connection:
        found = re.search(rb'eurasia_graph_query_seconds_count\{kind="free"\} ([\d.]+)', said(connection))
    return float(found.group(1)) if found else 0.0


@linux
@pytest.mark.parametrize("name", HALF)
def test_half_a_request_is_not_evaluated(served: Served, name: str) -> None:
    """Whole ones are; what is broken, breaks off or contradicts itself is refused, and no query runs for it."""
    case = HALF[name]
    before = queries_run(served)
    with served.open((POST + case["sent"]).encode("latin-1")) as connection:
        if case.get("ends"):
            connection.shutdown(socket.SHUT_WR)
        answer = said(connection)
    if case["status"] == 100:
        answer = answer.partition(b"\r\n\r\n")[2]

    assert status_of(answer) == (case["status"] if case["status"] != 100 else 400), answer
    assert queries_run(served) - before <= (case["status"] == 200)
    if status_of(answer) >= 400:
        assert b"connection: close" in answer.lower()


@linux
def test_a_body_in_chunks_without_an_end_is_refused_in_time(served: Served) -> None:
    """The client is told, or cut off, long before memory could matter."""
    before, sent = served.mib, 0
    with served.open((POST + "Transfer-Encoding: chunked\r\n\r\n").encode()) as connection:
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        connection.settimeout(20)
        try:
            while sent < 2_000_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
        answer = said(connection)

    assert sent < 2_000_000_000
    assert status_of(answer) in {0, 413}, answer
    assert served.mib - before < 300


@pytest.mark.parametrize("body", ["", "x" * 1_100_000], ids=["empty", "large"])
def test_chunks_without_words_or_over_the_limit_are_refused(client: FlaskClient, body: str) -> None:
    """In front of the application, whichever server is used."""
    response = client.post("/sparql", data=body, headers={"Transfer-Encoding": "chunked", "Content-Length": ""})

    assert response.status_code in {400, 413}


# --- clients with all the time in the world -------------------------------------------------


@linux
def test_a_hundred_slow_readers_and_senders_of_each_kind_disturb_nobody(served: Served) -> None:
    """Everybody else is answered meanwhile, memory stays bounded, and in the end all of them are gone."""
    before, others = served.mib, served.clients
    large = b"GET /export/eurasia-graph.nt HTTP/1.1\r\nHost: a.example\r\n\r\n"
    heads = {
        "reader": large,
        "silent": f"{POST}Content-Length: 100\r\n\r\nASK".encode(),
        "body": f"{POST}Content-Length: 5000\r\n\r\n".encode(),
        "chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n1388\r\n".encode(),
        "head": b"GET /healthz HTTP/1.1\r\nHost: a.example\r\nX-",
    }
    crowd = [
        (kind, served.open(head, 2048 if kind == "reader" else None))
        for kind, head in heads.items()
        for _ in range(100)
    ]
    statuses: set[int] = set()
    most = before
    for gone in until(30):
        for kind, connection in crowd:
            connection.setblocking(False)
            try:
                connection.recv(1) if kind == "reader" else connection.send(b"a" if kind != "silent" else b"")
            except OSError:
                continue
        statuses |= {served.status("/healthz"), served.status("/sparql", b"ASK { ?s ?p ?o }")}
        most = max(most, served.mib)
        if gone > PATIENCE_S and served.clients <= others + 2:
            break

    assert statuses == {200}
    assert served.clients <= others + 2
    assert most - before < 200
    for _, connection in crowd:
        connection.close()


# What the kernel says at some seconds: (second, taken, sent by the client, not yet taken, pieces sent to it).
CONNECTIONS: dict[str, tuple[list[tuple[float, int, int, int, int]], bool]] = {
    "takes nothing": ([(0, 0, 100, 90_000, 1), (9, 0, 100, 90_000, 1), (11, 0, 100, 90_000, 1)], True),
    "takes little": ([(0, 0, 100, 90_000, 1), (11, 3_000, 100, 90_000, 9)], True),
    "takes enough": ([(0, 0, 100, 90_000, 1), (20, 200_000, 100, 90_000, 99)], False),
    "took all of one answer and waits for the next": (
        [(0, 0, 100, 900, 1), (5, 900, 200, 0, 1), (9, 900, 200, 900, 2), (18, 1800, 200, 0, 2)],
        False,
    ),
    "sends little by little": ([(0, 0, 100, 0, 0), (5, 0, 105, 0, 0), (11, 0, 111, 0, 0)], True),
    "sends slowly but enough": ([(0, 0, 100, 0, 0), (15, 0, 300_000, 0, 0)], False),
    "has asked and waits": ([(0, 0, 100, 0, 0), (12, 0, 100, 0, 0), (29, 0, 100, 0, 0)], False),
    "waits longer than for any answer": ([(0, 0, 100, 0, 0), (31, 0, 100, 0, 0)], True),
    "asked again between two looks": ([(0, 0, 100, 0, 0), (1, 900, 200, 0, 1), (29, 900, 200, 0, 1)], False),
    "is silent after what it was sent": ([(0, 0, 100, 0, 0), (1, 25, 100, 0, 1), (32, 25, 100, 0, 1)], True),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_who_is_too_slow_is_told_by_what_the_kernel_says(name: str) -> None:
    """Ten seconds, longer by what is moved, and thirty for an answer to be made."""
    looks, is_slow = CONNECTIONS[name]
    watching, client = Watch(0, answer_s=30, patience_s=10), _Client(inode=1, told=0)
    told = False
    for second, taken, sent, left, pieces in looks:
        flow = Flow(taken, sent, left, pieces)
        told |= watching._takes_too_slowly(client, flow, second) or watching._sends_too_slowly(client, flow, second)

    assert told == is_slow


@linux
def test_a_slow_line_is_waited_for_as_long_as_it_moves(served: Served) -> None:
    """Twice as long as the patience and more, both ways: what is asked arrives, and the answer as well."""
    query = "ASK { ?s ?p ?o } #".ljust(80_000, "x")
    with served.open(f"{POST}Content-Length: {len(query)}\r\n\r\n".encode()) as sender:
        for start in range(0, len(query), 4000):
            sender.sendall(query[start : start + 4000].encode())
            time.sleep(0.1)
        told = said(sender)
    received = 0
    with served.open(b"GET /export/eurasia-graph.nt HTTP/1.1\r\nHost: a.example\r\n\r\n", 8192) as reader:
        for _ in until(3 * PATIENCE_S):
            received += len(reader.recv(6000))
        reader.settimeout(20)
        received += len(said(reader))

    assert status_of(told) == 200
    assert received > 500_000


def test_large_answers_are_handed_over_in_pieces_and_lie_in_files_beyond_a_limit() -> None:
    """Whatever they lie in, they come out whole, and are forgotten when they are gone."""
    sending, small, large = Sending(most=3, in_memory=500_000), b"x" * 1000, bytes(range(256)) * 1500
    assert sending.parts(small) == [small]
    held: list[Any] = [sending.parts(large) for _ in range(3)]

    assert (sending.clients, sending.bytes, sending.has_room) == (3, len(large), False)
    assert [b"".join(each) for each in held] == [large] * 3
    for each in held * 2:
        each.close()
    assert (sending.clients, sending.bytes, sending.has_room) == (0, 0, True)


def test_where_too_many_take_large_answers_another_client_is_told(release: ReleaseStore) -> None:
    """503 with the time after which to come again, in the one shape of errors."""
    app = create_app(release)
    assert isinstance(app.wsgi_app, AnswerCache)
    app.wsgi_app.sending = Sending(most=0)
    response = app.test_client().get("/export/eurasia-graph.nt")
    others = app.test_client().get("/queries/members-on.json?body=cst&date=1993")

    assert (response.status_code, response.headers["Retry-After"], others.status_code) == (503, "2", 200)
    assert json.loads(response.data)["reason"] == "busy"


# --- headers -------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nX-Long: {x}\r\n\r\n".format(x="x" * 120_000), 431),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\n" + "X-Many: 1\r\n" * 200 + "\r\n", 431),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nAccept: {x}\r\n\r\n".format(x="a/b," * 3000), 431),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: {x}\r\n\r\n".format(x='"a",' * 3000), 431),
        ("GET /{x} HTTP/1.1\r\nHost: a.example\r\n\r\n".format(x="x" * 70_000), 414),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nAccept: text/html\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: \u00ff\r\n\r\n", 400),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
    ],
    ids=["long", "many", "accept", "etags", "url", "usual", "no host", "two hosts", "no letters", "old"],
)
def test_heads_of_requests_have_limits(served: Served, sent: str, status: int) -> None:
    """All together, by their number, and each that is looked at; and there is one host, but in HTTP/1.0."""
    with served.open(sent.encode()) as connection:
        assert status_of(said(connection)) == status


@pytest.mark.parametrize(
    "host",
    [
        *(
            "a b",
            "a,b",
            "me@a.example",
            "a.example/x",
            "a.example?x",
            "a..example",
            ".example",
            "a.example:x",
            "a:70000",
        ),
        *("[::1", "[::zz]", "1.2.3.400", "[1.2.3.4]", "http://a.example", "a%2fb", "<b>", "a\\b", "x" * 70, "a." * 200),
        *("\u0442\u0435\u0441\u0442", "a.example:80:80", "-:-"),
    ],
)
def test_a_host_that_is_none_is_refused(client: FlaskClient, host: str) -> None:
    """In one shape, wherever it is sent, and never said again."""
    for path in ("/", "/queries/members-on.json?body=cst&date=1993", "/sparql?query=ASK%7B%7D"):
        environ = {"HTTP_HOST": host.encode().decode("latin-1")}
        response = client.get(path, environ_overrides=environ)
        assert (response.status_code, response.mimetype) == (400, "application/problem+json"), path
        assert "is not a host name" in response.text


@pytest.mark.parametrize(
    "host", ["a.example", "a.example:8000", "A-1.example.", "127.0.0.1:9", "[::1]", "[2001:db8::1]:80", "my_box:"]
)
def test_a_host_is_taken_and_followed_nowhere(client: FlaskClient, host: str) -> None:
    """Neither in links nor in redirects nor in descriptions: they are relative, or name what the data is called."""
    for path in (
        "/",
        "/queries",
        "/graph",
        "/id/body/SCO",
        "/data/body/SCO",
        "/page/body/SCO",
        "/sparql/",
        "/sparql?format=nt",
        "/.well-known/void",
        "/openapi.json",
        "/queries/members-on?format=nt",
        "/sparql?query=" + quote("CONSTRUCT { <s> <p> <> } {}"),
        "/store?graph=nowhere",
        "/nowhere",
        "/ontology/0.1.0",
    ):
        response = client.get(path, environ_overrides={"HTTP_HOST": host})
        assert host not in f"{response.headers}{response.text}", path
        if 300 <= response.status_code < 400:
            assert response.headers["Location"].startswith("/"), path


def test_the_public_address_is_what_the_service_was_told(release: ReleaseStore) -> None:
    """With it, descriptions and redirects go by it, whatever Host and forwarding headers say."""
    told = create_app(release, Settings(base_url="https://data.example/eurasia")).test_client()
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example"}
    page = told.get("/eurasia/graph", headers=headers, environ_overrides={"HTTP_HOST": "10.0.0.1:8000"})
    void = told.get("/eurasia/.well-known/void?format=nt", headers=headers)
    api = told.get("/eurasia/openapi.json", headers=headers)

    assert page.headers["Location"] == "/eurasia/graph/"
    assert "<https://data.example/eurasia/sparql>" in void.text
    assert json.loads(api.data)["servers"] == [{"url": "https://data.example/eurasia"}]
    assert "evil" not in page.text + void.text + api.text


@pytest.mark.parametrize(
    "place", ["ontology", "id", "page", "data", "graph", "scheme", "shape", "release", "queries", ""]
)
def test_no_name_whatever_is_a_fault_of_ours(client: FlaskClient, place: str) -> None:
    """The text after a slash can be anything."""
    odd = [
        "%00",
        "%0D%0A",
        "a%20b",
        "%3Cb%3E",
        "%22",
        "%7B%7D",
        "%5C",
        "%FF%FE",
        "%ED%A0%80",
        "%EF%BF%BE",
        "..%2F..",
        "#",
    ]
    for name in [*odd, "%5E%60%7C", "%25zz", "x" * 5000, "[", "a//b", ":", "%E2%80%AE"]:
        response = client.get(f"/{place}/{name}" if place else f"/{name}")
        assert response.status_code < 500, name


def test_what_is_remembered_of_headers_is_bounded_by_bytes(release: ReleaseStore) -> None:
    """Clients that invent headers fill no memory: neither what was chosen for them nor the answers."""
    app = create_app(release, Settings(cache_bytes=300_000))
    client, front = app.test_client(), app.wsgi_app
    assert isinstance(front, AnswerCache) and isinstance(front.app, FastPath)
    canned.remembered.cache_clear()
    for number in range(60):
        accept = f"text/csv, x/{'y' * 6000}{number}"
        assert client.get("/queries/members-on?body=cst&date=1993", headers={"Accept": accept}).status_code == 200
        kind = f"application/sparql-query; x={'y' * 6000}{number}"
        assert client.post("/sparql", data=f"ASK {{}} #{number}", content_type=kind).status_code == 200
    remembered = sum(len(part) for key in front._kept for part in key if isinstance(part, (str, bytes)))

    assert canned.remembered.cache_info().currsize == 0
    assert remembered <= front._bytes <= 300_000


# --- what is never kept ---------------------------------------------------------------------


def test_what_changes_each_time_is_told_however_it_is_written() -> None:
    """Run together, with comments in between, in escapes, by another namespace; and what only looks like it."""
    assert [query for query in NEVER_KEPT["changing"] if not is_changing(query)] == []
    assert [query for query in NEVER_KEPT["steady"] if is_changing(query)] == []


def test_what_changes_each_time_is_neither_kept_nor_tagged(client: FlaskClient) -> None:
    """Two answers differ; a steady one is the same and has a tag."""
    asked = [quote("SELECT (RAND #\n() AS ?n) {}"), quote("SELECT (1 AS ?n) {}")]
    changing = [client.get(f"/sparql?query={asked[0]}") for _ in range(2)]
    steady = [client.get(f"/sparql?query={asked[1]}") for _ in range(2)]

    assert changing[0].data != changing[1].data
    assert [each.headers["Cache-Control"] for each in changing] == ["no-store"] * 2
    assert not any("ETag" in each.headers for each in changing)
    assert steady[0].headers["ETag"] == steady[1].headers["ETag"]


# --- what the engine cannot keep -------------------------------------------------------------

WRITTEN = """
@prefix : <http://a.example/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:row :rank 0042 ; :share 2.500 ; :seats "12"^^xsd:unsignedShort , "13"^^xsd:positiveInteger ; :open "1"^^xsd:boolean ;
  :at "2001-02-03T04:05:06.70+00:00"^^xsd:dateTime ; :for "P14M"^^xsd:duration ; :closes "24:00:00"^^xsd:time ;
  :rate 5.0e-1 ; :kept 42 , 2.5 , "2001-02-03"^^xsd:date , "2001"^^xsd:gYear , "x"^^xsd:token , "2001-02-03T04:05:06Z"^^xsd:dateTime ,
  "0042" , true , "twelve"^^xsd:int , "99999999999999999999999"^^xsd:integer .
"""
REWRITTEN = {
    "xsd:integer": '"0042"^^xsd:integer as "42"^^xsd:integer',
    "xsd:decimal": '"2.500"^^xsd:decimal as "2.5"^^xsd:decimal',
}


def test_what_the_engine_cannot_keep_of_literals_is_counted_and_said_at_the_start(tmp_path: Path) -> None:
    """In one line, with the types and an example of each; what it keeps is not counted."""
    file = tmp_path / "rows.ttl"
    file.write_text(WRITTEN, encoding="utf-8")
    warnings = load_files([file]).warnings
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", "0", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        first = process.stderr.readline()
        process.kill()

    assert len(warnings) == 1
    assert warnings[0].startswith("9 literals are kept by value and not as written: ")
    for example in REWRITTEN.values():
        assert example in warnings[0]
    assert first == f"warning: {warnings[0]}\n"


def test_files_whose_literals_are_kept_bring_no_warning(tmp_path: Path) -> None:
    """Nothing is said where there is nothing to say."""
    file = tmp_path / "rows.nt"
    file.write_text('<http://a.example/s> <http://a.example/p> "as it is" , 7 .'.replace(", 7", ""), encoding="utf-8")

    assert load_files([file]).warnings == []
