"""EDTF strings become days, and what is no date says so."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from edtf import parse_edtf
from hypothesis import given
from hypothesis import strategies as st

from conftest import TESTS
from eurasia_graph.dates import Bounds, DateError, bounds, day_range

CASES = tomllib.loads((TESTS / "cases" / "dates.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("edtf", CASES["good"])
def test_a_date_covers_its_days(edtf: str) -> None:
    """First and last day are those of the calendar; a doubt widens nothing."""
    first, last, *doubt = CASES["good"][edtf]

    assert bounds(edtf) == Bounds(date.fromisoformat(first), date.fromisoformat(last), bool(doubt))


@pytest.mark.parametrize("edtf", CASES["bad"])
def test_what_is_no_date_is_refused_with_a_way_out(edtf: str) -> None:
    """The message repeats what was seen and says what to write."""
    with pytest.raises(DateError) as caught:
        bounds(edtf)

    assert CASES["bad"][edtf] in str(caught.value)
    assert repr(edtf) in str(caught.value)


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)), st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"]))
def test_plain_dates_have_the_bounds_of_the_edtf_library(day: date, precision: str) -> None:
    """The short cut for years, months and days gives what the library gives."""
    text = day.strftime(precision)
    parsed = parse_edtf(text)
    wanted = [date(*moment[:3]) for moment in (parsed.lower_strict(), parsed.upper_strict())]

    assert [bounds(text).earliest, bounds(text).latest] == wanted
    assert list(day_range(text)) == wanted
