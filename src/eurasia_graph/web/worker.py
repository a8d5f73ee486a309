"""
The fork server for free-form queries: it loads a dataset once and forks a worker on request.

It imports nothing from the package, so that it starts in a few milliseconds. A worker has an alarm, a limit on its
address space and not one free file descriptor: it exits by itself if the pool does not end it, and can open neither a
file nor a connection, whatever a query contains.

Run by `pool.py` as `python -P worker.py CONTROL-DESCRIPTOR N-QUADS-DESCRIPTOR ADDRESS-SPACE-BYTES`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import signal
import socket
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any, cast
from xml.parsers import expat

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    parse,
    serialize,
)

LENGTH = struct.Struct("!Q")
# One letter and one number: F 0 forks, K pid ends; the answers are a pid and a wait status.
ORDER = struct.Struct("!cq")
# How long after its limit a worker ends itself if the pool has not ended it.
GRACE_S = 2.0
MERGES_KEPT = 4
CONNECTION = 3
FORMATS: dict[str, Any] = {
    each.media_type.partition(";")[0]: each
    for each in (
        QueryResultsFormat.JSON,
        QueryResultsFormat.XML,
        QueryResultsFormat.CSV,
        QueryResultsFormat.TSV,
        RdfFormat.TURTLE,
        RdfFormat.N_TRIPLES,
        RdfFormat.RDF_XML,
        RdfFormat.JSON_LD,
        RdfFormat.TRIG,
        RdfFormat.N_QUADS,
    )
}

# The engine has no lexer and accepts `CONSTRUCTWHERE`; the form was determined from the tokens.
KINDS: dict[str | None, type] = {
    "SELECT": QuerySolutions,
    "ASK": QueryBoolean,
    "CONSTRUCT": QueryTriples,
    "DESCRIBE": QueryTriples,
}
UNREADABLE_END = "the end of the query cannot be read; write LIMIT, OFFSET and VALUES on separate lines"
RUN_TOGETHER = "words run together; write a space after SELECT, ASK, CONSTRUCT or DESCRIBE"

NAMELESS = "RDF/XML cannot name a property or a class whose IRI does not end in an XML name; ask for another format"

Request = dict[str, Any]
Header = dict[str, Any]

# Tasks of a worker other than answering queries, by name; `relay.py` adds to it.
TASKS: dict[str, Callable[[Request, bytes], tuple[Header, bytes]]] = {}


# As in `xmlform`, which is not imported here.
NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


class NotWritableError(Exception):
    """An answer holds something that its format cannot hold."""


class TaskError(Exception):
    """A task fails; `reason` is one of those of `pool.WorkerError`."""

    def __init__(self, reason: str, detail: str) -> None:
        """Store the reason and the message."""
        self.reason = reason
        super().__init__(detail)


class TooLargeError(Exception):
    """An answer is larger than the byte limit."""


FAULTS: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
    (TooLargeError, "bytes"),
    (NotWritableError, "format"),
    (MemoryError, "memory"),
    (SyntaxError, "syntax"),
    ((RuntimeError, ValueError, OSError), "engine"),
]


class Sink(io.RawIOBase):
    """A byte sink with a size limit."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        super().__init__()
        self.left = limit
        self.parts: list[bytes] = []

    def write(self, part: Any) -> int:
        """Write a part; raises `TooLargeError` over the limit."""
        self.left -= len(part)
        if self.left < 0:
            raise TooLargeError
        self.parts.append(bytes(part))
        return len(part)

    @property
    def body(self) -> bytes:
        """The bytes written so far."""
        return b"".join(self.parts)


# --- the process that forks ----------------------------------------------------------------


def main() -> None:
    """Load the dataset, report it, then fork and end workers until the control socket is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    store = Store()
    # The dump comes from the same engine, which has validated every IRI.
    with os.fdopen(int(sys.argv[2]), "rb") as file:
        store.bulk_load(file, RdfFormat.N_QUADS, lenient=True)
    control.sendall(ORDER.pack(b"R", os.getpid()))
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 1)
        if len(message) < ORDER.size:
            break
        order, pid = ORDER.unpack(message)
        if order == b"F":
            pid = os.fork()
            if pid == 0:
                control.close()
                _live(descriptors[0], store, int(sys.argv[3]))
            os.close(descriptors[0])
            children.add(pid)
            control.sendall(ORDER.pack(b"F", pid))
        else:
            control.sendall(ORDER.pack(b"K", _end(pid, children)))
    for pid in list(children):
        _end(pid, children)


def _end(pid: int, children: set[int]) -> int:
    """End a child and return its wait status; a pid that is not one of our children is ignored."""
    if pid not in children:
        return 0
    children.discard(pid)
    done, status = os.waitpid(pid, os.WNOHANG)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return status


# --- one worker ----------------------------------------------------------------------------


def _live(descriptor: int, store: Store, address_space: int) -> None:
    """Answer queries from one connection until it closes; never returns."""
    try:
        if descriptor != CONNECTION:
            os.dup2(descriptor, CONNECTION)
            os.close(descriptor)
        connection = socket.socket(fileno=CONNECTION)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        _confine(address_space)
        merges: OrderedDict[frozenset[str], Store] = OrderedDict()
        while request := _receive(connection):
            signal.setitimer(signal.ITIMER_REAL, request[0]["timeout"] + GRACE_S)
            header, body = _answer(store, merges, *request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            header["size"] = len(body)
            text = json.dumps(header).encode()
            connection.sendall(LENGTH.pack(len(text)) + text + body)
    finally:
        os._exit(0)


def _confine(address_space: int) -> None:
    """Limit memory to the dataset plus some bytes, and forbid core dumps and further descriptors."""
    most = _mapped() + address_space
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTION + 1, CONNECTION + 1))
    # macOS has the limit but does not allow setting it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _mapped() -> int:
    """Return the bytes of address space in use; 0 if that is not known."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  (pathlib takes longer to load)
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _receive(connection: socket.socket) -> tuple[Request, bytes] | None:
    """Receive a request and its bytes."""
    length = _exactly(connection, LENGTH.size)
    text = length and _exactly(connection, LENGTH.unpack(length)[0])
    if not text:
        return None
    request: Request = json.loads(text)
    attached = _exactly(connection, request.get("attached", 0))
    return None if attached is None else (request, attached)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _answer(
    store: Store, merges: OrderedDict[frozenset[str], Store], request: Request, attached: bytes
) -> tuple[Header, bytes]:
    try:
        if "task" in request:
            return TASKS[request["task"]](request, attached)
        if request["probes"]:
            header = {"kind": "probes", "truncated": False, "empty": False, "unknown": []}
            return header, json.dumps([_message(text) for text in request["probes"]]).encode()
        engine, dataset, unknown = _dataset(store, merges, request)
        header, body = run(engine, dataset, request)
        header["unknown"] = unknown
    except Exception as error:  # noqa: BLE001  (a bug fails one answer, not the worker)
        return _fault(error), b""
    return header, body


def _message(text: str) -> str | None:
    """Parse a text; returns the error message of the engine, or None."""
    try:
        Store().query(text)
    except SyntaxError as error:
        return str(error.msg)
    return None


def _fault(error: Exception) -> Header:
    """Return the reason of a failure, one of those in `pool.WorkerError`."""
    if isinstance(error, TaskError):
        return {"fault": error.reason, "detail": str(error)}
    for kinds, reason in FAULTS:
        if isinstance(error, kinds):
            return {"fault": reason, "detail": str(getattr(error, "msg", error))}
    return {"fault": "bug", "detail": f"{type(error).__name__}: {error}"}


def _dataset(
    store: Store, merges: OrderedDict[frozenset[str], Store], request: Request
) -> tuple[Store, dict[str, Any], list[str]]:
    """
    Choose the dataset of a query.

    Returns:
        The store to query, the arguments that select graphs in it, and the graphs that it does not contain.
    """
    default, named = request["default"], request["named"]
    if not (default or named) and request["clauses"]:
        default, named = clauses(store, request)
    if not (default or named):
        return store, {}, []
    unknown = [iri for iri in dict.fromkeys([*default, *named]) if not store.contains_named_graph(NamedNode(iri))]
    graphs = [NamedNode(iri) for iri in dict.fromkeys(named)]
    if len(set(default)) <= 1:
        return store, {"default_graph": [NamedNode(iri) for iri in default[:1]], "named_graphs": graphs}, unknown
    # The engine would return a triple that is in two of the graphs twice.
    key = frozenset(default)
    merged = merges.pop(key, None) or _merge(store, default)
    merges[key] = merged
    while len(merges) > MERGES_KEPT:
        merges.popitem(last=False)
    # Passed to the engine as well, since FROM clauses in the text would otherwise count.
    return merged, {"default_graph": [DefaultGraph()], "named_graphs": graphs}, unknown


def clauses(store: Store, request: Request) -> tuple[list[str], list[str]]:
    """Let the engine resolve the IRIs of FROM and FROM NAMED."""
    terms = " ".join(term for _, term in request["clauses"])
    found = store.query(f"{request['prologue']}\nSELECT ?g {{ VALUES ?g {{ {terms} }} }}", base_iri=request["base"])
    assert isinstance(found, QuerySolutions)
    iris = [str(getattr(row[0], "value", "")) for row in found]
    pairs = list(zip((kind for kind, _ in request["clauses"]), iris, strict=True))
    return [iri for kind, iri in pairs if not kind], [iri for kind, iri in pairs if kind]


def _merge(store: Store, graphs: list[str]) -> Store:
    """Copy a store, with the merge of some graphs as its default graph."""
    merged = Store()
    merged.bulk_extend(quad for quad in store if not isinstance(quad.graph_name, DefaultGraph))
    for iri in graphs:
        merged.bulk_extend(
            Quad(quad.subject, quad.predicate, quad.object, DefaultGraph())
            for quad in store.quads_for_pattern(None, None, None, NamedNode(iri))
        )
    return merged


def run(engine: Any, dataset: dict[str, Any], request: Request) -> tuple[Header, bytes]:
    """Run the query and write the answer; raises what `_answer` reports as faults."""
    base = request["base"]
    found: QuerySolutions | QueryBoolean | QueryTriples
    try:
        found = engine.query(_in_order(request), base_iri=base, **dataset)
    except SyntaxError:
        # The message must be about the text that the client sent.
        engine.query(request["query"], base_iri=base, **dataset)
        raise ValueError(UNREADABLE_END) from None
    if not isinstance(found, KINDS.get(request["form"], ())):
        raise ValueError(RUN_TOGETHER)  # noqa: TRY004  (the text is at fault, not a type)
    header, body = written(found, request)
    if header["kind"] == "rows":
        header["truncated"] = _is_cut(engine, dataset, request, body)
    return header, body


def written(found: QuerySolutions | QueryBoolean | QueryTriples, request: Request) -> tuple[Header, bytes]:
    """Write an answer in the requested format, up to the limit of bytes."""
    sink, chosen = Sink(request["bytes"]), FORMATS[request["format"]]
    if isinstance(found, QueryTriples):
        truncated = _write_triples(found, chosen, sink, request)
        _refuse_broken_xml(sink, chosen)
        return {"kind": "graph", "truncated": truncated, "empty": not sink.parts}, sink.body
    if isinstance(found, QueryBoolean) and chosen in {QueryResultsFormat.CSV, QueryResultsFormat.TSV}:
        return {"kind": "boolean", "truncated": False, "empty": not found}, str(bool(found)).lower().encode()
    empty = isinstance(found, QueryBoolean) and not found
    found.serialize(cast("IO[bytes]", sink), format=chosen)
    _refuse_broken_xml(sink, chosen)
    body = sink.body
    if isinstance(found, QueryBoolean):
        return {"kind": "boolean", "truncated": False, "empty": empty}, body
    return {"kind": "rows", "truncated": False, "empty": _is_empty(body)}, body


def _in_order(request: Request) -> str:
    """Replace the `*` of a SELECT by the variables in the order of the query; see `columns.py`."""
    text = str(request["limited"])
    if request["star"] is None:
        return text
    place, named = request["star"]
    # An empty store returns the variables in scope at almost no cost.
    probe = Store().query(text, base_iri=request["base"])
    meant = [variable.value for variable in probe.variables] if isinstance(probe, QuerySolutions) else []
    ordered = [name for name in named if name in meant] + [name for name in meant if name not in named]
    if ordered == meant:
        return text
    return f"{text[:place]} {' '.join(f'?{name}' for name in ordered)} {text[place + 1 :]}"


def _refuse_broken_xml(sink: Sink, chosen: RdfFormat | QueryResultsFormat) -> None:
    """Parse the XML that the engine has written, since it can be ill-formed."""
    if chosen not in {RdfFormat.RDF_XML, QueryResultsFormat.XML} or not sink.parts:
        return
    body = sink.body
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(body, True)
    except expat.ExpatError:
        if NOT_XML.search(body):
            raise NotWritableError(
                "the answer holds a control character, which no XML can carry; ask for another format"
            ) from None
        raise NotWritableError(NAMELESS) from None


def _write_triples(found: QueryTriples, chosen: RdfFormat, sink: Sink, request: Request) -> bool:
    """Write a graph, which is a set; returns whether there would have been more."""
    lines: dict[str, None] = {}
    truncated = False
    for triple in found:
        line = f"{triple} ."
        if len(lines) == request["rows"] and line not in lines:
            truncated = True
            break
        lines[line] = None
    text = "\n".join(lines)
    if not text:
        return False
    # Only the prefixes that the graph uses, so that a small answer stays small.
    used = {name: iri for name, iri in request["prefixes"].items() if f"<{iri}" in text}
    is_xml = chosen == RdfFormat.RDF_XML
    # Labels of blank nodes from another store need not be valid names in XML.
    triples = (quad.triple for quad in parse(text, format=RdfFormat.N_TRIPLES, rename_blank_nodes=is_xml))
    try:
        serialize(triples, cast("IO[bytes]", sink), format=chosen, prefixes=used)
    except OSError:
        # What the engine itself rejects, such as the property rdf:li.
        if not is_xml:
            raise
        raise NotWritableError(NAMELESS) from None
    return truncated


def _is_empty(body: bytes) -> bool:
    """Return whether serialised rows are empty."""
    if body[:1] == b"{":
        return body.endswith(b'"bindings":[]}}')
    if body[:5] == b"<?xml":
        return b"<results></results>" in body[-64:]
    return body.count(b"\n") <= 1


def _is_cut(engine: Any, dataset: dict[str, Any], request: Request, body: bytes) -> bool:
    """Return whether there is a row after the last one allowed; called only if the answer may be that long."""
    if not request["next"] or len(body) < request["rows"]:
        return False
    after = engine.query(request["next"], base_iri=request["base"], **dataset)
    assert isinstance(after, QuerySolutions)
    return next(after, None) is not None


if __name__ == "__main__":
    main()
