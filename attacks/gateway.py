"""
Attack the service on top of other stores: calls of other addresses, texts that take long, answers without end.

Everything goes through the service, as a client would send it. A trap listens on this machine; who connects to
it was let in. First each store is asked a plain call without the service between, so that it is known which of
them would have gone there. `--quick` takes Oxigraph alone, a store of our own that answers badly, and fewer drawn
queries; names of stores as arguments take these alone. Exit status 1 where anything got through.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from flask import Flask
from pyoxigraph import Store

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import disguises
import fake
import hostile
import programs
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores import remote
from eurasia_graph.stores.products import PRODUCTS
from eurasia_graph.web import Limits, Settings, create_app
from trap import Trap

SEED = 20
DRAWN, DRAWN_QUICK = 4000, 200
TIMEOUT_S = 1.0
# A refusal, an answer, or a store that is at fault or slow; never 500.
MEANT = {200, 400, 403, 406, 413, 502, 503, 504}
LIMITS = Limits(timeout_s=TIMEOUT_S, rows=1000, answer_bytes=2_000_000, memory_mib=256)
AT_ONCE = 64
# Others are answered while the worst is read, on a machine with two processors and much to do.
PATIENCE_S = 20.0
GROWTH_MIB = 300
EXTERNAL = ("oxigraph", "fuseki", "rdf4j", "virtuoso")
# What takes the engine long to read or to plan, in a text of the size that is taken.
BOMBS = {
    "unions in a row": "ASK {" + "{}UNION" * 10_000 + "{} }",
    "binds in a row": "ASK {" + "".join(f"BIND(1 AS ?a{n})" for n in range(4500)) + "}",
    "patterns in a row": "SELECT * {" + "?a ?b ?c." * 8000 + "}",
    "a path of 300 steps": "SELECT * { ?a " + "/".join(["<x:p>"] * 300) + " ?b }",
    "a fault behind 8000 patterns": "SELECT * {" + "?a ?b ?c." * 8000 + " FILTR(?a) }",
    "a canned query by its first letters": "#+ x\nSELECT * {" + "?a ?b ?c." * 8000 + "}",
    "100,000 brackets": "ASK " + "{" * 99_000,
    "many names of one long prefix": f"PREFIX x: <http://x/{'a' * 50_000}> ASK {{ ?s ?p {'x:a,' * 8000} x:b }}",
}
failures = 0


def report(name: str, inputs: int, failed: int, more: object = "") -> None:
    """Print the line of one kind of input."""
    global failures  # noqa: PLW0603  (what the exit status says)
    failures += failed
    print(f"{name:58} {inputs:6} inputs {failed:4} failures  {more}", flush=True)


def main(words: list[str]) -> int:
    """Attack what is installed."""
    quick = "--quick" in words
    wanted = [word for word in words if not word.startswith("-")] or (EXTERNAL[:1] if quick else EXTERNAL)
    drawn = DRAWN_QUICK if quick else DRAWN
    with Trap() as trap, running(wanted) as stores:
        call("embedded", create_app(ReleaseStore(Store()), Settings(limits=LIMITS, slow_s=60)), trap, drawn)
        for name, store in stores.items():
            plainly(name, store, trap)
            call(name, over(store), trap, drawn)
    with fake.running(fake.Fake()) as well:
        there = create_app(remote.open_store(well.url, "fuseki", timeout_s=TIMEOUT_S), Settings(limits=LIMITS))
        for name, app in {
            "embedded": create_app(ReleaseStore(Store()), Settings(limits=LIMITS)),
            "store": there,
        }.items():
            bombs(name, app, list(BOMBS)[::2] if quick else list(BOMBS), AT_ONCE // 8 if quick else AT_ONCE)
    for name, speak in hostile.BEHAVIOURS.items():
        answers(name, speak, 1 if quick else 8)
    return 1 if failures else 0


@contextmanager
def running(wanted: Iterable[str]) -> Iterator[dict[str, programs.Running]]:
    """Start the stores that are installed, and a federation where there is RDF4J and Oxigraph."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        stores: dict[str, programs.Running] = {}
        for kind in wanted:
            reason = programs.missing(kind)
            if reason:
                print(f"left out: {reason}")
                continue
            stores[kind] = stack.enter_context(programs.running(kind, folder / kind))
        if {"oxigraph", "rdf4j"} <= stores.keys():
            repositories = stores["rdf4j"].url.rpartition("/")[0]
            members = programs.federation("spread", [f"{stores['oxigraph'].url}/query"])
            url = programs.add_repository(repositories, "spread", members)
            stores["fedx"] = programs.Running("fedx", url, stores["rdf4j"].process, folder)
        yield stores


def over(store: programs.Running) -> Flask:
    """A service on top of a store."""
    engine = remote.open_store(store.url, store.kind, store.user, store.password, timeout_s=TIMEOUT_S)
    return create_app(engine, Settings(limits=LIMITS, slow_s=60))


# --- 3.1: calls ----------------------------------------------------------------------------


def plainly(name: str, store: programs.Running, trap: Trap) -> None:
    """Ask a store for a call without the service between, and say which it makes."""
    reached = []
    escaped = f"# \\u000ASELECT * {{ SERVICE <{trap.url}> {{ ?s ?p ?o }} }} #\nSELECT * {{}}"
    for label, query in {
        "SERVICE": f"SELECT * {{ SERVICE <{trap.url}> {{ ?s ?p ?o }} }}",
        "SERVICE behind an escape": f"SELECT * {{ # \\u000ASERVICE <{trap.url}> {{ ?s ?p ?o }} \n}}",
        "escape first": escaped,
        "bif:http_get": f'SELECT (<bif:http_get>("{trap.url}") AS ?x) {{}}',
    }.items():
        before = trap.connections
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": remote.ROWS}
        address = store.url + PRODUCTS[store.kind].query
        body = urlencode({"query": query})
        urllib3.request("POST", address, body=body, headers=headers, timeout=20, retries=False)
        time.sleep(0.1)
        if trap.connections > before:
            reached.append(label)
    print(f"{name}: by itself it goes there by {', '.join(reached) or 'none of the plain ones'}")


def call(name: str, app: Flask, trap: Trap, count: int) -> None:
    """Send every disguise of a call; each connection to the trap and each status that is not meant is a failure."""
    client = app.test_client()
    kinds: dict[str, Iterator[str]] = {
        "hidden behind escapes": disguises.hidden(trap.url),
        "spelt otherwise, functions, pragmas, graphs": disguises.spelt(trap.url),
        "drawn at random": disguises.drawn(SEED, count, trap.url),
    }
    for kind, texts in kinds.items():
        before, statuses = trap.connections, Counter[int]()
        for text in texts:
            statuses[client.post("/sparql", data={"query": text.encode("utf-8", "replace")}).status_code] += 1
        for graphs in ("default-graph-uri", "named-graph-uri"):
            form = {"query": "SELECT * { ?s ?p ?o }", graphs: trap.url}
            statuses[client.post("/sparql", data=form).status_code] += 1
        for value in (f"x\\u0022 }} SERVICE <{trap.url}> {{ ?s ?p ?o }} #", f"'}} SERVICE <{trap.url}> {{}} #"):
            statuses[client.get("/queries/find.json", query_string={"text": value}).status_code] += 1
        time.sleep(0.1)
        odd = sum(number for status, number in statuses.items() if status not in MEANT)
        failed = trap.connections - before + odd
        report(f"{name}: calls {kind}", statuses.total(), failed, dict(sorted(statuses.items())))
    app.extensions["eurasia-graph"].pool.close()


# --- 3.2: what is read in a worker ---------------------------------------------------------


def bombs(name: str, app: Flask, kinds: list[str], at_once: int) -> None:
    """Send each as often as the server has threads, and see that others are answered meanwhile."""
    client, pool = app.test_client(), app.extensions["eurasia-graph"].pool
    for kind in kinds:
        text = BOMBS[kind]
        pool.warm()
        with ThreadPoolExecutor(at_once) as threads:
            sent = [threads.submit(_status, app, text) for _ in range(at_once)]
            begin = time.monotonic()
            healthy = [client.get("/healthz").status_code, client.get("/").status_code]
            took_s = time.monotonic() - begin
            statuses = Counter(each.result(60) for each in sent)
        failed = sum(number for status, number in statuses.items() if status not in MEANT)
        failed += healthy != [200, 200] or took_s > PATIENCE_S
        failed += not _recovers(app)
        report(
            f"{name}: {at_once} at once of {kind}", at_once, failed, f"{dict(statuses)}, others after {took_s:.1f} s"
        )
    pool.close()


def _recovers(app: Flask) -> bool:
    """Return whether a plain query is answered again, in a moment."""
    end = time.monotonic() + PATIENCE_S
    while _status(app, "ASK {}") != 200:
        if time.monotonic() > end:
            return False
    return True


def _status(app: Flask, text: str) -> int:
    return app.test_client().post("/sparql", data={"query": text}).status_code


# --- 3.3: what a store sends ---------------------------------------------------------------


def answers(name: str, speak: Callable[..., None], at_once: int) -> None:
    """Ask a store that answers badly; each must end in time, with a word, and the memory must not grow."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile.running(speak) as store:
        engine = remote.open_store(store.url, timeout_s=TIMEOUT_S)
        app = create_app(engine, Settings(limits=LIMITS, slow_s=60))
        app.extensions["eurasia-graph"].pool.warm()
        begin = time.monotonic()
        threads = ThreadPoolExecutor(at_once)
        sent = [threads.submit(_status, app, "SELECT * { ?s ?p ?o }") for _ in range(at_once)]
        statuses = Counter(each.result(60) for each in sent)
        took_s = time.monotonic() - begin
        threads.shutdown()
        app.extensions["eurasia-graph"].pool.close()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    failed = sum(number for status, number in statuses.items() if status not in {502, 503, 504})
    failed += (took_s > PATIENCE_S + TIMEOUT_S) + (grown > GROWTH_MIB)
    report(f"a store that answers by {name}", at_once, failed, f"{dict(statuses)}, {took_s:.1f} s, {grown} MiB more")


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    sys.exit(main(sys.argv[1:]))
