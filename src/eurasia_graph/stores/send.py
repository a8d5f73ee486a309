"""
Send graphs to a store.

Every graph is sent by one PUT of the Graph Store Protocol, so that repeating it changes nothing; a graph that is too
large for one request is sent in several. New graphs are sent together if the product has a bulk loader, and several
at a time if that is faster.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, cast
from urllib.parse import urlencode

from pyoxigraph import DefaultGraph, NamedNode, QueryTriples, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError, UsageError
from eurasia_graph.export.sorting import dump
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores.products import Product, Swap, by_name
from eurasia_graph.stores.remote import RemoteEngine
from eurasia_graph.stores.transport import PAUSES_S, Response, Transport, expect_success, split_address

TRIPLES, QUADS = FORMATS["ntriples"].media_type, FORMATS["nquads"].media_type
# Size of a body for a loader: there are three at a time, one being sent, one waiting and one being written.
BULK_BYTES = 16 << 20

# Called with what is being sent, the number of triples that have arrived, and the total.
Transfer = Callable[[str, int, int], None]


def unreported(_graph: str, _done: int, _of: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Part:
    """A graph to be sent: its name in the store, its contents here, and the number of triples."""

    name: NamedNode
    graphs: tuple[NamedNode | DefaultGraph, ...]
    triples: int

    @property
    def short(self) -> str:
        """The name for display."""
        return self.name.value.removeprefix(ns.GRAPH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A store to write to; `engine` queries it, and is None for one with the Graph Store Protocol only."""

    product: Product
    url: str
    transport: Transport
    engine: RemoteEngine | None

    def graph_address(self, graph: NamedNode) -> str:
        """Return the address at which a graph is read and written."""
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
    Prepare to write to a store; nothing is sent yet.

    Args:
        url: The address as the row of the product takes it.
        kind: A row of `products.PRODUCTS`.
        user: See `transport.split_address`.
        password: As `user`.
        query_url: The query service of a store of kind `gsp`.
        notice: Called with a message for every retry.
    Raises:
        UsageError: If the address or the kind is wrong.
    """
    product = by_name(kind)
    if not product.writable:
        raise UsageError(f"{product.title} is read-only; push to the stores that it federates")
    address, credentials = split_address(url, user, password)
    if query_url and product.swap is not Swap.NONE:
        raise UsageError(f"--query-url is only for --kind gsp; leave it out for {product.name}")
    engine = RemoteEngine(address, product, credentials) if product.swap is not Swap.NONE else None
    if query_url:
        engine = RemoteEngine(split_address(query_url)[0], None, credentials)
    return Target(product=product, url=address, transport=Transport(credentials, notice), engine=engine)


def put_graphs(
    store: ReleaseStore, target: Target, graphs: list[tuple[Part, NamedNode]], progress: Transfer, *, new: bool
) -> None:
    """
    Write graphs; the last one when all others have arrived.

    Args:
        store: The release.
        target: Where to.
        graphs: What to send, and under which names.
        progress: Called for everything that has arrived.
        new: Whether none of them is there yet.
    Raises:
        RemoteError: If the store cannot be reached, refuses or fails; no graph is left incomplete.
    """
    done, total, lock = 0, sum(part.triples for part, _ in graphs), threading.Lock()

    def arrived(what: str, triples: int) -> None:
        nonlocal done
        with lock:
            done += triples
            progress(what, done, total)

    *others, (last, name) = graphs
    if others and new and target.product.bulk and not _has_blank_nodes(store.local, others):
        _load(store, target, others, arrived)
    elif target.product.at_once > 1:
        _put_at_once(store, target, others, arrived)
    else:
        for part, place in others:
            put_graph(store, target, part, place, arrived)
    put_graph(store, target, last, name, arrived)


def put_graph(
    store: ReleaseStore, target: Target, part: Part, name: NamedNode, arrived: Callable[[str, int], None]
) -> None:
    """
    Write one graph: the first batch replaces, the others add.

    Args:
        store: The release.
        target: Where to.
        part: What to send.
        name: The graph there.
        arrived: Called for every batch, with its number of triples.
    """
    address, sent = target.graph_address(name), False

    def send(body: bytes) -> None:
        nonlocal sent
        target.send("POST" if sent else "PUT", address, f"write the graph {part.short}", body, TRIPLES)
        sent = True
        arrived(part.short, body.count(b"\n"))

    try:
        write_batches(store.local, part.graphs, target.product.largest_request, send)
    except (EurasiaGraphError, KeyboardInterrupt):
        if sent:  # an incomplete graph is worse than none
            with suppress(EurasiaGraphError):
                target.send("DELETE", address, "remove the incomplete graph")
        raise


def _put_at_once(
    store: ReleaseStore, target: Target, graphs: list[tuple[Part, NamedNode]], arrived: Callable[[str, int], None]
) -> None:
    """Write several graphs at a time; graphs that fail are retried alone."""
    failed = threading.Event()

    def arrives(graph: tuple[Part, NamedNode]) -> bool:
        if not failed.is_set():
            try:
                put_graph(store, target, *graph, arrived)
            except EurasiaGraphError:  # reported by the retry, if that fails as well
                failed.set()
            else:
                return True
        return False

    with ThreadPoolExecutor(target.product.at_once) as pool:
        try:
            there = list(pool.map(arrives, graphs))
        except KeyboardInterrupt:
            failed.set()  # graphs that have not been started are not sent
            raise
    for graph, is_there in zip(graphs, there, strict=True):
        if not is_there:
            put_graph(store, target, *graph, arrived)


def _load(
    store: ReleaseStore, target: Target, graphs: list[tuple[Part, NamedNode]], arrived: Callable[[str, int], None]
) -> None:
    """Send new graphs to the loader of a product, as N-Quads; without blank nodes a body may be sent again."""

    def send(body: bytes) -> None:
        target.send("POST", target.url + target.product.bulk, "load the graphs", body, QUADS)
        arrived("all graphs", body.count(b"\n"))

    try:
        with _beside(send) as hand_on:
            cutter = _Cutter(BULK_BYTES, hand_on)
            for part, name in graphs:
                end = f" {name} .\n".encode()

                def take(block: bytes, end: bytes = end) -> None:
                    cutter.write(block.replace(b" .\n", end))

                dump(store.local, part.graphs, take)
            cutter.close()
    except (EurasiaGraphError, KeyboardInterrupt):
        with suppress(EurasiaGraphError):
            target.update(drop([name.value for _, name in graphs]), "remove what arrived")
        raise


@contextmanager
def _beside(send: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """Send bodies in another thread, one after the other, so that the next is written meanwhile."""
    sending: Future[None] | None = None

    def hand_on(body: bytes) -> None:
        nonlocal sending
        if sending:
            sending.result()
        sending = thread.submit(send, body)

    with ThreadPoolExecutor(1) as thread:
        yield hand_on
        if sending:
            sending.result()


def drop(graphs: list[str]) -> bytes:
    """Write the update that removes graphs; missing ones are ignored."""
    return " ;\n".join(f"DROP SILENT GRAPH <{graph}>" for graph in graphs).encode()


# --- batches -------------------------------------------------------------------------------


class _Cutter:
    """A file to which N-Triples are written, and which passes them on in bodies of whole lines."""

    def __init__(self, largest: int, send: Callable[[bytes], None]) -> None:
        self.largest, self.send, self.buffer, self.sent = largest, send, bytearray(), False

    def write(self, content: bytes) -> int:
        self.buffer += content
        if len(self.buffer) >= self.largest:
            end = self.buffer.rfind(b"\n") + 1
            self._hand_on(end)
        return len(content)

    def flush(self) -> None:
        """No-op: `close()` sends what is left."""

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

    Triples with blank nodes come together at the beginning, since blank nodes are shared only within one request.
    """
    cutter = _Cutter(largest, send)
    file = cast("IO[bytes]", cutter)
    for graph in graphs:
        if not _has_blank_node(engine, graph):
            engine.dump(file, RdfFormat.N_TRIPLES, from_graph=graph)
            continue
        where = _where(graph)
        for test in ("isBlank(?s) || isBlank(?o)", "!isBlank(?s) && !isBlank(?o)"):
            answer = engine.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {where} FILTER({test}) }}")
            assert isinstance(answer, QueryTriples)
            try:
                answer.serialize(file, format=RdfFormat.N_TRIPLES)
            finally:
                del answer  # no other thread may free it, which could happen if an error kept a reference to it
    cutter.close()


def _has_blank_nodes(engine: Store, graphs: list[tuple[Part, NamedNode]]) -> bool:
    return any(_has_blank_node(engine, graph) for part, _ in graphs for graph in part.graphs)


def _has_blank_node(engine: Store, graph: NamedNode | DefaultGraph) -> bool:
    return bool(engine.query(f"ASK {{ {_where(graph)} FILTER(isBlank(?s) || isBlank(?o)) }}"))


def _where(graph: NamedNode | DefaultGraph) -> str:
    return "?s ?p ?o" if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{ ?s ?p ?o }}"
