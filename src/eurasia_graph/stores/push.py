"""
Load a release into another triple store.

New graphs are sent together if the product supports it; any other is sent by one PUT of the Graph Store Protocol, so
that repeating it changes nothing, or, if it is too large, in several requests next to the existing one. The graph
`meta` is sent last: a store that has it has the complete release. A release replaces another only with `replace`, in
one transaction if the product has transactions (see `products.Swap`). Graphs outside our namespace are not touched.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from pyoxigraph import DefaultGraph, NamedNode, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError, RemoteError, UsageError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores.products import Swap
from eurasia_graph.stores.remote import META
from eurasia_graph.stores.send import TRIPLES, Part, Target, Transfer, drop, put_graphs, unreported, write_batches
from eurasia_graph.stores.swap import STAGING, swap
from eurasia_graph.stores.transport import expect_success

MERGED = ns.GRAPH("merged")
OURS = f"""SELECT DISTINCT ?g {{ GRAPH ?g {{ ?s ?p ?o }}
  FILTER(STRSTARTS(STR(?g), "{ns.GRAPH}") || STRSTARTS(STR(?g), "{STAGING}")) }}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """The result of a push: the graphs and triples that arrived, the time it took, and the graphs removed."""

    graphs: int
    triples: int
    seconds: float
    removed: tuple[str, ...]

    def text(self) -> str:
        """Say so in a line."""
        speed = self.triples / self.seconds if self.seconds else 0.0
        gone = f"; removed {', '.join(self.removed)}" if self.removed else ""
        graphs = "1 graph" if self.graphs == 1 else f"{self.graphs} graphs"
        return f"{self.triples} triples in {graphs}, {self.seconds:.1f} s, {speed:,.0f} triples/s{gone}"


def plan(store: ReleaseStore, *, merge: bool = False) -> list[Part]:
    """
    List the graphs to send, `meta` last.

    Args:
        store: The release.
        merge: One graph instead: what a query without GRAPH sees, and the description of the release.
    """
    engine = store.local
    if merge:
        both: tuple[NamedNode | DefaultGraph, ...] = (DefaultGraph(), META)
        return [Part(MERGED, both, sum(_count(engine, graph) for graph in both))]
    names = sorted((g for g in engine.named_graphs() if isinstance(g, NamedNode)), key=lambda g: (g == META, g.value))
    return [Part(name, (name,), _count(engine, name)) for name in names]


def _count(engine: Store, graph: NamedNode | DefaultGraph) -> int:
    where = "?s ?p ?o" if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{ ?s ?p ?o }}"
    answer = engine.query(f"SELECT (COUNT(*) AS ?n) {{ {where} }}")
    return int(ns.value(next(iter(answer))[0]))  # type: ignore[arg-type]


def push(
    store: ReleaseStore, target: Target, *, merge: bool = False, replace: bool = False, progress: Transfer = unreported
) -> Pushed:
    """
    Send a release to a store.

    Args:
        store: The release.
        target: Where to.
        merge: See `plan`.
        replace: Replace another release, as the product allows.
        progress: Called for every request that has arrived.
    Raises:
        UsageError: If another release is there and `replace` is False, or the product cannot replace.
        RemoteError: If the store cannot be reached, refuses or fails; the message says what is left there.
    """
    parts = plan(store, merge=merge)
    there, other = _look(store, target, merge=merge)
    kept = {part.name.value for part in parts}
    if target.product.swap is Swap.NONE and (other or replace):
        there_now = f"{target.url} holds {other}, and " if other else ""
        raise UsageError(
            f"{there_now}--kind {target.product.name} cannot swap a release, since {target.product.swap.value};"
            " remove the graphs of the other release first, and leave out --replace"
        )
    if other and not replace:
        raise UsageError(f"{target.url} holds {other}; add --replace to swap it for {_name(store)}")
    # Leftovers of an interrupted push: it had no `meta` yet, or had not been moved into place.
    left = [name for name in there if name.startswith(STAGING)]
    if not merge and META.value not in there:
        left += [name for name in there if name.startswith(ns.GRAPH) and name not in {*kept, MERGED.value}]
    # A graph that readers see is never written in pieces: the second might not arrive.
    again = target.engine is not None and (MERGED if merge else META).value in there
    begin = time.perf_counter()
    try:
        if left:
            target.update(drop(left), "remove the leftovers of an interrupted push")
        if other:
            old = [name for name in there if name == MERGED.value or (not merge and name.startswith(ns.GRAPH))]
            swap(store, target, parts, old, progress)
            left += [name for name in old if name not in kept]
        elif again and any(_goes_in_pieces(store, target, part) for part in parts):
            swap(store, target, parts, [], progress)
        else:
            new = target.engine is not None and not kept.intersection(there)
            put_graphs(store, target, [(part, part.name) for part in parts], progress, new=new)
    except EurasiaGraphError as error:
        status, answered = (getattr(error, name, None) for name in ("status", "answered"))
        raise RemoteError(f"{error}; {left_behind(target.product.swap)}", status or 502, answered=answered) from None
    removed = tuple(name.removeprefix(ns.GRAPH) for name in left)
    return Pushed(
        graphs=len(parts),
        triples=sum(part.triples for part in parts),
        seconds=time.perf_counter() - begin,
        removed=removed,
    )


def left_behind(swap: Swap) -> str:
    """Return what an interrupted push leaves in a store, and what to do."""
    if swap is Swap.STEPWISE:
        return "if the swap had begun, the store shows graphs of both releases; push again, which repairs it"
    if swap is Swap.NONE:
        return "the graph that was being written may be missing; push again, which repairs it"
    return (
        "the store shows what it showed before or, if only its answer was lost, the complete release;"
        " push again, which removes the leftovers"
    )


def _goes_in_pieces(store: ReleaseStore, target: Target, part: Part) -> bool:
    pieces: list[int] = []
    write_batches(store.local, part.graphs, target.product.largest_request, lambda body: pieces.append(len(body)))
    return len(pieces) > 1


def _name(store: ReleaseStore) -> str:
    return f"release {ns.local_name(store.iri.value)}" if store.iri else "this release"


def _look(store: ReleaseStore, target: Target, *, merge: bool) -> tuple[list[str], str | None]:
    """Return our graphs in the store, and the name of the release there if it is not ours."""
    graph = MERGED if merge else META
    if target.engine is None:
        response = target.transport.send("GET", target.graph_address(graph), headers={"Accept": TRIPLES})
        if response.status == 404:  # noqa: PLR2004
            return [], None
        body = expect_success(response, target.url, "show what it holds").body
        own = store.iri is None or store.iri.value.encode() in body or not body.strip()
        return [], None if own else "another release"
    target.engine.release()
    answer = target.engine.rows(OURS)
    there = sorted(ns.value(row[0]) for row in answer)
    known = f"SELECT ?r {{ GRAPH {graph} {{ ?r a <{ns.EG}Release> }} }}"
    releases = [ns.value(row[0]) for row in target.engine.rows(known)]
    if releases and store.iri and releases != [store.iri.value]:
        return there, f"release {ns.local_name(releases[0])}"
    # Graphs without `meta` are from an interrupted push: they may be overwritten.
    return there, None
