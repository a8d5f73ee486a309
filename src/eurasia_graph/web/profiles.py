"""What is written about a body or a state: its page, and the figure on it as a file of its own."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from flask import render_template, request, url_for
from pyoxigraph import Literal, NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.description import LICENCE_NAME, citation
from eurasia_graph.formats import Format
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import aspects, bars, standings
from eurasia_graph.web.addresses import address
from eurasia_graph.web.context import Service
from eurasia_graph.web.standings import Standing

MOST_NAMES = 6
HEADINGS = {"Body": "Members", "State": "What it belonged to"}
CSV_COLUMNS = (
    *("holder", "holderLabel", "body", "bodyLabel", "status", "statusLabel", "from", "to"),
    *("possibleFrom", "certainFrom", "certainUntil", "surelyOverOn", "source", "claim"),
)


def kind_of(store: ReleaseStore, node: NamedNode) -> str | None:
    """Say whether something is a body or a state; None if it is neither."""
    for kind, term in (("Body", aspects.BODY), ("State", aspects.STATE)):
        if next(store.engine.quads_for_pattern(node, ns.RDF("type"), term, None), None):
            return kind
    return None


def page(service: Service, node: NamedNode, kind: str, formats: list[Format]) -> str:
    """Write the page of a body or a state."""
    name = node.value.removeprefix(ns.ID)
    names = service.names_of_things
    wanted = aspects.asked(request)
    gather = aspects.of_body if kind == "Body" else aspects.of_state
    kept = {key: request.args.get(key, "") for key in ("date", "source")}

    def here(anchor: str | None = None, **values: object) -> str:
        return address("pages.page", name=name, **values, _anchor=anchor)

    return render_template(
        "aspects.html",
        **gather(service, node, wanted),
        heading=HEADINGS[kind],
        name=name,
        short=ns.local_name(node.value),
        iri=node.value,
        label=names.named(node.value),
        called=names.called(node.value),
        names=names,
        other_names=_other_names(service.store, node),
        existence=_existence(service.store, node),
        title=_title(service, node, kind),
        alone=False,
        place=bars.label_place,
        there=lambda iri: url_for("pages.thing", name=iri.removeprefix(ns.ID)),
        here=here,
        lanes_there=lambda number: here(anchor="over-time", **kept, lanes=number),
        claims_there=lambda number: here(anchor="claims", **kept, page=number),
        formats=formats,
    )


def drawing(service: Service, node: NamedNode, kind: str) -> str | None:
    """Draw the figure of a body or a state as a file that says what it is; None where nothing is told."""
    chosen, shown = _chosen(service, node, kind)
    figure = bars.figure(chosen, service.store.horizons, service.names_of_things, shown)
    if figure is None:
        return None
    texts = sorted({service.names_of_things.short(each.source) for each in figure.standings})
    return render_template(
        "bars.svg",
        figure=figure,
        title=_title(service, node, kind),
        description=f"Bars from the day on which each standing may have begun, according to {' and '.join(texts)}.",
        credit=f"{citation(service.store.iri)}, {LICENCE_NAME}",
        alone=True,
        paint=bars.paint,
        place=bars.label_place,
        there=str,
    )


def rows(service: Service, node: NamedNode, kind: str) -> str:
    """Write all standings of the figure as CSV."""
    chosen, _ = _chosen(service, node, kind)
    names = service.names_of_things
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for each in chosen:
        things = [part for iri in (each.holder, each.body, each.status) for part in (iri, names.named(iri))]
        days = [each.begin, each.sure, each.over and each.over - timedelta(days=1), each.end]
        told = [each.told_from, each.told_to or ""]
        writer.writerow([*things, *told, *(str(day or "") for day in days), each.source, each.claim])
    return out.getvalue()


def _chosen(service: Service, node: NamedNode, kind: str) -> tuple[list[Standing], bars.Shown]:
    wanted = aspects.asked(request)
    only = aspects.source_of(service.store, wanted.source)
    if kind == "Body":
        told, shown = standings.of_body(service.store, node.value), bars.Shown(lane=_holder, page=wanted.lanes)
    else:
        told, shown = standings.of_holder(service.store, node.value), bars.Shown(lane=_body, page=wanted.lanes)
    return [each for each in told if only in {None, each.source}], shown


def _holder(each: Standing) -> str:
    return each.holder


def _body(each: Standing) -> str:
    return each.body


def _title(service: Service, node: NamedNode, kind: str) -> str:
    called = service.names_of_things.called(node.value)
    return f"Who belonged to {called}, over time" if kind == "Body" else f"What {called} belonged to, over time"


def _other_names(store: ReleaseStore, node: NamedNode) -> list[Literal]:
    """List the names besides the English label: acronyms first, then those in other scripts and the rest."""
    found = [
        quad.object
        for term in ("prefLabel", "altLabel")
        for quad in store.engine.quads_for_pattern(node, ns.SKOS(term), None, ns.GRAPH("entities"))
        if isinstance(quad.object, Literal) and not (term == "prefLabel" and quad.object.language == "en")
    ]
    return sorted(found, key=lambda each: (not each.value.isupper(), each.language == "en", each.value))[:MOST_NAMES]


def _existence(store: ReleaseStore, node: NamedNode) -> str | None:
    quad = next(store.engine.quads_for_pattern(node, ns.EG("existence"), None, ns.GRAPH("entities")), None)
    return words.dated(ns.value(quad.object)) if quad else None


def day_before(day: date) -> str:
    """Return the day before another, which is the last that a span holds."""
    return str(day - timedelta(days=1))
