"""Nothing that a client sends brings the service down: no status but those we mean, and no hanging."""

from __future__ import annotations

import json
import os

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from conftest import TESTS
from eurasia_graph import queries
from eurasia_graph.sparql.tokens import token_pattern
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Limits, Settings, create_app

MEANT = {200, 303, 304, 400, 403, 404, 405, 406, 413, 415, 416, 503}
FORMS = [
    line
    for line in (TESTS / "cases" / "syntax-forms.rq").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
SEEDS = [each.text for each in queries.load().values()] + FORMS
TOKENS = sorted(
    {match.group() for seed in SEEDS for match in token_pattern().finditer(seed) if len(match.group()) < 80}
)
NOISE = ["", "{", "}", "(", ")", "SERVICE", "<", ">", "\\u0000", "ї", "\x00", '"', "'''", "#", "?", "_:b", "@en", "^^"]
QUICK = settings(
    # The same every time; FUZZ_EXAMPLES=10000 looks further, and elsewhere each time.
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def target(release: ReleaseStore) -> FlaskClient:
    """A service over the shipped graph with a quarter of a second for a query, so that none holds us up."""
    limits = Limits(timeout_s=0.25, rows=200, answer_bytes=500_000, memory_mib=512)
    return create_app(release, Settings(limits=limits, cache_bytes=1_000_000, slow_s=60)).test_client()


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A query of ours or of the grammar, with some of its tokens dropped, doubled, swapped or replaced."""
    pieces = [match.group() for match in token_pattern().finditer(draw(st.sampled_from(SEEDS)))]
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(pieces) - 1)) if pieces else 0
        change = draw(st.sampled_from(["drop", "double", "swap", "replace", "insert", "cut"]))
        if change == "drop":
            del pieces[place : place + 1]
        elif change == "double":
            pieces[place:place] = pieces[place : place + draw(st.integers(1, 5))]
        elif change == "swap" and pieces:
            other = draw(st.integers(0, len(pieces) - 1))
            pieces[place], pieces[other] = pieces[other], pieces[place]
        elif change == "cut":
            del pieces[place:]
        else:
            new = draw(st.sampled_from(TOKENS) | st.sampled_from(NOISE))
            pieces[place : place + (change == "replace")] = [new]
    return "".join(pieces)


def check(response: TestResponse) -> None:
    """The status is one we mean, an error has our shape, and nothing of the inside is shown."""
    status, text = response.status_code, response.text
    assert status in MEANT, text
    assert "Traceback" not in text
    if status >= 400 and response.mimetype != "text/html":
        assert json.loads(text)["status"] == status
        if status == 503:
            assert json.loads(text)["reason"] in {"time", "memory", "bytes", "busy"}
    if status == 200 and response.mimetype == "application/sparql-results+json":
        json.loads(text)


@given(mutated())
@QUICK
def test_a_mutated_query_has_a_meant_answer(target: FlaskClient, query: str) -> None:
    """Whole or refused; never half, never 500."""
    check(target.post("/sparql", data={"query": query.encode("utf-8", "replace").decode()}))


WORDS = st.text(max_size=30) | st.sampled_from(
    [
        "csto",
        "1993",
        "1993-06-30",
        "9999999999",
        "-1",
        "true",
        "json",
        "text/html",
        "*/*",
        "../..",
        "%00",
        "<x>",
        "0",
        "nan",
        "inf",
    ]
)
NAMES = st.sampled_from(
    [
        "query",
        "update",
        "default-graph-uri",
        "named-graph-uri",
        "timeout",
        "format",
        "output",
        "results",
        "bom",
        "graph",
        "default",
        "body",
        "date",
        "actor",
        "source",
        "text",
        "entity",
        "lineage",
        "x",
    ]
)
FIXED_PATHS = [
    "/sparql",
    "/store",
    "/graph/entities",
    "/graph/x",
    "/id/body/SCO",
    "/id/x",
    "/page/body/SCO",
    "/data/body/SCO",
    "/ontology",
    "/queries/",
    "/openapi.json",
    "/.well-known/void",
    "/export/eurasia-graph.nt",
    "/export/x.y",
    "/scheme/status/member",
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/static/style.css",
    "/static/../x",
]
EXTENSIONS = ("", ".csv", ".json", ".xls")
PATHS = st.sampled_from([*FIXED_PATHS, *(f"/queries/{name}{end}" for name in queries.load() for end in EXTENSIONS)])
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Accept", "Accept-Encoding", "If-None-Match", "Content-Type", "Accept-Charset", "Range", "Origin"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
    | st.sampled_from(["text/html", "*/*;q=0", "gzip;q=x", '"', "text/csv, */*;q=nan", 'W/"a", "b"'])
    | st.sampled_from(["application/sparql-query", "application/x-www-form-urlencoded"]),
    max_size=4,
)
BODIES = st.none() | st.binary(max_size=60) | st.sampled_from([b"query=ASK%20%7B%7D", b"ASK {}", b"query=%ff", b"\xff"])


@given(
    st.sampled_from(["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "QUERY", "DELETE"]),
    PATHS,
    st.dictionaries(NAMES, WORDS, max_size=5),
    HEADERS,
    BODIES,
)
@QUICK
def test_any_parameter_and_header_has_a_meant_answer(  # noqa: PLR0913, PLR0917  (one for each part of a request)
    target: FlaskClient, method: str, path: str, fields: dict[str, str], headers: dict[str, str], body: bytes | None
) -> None:
    """Every parameter we know on every path, with anything in it."""
    sound = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    response = target.open(path, method=method, query_string=sound, headers=headers, data=body)

    if method in {"HEAD", "OPTIONS"}:
        assert response.status_code in MEANT | {204}
        assert response.data == b""
    else:
        check(response)


@given(st.binary(max_size=80))
@QUICK
def test_any_bytes_in_the_url_have_a_meant_answer(target: FlaskClient, raw: bytes) -> None:
    """As a server hands them on, encoded by nobody."""
    check(target.get("/sparql", query_string="query=" + raw.decode("latin-1")))
