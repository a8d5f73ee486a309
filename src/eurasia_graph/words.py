"""
What people read in place of codes: dates, kinds and standings in words.

A date of a text is EDTF, a date that is asked about is a year, a month or a day; each has its own words, since
"1993" of a text means some day of that year and "1993" of a question the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from eurasia_graph import namespaces as ns
from eurasia_graph.dates import DateError, bounds, day_range

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SEASONS = {"21": "spring", "22": "summer", "23": "autumn", "24": "winter"}
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DOUBTS = {"~": "about ", "?": "perhaps ", "%": "perhaps about ", "": ""}
# Names of more than one word that have one of these take an article.
COMMON_NOUNS = frozenset(
    (
        *(
            "Act",
            "Agreement",
            "Charter",
            "Communique",
            "Concept",
            "Convention",
            "Declaration",
            "Emirates",
            "Federation",
        ),
        *(
            "Islands",
            "Kingdom",
            "Memorandum",
            "Netherlands",
            "Philippines",
            "Plan",
            "Programme",
            "Protocol",
            "Republic",
        ),
        *("States", "Statement", "Strategy", "Treaty", "Union"),
    )
)
# Acronyms that are spoken as words take none.
SPOKEN_AS_WORDS = frozenset(
    (*("ASEAN", "BRICS", "CAREC", "CICA", "GUAM", "GUUAM", "NATO", "OPEC", "SPECA", "UNESCO", "UNICEF"),)
)
# What has a number and no label, by the kind of its IRI.
NUMBERED = {"claim": "claim", "passage": "sentence"}
CERTAINTY = {"certain": "certain", "part": "part of that time", "possible": "possible"}
BASIS = {
    "stated": "stated for that day",
    "until a told end": "until an end that is told",
    "not told to have ended": "not told to have ended",
}


def dated(edtf: str) -> str:
    """
    Say an EDTF date of a text in words; what is not one is returned as it is.

    Args:
        edtf: Such as `1993`, `1993~`, `2002/..` or `[2005-01-01..2016-03-11]`.
    """
    try:
        bounds(edtf)
    except DateError:
        return edtf
    if edtf.startswith("["):
        first, _, last = edtf.strip("[]").partition("..")
        return f"between {_from(first, last)} and {_until(last, first)}" if first else f"by {_precisely(last)}"
    begin, slash, end = edtf.partition("/")
    if not slash:
        return _vague(edtf)
    if end == "..":
        return f"from {_precisely(begin)}, not told to have ended"
    return f"from {_precisely(begin)} to {_precisely(end)}"


def asked(date: str) -> str:
    """Say when a question is about: `in 1995`, `in June 1995`, `on 5 July 2005`; what is no date as it is."""
    try:
        day_range(date)
    except DateError:
        return date
    return f"{'on' if DAY.fullmatch(date) else 'in'} {_precisely(date)}"


def day(date: str) -> str:
    """Say a year, month or day without a preposition: `5 July 2005`."""
    try:
        day_range(date)
    except DateError:
        return date
    return _precisely(date)


def _vague(edtf: str) -> str:
    """Say one date: some day in a longer time, or the day itself."""
    plain = edtf.rstrip("~?%")
    doubt = DOUBTS[edtf[len(plain) :]]
    said = _precisely(plain)
    if doubt or DAY.fullmatch(plain):
        return f"{doubt}{said}"
    return f"some day {said}" if said.startswith("between") else f"some day in {said}"


def _precisely(edtf: str) -> str:
    """Say a year, month, day, season, decade or century, with the doubt about it."""
    plain = edtf.rstrip("~?%")
    year, month, of_month = [*plain.split("-"), "", ""][:3]
    doubt = DOUBTS[edtf[len(plain) :]]
    if year.endswith("XX"):
        return f"{doubt}between {int(year[:2]) * 100} and {int(year[:2]) * 100 + 99}"
    if year.endswith("X"):
        return f"{doubt}the {int(year[:3])}0s"
    if month in SEASONS:
        return f"{doubt}{SEASONS[month]} {int(year)}"
    parts = [
        str(int(of_month)) if of_month not in {"", "XX"} else "",
        MONTHS[int(month) - 1] if month not in {"", "XX"} else "",
        str(int(year)),
    ]
    return doubt + " ".join(part for part in parts if part)


def _from(first: str, last: str) -> str:
    """Say the first day of a span; the first of a year is the year, of a month the month, unless the last is in it."""
    for whole, end in ((first[:4], "-01-01"), (first[:7], "-01")):
        if first.endswith(end) and not last.startswith(whole):
            return _precisely(whole)
    return _precisely(first)


def _until(last: str, first: str) -> str:
    """Say the last day of a span; the last of a year is the year, of a month the month, unless the first is in it."""
    for whole in (last[:4], last[:7]):
        if str(day_range(whole)[1]) == last and not first.startswith(whole):
            return _precisely(whole)
    return _precisely(last)


# --- things --------------------------------------------------------------------------------


def named(labels: Mapping[str, str], iri: str) -> str:
    """
    Say what something is called.

    Args:
        labels: The labels of the release, by IRI.
        iri: Of a thing, a concept or a class; without a label its name is put in words, such as `claim 53`.
    """
    found = labels.get(iri)
    if found:
        return found
    if not iri.startswith((ns.ID, ns.EG, ns.SCHEME)):
        return ns.shorten(iri)
    kind, _, local = iri.removeprefix(ns.ID).partition("/")
    if kind in NUMBERED and "/" in local:
        return f"{NUMBERED[kind]} {local.rpartition('/')[2]}"
    return plain(ns.local_name(iri))


def plain(name: str) -> str:
    """Put the name of a class, a column or a concept in words: `attributed to`, `treaty act`."""
    said = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("-", " ").replace("_", " ").lower()
    # The one and the other of two: `value A`.
    return re.sub(r" ([ab])$", lambda found: f" {found[1].upper()}", said)


def called(name: str, labels: list[str], label: str) -> str:
    """
    Say how a body is called in a sentence: `the CSTO`, or `the Almaty Group`.

    Args:
        name: The last part of its IRI.
        labels: All its names.
        label: The preferred one.
    """
    if name in labels:
        return name if name in SPOKEN_AS_WORDS else f"the {name}"
    return f"the {label.removeprefix('The ').removeprefix('the ')}"


def with_article(label: str) -> str:
    """Put `the` in front of a name that takes it: `the Soviet Union`, `the Charter of the CSTO`, but `Kazakhstan`."""
    parts = label.split()
    takes = len(parts) > 1 and not COMMON_NOUNS.isdisjoint(parts)
    return f"the {label}" if takes and parts[0] not in {"The", "the"} else label


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 row`, `1,200 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
