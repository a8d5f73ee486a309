"""
Check a store with pySHACL: with the shapes that are not compiled and, in the tests, with all of them.

pySHACL runs on the engine's own store. It fails on data that it does not expect, such as a class that is a literal;
then the result says so for each shape that was to be checked.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build.results import Result, Term
from eurasia_graph.build.shapes import ANONYMOUS, folder, state_of
from eurasia_graph.errors import EurasiaGraphError


def results(store: Store, severity: str, only: frozenset[NamedNode]) -> Iterator[Result]:
    """
    Check a store with some shapes.

    Args:
        store: The data; the union of its graphs is checked.
        severity: `Violation` or `Warning`; shapes of another are left out.
        only: The shapes.
    Raises:
        EurasiaGraphError: If a shape is wrong, whatever the data.
    """
    from pyshacl.errors import ConstraintLoadError, RuleLoadError, ShapeLoadError

    try:
        found = run(store, severity, only)
    except (ConstraintLoadError, RuleLoadError, ShapeLoadError) as error:
        raise EurasiaGraphError(f"the shapes cannot be run: {error}") from None
    except Exception as error:  # noqa: BLE001 - any exception of the library becomes a finding
        if len(only) > 1:
            for shape in sorted(only, key=lambda each: each.value):
                yield from results(store, severity, frozenset({shape}))
            return
        message = (
            f"A shape that is checked by pySHACL stops it on this data ({type(error).__name__}: {error}), so the "
            "data were not checked against it. Correct the other findings; if there are none, report this as a bug."
        )
        yield from (Result(shape, severity, message, shape) for shape in only)
        return
    yield from found


def run(store: Store, severity: str, only: frozenset[NamedNode] | None = None) -> list[Result]:
    """
    Check a store with all shapes of a severity, or with some of them.

    Raises:
        Exception: Whatever the library raises on data that it does not expect.
    """
    from pyshacl import validate
    from pyshacl.graph_abstraction import OxigraphDataGraph
    from rdflib import RDF, SH

    # For every result pySHACL tests the truth of the graph, which would count all its quads.
    setattr(OxigraphDataGraph, "__bool__", lambda _: True)  # noqa: B010
    shapes = shapes_graph(folder(), severity, only)
    with _as_written():
        _, report, text = validate(cast("Any", store), shacl_graph=shapes, inplace=True, advanced=True)
        if not hasattr(report, "subjects"):
            raise EurasiaGraphError(f"the shapes cannot be run: {text}")
        return [_result(shapes, report, each) for each in set(report.subjects(RDF.type, SH.ValidationResult))]


def shapes_graph(place: Path, severity: str, only: frozenset[NamedNode] | None = None) -> Any:
    """
    Read the shapes of a folder; shapes that are not selected are deactivated.

    In SHACL a `$` at the end of a pattern matches only at the end of the text; in Python also before a final line feed.
    """
    return _read(state_of(place), severity, only)


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int, int], ...], severity: str, only: frozenset[NamedNode] | None) -> Any:
    from rdflib import OWL, RDF, RDFS, SH, Graph, URIRef
    from rdflib import Literal as RdflibLiteral

    graph = Graph()
    for path, _, _ in files:
        graph.parse(path, format="turtle")
    targets = [SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf, SH.target]
    shapes = {each for term in targets for each in graph.subjects(term, None)}
    # A class that is a shape is its own target.
    classes = {each for term in (RDFS.Class, OWL.Class) for each in graph.subjects(RDF.type, term)}
    for shape in shapes | (classes & set(graph.subjects(RDF.type, SH.NodeShape))):
        own = graph.value(shape, SH.severity, default=SH.Violation)
        name = NamedNode(str(shape)) if isinstance(shape, URIRef) else ANONYMOUS
        if own != URIRef(SH[severity]) or (only is not None and name not in only):
            graph.add((shape, SH.deactivated, RdflibLiteral(True)))
    for shape, pattern in list(graph.subject_objects(SH.pattern)):
        graph.set((shape, SH.pattern, RdflibLiteral(re.sub(r"(?<!\\)\$$", r"\\Z", str(pattern)))))
    return graph


@contextmanager
def _as_written() -> Iterator[None]:
    """Make rdflib keep literals as written, without warnings about ill-typed ones."""
    import pyshacl.entrypoints

    entrypoints: Any = pyshacl.entrypoints
    log = logging.getLogger("rdflib.term")
    level, rewrite = log.level, entrypoints.rdflib_bool_unpatch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.CRITICAL)
        # It reads its shapes as they are written, then has rdflib rewrite the data: 007 as 7, "yes" as false.
        entrypoints.rdflib_bool_unpatch = lambda: None
        try:
            yield
        finally:
            log.setLevel(level)
            entrypoints.rdflib_bool_unpatch = rewrite
            rewrite()


def _result(shapes: Any, report: Any, result: Any) -> Result:
    from rdflib import SH, URIRef

    shape, path, component = (
        report.value(result, SH[name]) for name in ("sourceShape", "resultPath", "sourceConstraintComponent")
    )
    messages = sorted(report.objects(result, SH.resultMessage), key=lambda each: (each.language != "en", str(each)))
    difference = shapes.value(shape, URIRef(ns.EG + "differenceKind"))
    # A query with a target of its own finds statements; one over the whole dataset has a class for its focus.
    of_statements = difference is None and (shape, SH.target, None) in shapes
    return Result(
        shape=_name(shapes, shape),
        severity=ns.local_name(str(report.value(result, SH.resultSeverity))),
        message=str(messages[0]),
        focus=_term(report.value(result, SH.focusNode)),
        path=NamedNode(str(path)) if isinstance(path, URIRef) else None,
        value=_term(value) if (value := report.value(result, SH.value)) is not None else None,
        by_query=component == SH.SPARQLConstraintComponent and not of_statements,
        difference=None if difference is None else str(difference),
    )


def _name(shapes: Any, shape: Any) -> NamedNode:
    """Name a shape; one without a name goes by that of the shape which it belongs to."""
    from rdflib import URIRef

    passed = set()
    while shape is not None and not isinstance(shape, URIRef) and shape not in passed:
        passed.add(shape)
        shape = next(shapes.subjects(None, shape), None)
    return NamedNode(str(shape)) if isinstance(shape, URIRef) else ANONYMOUS


def _term(term: Any) -> Term:
    """Turn a term of rdflib into one of the engine."""
    from rdflib import BNode
    from rdflib import Literal as RdflibLiteral

    if isinstance(term, RdflibLiteral):
        if term.language:
            return Literal(str(term), language=term.language)
        return Literal(str(term), datatype=NamedNode(str(term.datatype)) if term.datatype else None)
    return BlankNode(str(term)) if isinstance(term, BNode) else NamedNode(str(term))
