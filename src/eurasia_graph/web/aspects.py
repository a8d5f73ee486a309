"""
The pages of a body and of a state: who belonged to it, or what it belonged to, on a day and over time, by every text.

All that a page shows is asked here; templates only write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Request
from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph import notes, words
from eurasia_graph.dates import LAST_DAY, DateError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import bars, claims, differences, standings
from eurasia_graph.web.claims import Claim
from eurasia_graph.web.context import Service
from eurasia_graph.web.naming import Names
from eurasia_graph.web.standings import Standing, Told

CLAIMS_A_PAGE = 50
MOST_ROWS = 100
BODY, STATE = NamedNode(f"{ns.EG}Body"), NamedNode(f"{ns.EG}State")
NOTHING = "says nothing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of such a page asks for: a time, one text or all, and which pages of its lists."""

    date: str
    source: str
    page: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Row:
    """One holder, or body, with what each text tells of it."""

    iri: str
    name: str
    cells: list[list[tuple[Told, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Who belonged at a time, text by text; `problem` says what is wrong with the time, if anything."""

    time: str
    said: str
    sources: list[str]
    rows: list[Row]
    total: int
    notes: list[str]
    years: list[int]
    problem: str | None
    day: date | None


def asked(request: Request) -> Asked:
    """Read the address; what is no number is the first page."""

    def number(name: str) -> int:
        given = request.args.get(name, "")
        return int(given) if re.fullmatch(r"[1-9][0-9]{0,5}", given) else 1

    text = {name: request.args.get(name, "").strip() for name in ("date", "source")}
    return Asked(text["date"], text["source"], number("page"), number("lanes"))


def source_of(store: ReleaseStore, short: str) -> str | None:
    """Return the text that a short name stands for, if there is one."""
    known = {ns.local_name(iri).casefold(): iri for iri in store.horizons}
    return known.get(short.casefold())


def of_body(service: Service, node: NamedNode, wanted: Asked) -> dict[str, object]:
    """Gather what the page of a body shows."""
    all_of_it = standings.of_body(service.store, node.value)
    found = _of_thing(service, node, wanted, all_of_it, bars.Shown(lane=lambda each: each.holder, page=wanted.lanes))
    told = found["claims"]
    assert isinstance(told, list)
    names = service.names_of_things
    return {
        **found,
        "kind": "Body",
        "organs": _organs(service, names, node),
        "whole": _whole(service, node),
        "purposes": _grouped(
            names, claims.naming([each for each in told if "saysOrgan" not in each.says], "saysPurpose")
        ),
        "lineage": [each for each in claims.events(told) if {"saysOldBody", "saysNewBody"} & each.named.keys()],
    }


def of_state(service: Service, node: NamedNode, wanted: Asked) -> dict[str, object]:
    """Gather what the page of a state shows."""
    all_of_it = standings.of_holder(service.store, node.value)
    found = _of_thing(service, node, wanted, all_of_it, bars.Shown(lane=lambda each: each.body, page=wanted.lanes))
    return {**found, "kind": "State"}


def _of_thing(
    service: Service, node: NamedNode, wanted: Asked, all_of_it: list[Standing], shown: bars.Shown
) -> dict[str, object]:
    """Gather what both pages show."""
    store, names = service.store, service.names_of_things
    only = source_of(store, wanted.source)
    chosen = [each for each in all_of_it if only in {None, each.source}]
    as_of = _as_of(service, wanted, all_of_it, chosen, shown)
    told = claims.about(store, node.value)
    pages = max(1, -(-len(told) // CLAIMS_A_PAGE))
    page = min(wanted.page, pages)
    figure = bars.figure(chosen, store.horizons, names, bars.Shown(lane=shown.lane, day=as_of.day, page=shown.page))
    return {
        "as_of": as_of,
        "only": only,
        "texts": sorted({each.source for each in all_of_it}, key=names.short),
        "figure": figure,
        "standings": sorted(chosen, key=lambda each: (names.named(shown.lane(each)), each.begin, each.source)),
        "lane": shown.lane,
        "differences": differences.of_thing(store, names, node.value),
        "claims": told,
        "events": claims.events(told),
        "treaties": _grouped(names, claims.naming(told, "saysTreaty")),
        "shown_claims": told[(page - 1) * CLAIMS_A_PAGE : page * CLAIMS_A_PAGE],
        "page": page,
        "pages": pages,
    }


def _as_of(
    service: Service,
    wanted: Asked,
    all_of_it: list[Standing],
    chosen: list[Standing],
    shown: bars.Shown,
) -> AsOf:
    """Say who belonged on the day that is asked about, or on the last that all texts know of."""
    store, names = service.store, service.names_of_things
    default = standings.best_day(all_of_it, store.horizons)
    time, problem = wanted.date or (str(default) if default else ""), None
    try:
        first, last = standings.days_of(time) if time else (date.min, date.min)
    except DateError as error:
        problem, time = str(error), str(default) if default else ""
        first, last = standings.days_of(time) if time else (date.min, date.min)
    if wanted.source and source_of(store, wanted.source) is None:
        known = ", ".join(sorted(map(ns.local_name, store.horizons)))
        problem = f"no text {wanted.source!r}; there are {known}"
    told = standings.told(chosen, first, last) if time else []
    sources = sorted({each.source for each in chosen}, key=names.short)
    rows = _rows(names, told, sources, words.day(time), shown)
    years = sorted({year for each in all_of_it for year in _years(each, store.horizons)})
    return AsOf(
        time=time,
        said=words.asked(time) if time else "",
        sources=sources,
        rows=rows[:MOST_ROWS],
        total=len(rows),
        notes=[
            note
            for source in sources
            if time and source in store.horizons
            for note in [
                notes.of_horizon(source, store.horizons[source], store.covered.get(source), time, (first, last))
            ]
            if note
        ],
        years=years,
        problem=problem,
        day=last if time else None,
    )


def _rows(names: Names, told: list[Told], sources: list[str], time: str, shown: bars.Shown) -> list[Row]:
    by_lane: dict[str, dict[str, list[Told]]] = {}
    for each in told:
        by_lane.setdefault(shown.lane(each.standing), {}).setdefault(each.standing.source, []).append(each)
    return [
        Row(
            iri,
            names.named(iri),
            [
                [
                    (each, standings.in_words(names, each, time))
                    for each in sorted(by_lane[iri].get(source, []), key=_rank)
                ]
                for source in sources
            ],
        )
        for iri in sorted(by_lane, key=lambda each: (names.named(each).casefold(), each))
    ]


def _rank(each: Told) -> tuple[int, str]:
    return standings.ORDER.index(each.certainty), each.standing.status


def _years(each: Standing, horizons: Mapping[str, str]) -> range:
    """List the years in which a standing may have been held, as far as its text knows."""
    end = int(horizons[each.source][:4]) if each.source in horizons else each.latest.year
    if each.end:
        end = min(end, each.end.year)
    begin = each.sure.year if each.sure and each.begin.year < each.sure.year - bars.YEARS_BEFORE else each.begin.year
    return range(begin, end + 1)


def _grouped(names: Names, found: Mapping[str, list[Claim]]) -> list[tuple[str, str, list[Claim]]]:
    """List things with the claims that name them, by the day of the first of these and by name."""
    return sorted(
        ((iri, names.named(iri), told) for iri, told in found.items()),
        key=lambda item: (min((each.first or LAST_DAY for each in item[2]), default=LAST_DAY), item[1].casefold()),
    )


def _organs(service: Service, names: Names, node: NamedNode) -> list[tuple[str, str]]:
    """List the organs of a body."""
    quads = service.store.engine.quads_for_pattern(None, ns.EG("organOf"), node, ns.GRAPH("entities"))
    found = {ns.value(quad.subject) for quad in quads}
    return sorted(((iri, names.named(iri)) for iri in found), key=lambda item: item[1].casefold())


def _whole(service: Service, node: NamedNode) -> tuple[str, str] | None:
    """Return what a body is an organ of, if it is one."""
    quad = next(service.store.engine.quads_for_pattern(node, ns.EG("organOf"), None, ns.GRAPH("entities")), None)
    iri = ns.value(quad.object) if quad else None
    return (iri, service.names_of_things.named(iri)) if iri else None
