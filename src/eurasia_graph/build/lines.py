"""Graphs as lines of N-Triples, which the engine writes and loads much faster than Python handles statements."""

from __future__ import annotations

from pyoxigraph import NamedNode, RdfFormat, Store


def dump(store: Store, graph: NamedNode) -> bytes:
    """Write a graph as N-Triples."""
    return store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b""


def terms_of(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a line of N-Triples into its terms."""
    subject, predicate, rest = line.split(b" ", 2)
    return subject, predicate, rest[:-3]


def lines_of(data: bytes | None) -> list[bytes]:
    """Split text into lines, keeping line ends."""
    return (data or b"").splitlines(keepends=True)


def names_in(data: bytes) -> set[bytes]:
    """Return the IRIs in lines of N-Triples that are subjects or values."""
    found: set[bytes] = set()
    for line in lines_of(data):
        subject, _, value = terms_of(line)
        found.add(subject)
        if value.startswith(b"<"):
            found.add(value)
    return found
