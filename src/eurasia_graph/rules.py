"""
Run the SPARQL rules of a stage to a fixed point.

A rule is one CONSTRUCT in `ontology/rules/<stage>/<name>.rq`. It names no graph: the stage decides
which graphs it reads, as one default graph, and into which graph its results go.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyoxigraph import NamedNode, Quad, Store

from eurasia_graph.sources import root


def folder_of(stage: str) -> Path:
    """Return the folder that holds the rules of a stage."""
    return root() / "ontology" / "rules" / stage


def run(store: Store, stage: str, reads: Sequence[NamedNode], writes: NamedNode, *, only_new: bool = False) -> int:
    """
    Apply the rules of a stage again and again until none of them adds anything.

    Args:
        store: Read and changed in place.
        stage: The name of a folder in `ontology/rules/`.
        reads: The graphs that the rules see, beside the one they write.
        writes: The graph that takes the results.
        only_new: Leave out what a graph that the rules see holds already.
    Returns:
        How many quads were added.
    """
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder_of(stage).glob("*.rq"))]
    seen = [*reads, writes]
    total = 0
    while added := sum(_apply(store, text, seen, writes, only_new) for text in texts):
        total += added
    return total


def _apply(store: Store, text: str, seen: list[NamedNode], writes: NamedNode, only_new: bool) -> int:
    known = seen if only_new else [writes]
    new = {
        Quad(*triple, writes)
        for triple in store.query(text, default_graph=seen)
        if not any(Quad(*triple, graph) in store for graph in known)
    }
    store.extend(new)
    return len(new)
