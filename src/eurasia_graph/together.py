"""
Whether two actors possibly, but not certainly, belonged to a body together, which `shared-bodies` leaves out.

`shared-bodies.left-out` finds the claims that the answer leaves out. For most pairs there are none, and finding that
out costs more than the answer; so the memberships of a release are read once, and the query runs for other pairs only.
"""

from __future__ import annotations

from collections.abc import Mapping

from eurasia_graph.dates import NEVER
from eurasia_graph.store import ReleaseStore, Span

LENGTH_OF_A_DAY = len(NEVER)


def may_leave_out(store: ReleaseStore, terms: Mapping[str, str]) -> bool:
    """
    Return whether `shared-bodies.left-out` may find something; False means that it finds nothing.

    Args:
        store: The release.
        terms: The terms of the VALUES block, by variable.
    """
    pair = [terms[name].strip("<>") for name in ("actorA", "actorB")]
    if not store.is_local or not store.unsettled.isdisjoint(pair):
        return True
    given = [terms[name] for name in ("dateFirst", "dateLast")]
    first, last = ("", "") if given[0] == "UNDEF" else (day[1 : 1 + LENGTH_OF_A_DAY] for day in given)
    one, other = (store.spans.get(actor, []) for actor in pair)
    return any(_perhaps(mine, theirs, first, last) for mine in one for theirs in other if mine.place == theirs.place)


def _perhaps(one: Span, other: Span, first: str, last: str) -> bool:
    """Return whether the two possibly, but not certainly, were in the body together."""
    days = {*one[1:], *other[1:], *filter(None, (first, last))}
    if any(len(day) != LENGTH_OF_A_DAY or day.startswith("-") for day in days):
        return True  # days before the common era and after 9999 do not sort as strings
    end, over = min(one.end, other.end), min(one.over, other.over)
    begin, sure = max(one.begin, other.begin), max(one.sure, other.sure)
    horizon = min(one.horizon, other.horizon)
    possible = one.begin < other.end and other.begin < one.end
    certain = sure < over and sure <= horizon
    if first:
        possible = possible and begin <= last and first < end
        certain = certain and sure <= first and last < over and last <= horizon
    return possible and not certain
