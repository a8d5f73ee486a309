"""A canned query has one answer at its address, whether the fast path or the framework gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from conftest import BROWSER
from eurasia_graph import queries
from eurasia_graph.queries import CannedQuery
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Settings, create_app
from eurasia_graph.web.cache import AnswerCache
from eurasia_graph.web.fast_path import FastPath

EXTENSIONS = ("", ".json", ".csv", ".tsv", ".xml", ".srj", ".srx", ".CSV", ".nt", ".json.gz")
ACCEPTED = (
    None,
    "*/*",
    "application/json",
    "application/sparql-results+json",
    "text/csv;q=0.4, text/tab-separated-values",
    "text/*, application/json;q=0.1",
    "application/xml",
    "text/turtle",
    "image/png",
    "nonsense",
    "",
    BROWSER,
)
# Added to the values of a query.
ADDED = (
    "format=csv",
    "output=xml&results=tsv",
    "format=html",
    "format=turtle",
    "format=unheard",
    "bom=1",
    "format=csv&bom=1",
    "format=csv&bom=0&bom=1",
    "unheard=1",
    "Body=csto",
    "text=%FF%FE",
    "text=%D0%A8%D0%9E%D0%A1",
    "text=\u0428",
    "text=%00",
    "text=a+b%2Bc&text=d",
    "date=1993-13",
    "=",
    "&&",
    "lineage=perhaps",
)

# One with required parameters, one with a free text, one that takes none.
TRIED_WITH_ALL = {"members-on", "find", "disagreements"}


class Asked(NamedTuple):
    """A request."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}


class Ways(NamedTuple):
    """Clients of one service by either way."""

    fast: FlaskClient
    framework: FlaskClient


def both(store: ReleaseStore, settings: Settings) -> Ways:
    """Serve a store with the fast path, and without."""
    with_it, without = create_app(store, settings), create_app(store, settings)
    for app in (with_it, without):
        assert isinstance(app.wsgi_app, AnswerCache)
        assert isinstance(app.wsgi_app.app, FastPath)
    without.wsgi_app.app = without.wsgi_app.app.app  # type: ignore[attr-defined]
    return Ways(with_it.test_client(), without.test_client())


@pytest.fixture(scope="module")
def ways(release: ReleaseStore) -> Ways:
    """Both ways to the shipped release; nothing is cached."""
    return both(release, Settings(cache_bytes=0))


def answers(ways: Ways, asked: Asked) -> list[tuple[str, list[tuple[str, str]], bytes]]:
    """Ask by both ways; the headers in their order."""
    found: list[TestResponse] = [
        client.open(asked.path, method=asked.method, headers=dict(asked.headers)) for client in ways
    ]
    return [(each.status, list(each.headers), each.data) for each in found]


def every_request(query: CannedQuery) -> Iterator[Asked]:
    """List requests for a query: every format, Accept, method and fault."""
    values = "&".join(f"{key}={value}" for key, value in query.examples.items())
    path = f"/queries/{query.name}"
    for extension in EXTENSIONS:
        yield from (Asked(f"{path}{extension}?{values}", method) for method in ("GET", "HEAD"))
        yield Asked(f"{path}{extension}")
    for accept in ACCEPTED:
        yield Asked(f"{path}?{values}", "GET", {} if accept is None else {"Accept": accept})
    for added in ADDED:
        yield Asked(f"{path}?{values}&{added}", "GET", {"Accept": "text/csv"})
    for method in ("POST", "PUT", "OPTIONS", "DELETE"):
        yield Asked(f"{path}.json?{values}", method)
    yield Asked(f"{path}.json?{values}", "GET", {"Accept-Encoding": "gzip"})


def few_requests(query: CannedQuery) -> Iterator[Asked]:
    """List requests for a query: every format, HEAD and a fault."""
    values = "&".join(f"{key}={value}" for key, value in query.examples.items())
    for extension in (".json", ".csv", ".tsv", ".xml", ".srj"):
        yield Asked(f"/queries/{query.name}{extension}?{values}")
    yield Asked(f"/queries/{query.name}.csv?{values}", "HEAD")
    yield Asked(f"/queries/{query.name}.csv?{values}&unheard=1")


@pytest.mark.parametrize("name", queries.load())
def test_both_ways_give_the_same_bytes_and_headers(ways: Ways, name: str) -> None:
    """Status, headers in their order and body, of answers and of errors."""
    requests = every_request if name in TRIED_WITH_ALL else few_requests
    for asked in requests(queries.by_name(name)):
        fast, framework = answers(ways, asked)
        assert fast == framework, asked


@pytest.mark.parametrize("name", queries.load())
def test_the_tag_of_one_way_is_known_by_the_other(ways: Ways, name: str) -> None:
    """If-None-Match with what the fast path said is 304 by the framework, and the other way round."""
    values = queries.by_name(name).examples
    for extension in (".json", ".xml"):
        path = f"/queries/{name}{extension}"
        for said, told in (ways, ways[::-1]):
            tag = said.get(path, query_string=values).headers["ETag"]
            for method in ("GET", "HEAD"):
                again = told.open(path, method=method, query_string=values, headers={"If-None-Match": tag})
                assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_different_answers_have_different_tags(ways: Ways) -> None:
    """Each format, each value and the byte order mark."""
    asked = [
        f"/queries/timeline{extension}?body={body}"
        for extension in (".json", ".csv", ".srj")
        for body in ("csto", "sco")
    ]
    asked += ["/queries/timeline.csv?body=csto&bom=1", "/queries/organs.csv?body=sco"]

    assert len({ways.fast.get(path).headers["ETag"] for path in asked}) == len(asked)


def test_a_fault_in_the_code_is_the_same_error_by_both_ways(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged and said without a traceback, not left to the server."""

    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(CannedQuery, "run", fail)
    for client in ways:
        client.application.config["PROPAGATE_EXCEPTIONS"] = False
    fast, framework = answers(ways, Asked("/queries/find.json?text=shanghai"))

    assert fast == framework
    assert fast[0].startswith("500")
    assert b"secret" not in fast[2]


@pytest.mark.parametrize("asked", ["members-on.json?body=csto&date=1993", "members-on.json?body=nowhere&date=1993"])
def test_a_query_runs_once_and_is_counted_once(
    release: ReleaseStore, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """An error of the fast path is handed to the framework, which does not try again."""
    ways = both(release, Settings(cache_bytes=0))
    run: list[str] = []
    before = CannedQuery.run

    def counting(query: CannedQuery, *given: Any) -> Any:
        run.append(query.name)
        return before(query, *given)

    monkeypatch.setattr(CannedQuery, "run", counting)
    answers(ways, Asked(f"/queries/{asked}"))
    counted = [re.findall(r'_seconds_count\{kind="canned"\} (\S+)', client.get("/metrics").text) for client in ways]

    assert run == ["members-on"] * 2
    assert counted == [["1.0"], ["1.0"]]
