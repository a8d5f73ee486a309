"""
The notes of an answer: what a reader should know about it; this is the only module that words them.

A note must be true of its answer: "no text reports …" is said only if no claim does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Self

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import Choice

# How many claims a note names before it only counts them.
MOST_NAMED = 5
# Why a claim is not in a row, or in a row that does not show all of it: singular and plural.
LEFT_OUT = {
    "denied": ("claim that is denied", "claims that are denied"),
    "reported": ("claim that is only reported", "claims that are only reported"),
    "hedged": ("claim that is hedged", "claims that are hedged"),
    "planned": ("claim of what is only planned", "claims of what is only planned"),
    "no date": ("claim without a date", "claims without a date"),
    "no status": ("claim of a joining that gives no status", "claims of joinings that give no status"),
    "no actor": ("claim that names no actor", "claims that name no actor"),
    "no body": ("claim that names no body", "claims that name no body"),
    "no organ": ("claim that names no organ", "claims that name no organ"),
    "no speech": (
        "claim that attributes a view without reporting a speech",
        "claims that attribute views without reporting a speech",
    ),
    "not certain": (
        "claim of a status that is not certain for the time asked about",
        "claims of statuses that are not certain for the time asked about",
    ),
    "perhaps together": (
        "claim of a status that the two only possibly had at the same time",
        "claims of statuses that the two only possibly had at the same time",
    ),
    "told otherwise": (
        "claim of a status that was over or had not begun then, according to other claims of the text",
        "claims of statuses that were over or had not begun then, according to other claims of the text",
    ),
    "another kind of thing": (
        "definition of something other than a concept, body or treaty",
        "definitions of something other than a concept, body or treaty",
    ),
}
INCOMPLETE = {
    "open list": ("claim names only some of those it is about", "claims name only some of those they are about"),
    "cut short": (
        "claim gives a status that ends earlier according to other claims of the text",
        "claims give statuses that end earlier according to other claims of the text",
    ),
}
SHOWN = {
    "shown, but denied": ("claim is denied", "claims are denied"),
    "shown, but reported": ("claim is only reported", "claims are only reported"),
    "shown, but hedged": ("claim is hedged", "claims are hedged"),
    "shown, but planned": ("claim is of what is only planned", "claims are of what is only planned"),
}
KINDS = (("left out", LEFT_OUT), ("not complete", INCOMPLETE), ("not all asserted", SHOWN))
REASONS = {**LEFT_OUT, **INCOMPLETE, **SHOWN}


class Note(str):  # noqa: SLOT000  (its parts are few, and of Python attributes)
    """What a reader should know, in words; `choices` are what can be given instead, of the parameter `of`."""

    of: str | None
    choices: tuple[Choice, ...]

    def __new__(cls, text: str, of: str | None = None, choices: Sequence[Choice] = ()) -> Self:
        """Keep the choices with the words."""
        note = super().__new__(cls, text)
        note.of = of
        note.choices = tuple(choices)
        return note


# The IRI of a claim, and why it is left out, as in the answers of `queries/*.left-out.rq`.
LeftOut = list[tuple[str, str]]


def of_horizon(source: str, horizon: str, covers: str | None, asked: str, days: tuple[date, date]) -> str | None:
    """
    Say that a text cannot know about the time asked about, or not about all of it.

    Args:
        source: Its IRI.
        horizon: The last day of which it can know (ISO 8601).
        covers: What it covers up to, as it is written, where that and not its issue is the reason.
        asked: The day, month or year, as it was written.
        days: The first and the last day of that.
    """
    first, last = map(str, days)
    if horizon >= last:
        return None
    why = f"covers up to {covers}" if covers else f"was issued by {horizon}"
    part, effect = "", "what it says is only possible then"
    if horizon >= first:
        part, effect = "all of ", "nothing is certain throughout it"
    until = covers or horizon
    return f"{ns.shorten(source)} {why} and cannot know about {part}{asked}: {effect}; ask for {until} or before"


def of_left_out(found: LeftOut) -> Iterator[str]:
    """Count the claims that an answer leaves out or shows in part, by their reasons, and name the first of each."""
    by_reason: dict[str, list[str]] = {}
    for claim, why in found:
        by_reason.setdefault(why, []).append(ns.shorten(claim))
    for head, reasons in KINDS:
        parts = [_counted(words, by_reason[why]) for why, words in reasons.items() if why in by_reason]
        if parts:
            yield f"{head}: {'; '.join(parts)}"
    # A reason that only another version of a query gives.
    for why in by_reason.keys() - REASONS.keys():
        yield f"left out: {_counted((f'claim ({why})', f'claims ({why})'), by_reason[why])}"


def of_nothing(empty: str, alone: str | None, source: str | None, found: LeftOut) -> str:
    """
    Say what an answer without rows means.

    Args:
        empty: What it means if all texts were asked; after a semicolon, what to ask instead.
        alone: What it means where one text was asked, with its name to come before.
        source: The IRI of the only text that was asked.
        found: What was left out.
    """
    meaning, semicolon, advice = empty.partition(";")
    # What is said to be certainly not the case is true whatever is left out.
    if "surely" not in meaning and any(why not in INCOMPLETE for _, why in found):
        meaning = "everything that matches was left out"
    elif source and alone:
        meaning = f"{ns.shorten(source)} {alone}"
    return f"no rows: {meaning}{semicolon}{advice}"


def of_nearest(parameter: str, near: Sequence[Choice]) -> Iterator[Note]:
    """Offer the names that look most like what was not found."""
    if near:
        yield Note(f"the nearest names: {', '.join(each.text() for each in near)}", parameter, near)


def of_failure(reason: object) -> str:
    """Say that what was left out is not known."""
    return f"what was left out could not be counted: {reason}"


def _counted(words: tuple[str, str], names: Iterable[str]) -> str:
    ordered = sorted(set(names), key=_natural)
    shown = ", ".join(ordered[:MOST_NAMED])
    rest = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return f"{len(ordered)} {words[len(ordered) > 1]} ({shown}{rest})"


def _natural(name: str) -> tuple[str, int, str]:
    """Sort claims of one source by their numbers."""
    source, _, number = name.rpartition("/")
    return source, int(number) if number.isdecimal() else 0, number
