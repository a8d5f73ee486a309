"""Where two claims about a thing are at odds: both sides in their words, and why."""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import NamedNode, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.store import OwnQuery, ReleaseStore
from eurasia_graph.web.claims import natural
from eurasia_graph.web.naming import Names

DIFFERENCES = f"""
PREFIX eg: <{ns.EG}> PREFIX graph: <{ns.GRAPH}> PREFIX skos: <{ns.SKOS}>
SELECT DISTINCT ?difference ?subject ?kind ?meaning ?because ?side ?claim ?source ?value ?gist {{
  GRAPH graph:differences {{ ?difference a eg:Disagreement ; eg:concerns %s }}
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
  OPTIONAL {{ GRAPH graph:schemes {{ ?kind skos:definition ?meaning }} }}
}}"""
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


@dataclass(frozen=True, slots=True)
class Difference:
    """Two claims at odds: what about, what sort of difference that is, what that means, and the curator's reason."""

    iri: str
    subject: str
    kind: str
    meaning: str | None
    because: str | None
    sides: list[Side]


def of_thing(store: ReleaseStore, names: Names, iri: str) -> list[Difference]:
    """List the disagreements that concern a thing: between texts before those within one, tensions last."""
    answer = store.query(OwnQuery(DIFFERENCES % NamedNode(iri)))
    assert isinstance(answer, QuerySolutions)
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in answer:
        value = {name.value: ns.value(term) for name, term in zip(answer.variables, row, strict=True) if term}
        found.setdefault(value["difference"], {}).setdefault(value["side"], value)
    differences = []
    for sides in found.values():
        one = next(iter(sides.values()))
        told = [_side(names, one["kind"], sides[side]) for side in sorted(sides)]
        differences.append(
            Difference(one["difference"], one["subject"], one["kind"], one.get("meaning"), one.get("because"), told)
        )
    return sorted(
        differences,
        key=lambda each: (
            each.kind.endswith("/tension"),
            len({side.source for side in each.sides}) == 1,
            names.named(each.kind),
            natural(each.sides[0].claim),
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


def _side(names: Names, kind: str, row: dict[str, str]) -> Side:
    value = row.get("value")
    if value:
        value = _said(names, kind, value)
    gist = row.get("gist")
    return Side(row["claim"], row.get("source"), None if value == gist else value, gist)
