"""Check a dataset by compiled shapes and by pySHACL, and hold the one against the other."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import Literal, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build import judge, shape_check, validation
from eurasia_graph.build.derive import derive
from eurasia_graph.build.findings import Report
from eurasia_graph.build.results import Result
from eurasia_graph.build.sources import Dataset
from eurasia_graph.errors import EurasiaGraphError


def judged(dataset: Dataset) -> Report:
    """
    Check a dataset as `validate` does; pySHACL must find the same, at the same places.

    Args:
        dataset: As it was loaded; what is derived is added to it.
    """
    found = validation.check_record(dataset)
    by_judge = set(judge.run(dataset.store, "Violation"))
    more = [each for each in shape_check.check(dataset, "Violation") if each not in by_judge]
    assert unexplained(more, dataset.store) == []
    assert found.findings == validation.record_report(dataset, [*by_judge, *more]).findings
    if found.errors:
        return found
    derive(dataset)
    world = judged_world(dataset)
    return Report(found.findings + world.findings, found.unreadable)


def judged_world(dataset: Dataset) -> Report:
    """Check the world of a dataset, derived before, in both ways."""
    found = validation.check_world(dataset)
    assert found.findings == validation.world_report(dataset, judge.run(dataset.store, "Warning")).findings
    return found


def differences(dataset: Dataset, severity: str) -> tuple[set[Result], set[Result]]:
    """Return what only the compiled shapes find, and what only pySHACL finds."""
    compiled = set(shape_check.check(dataset, severity))
    try:
        by_judge = set(judge.run(dataset.store, severity))
    except (TypeError, EurasiaGraphError):
        return compiled, set()
    return compiled - by_judge, by_judge - compiled


def unexplained(results: Iterable[Result], store: Store) -> list[Result]:
    """
    Leave out what pySHACL alone gets wrong: sh:lessThan between values that cannot be compared.

    SHACL has it that such a pair breaks the constraint. pySHACL compares by the order in which rdflib sorts terms of
    different types, where some pair is always less.
    """
    return [each for each in results if not (each.path == ns.EG("start") and each.value and _is_odd(each, store))]


def _is_odd(result: Result, store: Store) -> bool:
    quads = store.quads_for_pattern(result.focus, ns.EG("end"), None, None)  # type: ignore[arg-type]
    values = [result.value, *(quad.object for quad in quads)]
    return not all(isinstance(each, Literal) and each.value.isdigit() for each in values)
