"""
The errors that callers can catch; one `except` for the base class catches them all.

EurasiaGraphError
├── UsageError            the call is wrong: a name, an option or a parameter
│   ├── UnknownNameError  a name that does not exist; `nearest` lists what does
│   └── AmbiguousNameError  a name of several things; `choices` lists them
├── SourceError           a file cannot be read; `path`, `line` and `column` say where
├── InvalidDataError      the data breaks a rule; `report` lists the findings
├── QueryError            a SPARQL query is refused or cannot be parsed
└── StoreError            a release cannot be kept or loaded
    └── RemoteError       another store cannot be reached, refuses or fails
        └── AnswerTooLargeError  it sends more than is read

Every text has three parts: what happened, what was seen, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Report(Protocol):
    """The part of a report that an error needs; `eurasia_graph.build.findings.Report` is one."""

    @property
    def findings(self) -> Any:
        """What was found, in the order of the files."""

    def text(self) -> str:
        """Write one finding a line."""


class EurasiaGraphError(Exception):
    """Base of all errors that eurasia-graph raises on purpose."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to give instead of what was given: what to type, what it is called and what kind of thing it is."""

    value: str
    label: str
    kind: str = ""

    def text(self) -> str:
        """Write it for people: `concept:eurasia (Eurasia)`."""
        return self.value if self.label.casefold() == self.value.casefold() else f"{self.value} ({self.label})"


class UsageError(EurasiaGraphError):
    """
    The call itself is wrong; the data and the query may be fine.

    `parameter` is the one that is at fault, where that is known; `choices` are what can be given instead.
    """

    parameter: str | None = None
    choices: Sequence[Choice] = ()


class UnknownNameError(UsageError):
    """A name was given that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, is_closed: bool = False) -> None:
        """
        Say which name is unknown and which known names are nearest, or all of them if these are few and fixed.

        Args:
            kind: What the name should have been, such as `body` or `query`.
            name: The name as it was given.
            known: All names that would have been right.
            is_closed: Whether these are all that there can ever be, so that all are listed.
        """
        self.kind = kind
        self.name = name
        listed = list(known)
        self.nearest = nearest(name, listed)
        self.choices = [Choice(each, each) for each in (listed if is_closed else self.nearest)]
        hint = f"; nearest: {', '.join(self.nearest)}" if self.nearest else ""
        if is_closed:
            hint = f"{hint}; it is one of {', '.join(listed)}"
        super().__init__(f"no {kind} {name!r}{hint}")


class AmbiguousNameError(UsageError):
    """A name stands for several things."""

    def __init__(self, name: str, choices: Sequence[Choice]) -> None:
        """
        Ask which of the things is meant.

        Args:
            name: The name as it was given.
            choices: What to give instead, each of which stands for one of the things.
        """
        self.name = name
        self.choices = choices
        listed = " or ".join(each.text() for each in choices)
        super().__init__(f"{name!r} stands for {len(choices)} things; give {listed}")


class SourceError(EurasiaGraphError):
    """A file cannot be read; `path`, `line` and `column` say where (both from 1)."""

    def __init__(self, path: Path, line: int, column: int, problem: str) -> None:
        """
        Put the location first, as compilers do, so that editors can jump to it.

        Args:
            path: The file.
            line: Line, counted from 1.
            column: Column in code points, counted from 1.
            problem: What was seen, what was expected and what to do.
        """
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{path}:{line}:{column}: error: {problem}")


class InvalidDataError(EurasiaGraphError):
    """The data breaks at least one rule; nothing was built."""

    def __init__(self, report: Report) -> None:
        """Carry the report, so that a caller can show it in the format of its choice."""
        self.report = report
        super().__init__(report.text())


class QueryError(EurasiaGraphError):
    """
    A SPARQL query is refused, cannot be parsed or has no answer within its limits.

    `status` is the appropriate HTTP status, `details` has what programs may need besides the text, such
    as `line` and `column`.
    """

    def __init__(self, message: str, status: int = 400, details: Mapping[str, object] | None = None) -> None:
        """Store the status with the reason, since only the code that refuses knows it."""
        self.status = status
        self.details = dict(details or {})
        super().__init__(message)


class StoreError(EurasiaGraphError):
    """A release cannot be written, kept or loaded."""


class RemoteError(StoreError):
    """Another store does not answer properly; `status` is the appropriate HTTP status, 502 or 504."""

    def __init__(self, message: str, status: int = 502, passing: bool = False, answered: int | None = None) -> None:
        """
        Store what is needed for answering or retrying.

        Args:
            message: Which store, what was seen, what to do; never with credentials.
            status: 504 where the store took too long, else 502.
            passing: Whether a retry may help.
            answered: The status that the store gave, or None where it gave none.
        """
        self.answered = answered
        self.status = status
        self.passing = passing
        super().__init__(message)


class AnswerTooLargeError(RemoteError):
    """Another store sends a longer answer than is read."""


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """
    Find the known names that are most similar to a name, best first, ignoring case.

    Args:
        name: The name as it was given.
        known: All names that would have been right.
        limit: The maximum number to return.
    """
    by_fold = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=limit, cutoff=0.5)
    return [by_fold[each] for each in close]
