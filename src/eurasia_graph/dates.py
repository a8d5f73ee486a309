"""
EDTF strings and the days they stand for: the one place that knows calendars.

A text says `1993`; a query compares days. `bounds` turns the first into the second.

Source: EDTF levels 0 and 1, https://www.loc.gov/standards/datetime/, and of level 2
only `[first..last]` in full days.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from time import struct_time
from typing import Any

from eurasia_graph.errors import EurasiaGraphError

# ASCII digits alone: \d would take those of other scripts as well.
YEAR_MONTH_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
PLAIN = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-\d{2})?)?", re.ASCII)
ONE_OF_DAYS = re.compile(r"\[\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}\]", re.ASCII)
EXAMPLES = "write 2001, 2001-06, 2001-06-14, 1993~, 2002/.. or [2001-06-14..2001-07-31]"
SIMPLE_KINDS = {"Date", "UncertainOrApproximate", "Unspecified", "Season"}
INTERVAL_KINDS = {"Interval", "Level1Interval"}


class DateError(EurasiaGraphError):
    """A string is no date that the project reads."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    The first and the last day on which something dated may have happened.

    `doubtful` is true where the date carries `~`, `?` or `%`; that never widens the bounds.
    """

    earliest: date
    latest: date
    doubtful: bool = False


@lru_cache(maxsize=4096)
def bounds(edtf: str) -> Bounds:
    """
    Give the days that an EDTF string covers.

    `X/..` means that something lasted from X on, so its bounds are those of X: it is X
    that says when it began.

    Args:
        edtf: Such as `1992`, `1992-05-15`, `1993~`, `2007-22`, `1993-08/1993-09`,
            `2002/..` or `[2011-12-01..2012-05-31]`.
    Raises:
        DateError: If the string is no such date; says what was seen and what to write.
    """
    if PLAIN.fullmatch(edtf):
        # The library needs milliseconds for a date; a test compares the two on these.
        return Bounds(*day_range(edtf))
    # Here and not above: the library takes longer to import than a query to answer.
    from edtf import EDTFParseException, parse_edtf

    try:
        parsed: Any = parse_edtf(edtf)
    except EDTFParseException:
        raise DateError(f"{edtf!r} is no EDTF date; {EXAMPLES}") from None
    kind = type(parsed).__name__
    if kind in INTERVAL_KINDS:
        return _interval_bounds(edtf)
    if kind not in SIMPLE_KINDS and not ONE_OF_DAYS.fullmatch(edtf):
        raise DateError(f"{edtf!r} is EDTF beyond level 1 or has a time of day; {EXAMPLES}")
    first, last = parsed.lower_strict(), parsed.upper_strict()
    if first.tm_year < 1:
        raise DateError(f"{edtf!r} has no first day in the common era; {EXAMPLES}")
    doubtful = any(sign in edtf for sign in "~?%")
    return _ordered(edtf, Bounds(_as_date(first), _as_date(last), doubtful))


def day_range(text: str) -> tuple[date, date]:
    """
    Give the first and last day of `2001`, `2001-06` or `2001-06-14`.

    Raises:
        DateError: If the text is none of the three.
    """
    match = YEAR_MONTH_DAY.fullmatch(text)
    if match is None:
        raise DateError(f"{text!r} is no date; write 2001, 2001-06 or 2001-06-14")
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        first = date(year, month or 1, day or 1)
    except ValueError as error:
        raise DateError(f"{text!r} is no date ({error}); write 2001, 2001-06 or 2001-06-14") from None
    if day is not None:
        return first, first
    last_month = month or 12
    return first, date(year, last_month, calendar.monthrange(year, last_month)[1])


def _interval_bounds(edtf: str) -> Bounds:
    begin, _, end = edtf.partition("/")
    if begin in {"", ".."}:
        raise DateError(f"{edtf!r} has no first day; write [first..last] in full days")
    if end == "":
        raise DateError(f"{edtf!r} has an unknown end; write {begin}/.. if it lasted on")
    first = bounds(begin)
    last = first if end == ".." else bounds(end)
    return _ordered(edtf, Bounds(first.earliest, last.latest, first.doubtful or last.doubtful))


def _ordered(edtf: str, found: Bounds) -> Bounds:
    if found.latest < found.earliest:
        raise DateError(f"{edtf!r} ends before it begins; put the earlier date first")
    return found


def _as_date(moment: struct_time) -> date:
    return date(moment.tm_year, moment.tm_mon, moment.tm_mday)
