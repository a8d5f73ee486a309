"""Who belonged to what, as a page needs it: every standing with its days, and what it is on a day, month or year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pyoxigraph import NamedNode, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.dates import day_range
from eurasia_graph.store import OwnQuery, ReleaseStore
from eurasia_graph.web.naming import Names

OUTSIDE = f"{ns.SCHEME}status/outside"
# These make a circle; others stand beside it.
INSIDE = frozenset(f"{ns.SCHEME}status/{name}" for name in ("member", "associate", "signatory"))
CERTAIN, PART, POSSIBLE = "certain", "part", "possible"
ORDER = (CERTAIN, PART, POSSIBLE)
STANDINGS = f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?membership ?holder ?body ?source ?status ?claim ?from ?to
  ?earliest ?end ?sure ?over ?heldFrom ?heldTo ?latest {{
  GRAPH ?graph {{
    ?membership %s %s ; eg:holder ?holder ; eg:inBody ?body ; eg:accordingTo ?source ; eg:status ?status ;
      eg:leadClaim ?claim ; eg:from ?from ; eg:fromEarliest ?earliest .
    OPTIONAL {{ ?membership eg:to ?to }}
    OPTIONAL {{ ?membership eg:toLatest ?end }}
    OPTIONAL {{ ?membership eg:certainFrom ?sure }}
    OPTIONAL {{ ?membership eg:certainUntil ?over }}
    OPTIONAL {{ ?membership eg:surelyHeldFrom ?heldFrom }}
    OPTIONAL {{ ?membership eg:surelyHeldTo ?heldTo }}
  }}
  GRAPH ?bounds {{ ?claim eg:latest ?latest }}
}} ORDER BY ?source ?earliest ?holder ?body ?status ?membership"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One standing of one holder in one body, as one text tells it.

    `begin` is the first day on which it may have begun, `end` the first on which it was surely over (None where no end
    is told); from `sure` until the day before `over` it is certain. `held` is a span in which it was surely held at
    some time. `latest` is the last day on which the claim that tells of it may date it.
    """

    membership: str
    holder: str
    body: str
    source: str
    status: str
    claim: str
    told_from: str
    told_to: str | None
    begin: date
    end: date | None
    sure: date | None
    over: date | None
    held: tuple[date, date] | None
    latest: date

    def during(self, first: date, last: date) -> str | None:
        """Say whether it was certain, certain for a part, or possible from one day to another; None if it was not."""
        if self.begin > last or (self.end is not None and first >= self.end):
            return None
        if self.sure and self.over and self.sure <= first and last < self.over:
            return CERTAIN
        overlaps = self.sure and self.over and self.sure <= last and first < self.over
        within = self.held and first <= self.held[0] and self.held[1] <= last
        return PART if overlaps or within else POSSIBLE

    @property
    def is_inside(self) -> bool:
        """Whether it makes its holder one of the circle, as a member does and an observer does not."""
        return self.status in INSIDE

    @property
    def look(self) -> str:
        """The class of its marks."""
        return "outside" if self.status == OUTSIDE else "" if self.is_inside else "other"

    def words(self) -> str:
        """Say from when to when it is told, in words."""
        begin = f"from {words.dated(self.told_from)}" if not self.told_from.endswith("/..") else ""
        if not begin:
            return words.dated(self.told_from)
        if begin.startswith("from from"):
            begin = begin.removeprefix("from ")
        begin = begin.replace("from by", "by").replace("from between", "from some day between")
        return f"{begin}, until {words.dated(self.told_to)}" if self.told_to else begin


@dataclass(frozen=True, slots=True)
class Told:
    """What a text tells of one holder and body at the time asked about; the claim is the one to look at."""

    standing: Standing
    certainty: str


def of_body(store: ReleaseStore, body: str) -> list[Standing]:
    """List the standings in a body, by text and day."""
    return _asked(store, "eg:inBody", body)


def of_holder(store: ReleaseStore, holder: str) -> list[Standing]:
    """List the standings of a state or another holder, by text and day."""
    return _asked(store, "eg:holder", holder)


def begun_by(store: ReleaseStore, claim: str) -> list[Standing]:
    """List the standings that a claim begins."""
    return _asked(store, "eg:begunBy", claim)


def ended_by(store: ReleaseStore, claim: str) -> list[Standing]:
    """List the standings that a claim ends."""
    return _asked(store, "eg:endedBy", claim)


def _asked(store: ReleaseStore, term: str, iri: str) -> list[Standing]:
    answer = store.query(OwnQuery(STANDINGS % (term, NamedNode(iri))))
    assert isinstance(answer, QuerySolutions)
    found: dict[str, Standing] = {}
    for row in answer:
        value = {name.value: ns.value(term) for name, term in zip(answer.variables, row, strict=True) if term}
        day = {name: date.fromisoformat(value[name]) for name in DAYS if name in value}
        one = Standing(
            membership=value["membership"],
            holder=value["holder"],
            body=value["body"],
            source=value["source"],
            status=value["status"],
            claim=value["claim"],
            told_from=value["from"],
            told_to=value.get("to"),
            begin=day["earliest"],
            end=day.get("end"),
            sure=day.get("sure"),
            over=day.get("over"),
            held=(day["heldFrom"], day["heldTo"]) if "heldFrom" in day and "heldTo" in day else None,
            latest=day["latest"],
        )
        found.setdefault(one.membership, one)
    return list(found.values())


DAYS = ("earliest", "end", "sure", "over", "heldFrom", "heldTo", "latest")


def told(standings: Iterable[Standing], first: date, last: date) -> list[Told]:
    """
    Say what holds at a time: of each holder, body, text and status once, by the surest and then earliest claim.

    Args:
        standings: All that are told.
        first: The first day of the time asked about.
        last: Its last day.
    """
    best: dict[tuple[str, str, str, str], Told] = {}
    for each in standings:
        certainty = each.during(first, last)
        if certainty is None:
            continue
        key = (each.holder, each.body, each.source, each.status)
        known = best.get(key)
        if known is None or _rank(Told(each, certainty)) < _rank(known):
            best[key] = Told(each, certainty)
    return list(best.values())


def _rank(each: Told) -> tuple[int, date, str, str]:
    return ORDER.index(each.certainty), each.standing.latest, each.standing.claim, each.standing.told_from


def best_day(standings: Sequence[Standing], horizons: dict[str, str]) -> date | None:
    """
    Choose a day to show first: the last of which all texts that tell of it can know, and on which there were members.

    Args:
        standings: All that are told.
        horizons: The last day of which each text can know (ISO 8601).
    """
    ends = [date.fromisoformat(horizons[each.source]) for each in standings if each.source in horizons]
    sure = [each for each in standings if each.sure and each.over and each.status != OUTSIDE]
    if not ends:
        return None
    day = min(ends)
    if not sure or any(each.during(day, day) == CERTAIN for each in sure):
        return day
    # Over before that: its last certain day. Begun later: the first.
    over = [date.fromordinal(each.over.toordinal() - 1) for each in sure if each.over]
    before = [each for each in over if each <= day]
    return max(before) if before else min(each.sure for each in sure if each.sure)


def in_words(names: Names, each: Told, time: str) -> str:
    """Say a standing in words: `member`, `observer, possibly`, `member, for part of 1993`."""
    status = names.named(each.standing.status)
    if each.standing.status == OUTSIDE:
        status = "was outside"
    if each.certainty == POSSIBLE:
        return f"{status}, possibly"
    return f"{status}, for part of {time}" if each.certainty == PART else status


def days_of(asked: str) -> tuple[date, date]:
    """
    Give the first and last day of what is asked about.

    Raises:
        DateError: If it is not a year, month or day.
    """
    return day_range(asked)
