"""
A store of the shape of Fuseki in this process, which can misbehave as real ones do when they are ill.

It can also stand before a real one and hand on what it is asked, as long as it is well.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import urllib3
from pyoxigraph import NamedNode, QueryResultsFormat, QueryTriples, RdfFormat, Store

# What it answers instead of doing its work: a status with headers, or None to break the connection.
Fault = tuple[int, dict[str, str]] | None
WELL: Fault = (0, {})
HOP_BY_HOP = {"connection", "content-encoding", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


@dataclass
class Fake:
    """
    The store: what it holds, what it was asked, and how it misbehaves.

    `fault` is called with the method and the path of every request, and returns WELL to let it through: to the
    store in this process, or to the one at `behind`, an address without a path.
    """

    store: Store = field(default_factory=Store)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], Fault] = lambda _method, _path: WELL
    password: str | None = None
    digest: bool = False
    port: int = 0
    seen: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    behind: str | None = None

    @property
    def url(self) -> str:
        """Where it is pushed to."""
        return f"http://127.0.0.1:{self.port}/eurasia"

    def graphs(self) -> dict[str, int]:
        """Count its triples by graph."""
        return {
            graph.value: len(list(self.store.quads_for_pattern(None, None, None, graph)))
            for graph in self.store.named_graphs()
            if isinstance(graph, NamedNode)
        }


@contextmanager
def running(fake: Fake) -> Iterator[Fake]:
    """Run the store for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", fake.port), _handler(fake))
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:  # noqa: C901  (a class inside a function)
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet, or the client waits for its own acknowledgement

        def log_message(self, *_words: object) -> None:
            """Keep quiet."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            fake.asked.append((self.command, self.path))
            fake.bodies.append(body)
            fake.seen.append(self.headers.get("Authorization", ""))
            fault = fake.fault(self.command, self.path)
            if fault is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers = fault
            if status == 0 and fake.behind:
                self.give(*_handed_on(fake.behind, self.command, self.path, dict(self.headers), body))
                return
            if status == 0 and not self._may_enter():
                wanted = 'Digest realm="here", nonce="abc", qop="auth", algorithm=MD5' if fake.digest else "Basic"
                status, headers = 401, {"WWW-Authenticate": wanted}
            content, media_type = b"", "text/plain"
            if status == 0:
                status, content, media_type = self._work(parts.path, parse_qs(parts.query), body)
            self.give(status, {**headers, "Content-Type": media_type}, content)

        def give(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _may_enter(self) -> bool:
            given = self.headers.get("Authorization", "")
            if fake.password is None or self.command == "GET":
                return True
            if fake.digest:
                return given.startswith('Digest username="me"')
            return given == "Basic " + base64.b64encode(f"me:{fake.password}".encode()).decode()

        def _work(self, path: str, parameters: dict[str, list[str]], body: bytes) -> tuple[int, bytes, str]:
            if path.endswith("/sparql"):
                return _queried(fake, parse_qs(body.decode()))
            if path.endswith("/update"):
                fake.store.update(body.decode())
                return 204, b"", "text/plain"
            if "graph" not in parameters:
                fake.store.load(body, format=RdfFormat.N_QUADS)
                return 204, b"", "text/plain"
            return _graph(fake, self.command, NamedNode(parameters["graph"][0]), body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  (the names that the library calls)

    return Handler


def _handed_on(
    behind: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    asked = {name: value for name, value in headers.items() if name.casefold() not in HOP_BY_HOP}
    with urllib3.PoolManager(retries=False) as fresh:
        answer = fresh.request(method, behind + path, body=body, headers=asked, redirect=False, timeout=60)
    given = {name: value for name, value in answer.headers.items() if name.casefold() not in HOP_BY_HOP}
    return answer.status, given, answer.data


def _queried(fake: Fake, form: dict[str, list[str]]) -> tuple[int, bytes, str]:
    defaults = [NamedNode(name) for name in form.get("default-graph-uri", [])]
    named = [NamedNode(name) for name in form.get("named-graph-uri", [])]
    if defaults or named:
        answer = fake.store.query(form["query"][0], default_graph=defaults, named_graphs=named)  # type: ignore[arg-type]
    else:
        answer = fake.store.query(form["query"][0])
    if isinstance(answer, QueryTriples):
        return 200, answer.serialize(format=RdfFormat.N_TRIPLES) or b"", "application/n-triples"
    rows = answer.serialize(format=QueryResultsFormat.JSON) or b""
    return 200, rows, "application/sparql-results+json"


def _graph(fake: Fake, method: str, graph: NamedNode, body: bytes) -> tuple[int, bytes, str]:
    known = any(True for _ in fake.store.quads_for_pattern(None, None, None, graph))
    if method in {"GET", "DELETE"} and not known:
        return 404, b"", "text/plain"
    if method == "GET":
        return 200, fake.store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b"", "application/n-triples"
    if method in {"PUT", "DELETE"}:
        fake.store.remove_graph(graph)
    if method != "DELETE":
        fake.store.load(body, format=RdfFormat.N_TRIPLES, to_graph=graph)
    return 204, b"", "text/plain"
