"""
The definition of who has which standing on a day, told day by day and without a query.

It is written from the rules in docs/encoding.md alone, on sets of days, so that the derivation, which
works on bounds, can be compared with it. Slow and plain is what it is meant to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)
# Nothing in the test happens before or after; a day of the calendar stands for "at any time before".
DAWN, DUSK = date(1990, 1, 1), date(1997, 12, 31)

Days = frozenset[date]


def days(first: str, last: str) -> Days:
    """All days from one to another, both included."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return frozenset(begin + step * DAY for step in range((end - begin).days + 1))


@dataclass(frozen=True)
class When:
    """
    What an EDTF string says, read by hand.

    `began` holds the days on which it can have happened or begun; `whole` all days it speaks of; `ended`, for
    an interval, the days that can be its last; `stated` is the D of `[..D]`, which says only what holds then.
    """

    began: Days
    whole: Days
    ended: Days = frozenset()
    stated: date | None = None
    doubtful: bool = False


def moment(first: str, last: str, *, doubtful: bool = False) -> When:
    """Something dated to some day of a span."""
    return When(days(first, last), days(first, last), doubtful=doubtful)


def interval(a: tuple[str, str], b: tuple[str, str], *, doubtful: bool = False) -> When:
    """From some day of A to some day of B; it does not end before it begins."""
    ended = frozenset(day for day in days(*b) if day.isoformat() >= a[0])
    return When(days(*a), days(a[0], b[1]), ended, doubtful=doubtful)


def by(last: str) -> When:
    """Without a first day, stated for a last one."""
    span = days(DAWN.isoformat(), last)
    return When(span, span, stated=date.fromisoformat(last))


DATES = {
    "1992": moment("1992-01-01", "1992-12-31"),
    "1993": moment("1993-01-01", "1993-12-31"),
    "1993-06": moment("1993-06-01", "1993-06-30"),
    "1993-06-15": moment("1993-06-15", "1993-06-15"),
    "1993-24": moment("1992-12-01", "1994-02-28"),
    "1994~": moment("1994-01-01", "1994-12-31", doubtful=True),
    "1994": moment("1994-01-01", "1994-12-31"),
    "1995-01": moment("1995-01-01", "1995-01-31"),
    "1995?": moment("1995-01-01", "1995-12-31", doubtful=True),
    "1995/..": moment("1995-01-01", "1995-12-31"),
    "[1993-03-01..1995-02-10]": moment("1993-03-01", "1995-02-10"),
    "1993/1995": interval(("1993-01-01", "1993-12-31"), ("1995-01-01", "1995-12-31")),
    "1992-05-05/1993-06-14": interval(("1992-05-05", "1992-05-05"), ("1993-06-14", "1993-06-14")),
    "1993-06/1994-01": interval(("1993-06-01", "1993-06-30"), ("1994-01-01", "1994-01-31")),
    "1994/1994": interval(("1994-01-01", "1994-12-31"), ("1994-01-01", "1994-12-31")),
    "1993-06/1993": interval(("1993-06-01", "1993-06-30"), ("1993-01-01", "1993-12-31")),
    "1992/1994~": interval(("1992-01-01", "1992-12-31"), ("1994-01-01", "1994-12-31"), doubtful=True),
    "[..1993-06-15]": by("1993-06-15"),
    "[..1995-01-20]": by("1995-01-20"),
}
# The kinds that tell how long something lasted; an interval of any other is the days that an event took.
LASTING = {"StatusHolding", "StatusGrant", "MembershipChange"}


@dataclass(frozen=True)
class Claim:
    """One claim of the source, as it is drawn."""

    kind: str
    when: str
    actors: tuple[str, ...]
    body: str
    status: str | None = None
    old: str | None = None
    new: str | None = None
    complete: bool | None = None
    modality: str = "asserted"
    event: str | None = None

    @property
    def date(self) -> When:
        """What its date says."""
        return DATES[self.when]

    @property
    def counts(self) -> bool:
        """Whether the text asserts it."""
        return self.modality == "asserted"

    @property
    def sure(self) -> bool:
        """Whether it can make something certain."""
        return self.counts and not self.date.doubtful and self.kind != "FoundationBegun"

    @property
    def gives(self) -> str | None:
        """The status it gives: what leaves is outside, whether or not it says so."""
        return "outside" if self.kind == "Withdrawal" else self.status

    @property
    def happened(self) -> Days:
        """The days on which what it tells can have happened or begun."""
        return self.date.began if self.kind in LASTING else self.date.whole

    @property
    def states(self) -> bool:
        """Whether it tells only of what holds on a day."""
        return self.gives is not None and self.date.stated is not None

    def could_mean(self, actor: str | None) -> bool:
        """Whether it names the actor, nobody, or not all; None stands for whoever it is."""
        return actor is None or actor in self.actors or not self.actors or self.complete is False


@dataclass
class Standing:
    """What one claim, or several on one event together, say of one actor in one body."""

    status: str
    began: Days
    sure: bool
    stated: date | None = None
    over: Days = frozenset()  # the days that can be the first without it
    over_sure: bool = False


@dataclass
class End:
    """What ends a standing: on one of these days it is over, if it began before."""

    on: Days
    sure: bool
    status: str | None = None  # the status that begins then
    stated: date | None = None  # the day on which something else certainly holds, or the body has certainly ended
    told_by: Standing | None = None  # the standing whose last day was told


@dataclass
class World:
    """All that one source claims of one actor and one body."""

    claims: Sequence[Claim]
    actor: str
    body: str
    exists: dict[str, date] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the claims together."""
        self.standings = [*self._standings()]
        self.ends = [*self._ends()]

    def _counted(self) -> list[Claim]:
        return [claim for claim in self.claims if claim.modality in {"asserted", "hedged"}]

    def _together(self, claim: Claim, actor: str | None) -> list[Claim]:
        """The claims that date the event of a claim along with it: linked, counted, and on the actor as well."""
        if claim.event is None or not claim.counts or claim.states:
            return [claim]
        others = [each for each in self.claims if each.event == claim.event and each.counts and not each.states]
        return [each for each in others if each.could_mean(actor)]

    def _standings(self) -> Iterable[Standing]:
        done: set[tuple[str, str]] = set()
        for claim in self._counted():
            if claim.gives is None or self.actor not in claim.actors or claim.body != self.body:
                continue
            told = self._together(claim, self.actor)
            if claim.event and claim.counts and not claim.states:
                if (claim.event, claim.gives) in done:
                    continue
                done.add((claim.event, claim.gives))
            over = [
                (frozenset(day + DAY for day in each.date.ended), each.sure)
                for each in told
                if each.kind in LASTING and each.date.ended
            ]
            yield Standing(
                claim.gives,
                dated([(each.happened, each.sure) for each in told]),
                any(each.sure for each in told),
                claim.date.stated if claim.states else None,
                dated(over) if over else frozenset(),
                any(certain for _, certain in over),
            )

    def _ends(self) -> Iterable[End]:
        for each in self.standings:
            yield End(each.began if each.stated is None else self.began(each), each.sure, each.status, each.stated)
            if each.over:
                yield End(each.over, each.over_sure, told_by=each)
        for claim in self._counted():
            if self.body == claim.old or (claim.kind == "Dissolution" and claim.body == self.body):
                told = self._together(claim, None)
                on = dated([(each.happened, each.sure) for each in told])
                stated = max(on) if DAWN in on else None
                if stated:
                    on = frozenset(day for day in on if day >= min(stated, self._body_stood(stated)))
                yield End(on, any(each.sure for each in told), stated=stated)

    def _body_stood(self, stated: date) -> date:
        """The latest day, by a day, on which somebody surely had not yet taken up a standing in the body, or it began."""
        others = [each for actor in ("KZ", "UZ", "BETA") for each in World.of(self, actor).standings]
        return max([self.exists.get(self.body, DAWN), *begun_by(others, stated)])

    @staticmethod
    def of(world: World, actor: str) -> World:
        """The same body with another actor, without its ends."""
        other = World.__new__(World)
        other.claims, other.actor, other.body, other.exists = world.claims, actor, world.body, world.exists
        other.standings = [*other._standings()]
        other.ends = []
        return other

    def began(self, standing: Standing) -> Days:
        """When a standing can have begun; one that is stated for a day, not before what the text dates until then."""
        if standing.stated is None:
            return standing.began
        others = [each for each in self.standings if each is not standing]
        known = [
            self.exists.get(self.actor, DAWN),
            self.exists.get(self.body, DAWN),
            *begun_by(others, standing.stated),
        ]
        founded = [*self._founded(self.body), *self._founded(self.actor)]
        first = min(max([*known, *founded]), standing.stated)
        return frozenset(day for day in standing.began if day >= first)

    def _founded(self, name: str) -> list[date]:
        """The first day on which the text can have a body founded; an actor may be one."""
        found = [
            min(dated([(each.happened, each.sure) for each in self._together(claim, None)]))
            for claim in self.claims
            if claim.sure and (claim.new == name or (claim.kind == "Foundation" and claim.body == name))
        ]
        return [min(found)] if found else []

    def certain(self, day: date) -> set[str]:
        """Which statuses surely hold: begun for sure, and nothing that may end them can lie between."""
        return {
            each.status
            for each in self.standings
            if each.sure
            and max(self.began(each)) <= day
            and not any(self._may_end(end, each, day) for end in self.ends)
        }

    def possible(self, day: date) -> set[str]:
        """Which statuses may hold: begun perhaps, and nothing has surely ended them."""
        return {
            each.status
            for each in self.standings
            if min(self.began(each)) <= day and not any(self._has_ended(end, each, day) for end in self.ends)
        }

    def _may_end(self, end: End, standing: Standing, day: date) -> bool:
        if end.status == standing.status:
            return False
        if standing.stated:
            # Nothing that was over by the day for which it is stated ends it, and nothing ends it before the day after.
            return max(end.on) > standing.stated and day > standing.stated and min(end.on) <= day
        if end.told_by:
            return min(end.on) <= day and (end.told_by is standing or max(end.on) > min(standing.began))
        return min(end.on) <= day and max(end.on) >= min(standing.began)

    def _has_ended(self, end: End, standing: Standing, day: date) -> bool:
        if end.status == standing.status or max(end.on) > day:
            return False
        if end.told_by is standing:
            return end.sure or not standing.sure
        after = min(end.on) > max(standing.began) or (end.stated is not None and end.stated > max(standing.began))
        return end.sure and after


def dated(told: Sequence[tuple[Days, bool]]) -> Days:
    """The days that claims on one event share, doubtful ones narrowing nothing, or all from the first to the last."""
    common = frozenset.intersection(*(each for each, _ in told))
    if not common:
        # Of a date without a first day only the last is known.
        every = frozenset.union(*(each if DAWN not in each else frozenset({max(each)}) for each, _ in told))
        return days(min(every).isoformat(), max(every).isoformat())
    sure = [each for each, certain in told if certain]
    return frozenset.intersection(*sure) if sure else common


def begun_by(standings: Iterable[Standing], day: date) -> list[date]:
    """The first days of beginnings that are surely over by a day."""
    return [min(each.began) for each in standings if each.sure and not each.stated and max(each.began) <= day]
