"""Where two claims about a thing are at odds: both sides in their words, and why."""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.store import OwnQuery, ReleaseStore
from eurasia_graph.web.claims import natural, rows
from eurasia_graph.web.naming import Names

DIFFERENCES = f"""
PREFIX eg: <{ns.EG}> PREFIX graph: <{ns.GRAPH}> PREFIX skos: <{ns.SKOS}>
SELECT DISTINCT ?difference ?subject ?kind ?meaning ?because ?judge ?side ?claim ?source ?value ?gist {{
  %s GRAPH graph:differences {{ ?difference a eg:Disagreement ; eg:concerns ?about }}
  GRAPH ?told {{ ?difference eg:differenceKind ?kind ; eg:subject ?subject }}
  FILTER(?told IN (graph:differences, graph:links))
  VALUES (?side ?hasClaim ?hasSource ?hasValue) {{
    ("A" eg:claimA eg:sourceA eg:valueA) ("B" eg:claimB eg:sourceB eg:valueB)
  }}
  GRAPH ?of {{ ?difference ?hasClaim ?claim }}
  FILTER(?of IN (graph:differences, graph:links))
  OPTIONAL {{ GRAPH graph:differences {{ ?difference ?hasSource ?source }} }}
  OPTIONAL {{ GRAPH graph:differences {{ ?difference ?hasValue ?value }} }}
  OPTIONAL {{ GRAPH ?claims {{ ?claim eg:gist ?gist }} }}
  OPTIONAL {{ GRAPH graph:links {{ ?difference eg:judgedBecause ?because }} }}
  OPTIONAL {{ GRAPH graph:links {{ ?difference eg:judgedBy ?judge }} }}
  OPTIONAL {{ GRAPH graph:schemes {{ ?kind skos:definition ?meaning }} }}
}}"""
CONCERNS = OwnQuery(f"""
PREFIX eg: <{ns.EG}> PREFIX graph: <{ns.GRAPH}>
SELECT DISTINCT ?difference ?about {{
  GRAPH graph:differences {{ ?difference a eg:Disagreement ; eg:concerns ?about }}
}}""")
EVIDENCE = f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?claim ?passage {{ VALUES ?claim {{ %s }} GRAPH ?claims {{ ?claim eg:evidence ?passage }} }}"""
# The values of these kinds are dates; of others texts, names and numbers.
OF_PARTICIPANTS = f"{ns.SCHEME}difference/participants"
OF_ENTRANTS = f"{ns.SCHEME}difference/founder-or-entrant"
OF_DATES = frozenset(f"{ns.SCHEME}difference/{name}" for name in ("date", "order"))


@dataclass(frozen=True, slots=True)
class Side:
    """What one of two claims says: its value, if it comes to one, and its gist."""

    claim: str
    source: str | None
    value: str | None
    gist: str | None
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Two claims at odds: what about, what sort of difference that is, what that means, who judged so, and why."""

    iri: str
    subject: str
    kind: str
    meaning: str | None
    because: str | None
    judge: str | None
    sides: list[Side]


def of_thing(store: ReleaseStore, names: Names, iri: str) -> list[Difference]:
    """List the disagreements that concern a thing: between texts before those within one, tensions last."""
    return _asked(store, names, f"VALUES ?about {{ {NamedNode(iri)} }}")


def of_claim(store: ReleaseStore, names: Names, iri: str) -> list[Difference]:
    """List the disagreements in which a claim is one side."""
    node = NamedNode(iri)
    sides = f"{{ ?difference eg:claimA {node} }} UNION {{ ?difference eg:claimB {node} }}"
    return _asked(store, names, f"GRAPH ?either {{ {sides} }}")


def of_all(store: ReleaseStore, names: Names) -> dict[str, list[Difference]]:
    """Group all disagreements by what they are about, each once: bodies before others, those with most first."""
    everything = {each.iri: each for each in _asked(store, names, "")}
    about: dict[str, list[str]] = {}
    for thing, difference in sorted((row["about"], row["difference"]) for row in rows(store, CONCERNS)):
        about.setdefault(thing, []).append(difference)
    ranked = sorted(
        about, key=lambda iri: (not iri.startswith(f"{ns.ID}body/"), -len(about[iri]), names.named(iri).casefold())
    )
    found: dict[str, list[Difference]] = {}
    for iri in ranked:
        mine = [each for each in everything.values() if each.iri in about[iri]]
        if mine:
            found[iri] = mine
            everything = {key: each for key, each in everything.items() if each not in mine}
    return found


def _asked(store: ReleaseStore, names: Names, about: str) -> list[Difference]:
    """Ask for disagreements, of what the restriction allows."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows(store, OwnQuery(DIFFERENCES % about)):
        found.setdefault(row["difference"], {}).setdefault(row["side"], row)
    evidence: dict[str, set[str]] = {}
    wanted = sorted({f"<{row['claim']}>" for sides in found.values() for row in sides.values()})
    if wanted:
        for row in rows(store, OwnQuery(EVIDENCE % " ".join(wanted))):
            evidence.setdefault(row["claim"], set()).add(row["passage"])
    differences = []
    for sides in found.values():
        one = next(iter(sides.values()))
        told = [
            _side(names, one["kind"], sides[side], sorted(evidence.get(sides[side]["claim"], ()), key=natural))
            for side in sorted(sides)
        ]
        differences.append(
            Difference(
                iri=one["difference"],
                subject=one["subject"],
                kind=one["kind"],
                meaning=one.get("meaning"),
                because=one.get("because"),
                judge=one.get("judge"),
                sides=told,
            )
        )
    return sorted(
        differences,
        key=lambda each: (
            each.kind.endswith("/tension"),
            len({side.source for side in each.sides}) == 1,
            names.named(each.kind),
            natural(each.sides[0].claim),
            each.iri,
        ),
    )


def _said(names: Names, kind: str, value: str) -> str:
    """Put the value of a side in words: codes of states by their names, dates as people write them."""
    if kind in OF_DATES:
        return words.dated(value)
    parts = value.split(" ")
    if kind == OF_PARTICIPANTS:
        return ", ".join(_of_code(names, part) for part in parts)
    if kind == OF_ENTRANTS:
        return ", ".join(words.dated(part) for part in parts)
    return ", ".join(map(names.named, parts)) if value.startswith(ns.BASE) else value


def _of_code(names: Names, code: str) -> str:
    known = (names.labels.get(f"{ns.ID}{kind}/{code}") for kind in ("state", "body", "person"))
    return next((label for label in known if label), code)


def _side(names: Names, kind: str, row: dict[str, str], passages: list[str]) -> Side:
    value = row.get("value")
    if value:
        value = _said(names, kind, value)
    gist = row.get("gist")
    return Side(row["claim"], row.get("source"), None if value == gist else value, gist, tuple(passages))
