"""
Check a dataset against the shapes and report the location of each finding.

The shapes in `ontology/shapes/` do most of the work, compiled to queries on the engine's own store. A shape with
severity `sh:Violation` checks the record; one with `sh:Warning` checks the world as the texts describe it,
which needs the generated graphs. Some checks cannot be shapes: names that are not defined and statements in
the wrong file (`record`), names shared by two entities (`shared_names`), and days that are not in the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from pyoxigraph import Literal, NamedNode, Quad, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import record, shape_check, shared_names
from eurasia_graph.build.findings import Finding, Place, Report, Severity
from eurasia_graph.build.record import Fault
from eurasia_graph.build.results import Result, Term
from eurasia_graph.build.sources import Dataset
from eurasia_graph.dates import Bounds, DateError, bounds
from eurasia_graph.turtle.reader import Part

GENERATED = {"Generated-class", "Generated-property"}
# A shape may say more about these, since it knows what is needed instead.
WEAKER = {"Undefined-name", "Date"}
CLAIM = f"{ns.ID}claim/"


def check_record(dataset: Dataset) -> Report:
    """
    Check what is written in the files: passages, claims, links and entities, one record at a time.

    Args:
        dataset: As `sources.load` returns it, nothing generated yet.
    """
    # Shapes do not see statements about statements, which are refused anyway.
    for quad in [quad for quad in dataset.origins if isinstance(quad.object, Triple)]:
        dataset.store.remove(quad)
    return record_report(dataset, shape_check.check(dataset, "Violation"))


def check_world(dataset: Dataset) -> Report:
    """
    Check the world as the texts describe it: order in time, statuses on a day, existence.

    Args:
        dataset: With bounds, facts and memberships.
    """
    return world_report(dataset, shape_check.check(dataset, "Warning"))


def record_report(dataset: Dataset, results: Iterable[Result]) -> Report:
    """Report the findings of shapes and of programs in a record, one for each statement."""
    by_shapes = [_from_result(dataset, each) for each in results]
    by_program = [*record.faults(dataset), *shared_names.shared(dataset), *_bad_dates(dataset), *_late_figures(dataset)]
    # A shape can refuse one statement twice, for its datatype and for its form; that is one finding.
    found = dict.fromkeys(_without_echoes(dataset, by_shapes, by_program))
    return Report(in_order(found), list(dataset.errors))


def world_report(dataset: Dataset, results: Iterable[Result]) -> Report:
    """Report the findings of shapes in the world that the texts describe."""
    return Report(in_order(_from_result(dataset, each) for each in results))


# --- by shapes -----------------------------------------------------------------------------


def _from_result(dataset: Dataset, result: Result) -> Finding:
    value, about = result.value, result.focus
    if result.by_query and result.difference is None and isinstance(value, NamedNode):
        about = value
    subject, path = about.value, result.path
    written = None if value is None else value.value
    seen = None if result.by_query else written
    against = written if result.difference else None
    return Finding(
        severity=Severity.WARNING if result.severity == "Warning" else Severity.ERROR,
        rule=ns.local_name(result.shape.value),
        message=result.message,
        seen=_seen(dataset, subject, path, seen, against),
        focus=subject,
        value=written,
        place=_locate(dataset, subject, path, None if result.by_query else value),
        difference=result.difference,
        statement=None if path is None or written is None or result.by_query else (subject, path.value, written),
    )


def _seen(dataset: Dataset, subject: str, predicate: NamedNode | None, value: str | None, other: str | None) -> str:
    """Describe what was seen: the value, all values of the property, or "nothing"; then what contradicts it."""
    name = ns.shorten(subject)
    if predicate is None:
        return f"{name}, at odds with {ns.shorten(other)}" if other else name
    values = (
        [value]
        if value is not None
        else [_written(quad.object) for quad in dataset.store.quads_for_pattern(_node(subject), predicate, None, None)]
    )
    shown = ", ".join(sorted({ns.shorten(each) for each in values})) or "nothing"
    against = f", at odds with {ns.shorten(other)}" if other else ""
    return f"{ns.shorten(predicate.value)} {shown} at {name}{against}"


def _node(iri: str) -> NamedNode | None:
    return NamedNode(iri) if iri.startswith("http") else None


def _written(term: Any) -> str:
    return f'"{term.value}"' if isinstance(term, Literal) else str(getattr(term, "value", term))


def _locate(dataset: Dataset, subject: str, predicate: NamedNode | None, value: Term | None) -> Place | None:
    """Return the location of the value, else of the property, else of the subject."""
    if not subject.startswith("http"):
        return None
    node = NamedNode(subject)
    quads = [quad for quad in dataset.store.quads_for_pattern(node, None, None, None) if quad in dataset.origins]
    with_property = [quad for quad in quads if quad.predicate == predicate]
    exact = [quad for quad in with_property if value is not None and quad.object == value]
    # The value; the property, if a value is missing or there is one too many; else the subject that lacks it.
    for candidates, part in ((exact, "object"), (with_property, "predicate"), (quads, "subject")):
        if candidates:
            return dataset.place_of(min(candidates, key=dataset.origins.__getitem__), cast("Part", part))
    begun = next(dataset.store.quads_for_pattern(node, ns.EG("leadClaim"), None, None), None)
    if begun is None or not isinstance(begun.object, NamedNode):
        return None
    return _locate(dataset, begun.object.value, predicate, None)


# --- by program ----------------------------------------------------------------------------


def _without_echoes(dataset: Dataset, by_shapes: list[Finding], by_program: list[Fault]) -> Iterator[Finding]:
    """
    Keep one finding for each statement: that of the most specific rule.

    Where a name is undefined, the shape of the property says what is needed, and the hint is added to its message.
    Where a term is generated, undefined or misplaced, a shape need not add that it is not allowed.
    """
    stronger = {_statement(fault.quad) for fault in by_program if fault.rule not in WEAKER}
    stronger |= {each.statement for each in by_shapes if each.rule in GENERATED and each.statement}
    # A record with a class that contradicts its IRI is checked by shapes that are not meant for it.
    belied = {_subject(fault.quad) for fault in by_program if fault.rule == "Record-class"}
    belied |= {each.focus for each in by_shapes if each.rule == "Generated-class" and CLAIM not in each.focus}
    kept = [
        each
        for each in by_shapes
        if each.focus.startswith("http")
        and (each.rule in GENERATED or (each.focus not in belied and each.statement not in stronger))
    ]
    actors = {each.statement for each in kept if each.rule == "EventClaim-saysActor" and each.statement}
    kept = [each for each in kept if each.rule != "Claim-saysActor" or each.statement not in actors]
    told = {each.statement for each in kept if each.statement}
    weaker = {_statement(fault.quad): fault for fault in by_program if fault.rule in WEAKER}
    for finding in kept:
        fault = weaker.get(finding.statement) if finding.statement else None
        yield replace(finding, message=finding.message + fault.hint) if fault else finding
    for fault in by_program:
        if fault.rule not in WEAKER or _statement(fault.quad) not in told:
            yield _from_fault(dataset, fault)


def _statement(quad: Quad) -> tuple[str, str, str]:
    return _subject(quad), quad.predicate.value, ns.value(quad.object)


def _from_fault(dataset: Dataset, fault: Fault) -> Finding:
    quad, other = fault.quad, fault.other
    return Finding(
        severity=Severity.WARNING if fault.warns else Severity.ERROR,
        rule=fault.rule,
        message=fault.message + fault.hint,
        seen=fault.seen,
        focus=_subject(quad),
        value=_subject(other) if other else None,
        place=dataset.place_of(quad, fault.part),
        related=dataset.place_of(other) if other else None,
    )


def _bad_dates(dataset: Dataset) -> Iterator[Fault]:
    """Find literals with the EDTF datatype that are not EDTF, or whose days are not in the calendar."""
    datatype = NamedNode(ns.EDTF + "EDTF")
    for quad in dataset.origins:
        if isinstance(quad.object, Literal) and quad.object.datatype == datatype:
            try:
                bounds(quad.object.value)
            except DateError as error:
                seen = f'{ns.shorten(quad.predicate.value)} "{quad.object.value}" at {ns.shorten(_subject(quad))}'
                yield Fault(quad, "Date", f"A date must be in EDTF: {error}.", seen)


def _late_figures(dataset: Dataset) -> Iterator[Fault]:
    """Find figures for a time after the issue of their source; the shape Date-in-reach does so for other claims."""
    for quad in dataset.origins:
        if quad.predicate != ns.EG("saysPeriod") or _predicts(dataset, quad.subject):
            continue
        source = _object(dataset, quad.subject, "statedIn")
        issued = _object(dataset, source, "issued")
        period, issue = _days(quad.object), _days(issued)
        # Only the last day is known of a period without a first day.
        if period and issue and (period.earliest or period.latest) > issue.latest:
            message = (
                "A figure must be for a time before its source was issued. Check the period; a forecast is also an "
                "eg:AssessmentClaim, with eg:saysAssessment assessment:prediction."
            )
            seen = (
                f'eg:saysPeriod "{ns.value(quad.object)}" at {ns.shorten(_subject(quad))}, issued "{ns.value(issued)}"'
            )
            yield Fault(quad, "Figure-after-issue", message, seen, warns=True)


def _predicts(dataset: Dataset, claim: Any) -> bool:
    """Return whether a claim is a prediction or a reported claim."""
    prediction = ns.SCHEME("assessment/prediction")
    patterns = ((ns.EG("saysAssessment"), prediction), (ns.RDF("type"), ns.EG("ReportedClaim")))
    return any(next(dataset.store.quads_for_pattern(claim, *each, None), None) for each in patterns)


def _object(dataset: Dataset, subject: Any, term: str) -> Any:
    if not isinstance(subject, NamedNode):
        return None
    quad = next(dataset.store.quads_for_pattern(subject, ns.EG(term), None, None), None)
    return quad.object if quad else None


def _days(date: Any) -> Bounds | None:
    """Return the bounds of a date, or None if it is not a date, which is a finding of its own."""
    try:
        return bounds(date.value) if isinstance(date, Literal) else None
    except DateError:
        return None


def _subject(quad: Quad) -> str:
    return str(getattr(quad.subject, "value", quad.subject))


# --- writing -------------------------------------------------------------------------------


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by location, without duplicates: two checks can find the same."""

    def key(finding: Finding) -> tuple[str, int, int, str, str, str]:
        place = finding.place
        return (
            str(place.path) if place else "",
            place.line if place else 0,
            place.column if place else 0,
            finding.rule,
            finding.focus,
            finding.value or "",
        )

    return sorted(dict.fromkeys(findings), key=key)
