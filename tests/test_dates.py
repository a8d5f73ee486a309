"""EDTF strings become days, and what is not a date says so."""

from __future__ import annotations

import calendar
import re
import tomllib
from datetime import date, timedelta

import pytest
from edtf import parse_edtf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import CHECKOUT, TESTS
from eurasia_graph.dates import NEVER, Bounds, DateError, bounds, day_range

CASES = tomllib.loads((TESTS / "cases" / "dates.toml").read_text(encoding="utf-8"))
# Anything at all, and what is nearly a date.
STRINGS = st.one_of(
    st.text(),
    st.text("0123456789X?~%/.[]{}-,SYET: \n", max_size=24),
    st.lists(
        st.sampled_from(
            [
                "1999",
                "2001-06",
                "2001-02-29",
                "2004-02-29",
                "0000",
                "9999",
                "2010-24",
                "-24",
                "-24~",
                "199X",
                "XX",
                "-",
                "/",
                "..",
                "[",
                "]",
                "?",
                "~",
                "/..",
                "../",
                "[..",
                "E7",
                "S2",
                "Y",
                "{",
                "}",
                ",",
                "٣",
                "\u2003",
            ]
        ),
        max_size=5,
    ).map("".join),
)


@pytest.mark.parametrize("edtf", CASES["good"])
def test_a_date_covers_its_days(edtf: str) -> None:
    """First and last day are those of the calendar; a doubt widens nothing."""
    first, last, *doubt = CASES["good"][edtf]
    found = bounds(edtf)

    assert (found.earliest, found.latest) == (None if first == "open" else date.fromisoformat(first), _day(last))
    assert found.doubtful == bool(doubt)


def _day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize("edtf", CASES["bad"])
def test_what_is_not_a_date_is_refused_with_a_way_out(edtf: str) -> None:
    """The message repeats what was seen and says what to write."""
    with pytest.raises(DateError) as caught:
        bounds(edtf)

    assert CASES["bad"][edtf] in str(caught.value)
    assert repr(edtf) in str(caught.value)


def test_an_interval_keeps_the_days_of_its_ends_apart() -> None:
    """What lasted from A to B began by the last day of A and did not end before the first day of B."""
    found = bounds("1998-03/2003")

    assert found == Bounds(_day("1998-03-01"), _day("2003-12-31"), False, _day("1998-03-31"), _day("2003-01-01"))
    assert bounds("1998-03/..") == Bounds(_day("1998-03-01"), _day("1998-03-31"))


def test_a_long_string_is_not_repeated_in_full() -> None:
    """A message is for one line, whatever was written."""
    with pytest.raises(DateError) as caught:
        bounds("1" * 100_000)

    assert len(str(caught.value)) < 300


@settings(deadline=None)
@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)), st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"]))
def test_plain_dates_have_the_bounds_of_the_edtf_library(day: date, precision: str) -> None:
    """Years, months and days are those that the library gives."""
    text = day.strftime(precision)
    parsed = parse_edtf(text)
    wanted = [date(*moment[:3]) for moment in (parsed.lower_strict(), parsed.upper_strict())]

    assert [bounds(text).earliest, bounds(text).latest] == wanted
    assert list(day_range(text)) == wanted


def days_that_match(edtf: str) -> list[date]:
    """List every day that a simple string stands for, by looking at each day of its years and their neighbours."""
    pattern = edtf.rstrip("?~%")
    years = [year for year in range(1890, 2110) if _fits(pattern[:4], f"{year:04}")]
    first = date(years[0] - 1, 1, 1)
    days = (first + timedelta(days=step) for step in range((years[-1] - years[0] + 3) * 366))
    season = {"21": "spring", "22": "summer", "23": "autumn", "24": "winter"}.get(pattern[5:])
    if season is None:
        return [day for day in days if _fits(pattern, str(day)[: len(pattern)])]
    months = {"spring": "March April May", "summer": "June July August", "autumn": "September October November"}
    if season != "winter":
        return [day for day in days if day.year == years[0] and calendar.month_name[day.month] in months[season]]
    # January and February of a year belong to the winter that began in the year before.
    begun = {day: day.year if day.month == 12 else day.year - 1 for day in days if day.month in {12, 1, 2}}
    return [day for day in begun if years[0] in {begun[day], begun[day] + 1}]


def _fits(pattern: str, text: str) -> bool:
    return len(pattern) == len(text) and all(a in {b, "X"} for a, b in zip(pattern, text, strict=True))


SIMPLE = st.one_of(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(str),
    st.builds("{}-{:02}".format, st.integers(1900, 2099), st.integers(1, 12)),
    st.builds("{}-{}".format, st.integers(1901, 2098), st.integers(21, 24)),
    st.integers(1900, 2099).map(str),
    st.sampled_from(["19XX", "20XX", "199X", "200X", "2004-XX", "2003-02-XX", "2004-02-XX", "1999-XX-XX"]),
)


@settings(max_examples=60, deadline=None)
@given(SIMPLE, st.sampled_from(["", "?", "~", "%"]))
@example("2011-24", "")
@example("2004-02-XX", "~")
def test_bounds_hold_every_day_that_a_string_can_mean(simple: str, doubt: str) -> None:
    """Looked up day by day in the calendar."""
    found = bounds(simple + doubt)
    days = days_that_match(simple)

    assert (found.earliest, found.latest) == (min(days), max(days))


@settings(max_examples=300)
@given(STRINGS)
def test_any_string_is_read_or_refused(text: str) -> None:
    """No string brings up another error; what is read has its days in order."""
    try:
        found = bounds(text)
    except DateError as error:
        reason = str(error)
        found = Bounds(None, date.max)
    else:
        reason = "; write "
    assert "; write " in reason or "; put the earlier date first" in reason
    assert found.earliest is None or found.earliest <= found.latest


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A library that prints on odd input would do so into an answer."""
    for text in [*CASES["bad"], *CASES["good"]]:
        try:
            bounds.__wrapped__(text)
        except DateError:
            continue

    assert capsys.readouterr() == ("", "")


def test_the_day_that_means_no_end_is_written_in_one_place() -> None:
    """Rules and queries get it from the data, modules from `dates`."""
    folders = (CHECKOUT / name for name in ("src", "ontology", "queries"))
    files = (file for folder in folders for file in folder.rglob("*") if file.suffix in {".py", ".rq", ".ttl", ".html"})
    text = {file.name: file.read_text(encoding="utf-8") for file in files}

    assert NEVER == "9999-12-31"
    assert [name for name, each in text.items() if NEVER in each or re.search(r"date\.max\b(?!\.year)", each)] == [
        "dates.py"
    ]
