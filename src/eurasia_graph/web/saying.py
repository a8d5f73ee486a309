"""The page of a claim: what it says in words, what it rests on, what follows from it, what it is at odds with."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.formats import Format
from eurasia_graph.graphs import graph_of
from eurasia_graph.store import OwnQuery, ReleaseStore
from eurasia_graph.web import differences, standings
from eurasia_graph.web.addresses import address
from eurasia_graph.web.answers import Part
from eurasia_graph.web.claims import natural, rows
from eurasia_graph.web.context import Service
from eurasia_graph.web.naming import Names

# What the page says in another place, or what only serves the derivation.
ELSEWHERE = frozenset(("gist", "evidence", "statedIn", "actorsResolved"))
FIRST = ("saysKind", "saysAssessment", "modality", "attributedTo", "saysDate", "saysPeriod", "saysStatus", "saysActor")
DATES = frozenset(("saysDate", "saysPeriod"))
HEADINGS = {"listIsComplete": "list complete", "modality": "told as", "saysHolder": "held by"}
BESIDE = f"""
PREFIX eg: <{ns.EG}> PREFIX skos: <{ns.SKOS}> PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX dcterms: <{ns.DCTERMS}>
SELECT DISTINCT ?what ?value ?more ?from ?to {{
  VALUES ?claim {{ %s }}
  {{ BIND("passage" AS ?what) GRAPH ?a {{ ?claim eg:evidence ?value }}
     GRAPH ?b {{ ?value eg:start ?from ; eg:end ?to OPTIONAL {{ ?value eg:section ?more }} }} }}
  UNION {{ BIND("note" AS ?what) GRAPH ?c {{ ?note eg:about ?claim ; skos:note ?value }} }}
  UNION {{ BIND("event" AS ?what) GRAPH ?d {{ ?claim eg:reportsEvent ?value }} }}
  UNION {{ BIND("told also" AS ?what)
     GRAPH ?e {{ ?claim eg:reportsEvent ?one }} GRAPH ?f {{ ?value eg:reportsEvent ?one }} }}
  UNION {{ BIND("speech" AS ?what) GRAPH ?h {{ ?value eg:carries ?claim }} }}
  UNION {{ BIND("citation" AS ?what) GRAPH ?i {{ ?claim eg:statedIn ?source }}
     GRAPH ?j {{ ?source dcterms:bibliographicCitation ?value OPTIONAL {{ ?source foaf:page ?more }} }} }}
}}"""
OF_TEXT = f"SELECT DISTINCT ?claim {{ GRAPH ?claims {{ ?claim <{ns.EG}statedIn> %s ; <{ns.EG}gist> ?gist }} }}"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a claim says, with its values."""

    heading: str
    parts: list[Part]


def is_claim(store: ReleaseStore, node: NamedNode) -> bool:
    """Tell whether something is a claim of a text."""
    return node.value.startswith(f"{ns.ID}claim/") and any(
        True for _ in store.engine.quads_for_pattern(node, ns.EG("statedIn"), None, None)
    )


def page(service: Service, node: NamedNode, formats: list[Format]) -> str:
    """Write the page of a claim."""
    store, names = service.store, service.names_of_things
    source = min(ns.value(quad.object) for quad in store.engine.quads_for_pattern(node, ns.EG("statedIn"), None, None))
    beside: dict[str, list[dict[str, str]]] = {}
    for row in rows(store, OwnQuery(BESIDE % node)):
        beside.setdefault(row["what"], []).append(row)
    gist, said = _said(store, names, node, source)
    name = node.value.removeprefix(ns.ID)
    before, after = _neighbours(store, node, source)
    return render_template(
        "claim.html",
        name=name,
        iri=node.value,
        names=names,
        gist=gist,
        said=said,
        source=source,
        citations=beside.get("citation", []),
        passages=sorted(beside.get("passage", []), key=lambda row: int(row["from"])),
        notes=sorted({row["value"] for row in beside.get("note", [])}),
        events=sorted({row["value"] for row in beside.get("event", [])}),
        others=sorted({row["value"] for row in beside.get("told also", [])} - {node.value}, key=natural),
        speeches=sorted({row["value"] for row in beside.get("speech", [])}, key=natural),
        begins=standings.begun_by(store, node.value),
        ends=standings.ended_by(store, node.value),
        differences=differences.of_claim(store, names, node.value),
        before=before,
        after=after,
        triples=address("pages.page", name=name, view="triples"),
        formats=formats,
    )


def _said(store: ReleaseStore, names: Names, node: NamedNode, source: str) -> tuple[str, list[Said]]:
    """Put what the record of a claim says in words, the most telling first."""
    found: dict[str, list[str]] = {}
    for quad in store.engine.quads_for_pattern(node, None, None, graph_of("claims", ns.local_name(source))):
        if quad.predicate.value.startswith(ns.EG):
            found.setdefault(quad.predicate.value.removeprefix(ns.EG), []).append(ns.value(quad.object))
    gist = min(found.get("gist", [names.named(node.value)]))
    terms = sorted(
        found.keys() - ELSEWHERE, key=lambda term: (FIRST.index(term) if term in FIRST else len(FIRST), term)
    )
    return gist, [
        Said(
            HEADINGS.get(term) or words.plain(term.removeprefix("says")),
            [
                _part(names, term, value)
                for value in sorted(found[term], key=lambda value: names.named(value).casefold())
            ],
        )
        for term in terms
    ]


def _part(names: Names, term: str, value: str) -> Part:
    if value.startswith(ns.BASE):
        return Part(names.named(value), iri=value)
    if term in DATES:
        return Part(words.dated(value), value=value)
    return Part({"true": "yes", "false": "no"}.get(value, value))


def _neighbours(store: ReleaseStore, node: NamedNode, source: str) -> tuple[str | None, str | None]:
    """Return the claims before and after a claim in its text."""
    listed = sorted({row["claim"] for row in rows(store, OwnQuery(OF_TEXT % NamedNode(source)))}, key=natural)
    place = listed.index(node.value) if node.value in listed else 0
    return (listed[place - 1] if place else None), (listed[place + 1] if place + 1 < len(listed) else None)
