"""The claims about a thing as a page lists them: what each says, of what kind, when, and what it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from pyoxigraph import NamedNode, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph.dates import LAST_DAY
from eurasia_graph.store import OwnQuery, ReleaseStore

ASSERTED = f"{ns.SCHEME}modality/asserted"
OF_EVENTS = frozenset(f"says{name}" for name in ("Body", "OldBody", "NewBody", "Organ", "Actor"))
ABOUT = f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?claim ?says ?source ?gist ?kind ?date ?modality ?earliest ?latest ?counted {{
  GRAPH ?claims {{ ?claim ?says %s ; eg:statedIn ?source ; eg:gist ?gist }}
  OPTIONAL {{ GRAPH ?kinds {{ ?claim eg:saysKind ?kind }} }}
  OPTIONAL {{ GRAPH ?dates {{ ?claim eg:saysDate ?date }} }}
  OPTIONAL {{ GRAPH ?modalities {{ ?claim eg:modality ?modality }} }}
  OPTIONAL {{ GRAPH ?days {{ ?claim eg:latest ?latest OPTIONAL {{ ?claim eg:earliest ?earliest }} }} }}
  OPTIONAL {{ GRAPH ?countedIn {{ ?claim a eg:CountedClaim }} BIND(true AS ?counted) }}
}}"""
NAMED = f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?claim ?names ?thing {{
  GRAPH ?claims {{ ?claim ?says %s ; eg:statedIn ?source ; ?names ?thing }}
  FILTER(?names IN (eg:saysActor, eg:saysTreaty, eg:saysPurpose, eg:saysPlace, eg:saysOldBody, eg:saysNewBody,
    eg:saysBody, eg:saysOrgan, eg:attributedTo, eg:saysSpeaker, eg:saysHolder, eg:saysAssessment))
}}"""


@dataclass(slots=True, kw_only=True)
class Claim:
    """
    A claim about a thing.

    `says` are the roles that the thing has in it (`saysBody`), `named` the things that it names by theirs; `counted`
    tells whether what it reports counts as told by the text, and is not only denied, planned or hedged.
    """

    iri: str
    source: str
    gist: str
    kind: str | None
    dated: str | None
    modality: str
    first: date | None
    counted: bool
    says: set[str] = field(default_factory=set)
    named: dict[str, list[str]] = field(default_factory=dict)

    @property
    def number(self) -> tuple[str, int, str]:
        """Its place among the claims of all texts."""
        return natural(self.iri)


def natural(iri: str) -> tuple[str, int, str]:
    """Sort claims of one source by their numbers."""
    source, _, number = iri.rpartition("/")
    digits = re.match(r"[0-9]+", number)
    return source, int(digits[0]) if digits else 0, number


def about(store: ReleaseStore, iri: str) -> list[Claim]:
    """List the claims about a thing, in the order of their texts."""
    node = NamedNode(iri)
    found: dict[str, Claim] = {}
    for row in rows(store, OwnQuery(ABOUT % node)):
        claim = found.setdefault(
            row["claim"],
            Claim(
                iri=row["claim"],
                source=row["source"],
                gist=row["gist"],
                kind=row.get("kind"),
                dated=row.get("date"),
                modality=row.get("modality", ASSERTED),
                first=_day(row.get("earliest") or row.get("latest")),
                counted="counted" in row,
            ),
        )
        claim.says.add(row["says"].removeprefix(ns.EG))
    for row in rows(store, OwnQuery(NAMED % node)):
        if row["claim"] in found:
            things = found[row["claim"]].named.setdefault(row["names"].removeprefix(ns.EG), [])
            if row["thing"] not in things:
                things.append(row["thing"])
    for claim in found.values():
        for things in claim.named.values():
            things.sort()
    return sorted(found.values(), key=lambda claim: claim.number)


def events(claims: Iterable[Claim]) -> list[Claim]:
    """List those that tell of events in which the thing had a part, oldest first, undated ones last."""
    told = [claim for claim in claims if claim.kind and claim.counted and claim.says & OF_EVENTS]
    return sorted(told, key=lambda each: (each.first is None, each.first or LAST_DAY, each.dated or "", each.number))


def naming(claims: Iterable[Claim], role: str) -> dict[str, list[Claim]]:
    """Group claims by what they name in a role, such as `saysTreaty`; by IRI, in the order of their first claims."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        for thing in claim.named.get(role, []):
            found.setdefault(thing, []).append(claim)
    return found


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def rows(store: ReleaseStore, query: OwnQuery) -> Iterator[dict[str, str]]:
    """Ask a query of ours; returns its rows with what is bound, as texts."""
    answer = store.query(query)
    assert isinstance(answer, QuerySolutions)
    for row in answer:
        yield {name.value: ns.value(term) for name, term in zip(answer.variables, row, strict=True) if term is not None}
