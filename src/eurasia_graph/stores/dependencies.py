"""
Find which quads a SPARQL query can depend on, so that they can be fetched and the query evaluated here.

For stores whose planner cannot be trusted with whole queries. The answer of a query depends only on the quads that
match one of its patterns, so a store with just these gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eurasia_graph.errors import QueryError

Term = str | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Terms in N-Triples, None for any; `graph` is "" for the default graph."""

    subject: Term
    predicate: Term
    object: Term
    graph: Term

    def select(self) -> str:
        """Write a SELECT of the quads; the columns are the terms that are not given, of `s`, `p`, `o` and `g`."""
        subject, predicate, obj = self.subject or "?s", self.predicate or "?p", self.object or "?o"
        triple = f"{subject} {predicate} {obj}"
        where = f"GRAPH {self.graph or '?g'} {{ {triple} }}" if self.graph != "" else triple
        return f"SELECT * WHERE {{ {where} }}"

    def covers(self, other: Pattern) -> bool:
        """Return whether every quad of another pattern is one of this."""
        mine = (self.subject, self.predicate, self.object, self.graph)
        others = (other.subject, other.predicate, other.object, other.graph)
        return all(own is None or own == given for own, given in zip(mine, others, strict=True))


@lru_cache(maxsize=256)
def of_query(sparql: str, base_iri: str | None = None) -> frozenset[Pattern]:
    """
    Return the patterns of a query, without those that others cover.

    Args:
        sparql: SELECT, ASK or CONSTRUCT in SPARQL 1.1.
        base_iri: What relative IRIs are resolved against.
    Raises:
        QueryError: If it is of a form whose quads are not known from its text.
    """
    with ThreadPoolExecutor(1) as alone:
        algebra = alone.submit(_algebra, sparql, base_iri).result()
    if algebra.name == "DescribeQuery":
        raise QueryError("DESCRIBE cannot be analysed; write a CONSTRUCT")
    found = set(_walk(algebra.p, "", {}))
    return frozenset(each for each in found if not any(other != each and other.covers(each) for other in found))


def _algebra(sparql: str, base_iri: str | None) -> Any:
    """
    Parse a query without evaluating it: rdflib's engine would open what FROM names.

    Its parser creates reference cycles of frames, including those of its callers, which any thread may later collect.
    In a separate thread it has no callers, so no other thread frees answers of our engine that such frames hold.
    """
    from rdflib.plugins.sparql import prepareQuery

    return prepareQuery(sparql, base=base_iri).algebra


def _walk(node: Any, graph: Term, fixed: dict[Any, str]) -> Iterator[Pattern]:
    """Walk the algebra; `fixed` are the variables of this SELECT that a VALUES block of one row gives."""
    from rdflib.plugins.sparql.parserutils import CompValue

    if isinstance(node, (list, tuple, set, frozenset)):
        for each in node:
            yield from _walk(each, graph, fixed)
        return
    if not isinstance(node, CompValue):
        return
    if node.name == "BGP":
        for subject, predicate, obj in node.triples:
            yield from _patterns(_term(subject, fixed), predicate, _term(obj, fixed), graph, fixed)
        return
    if node.name == "Graph":
        yield from _walk(node.p, _term(node.term, fixed), fixed)
        return
    if node.name == "Project":
        # A sub-SELECT has its own variables, except for those that it projects.
        fixed = dict(_given(node.p))
    for each in node.values():
        yield from _walk(each, graph, fixed)


def _given(node: Any) -> Iterator[tuple[Any, str]]:
    """Return the variables that hold one term in every solution of a SELECT, by its VALUES block of one row."""
    from rdflib import URIRef
    from rdflib.plugins.sparql.parserutils import CompValue

    if not isinstance(node, CompValue) or node.name in {"Project", "Union", "Minus"}:
        return
    if node.name == "values" or "res" in node:
        rows = node.get("res") or []
        if len(rows) == 1:
            yield from ((variable, term.n3()) for variable, term in rows[0].items() if isinstance(term, URIRef))
        return
    for key in ("p", "p1"):
        yield from _given(node.get(key))
    if node.name == "Join":
        yield from _given(node.get("p2"))


def _term(term: Any, fixed: dict[Any, str]) -> Term:
    """Write an IRI or look a variable up; a literal stands for any term, since rdflib may have rewritten it."""
    from rdflib import URIRef

    if isinstance(term, URIRef):
        return str(term.n3())
    return fixed.get(term)


def _patterns(subject: Term, predicate: Any, obj: Term, graph: Term, fixed: dict[Any, str]) -> Iterator[Pattern]:
    """Return the patterns of one triple pattern: several for a property path."""
    from rdflib.paths import Path

    if not isinstance(predicate, Path):
        yield Pattern(subject, _term(predicate, fixed), obj, graph)
        return
    steps = list(_steps(predicate))
    if None in steps:
        yield Pattern(None, None, None, graph)
    else:
        yield from (Pattern(None, step, None, graph) for step in steps)


def _steps(path: Any) -> Iterator[Term]:
    """Return the predicates of a path; None where it can match any node or any predicate."""
    from rdflib import URIRef
    from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath

    if isinstance(path, URIRef):
        yield path.n3()
    elif isinstance(path, (AlternativePath, SequencePath)):
        for each in path.args:
            yield from _steps(each)
    elif isinstance(path, InvPath):
        yield from _steps(path.arg)
    elif isinstance(path, MulPath) and path.mod == "+":
        yield from _steps(path.path)
    else:  # zero steps lead from every node to itself; a negated step is any but some
        yield None
