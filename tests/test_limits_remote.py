"""What another store sends is read up to the limits of bytes, rows and time; what a client sends is not parsed here."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Store

import fake
import hostile
from eurasia_graph.errors import AnswerTooLargeError, RemoteError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores import remote
from eurasia_graph.stores.transport import Transport
from eurasia_graph.web import Limits, Settings, create_app
from eurasia_graph.web.pool import Job, Pool, Result, Task
from trap import Trap

LIMITS = Limits(timeout_s=1.5, rows=100, answer_bytes=1_000_000, memory_mib=512)


@pytest.fixture(autouse=True)
def _tidy() -> None:
    """Drop here what other tests have left of the engine's answers, which no other thread may drop."""
    gc.collect()


def ask(client: FlaskClient, query: str) -> tuple[int, dict[str, object]]:
    """The status of a query, and what was said."""
    answer = client.post("/sparql", data={"query": query})
    return answer.status_code, answer.get_json(force=True)


def app_over(url: str) -> Flask:
    """A service on top of a store at an address."""
    store = remote.open_store(url, timeout_s=LIMITS.timeout_s)
    app = create_app(store, Settings(limits=LIMITS, slow_s=60))
    app.extensions["eurasia-graph"].pool.warm()
    return app


@pytest.mark.parametrize("name", hostile.BEHAVIOURS)
def test_no_answer_takes_more_than_its_limits(name: str) -> None:
    """Endless, slow or compressed bodies and endless headers: the limit that was met is named, and memory is bounded."""
    with hostile.running(hostile.BEHAVIOURS[name]) as store:
        client = app_over(store.url).test_client()
        tracemalloc.start()
        status, problem = ask(client, "SELECT * { ?s ?p ?o }")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 16 * LIMITS.answer_bytes
    if name in hostile.LARGE:
        assert (status, problem["reason"]) == (503, "bytes")
    else:
        assert status == (504 if name in hostile.SLOW else 502), problem
        assert ("has not answered within" in str(problem["detail"])) == (name in hostile.SLOW)
    if name == "too_many_rows":
        assert "more than the 100 rows" in str(problem["detail"])


def test_a_question_of_ours_has_limits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page or a graph fetched from a store that never ends."""
    monkeypatch.setattr(remote, "LARGEST_ANSWER", 1 << 20)
    with hostile.running(hostile.endless_rows) as store:
        engine = remote.RemoteEngine(store.url, timeout_s=5)
        with pytest.raises(AnswerTooLargeError, match="more than 1048576 bytes"):
            next(iter(engine.quads_for_pattern(None, None, None)))


def test_a_redirect_is_not_followed() -> None:
    """It would lead anywhere."""
    with Trap() as trap:

        def speak(connection: object, _stop: threading.Event) -> None:
            connection.sendall(  # type: ignore[attr-defined]
                b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % trap.url.encode()
            )

        with hostile.running(speak) as store:
            status, problem = ask(app_over(store.url).test_client(), "ASK { ?s ?p ?o }")
    assert trap.connections == 0
    assert status == 502 and "use that" in str(problem["detail"])


def test_the_time_is_that_of_all_pieces_together() -> None:
    """Also without a service around it."""
    with (
        hostile.running(hostile.slow_body) as store,
        pytest.raises(RemoteError, match=r"has not answered within 0\.4 s") as caught,
    ):
        Transport().send("POST", store.url, form=[("query", "ASK {}")], timeout_s=0.4)
    assert caught.value.status == 504


# --- what a client sends -------------------------------------------------------------------

EG = "https://w3id.org/eurasia-graph/ontology#"
BOMBS = {
    "unions in a row": "ASK {" + "{}UNION" * 10_000 + "{} }",
    "binds in a row": "ASK {" + "".join(f"BIND(1 AS ?a{n})" for n in range(4500)) + "}",
    "patterns in a row": "SELECT * {" + "?a ?b ?c." * 2000 + "}",
    "a path of 300 steps": f"SELECT * {{ ?a {'/'.join([f'<{EG}x>'] * 300)} ?b }}",
    "a product of values": "SELECT (COUNT(*) AS ?n) {"
    + "".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(60)))} }}" for n in range(8))
    + "}",
    "a fault behind a long text": "SELECT * {" + "?a ?b ?c." * 2000 + " FILTR(?a) }",
    "a canned query, by its first letters": "#+ x\nSELECT * {" + "?a ?b ?c." * 2000 + "}",
}


@pytest.fixture(scope="module", params=["embedded", "on top of a store"])
def service(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A service with a second for a query, of either kind."""
    limits = Limits(timeout_s=1.0, memory_mib=256)
    if request.param == "embedded":
        app = create_app(ReleaseStore(Store()), Settings(limits=limits, cache_bytes=0, slow_s=60))
        yield app
        app.extensions["eurasia-graph"].pool.close()
        return
    with fake.running(fake.Fake()) as there:
        app = create_app(remote.open_store(there.url, "fuseki", timeout_s=1), Settings(limits=limits, slow_s=60))
        yield app
        app.extensions["eurasia-graph"].pool.close()


@pytest.mark.parametrize("name", BOMBS)
def test_a_query_that_takes_the_engine_long_ends_in_a_worker(service: Flask, name: str) -> None:
    """While it is read, others are answered; in the end there is a word, or an answer."""
    service.extensions["eurasia-graph"].pool.warm()
    found: list[tuple[int, dict[str, object]]] = []
    thread = threading.Thread(target=lambda: found.append(ask(service.test_client(), BOMBS[name])))
    thread.start()
    healthy = service.test_client().get("/healthz").status_code
    thread.join()

    assert healthy == 200
    status, answer = found[0]
    assert status in {200, 400, 503}
    assert (answer.get("reason") in {"time", "memory"}) == (status == 503), answer
    # On a machine with much to do a second may be short for the first.
    assert 200 in {ask(service.test_client(), "ASK {}")[0] for _ in range(5)}


def test_nothing_of_a_query_is_parsed_in_the_process_that_serves(
    service: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the query, nor what is wrong with it, nor its graphs: the engine is not called here."""
    client = service.test_client()
    ask(client, "ASK {}")
    texts: list[str] = []

    class Counting:
        """In the place of the engine's store in every module of ours."""

        def __init__(self) -> None:
            self._store = Store()

        def query(self, text: str, **options: object) -> object:
            """Note the text before the engine gets it."""
            texts.append(text)
            return self._store.query(text, **options)  # type: ignore[arg-type]

    for module in (
        "sparql.columns",
        "sparql.restating",
        "store",
        "stores.dependencies",
        "stores.remote",
        "web.remote_runner",
        "web.sparql",
        "web.worker",
    ):
        monkeypatch.setattr(f"eurasia_graph.{module}.Store", Counting, raising=False)
    for query in (
        "SELECT * { ?s ?p ?o }",
        "SELECT * FROM <x:marked> FROM NAMED <#g> { ?s ?p ?o }",
        "#+ marked\nSELECT * { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o FILTR(?marked) }",
        "SELECT * { ?marked ?p ?o } LIMIT x",
        "DESCRIBE <x:marked>",
        "CONSTRUCT WHERE { ?marked ?p ?o }",
    ):
        for graphs in ({}, {"default-graph-uri": "x:marked", "named-graph-uri": "y:marked"}):
            client.post("/sparql", data={"query": query, **graphs})
            client.get("/sparql", query_string={"query": query, "format": "csv", **graphs})
            client.head("/sparql", query_string={"query": query, **graphs})

    assert [text for text in texts if "marked" in text or "?s ?p ?o" in text] == []


def test_the_probes_of_a_diagnosis_share_the_time_of_the_query(service: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker job gets the seconds that the ones before it have left."""
    given: list[float] = []
    run = Pool.run

    def noted(pool: Pool, job: Job | Task) -> Result:
        given.append(job.timeout)
        return run(pool, job)

    monkeypatch.setattr(Pool, "run", noted)
    slow = "?a ?b ?c." * 2000
    status, answer = ask(service.test_client(), f"SELECT * {{ {slow} {{ {slow} }} ?x }} }}")

    assert (status, answer.get("reason")) in {(400, None), (503, "time"), (503, "memory")}, answer
    assert given == sorted(given, reverse=True)
    assert given[0] <= 1.0
    assert len(set(given)) == len(given)


def test_a_fault_is_explained_on_top_of_a_store_as_in_the_embedded_one() -> None:
    """Line, column, what was expected and what to do."""
    query = "SELECT * {\n  ?s ?p ?o FILTR(?o) }"
    with fake.running(fake.Fake()) as there:
        over = ask(create_app(remote.open_store(there.url, "fuseki")).test_client(), query)
    here = ask(create_app(ReleaseStore(Store())).test_client(), query)

    assert over == here
    assert over[0] == 400 and over[1]["line"] == 2


@pytest.mark.parametrize(("kind", "most"), [("virtuoso", None), ("fuseki", 100)])
def test_a_limit_of_ours_keeps_no_store_from_sorting(
    kind: str, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtuoso refuses to sort for a limit above its own (MaxSortedTopRows) what it sorts without one."""
    query = "SELECT ?x { VALUES ?x { 2 1 } } ORDER BY ?x"
    sent: list[str] = []
    fetch = remote.RemoteEngine.fetch

    def noted(engine: remote.RemoteEngine, sparql: str, kind: str, **more: Any) -> bytes:
        sent.append(sparql)
        return fetch(engine, sparql, kind, **more)

    monkeypatch.setattr(remote.RemoteEngine, "fetch", noted)
    with fake.running(fake.Fake()) as well:
        app = create_app(remote.open_store(f"{well.url}", kind), Settings(limits=LIMITS, slow_s=60))
        status, answer = ask(app.test_client(), query)
        app.extensions["eurasia-graph"].pool.close()

    assert status == 200, answer
    assert ["LIMIT" in each for each in sent] == [most is not None]
