"""Compute the bounds of the dates of claims, sources and entities, and mark the claims that count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build.sources import Dataset, source_name, value_of
from eurasia_graph.dates import LAST_DAY, Bounds, bounds
from eurasia_graph.graphs import ENTITIES, graph_of

ONTOLOGY = ns.GRAPH("ontology")


XSD_DATE = NamedNode(ns.XSD + "date")


def add_bounds(dataset: Dataset, source: NamedNode) -> None:
    """Write the days of a source into its graph of bounds, and which claims count into its graph of facts."""
    bounds_, facts = (graph_of(kind, source_name(source)) for kind in ("bounds", "facts"))
    found = [*_bounds_of(dataset.store, source), *existence(dataset.store)]
    dataset.store.extend(ns.quad(each, facts if each.predicate == ns.RDF("type") else bounds_) for each in found)


def add_calendar(dataset: Dataset, graph: NamedNode) -> None:
    """Give the rules the last day of the calendar, which means "never" where they compare days."""
    dataset.store.add(Quad(ns.STEP("calendar"), ns.STEP("lastDay"), _day(LAST_DAY), graph))


def _bounds_of(store: Store, source: NamedNode) -> Iterator[Triple]:
    """Compute the bounds of a source, its claims and all entities, and mark the claims that count."""
    issued = value_of(store, source, "issued")
    if issued:
        yield Triple(source, ns.EG("latest"), _day(bounds(issued).latest))
    # A table may be issued years after the last period that it covers.
    ends = [value_of(store, source, term) for term in ("issued", "coversUntil")]
    known = [bounds(each).latest for each in ends if each]
    if known:
        yield Triple(source, ns.EG("horizon"), _day(min(known)))
    standings, unsettled, implying, ending = (
        _kinds(store, term) for term in ("tellsStanding", "givesOnlyPossibleStatus", "impliesStatus", "endsItsBody")
    )
    for quad in store.quads_for_pattern(None, ns.EG("statedIn"), source, None):
        claim = quad.subject
        if not isinstance(claim, NamedNode):
            continue
        written, kind = value_of(store, claim, "saysDate"), value_of(store, claim, "saysKind")
        found = bounds(written) if written else None
        if found:
            stands = kind in implying or value_of(store, claim, "saysStatus") is not None
            for term, day in _days_of(found, lasting=kind in standings, stands=stands):
                yield Triple(claim, ns.EG(term), _day(day))
            if any(value_of(store, claim, term) for term in ("saysOldBody", "saysNewBody")) or kind in ending:
                yield from _around(claim, found)
        modality = ns.local_name(value_of(store, claim, "modality") or "asserted")
        reported = Quad(claim, ns.RDF("type"), ns.EG("ReportedClaim"), quad.graph_name) in store
        if modality == "asserted" and not reported:
            yield Triple(claim, ns.RDF("type"), ns.EG("CountedClaim"))
        doubtful = (found and found.doubtful) or kind in unsettled
        if not reported and (modality == "hedged" or (modality == "asserted" and doubtful)):
            yield Triple(claim, ns.RDF("type"), ns.EG("DoubtfulClaim"))


def _around(claim: NamedNode, found: Bounds) -> Iterator[Triple]:
    """Name the day before a change of a body and the day after it."""
    if found.earliest and found.earliest > date.min:
        yield Triple(claim, ns.EG("eve"), _day(found.earliest - timedelta(days=1)))
    yield Triple(claim, ns.EG("dayAfter"), _day(_day_after(found.latest)))


def _days_of(found: Bounds, *, lasting: bool, stands: bool) -> Iterator[tuple[str, date]]:
    """
    Return the bounds of a date as pairs of a property and a day.

    Args:
        found: The bounds of the date as written.
        lasting: Whether an interval is the time for which a status was held, rather than the days that an event took.
        stands: Whether the claim gives a status, which a date without a first day says was held on its last day.
    """
    begun, held = (found.begun, found.held) if lasting else (None, None)
    if found.earliest:
        yield "earliest", found.earliest
    yield "latest", begun or found.latest
    if held and found.earliest:
        # A status cannot end before the first day on which it can have begun.
        yield "overEarliest", _day_after(max(held, found.earliest))
        yield "overLatest", _day_after(found.latest)
    if found.earliest is None and stands:
        yield "mayEndFrom", _day_after(found.latest)


def _day_after(day: date) -> date:
    """Return the next day; the last day of the calendar, which means "no end", stays as it is."""
    return day if day == LAST_DAY else day + timedelta(days=1)


def _kinds(store: Store, term: str) -> set[str]:
    """Return the kinds of event that have a property in the ontology, with any value but `false`."""
    marked = store.quads_for_pattern(None, ns.EG(term), None, ONTOLOGY)
    return {ns.value(quad.subject) for quad in marked if ns.value(quad.object) != "false"}


def existence(store: Store) -> Iterator[Triple]:
    """Compute from when until when entities existed, which the bounds of every source hold."""
    for quad in store.quads_for_pattern(None, ns.EG("existence"), None, ENTITIES):
        begin, _, end = ns.value(quad.object).partition("/")
        first = bounds(begin).earliest
        if first:
            yield Triple(quad.subject, ns.EG("existsFrom"), _day(first))
        if end not in {"", ".."}:
            yield Triple(quad.subject, ns.EG("existsUntil"), _day(bounds(end).latest))


def _day(day: object) -> Literal:
    return Literal(str(day), datatype=XSD_DATE)
