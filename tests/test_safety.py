"""Nothing a client sends opens a connection, outlives its limits, or is noticed by anybody else."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, Store

from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Limits, Settings, create_app
from eurasia_graph.web.context import Service
from eurasia_graph.web.pool import Job, Pool, WorkerError
from trap import Trap

CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o"
MOST_TRIES = 500
RUNAWAY = f"SELECT (COUNT(*) AS ?x) {{ {CROSS} }}"
GREEDY = f"SELECT * {{ {CROSS} }} ORDER BY ?a ?d ?g"
TRIPLES = 300


def dataset() -> ReleaseStore:
    """Enough triples for a product of five to never end."""
    engine = Store()
    for number in range(TRIPLES):
        node = NamedNode(f"http://example.org/{number}")
        engine.add(Quad(node, NamedNode("http://example.org/p"), Literal(str(number))))
    return ReleaseStore(engine)


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    """A service with a second for a query and little memory."""
    made = create_app(dataset(), Settings(limits=Limits(timeout_s=1.0, memory_mib=256), cache_bytes=0, slow_s=0.4))
    yield made
    service_of(made).pool.close()


def service_of(app: Flask) -> Service:
    """The service of an application."""
    service = app.extensions["eurasia-graph"]
    assert isinstance(service, Service)
    return service


@pytest.fixture
def pool(app: Flask) -> Pool:
    """The workers of the service."""
    pool = service_of(app).pool
    assert isinstance(pool, Pool)
    return pool


def ask(app: Flask, query: str, **extra: str) -> Any:
    """Send a query."""
    return app.test_client().get("/sparql", query_string={"query": query, **extra})


def job(query: str, timeout: float = 1.0) -> Job:
    """A query as a worker takes it, past every check that stands before."""
    json_type = "application/sparql-results+json"
    return Job(
        query=query,
        form="SELECT",
        limited=query,
        next=None,
        base="http://a/",
        prologue="",
        clauses=[],
        default=[],
        named=[],
        format=json_type,
        prefixes={},
        rows=1000,
        bytes=100_000,
        timeout=timeout,
    )


def test_a_runaway_query_ends_within_its_limit_and_says_what_to_do(app: Flask) -> None:
    """503 inside the limit, as a problem document, and never half an answer."""
    response = ask(app, RUNAWAY)
    problem = json.loads(response.data)

    assert response.status_code == 503
    assert problem["reason"] == "time"
    assert "ask for less" in problem["detail"]


def test_a_client_may_ask_for_less_time_and_not_for_more(app: Flask) -> None:
    """?timeout= lowers the limit."""
    short = ask(app, RUNAWAY, timeout="0.2")
    long = ask(app, RUNAWAY, timeout="60")

    for response, seconds in ((short, "0.2 s"), (long, "1 s")):
        problem = json.loads(response.data)
        assert (response.status_code, problem["reason"]) == (503, "time")
        assert seconds in problem["detail"]


def test_a_greedy_query_meets_the_limit_of_memory() -> None:
    """A sort of everything with everything ends in its own process."""
    engine = Store()
    for number in range(20_000):
        engine.add(
            Quad(NamedNode(f"http://example.org/{number}"), NamedNode("http://example.org/p"), Literal("x" * 200))
        )
    limits = Limits(timeout_s=20, memory_mib=256)
    greedy = create_app(ReleaseStore(engine), Settings(limits=limits))
    problem = json.loads(ask(greedy, GREEDY).data)
    after = ask(greedy, "ASK {}")

    assert (problem["status"], problem["reason"]) == (503, "memory")
    assert "256 MiB" in problem["detail"]
    assert after.status_code == 200


def test_others_notice_nothing_of_a_runaway_query(app: Flask) -> None:
    """While it runs, others get their answers at once."""
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(ask, app, RUNAWAY)
        time.sleep(0.1)
        others = [ask(app, f"SELECT ({number} AS ?x) {{}}").status_code for number in range(10)]

        assert not running.done()
        assert others == [200] * 10
        assert running.result().status_code == 503


def test_many_runaway_queries_leave_room_for_short_ones(app: Flask) -> None:
    """Twenty at once, again and again: all end at their limit, and a short query that is repeated is answered meanwhile."""
    answered = threading.Event()

    def run_away() -> set[int]:
        ended = {ask(app, RUNAWAY).status_code}
        while not answered.is_set():
            ended.add(ask(app, RUNAWAY).status_code)
        return ended

    with ThreadPoolExecutor(20) as threads:
        running = [threads.submit(run_away) for _ in range(20)]
        short: list[int] = []
        while 200 not in short and len(short) < MOST_TRIES:
            short.append(ask(app, "ASK {}").status_code)
        answered.set()
        ended = set().union(*(each.result() for each in running))

    assert short[-1] == 200, short
    assert set(short[:-1]) <= {503}
    assert ended == {503}
    assert ask(app, "ASK {}").status_code == 200


def test_a_worker_killed_while_idle_is_replaced_and_nobody_sees_it(app: Flask, pool: Pool) -> None:
    """SIGKILL between two queries."""
    assert ask(app, "ASK {}").status_code == 200
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.05)

    assert ask(app, "ASK {}").status_code == 200


def test_a_worker_killed_in_the_middle_gives_503_and_is_replaced(app: Flask, pool: Pool) -> None:
    """The client is told that its query may be sent again."""
    pool.warm()
    pid = pool.pids[-1]
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(ask, app, RUNAWAY)
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        response = running.result(timeout=10)

    assert response.status_code == 503
    assert json.loads(response.data)["reason"] == "killed"
    assert response.headers["Retry-After"]
    assert ask(app, "ASK {}").status_code == 200


def test_the_process_that_forks_is_replaced_as_well(app: Flask, pool: Pool) -> None:
    """Killing the mother of all workers costs one start."""
    process = pool._fork_server._process
    assert process
    process.kill()
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.05)

    assert ask(app, "ASK {}").status_code == 200


def test_a_worker_can_open_neither_connection_nor_file(pool: Pool) -> None:
    """Past the check of the tokens the engine fails too, since a worker has no descriptor left."""
    with Trap() as trap:
        for query in (
            f"SELECT * {{ SERVICE <{trap.url}> {{ ?s ?p ?o }} }}",
            f"SELECT * {{ SERVICE SILENT <{trap.url}> {{ ?s ?p ?o }} }}",
        ):
            try:
                pool.run(job(query))
            except WorkerError as error:
                assert error.reason in {"engine", "killed", "memory"}  # noqa: PT017

    assert trap.connections == 0


def test_no_request_opens_a_connection(client: FlaskClient) -> None:
    """Addresses in every place that takes text."""
    with Trap() as trap:
        for path in (
            f"/queries/find?text={trap.url}",
            f"/queries/members-on.json?body={trap.url}&date=1993",
            f"/id/{trap.url}",
            f"/page/{trap.url}",
            f"/graph/{trap.url}",
            f"/store?graph={trap.url}",
            f"/sparql?query=ASK%7B%7D&default-graph-uri={trap.url}&named-graph-uri={trap.url}",
            f"/sparql?query=DESCRIBE%20%3C{trap.url}%3E",
            f"/sparql?query=ASK%20FROM%20%3C{trap.url}%3E%7B%7D",
        ):
            client.get(path)
        client.post("/sparql", data=f"LOAD <{trap.url}>", content_type="application/sparql-update")

    assert trap.connections == 0


def test_an_answer_over_the_limit_of_bytes_is_refused_whole(app: Flask) -> None:
    """The status comes after the answer is made."""
    service = service_of(app)
    with pytest.raises(WorkerError) as caught:
        service.pool.run(job("SELECT * { ?a ?b ?c . ?d ?e ?f }"))

    assert caught.value.reason == "bytes"


def test_a_slow_query_is_logged_on_one_line_without_a_person(app: Flask) -> None:
    """JSON with the query, its time and how it ended; no address."""
    out = io.StringIO()
    with redirect_stderr(out):
        ask(app, RUNAWAY, timeout="0.5")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]

    assert [(line["event"], line["outcome"], line["query"]) for line in lines] == [("slow_query", "time", RUNAWAY)]
    assert "127.0.0.1" not in out.getvalue()


def test_what_happens_is_counted(app: Flask) -> None:
    """Requests by endpoint and outcome, time in queries, ended workers by reason."""
    ask(app, RUNAWAY, timeout="0.2")
    text = app.test_client().get("/metrics").text

    assert 'eurasia_graph_requests_total{endpoint="sparql",outcome="server_error"}' in text
    assert 'eurasia_graph_worker_restarts_total{reason="time"}' in text
    assert 'eurasia_graph_query_seconds_count{kind="free"}' in text


def test_workers_end_with_the_service() -> None:
    """No process is left running."""
    app = create_app(dataset())
    pool = service_of(app).pool
    pool.warm()
    pids = pool.pids
    pool.close()
    time.sleep(0.1)

    assert pids
    assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids)  # noqa: PTH110  (a link that leads nowhere)


def test_threads_share_the_workers(app: Flask) -> None:
    """Fifty queries from ten threads, each with its own answer."""
    barrier = threading.Barrier(10)

    def many(thread: int) -> list[str]:
        barrier.wait()
        return [ask(app, f"SELECT ({thread * 10 + n} AS ?x) {{}}", format="csv").text.split()[1] for n in range(5)]

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(many, range(10)))

    assert answers == [[str(thread * 10 + n) for n in range(5)] for thread in range(10)]
