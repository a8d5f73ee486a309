"""
EDTF strings and the days that they stand for: the only module that deals with calendars.

A text says `1993`; a query compares days. `bounds` turns the first into the second.

The grammar is given here in full, so that a string is either read or refused with a reason: the EDTF
library reads more than the rules allow (decades for `1950S2`, December alone for a winter) and fails
on days that are not in the calendar. A test compares the two where they should agree.

Source: EDTF levels 0 and 1, https://www.loc.gov/standards/datetime/, and of level 2
only `[first..last]` and `[..last]` in full days.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from eurasia_graph.errors import EurasiaGraphError

# ASCII digits only: \d would match those of other scripts as well.
YEAR_MONTH_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
SIMPLE = re.compile(r"([0-9]{4}|[0-9]{3}X|[0-9]{2}XX)(?:-([0-9]{2}|XX)(?:-([0-9]{2}|XX))?)?([?~%]?)")
ONE_OF_DAYS = re.compile(r"\[([0-9]{4}-[0-9]{2}-[0-9]{2})?\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})\]")
OTHER_YEARS = re.compile(r"Y?-?[0-9]+(?:-[0-9]{2}){0,2}[?~%]?")
TIME_OF_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*", re.DOTALL)
EXAMPLES = "write 2001, 2001-06, 2001-06-14, 1993~, 2002/.., 1999/2005 or [2001-06-14..2001-07-31]"
# The first and last month of each season in the northern hemisphere.
SEASONS = {"21": (3, 5), "22": (6, 8), "23": (9, 11), "24": (12, 2)}
LONGEST_SHOWN = 60
# The last day of the calendar means "no end", since days are compared; NEVER is how it is written in data and queries.
LAST_DAY = date.max
NEVER = LAST_DAY.isoformat()


class DateError(EurasiaGraphError):
    """A string is not a date that the project reads."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    The first and the last day of something dated.

    `earliest` is None for `[..last]`, which names no first day. `doubtful` is true where the date
    carries `~`, `?` or `%`; that never widens the bounds. Of an interval `A/B`, `begun` is the last
    day of A and `held` the first day of B: what lasted from some day of A to some day of B had
    certainly begun by the one and certainly not ended before the other.
    """

    earliest: date | None
    latest: date
    doubtful: bool = False
    begun: date | None = None
    held: date | None = None


@lru_cache(maxsize=4096)
def bounds(edtf: str) -> Bounds:
    """
    Return the days that an EDTF string covers.

    `X/..` means that something lasted from X on, so its bounds are those of X: it is X
    that says when it began.

    Args:
        edtf: Such as `1992`, `1992-05-15`, `1993~`, `2007-22`, `1993-08/1993-09`,
            `2002/..`, `[2011-12-01..2012-05-31]` or `[..2016-03-11]`.
    Raises:
        DateError: If the string is not such a date; says what was seen and what to write.
    """
    days = ONE_OF_DAYS.fullmatch(edtf)
    if days:
        first = _days(edtf, days[1], EXAMPLES)[0] if days[1] else None
        return _ordered(edtf, Bounds(first, _days(edtf, days[2], EXAMPLES)[1]))
    begin, slash, end = edtf.partition("/")
    return _interval(edtf, begin, end) if slash else _simple(edtf, edtf)


def day_range(text: str) -> tuple[date, date]:
    """
    Return the first and last day of `2001`, `2001-06` or `2001-06-14`.

    Raises:
        DateError: If the text is none of the three.
    """
    return _days(text, text, "write 2001, 2001-06 or 2001-06-14")


def _days(whole: str, part: str, advice: str) -> tuple[date, date]:
    match = YEAR_MONTH_DAY.fullmatch(part)
    if match is None:
        raise DateError(f"{_shown(whole)} is not a date; {advice}")
    year, month, day = (None if piece is None else int(piece) for piece in match.groups())
    assert year is not None
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError as error:
        raise DateError(f"{_shown(whole)} is not a date ({error}); {advice}") from None
    return (first, first) if day is not None else (first, _end_of_month(year, month or 12))


def _simple(whole: str, part: str) -> Bounds:
    """Read a year, month, day or season, possibly with unspecified digits at its end or a qualifier."""
    match = SIMPLE.fullmatch(part)
    if match is None:
        raise DateError(_why_not(whole, part))
    year, month, day, doubt = match.groups()
    # Level 1 leaves digits open from the right only: no month in an open year, no day in an open month; and none
    # at an end of an interval.
    open_end = "X" in part
    if open_end and (part != whole or ("X" in year and month) or (month == "XX" and day not in {None, "XX"})):
        raise DateError(_why_not(whole, part))
    if month in SEASONS and day is None:
        first, last = _season(whole, int(year), month)
    elif "X" in year:
        first, last = (_days(whole, year.replace("X", digit), EXAMPLES)[end] for end, digit in enumerate("09"))
    else:
        first, last = _days(whole, "-".join(piece for piece in (year, month, day) if piece and piece != "XX"), EXAMPLES)
    return Bounds(first, last, doubtful=bool(doubt))


def _season(whole: str, year: int, season: str) -> tuple[date, date]:
    """Return all days that a season may mean: winter may be the one in which the year begins or ends."""
    begin, end = SEASONS[season]
    if not date.min.year < year < date.max.year:
        raise DateError(f"{_shown(whole)} is a season outside the years 2 to 9998; {EXAMPLES}")
    return date(year - 1 if begin > end else year, begin, 1), _end_of_month(year + 1 if begin > end else year, end)


def _end_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _interval(edtf: str, begin: str, end: str) -> Bounds:
    if begin in {"", ".."}:
        raise DateError(
            f"{_shown(edtf)} has no first day; write [first..last] in full days, "
            "or [..last] for a status that is stated for that last day"
        )
    first = _simple(edtf, begin)
    if end == "":
        raise DateError(f"{_shown(edtf)} has an unknown end; write {begin}/.. if it continued")
    if end == "..":
        return first
    last = _simple(edtf, end)
    doubtful = first.doubtful or last.doubtful
    return _ordered(edtf, Bounds(first.earliest, last.latest, doubtful, begun=first.latest, held=last.earliest))


def _ordered(edtf: str, found: Bounds) -> Bounds:
    if found.earliest and found.latest < found.earliest:
        raise DateError(f"{_shown(edtf)} ends before it begins; put the earlier date first")
    return found


def _why_not(whole: str, part: str) -> str:
    """Return why a string is refused and what to write instead."""
    shown = _shown(whole)
    if TIME_OF_DAY.fullmatch(part):
        return f"{shown} has a time of day; {EXAMPLES}"
    if part.startswith(("Y", "-")) and OTHER_YEARS.fullmatch(part):
        return f"{shown} has a year outside 1 to 9999; {EXAMPLES}"
    if part.strip() != part:
        return f"{shown} has a space at its beginning or end; {EXAMPLES}"
    return f"{shown} is not an EDTF date of level 0 or 1, nor [first..last] in full days; {EXAMPLES}"


def _shown(text: str) -> str:
    """Quote what was seen, shortened to fit on one line."""
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
