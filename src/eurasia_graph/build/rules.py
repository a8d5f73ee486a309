"""
Run the SPARQL rules of a stage to a fixed point.

A rule is one CONSTRUCT in `ontology/rules/<stage>/<name>.rq`. It names no graph: the stage decides which
graphs it reads, merged into one default graph, and to which graph its results are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pyoxigraph import NamedNode, Quad, QueryTriples, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.paths import root

# Stages in which no rule reads its own output or that of a later rule: a second round would find nothing.
ONCE = {"dating", "beginnings", "first-days", "spans"}


def folder_of(stage: str) -> Path:
    """Return the folder that holds the rules of a stage."""
    return root() / "ontology" / "rules" / stage


def run(store: Store, stage: str, reads: Sequence[NamedNode], writes: NamedNode, *, only_new: bool = False) -> int:
    """
    Apply the rules of a stage, in the order of their names, until none of them adds a quad.

    Args:
        store: The store to read, to which the results are added.
        stage: The name of a folder in `ontology/rules/`.
        reads: The graphs that the rules read, in addition to the one they write.
        writes: The graph to which the results are added.
        only_new: Leave out triples that one of the graphs read already has.
    Returns:
        How many quads were added.
    """
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder_of(stage).glob("*.rq"))]
    scratch = _merge(store, [*reads, writes])
    known = (
        set(scratch)
        if only_new
        else {ns.quad(quad.triple) for quad in store.quads_for_pattern(None, None, None, writes)}
    )
    before = len(known)
    while sum(_apply(scratch, text, known, store, writes) for text in texts) and stage not in ONCE:
        pass
    return len(known) - before


def _merge(store: Store, graphs: Iterable[NamedNode]) -> Store:
    """
    Copy graphs into the default graph of a new store.

    The engine can query a list of graphs as one, but looks up every pattern in each of them; with
    many sources a copy is far cheaper.
    """
    scratch = Store()
    scratch.extend(
        ns.quad(quad.triple) for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)
    )
    return scratch


def _apply(scratch: Store, text: str, known: set[Quad], store: Store, writes: NamedNode) -> bool:
    triples = scratch.query(text)
    assert isinstance(triples, QueryTriples)
    new = {ns.quad(triple) for triple in triples} - known
    known |= new
    scratch.extend(new)
    store.extend(ns.quad(quad.triple, writes) for quad in new)
    return bool(new)
