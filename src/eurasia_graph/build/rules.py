"""
Run the SPARQL rules of some stages, each once, in an order derived from their texts.

A rule is one CONSTRUCT in `ontology/rules/<stage>/<name>.rq`. The caller decides which graphs it reads, as one
default graph, and which graph receives its results; patterns in a GRAPH read the files, not the output of rules. Only
rules with the header `#+ recursive: true` run again, until nothing is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pyoxigraph import NamedNode, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build.rule_order import Rule, in_order
from eurasia_graph.graphs import SCHEMA_GRAPHS
from eurasia_graph.paths import root


def folder_of(stage: str) -> Path:
    """Return the folder that holds the rules of a stage."""
    return root() / "ontology" / "rules" / stage


def of_stages(*stages: str) -> list[Rule]:
    """Read the rules of some stages."""
    return [
        _rule(f"{stage}/{path.stem}", path.read_text(encoding="utf-8"))
        for stage in stages
        for path in sorted(folder_of(stage).glob("*.rq"))
    ]


@lru_cache(maxsize=256)
def _rule(name: str, text: str) -> Rule:
    """Make a rule; cached by its text, so that it is parsed once."""
    return Rule(name, text)


def ordered(store: Store, *stages: str) -> list[list[Rule]]:
    """
    Order the rules of some stages, using the ontology in a store.

    Raises:
        EurasiaGraphError: If they form a cycle and are not declared recursive.
    """
    rules = tuple(of_stages(*stages))
    return _ordered(rules, frozenset(_said(store, rules).items()))


def read_by(store: Store, *stages: str) -> set[str]:
    """Return the predicates and classes that the rules of some stages read; includes `ANYTHING` if unknown."""
    rules = of_stages(*stages)
    said = _said(store, rules)
    return {name for rule in rules for name in rule.reads(lambda predicate: said.get(predicate, frozenset()))}


def _said(store: Store, rules: Sequence[Rule]) -> dict[str, frozenset[tuple[str, str]]]:
    """Return the statements of the ontology with the predicates that rules look up."""
    asked = {predicate for rule in rules for predicate in rule.of_the_ontology}
    return {
        predicate: frozenset(
            (ns.value(quad.subject), ns.value(quad.object))
            for graph in SCHEMA_GRAPHS
            for quad in store.quads_for_pattern(None, NamedNode(predicate), None, graph)
        )
        for predicate in asked
    }


@lru_cache(maxsize=64)
def _ordered(rules: tuple[Rule, ...], said: frozenset[tuple[str, frozenset[tuple[str, str]]]]) -> list[list[Rule]]:
    by_predicate = dict(said)
    return in_order(rules, lambda predicate: by_predicate.get(predicate, frozenset()))


def run(
    store: Store, stages: Sequence[str], reads: Sequence[NamedNode], writes: NamedNode, files: Sequence[NamedNode] = ()
) -> None:
    """
    Apply the rules of some stages.

    The engine inserts the results into the same store; nothing is copied.

    Args:
        store: Read, and extended by the results.
        stages: Names of folders in `ontology/rules/`.
        reads: The graphs that the rules read, besides the one they write.
        writes: The graph that takes the results.
        files: The graphs of the files, which the rules read in `GRAPH`.
    """
    seen = [f"USING {graph}" for graph in dict.fromkeys((*reads, writes))]
    seen += [f"USING NAMED {graph}" for graph in files]
    for group in ordered(store, *stages):
        before = -1
        while True:
            for rule in group:
                store.update(
                    f"{rule.prologue}INSERT {{ GRAPH {writes} {rule.template} }}\n{' '.join(seen)}\n{rule.where}"
                )
            # Counting visits all quads, so it is done only for recursive rules.
            if not group[0].is_recursive or before == len(store):
                break
            before = len(store)
    if next(store.quads_for_pattern(None, None, None, writes), None) is None:
        store.remove_graph(writes)
