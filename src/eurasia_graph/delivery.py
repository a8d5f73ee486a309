"""
Send graphs to a store: where to, what, and in bodies of what size.

Every graph goes by one PUT of the Graph Store Protocol, so that running it again changes nothing; a graph
that is too large for one request goes in several.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, cast
from urllib.parse import urlencode

from pyoxigraph import DefaultGraph, NamedNode, QueryTriples, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError, UsageError
from eurasia_graph.formats import FORMATS
from eurasia_graph.products import Product, Swap, by_name
from eurasia_graph.remote import RemoteEngine
from eurasia_graph.store import ReleaseStore
from eurasia_graph.transport import PAUSES_S, Response, Transport, expect_success, split_address

TRIPLES = FORMATS["ntriples"].media_type

# Called with what is being sent, how many triples have arrived, and of how many.
Progress = Callable[[str, int, int], None]


def silent(_graph: str, _done: int, _of: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Part:
    """A graph to be sent: its name there, what it holds here, and how many triples that is."""

    name: NamedNode
    graphs: tuple[NamedNode | DefaultGraph, ...]
    triples: int

    @property
    def short(self) -> str:
        """The name for people."""
        return self.name.value.removeprefix(ns.GRAPH)


@dataclass(frozen=True, slots=True)
class Target:
    """A store to write to; `engine` asks it, and is None for one that takes graphs alone."""

    product: Product
    url: str
    transport: Transport
    engine: RemoteEngine | None

    def graph_address(self, graph: NamedNode) -> str:
        """Return where a graph is read and written."""
        return f"{self.url}{self.product.graphs}?{urlencode({'graph': graph.value})}"

    def send(self, method: str, url: str, doing: str, body: bytes | None = None, content: str = "") -> Response:
        """Send a request that may be repeated, and expect success."""
        headers = {"Content-Type": content} if content else {}
        response = self.transport.send(method, url, body=body, headers=headers, pauses_s=PAUSES_S)
        return expect_success(response, url, doing)

    def update(self, text: bytes, doing: str) -> None:
        """Run a SPARQL update."""
        self.send("POST", self.url + self.product.update, doing, text, "application/sparql-update")


def open_target(  # noqa: PLR0913  (one for each option)
    url: str,
    kind: str,
    *,
    user: str | None = None,
    password: str | None = None,
    query_url: str | None = None,
    notice: Callable[[str], None] = lambda _text: None,
) -> Target:
    """
    Get ready to write to a store; nothing is sent yet.

    Args:
        url: The address as the row of the product takes it.
        kind: A row of `products.PRODUCTS`.
        user: See `transport.split_address`.
        password: As `user`.
        query_url: Where a store of kind `gsp` takes queries.
        notice: Told of retries.
    Raises:
        UsageError: If the address or the kind is wrong.
    """
    product = by_name(kind)
    if not product.writable:
        raise UsageError(f"{product.title} is for reading; push to the stores behind it")
    address, credentials = split_address(url, user, password)
    if query_url and product.swap is not Swap.NONE:
        raise UsageError(f"--query-url is for --kind gsp; of {product.name} it is known")
    engine = RemoteEngine(address, product, credentials) if product.swap is not Swap.NONE else None
    if query_url:
        engine = RemoteEngine(split_address(query_url)[0], None, credentials)
    return Target(product, address, Transport(credentials, notice), engine)


def put_graph(  # noqa: PLR0913, PLR0917  (what to send, where, and how far it is)
    store: ReleaseStore,
    target: Target,
    part: Part,
    name: NamedNode,
    progress: Progress,
    so_far: tuple[int, int],
    *,
    new: bool = False,
) -> int:
    """
    Write one graph: the first batch replaces, the others add.

    Args:
        store: The release.
        target: Where to.
        part: What to send.
        name: The graph there.
        progress: Told of every batch.
        so_far: How many triples have arrived, and of how many.
        new: Whether the graph is not there yet, so that it may be loaded without a transaction.
    Returns:
        How many triples have arrived by now.
    """
    done, total = so_far
    address, sent = target.graph_address(name), False
    loading = address + target.product.bulk if new else address

    def send(body: bytes) -> None:
        nonlocal done, sent
        target.send("POST" if sent else "PUT", loading, f"write the graph {part.short}", body, TRIPLES)
        sent, done = True, done + body.count(b"\n")
        progress(part.short, done, total)

    try:
        write_batches(store.local, part.graphs, target.product.largest_request, send)
    except (EurasiaGraphError, KeyboardInterrupt):
        if sent or new:  # a part of a graph is worse than none
            with suppress(EurasiaGraphError):
                target.send("DELETE", address, "remove what arrived of it")
        raise
    return done


def drop(graphs: list[str]) -> bytes:
    """Write the update that removes graphs; those that are not there do no harm."""
    return " ;\n".join(f"DROP SILENT GRAPH <{graph}>" for graph in graphs).encode()


# --- batches -------------------------------------------------------------------------------


class _Cutter:
    """A file to write N-Triples to, which hands them on in bodies of whole lines."""

    def __init__(self, largest: int, send: Callable[[bytes], None]) -> None:
        self.largest, self.send, self.buffer, self.sent = largest, send, bytearray(), False

    def write(self, content: bytes) -> int:
        self.buffer += content
        if len(self.buffer) >= self.largest:
            end = self.buffer.rfind(b"\n") + 1
            self._hand_on(end)
        return len(content)

    def flush(self) -> None:
        """Nothing is late: `close` sends the rest."""

    def close(self) -> None:
        if self.buffer or not self.sent:
            self._hand_on(len(self.buffer))

    def _hand_on(self, end: int) -> None:
        body, self.sent = bytes(self.buffer[:end]), True
        del self.buffer[:end]
        self.send(body)


def write_batches(
    engine: Store, graphs: tuple[NamedNode | DefaultGraph, ...], largest: int, send: Callable[[bytes], None]
) -> None:
    """
    Write graphs as N-Triples in bodies of about `largest` bytes, whole lines each; memory holds one of them.

    Triples with blank nodes stand together at the beginning, since a blank node means one thing in one
    request only.
    """
    cutter = _Cutter(largest, send)
    file = cast("IO[bytes]", cutter)
    for graph in graphs:
        where = "?s ?p ?o" if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{ ?s ?p ?o }}"
        if not engine.query(f"ASK {{ {where} FILTER(isBlank(?s) || isBlank(?o)) }}"):
            engine.dump(file, RdfFormat.N_TRIPLES, from_graph=graph)
            continue
        for test in ("isBlank(?s) || isBlank(?o)", "!isBlank(?s) && !isBlank(?o)"):
            answer = engine.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {where} FILTER({test}) }}")
            assert isinstance(answer, QueryTriples)
            try:
                answer.serialize(file, format=RdfFormat.N_TRIPLES)
            finally:
                del answer  # it may be dropped by no other thread, which could collect what an error holds on to
    cutter.close()
