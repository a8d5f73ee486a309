"""
Whether two actors only perhaps belonged to a body together: what `shared-bodies` leaves out, known before it is asked.

The query beside `shared-bodies` says which claims it leaves out. Of most pairs that is none, and finding none costs
more than the answer; so the memberships of a release are read once, and the query is asked of the other pairs alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from eurasia_graph.dates import NEVER
from eurasia_graph.store import ReleaseStore, Span

LENGTH_OF_A_DAY = len(NEVER)


def may_leave_out(store: ReleaseStore, terms: Mapping[str, str]) -> bool:
    """
    Tell whether the query beside `shared-bodies` may find something; where it says no, it finds nothing.

    Args:
        store: The release.
        terms: Of the VALUES block, by variable.
    """
    pair = [terms[name].strip("<>") for name in ("actorA", "actorB")]
    if not store.is_local or not store.unsettled.isdisjoint(pair):
        return True
    given = [terms[name] for name in ("dateFirst", "dateLast")]
    first, last = ("", "") if given[0] == "UNDEF" else (day[1 : 1 + LENGTH_OF_A_DAY] for day in given)
    one, other = (store.spans.get(actor, []) for actor in pair)
    return any(_perhaps(mine, theirs, first, last) for mine in one for theirs in other if mine.place == theirs.place)


def _perhaps(one: Span, other: Span, first: str, last: str) -> bool:
    """Tell whether the two perhaps met, and not surely."""
    days = {*one[1:], *other[1:], *filter(None, (first, last))}
    if any(len(day) != LENGTH_OF_A_DAY or day.startswith("-") for day in days):
        return True  # days before our era and after 9999 are not in the order of their letters
    end, over = min(one.end, other.end), min(one.over, other.over)
    begin, sure = max(one.begin, other.begin), max(one.sure, other.sure)
    horizon = min(one.horizon, other.horizon)
    possible = one.begin < other.end and other.begin < one.end
    certain = sure < over and sure <= horizon
    if first:
        possible = possible and begin <= last and first < end
        certain = certain and sure <= first and last < over and last <= horizon
    return possible and not certain
