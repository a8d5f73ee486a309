"""What a page shows of an answer: a thing and its label in one cell, dates in words, sorted, 100 rows a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.dates import DateError, bounds
from eurasia_graph.queries import CannedQuery, Cell, Rows
from eurasia_graph.web.naming import Names

ROWS_A_PAGE = 100
SUFFIX = "Label"
TYPES = re.compile(r"\?(\w+) (\w+)")
NUMBER = re.compile(r"[0-9]+")
LONGEST_NUMBER = 12
# How a column is headed, where its name alone would not say.
HEADINGS = {
    "gist": "what is said",
    "from": "from",
    "to": "until",
    "jaccard": "shared by all",
    "basis": "rests on",
    "complete": "list complete",
    "ofWhom": "of whom",
    "count": "number",
}
# What the values of a column mean, for those who read it for the first time.
LEGENDS = {
    "certainty": "Certain: throughout the time asked about, as the text tells it. Part: surely at some time of it. "
    "Possible: the text leaves open whether then, or cannot know of that time.",
    "jaccard": "Shared by all: the states that both bodies had, divided by all that either had.",
    "score": "Score: 3 for the whole name, 2 for its beginning, 1 for a part of it.",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing or value of a cell: what is shown, the IRI that it stands for, and the value where words replace it."""

    text: str
    iri: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a page: its name in the answer, its heading, and the value of `sort` behind the heading."""

    name: str
    heading: str
    sort: str
    direction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One page of an answer; `first` and `last` are the numbers of its rows, from 1."""

    columns: list[Column]
    rows: list[list[list[Part]]]
    total: int
    page: int
    pages: int
    legends: list[str]

    @property
    def first(self) -> int:
        """The number of the first row of the page."""
        return (self.page - 1) * ROWS_A_PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last row of the page."""
        return self.first + len(self.rows) - 1


def table(canned: CannedQuery, rows: Rows, names: Names, sort: str = "", page: str = "") -> Table:
    """
    Make a page of an answer.

    Args:
        canned: The query; its header says which columns hold dates.
        rows: The whole answer.
        names: What things are called.
        sort: A column, with a `-` in front for the other way round; the order of the query if empty or unknown.
        page: The number of the page, from 1; what is no page is the nearest that is one.
    """
    types = dict(TYPES.findall(canned.answer))
    shown = [name for name in rows.columns if not (name.endswith(SUFFIX) and name[: -len(SUFFIX)] in rows.columns)]
    ordered = _sorted(rows, shown, sort, types, names)
    pages = max(1, -(-len(ordered) // ROWS_A_PAGE))
    number = min(max(int(page), 1), pages) if re.fullmatch(r"[0-9]{1,6}", page) else 1
    start = (number - 1) * ROWS_A_PAGE
    return Table(
        columns=[_column(name, sort) for name in shown],
        rows=[
            [list(_parts(row, name, types, names)) for name in shown] for row in ordered[start : start + ROWS_A_PAGE]
        ],
        total=len(rows),
        page=number,
        pages=pages,
        legends=[text for name, text in LEGENDS.items() if name in shown],
    )


def _column(name: str, sort: str) -> Column:
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort)
    return Column(name, HEADINGS.get(name) or words.plain(name), f"-{name}" if sort == name else name, direction)


def _sorted(
    rows: Rows, shown: Sequence[str], sort: str, types: Mapping[str, str], names: Names
) -> list[dict[str, Cell]]:
    """Sort rows by what people see of a column, dates by their first day; blanks last, either way."""
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    if name not in shown:
        return list(rows)
    filled = [row for row in rows if row[name] is not None]
    blank = [row for row in rows if row[name] is None]

    def key(row: dict[str, Cell]) -> tuple[int, float, str]:
        value = row[name]
        if isinstance(value, (int, float)):
            return 0, float(value), ""
        if types.get(name) == "EDTF":
            return 0, _day(str(value)), str(value)
        said = " ".join(part.text for part in _parts(row, name, types, names)).casefold()
        return 1, 0.0, NUMBER.sub(lambda found: found[0].zfill(LONGEST_NUMBER), said)

    return sorted(filled, key=key, reverse=is_reversed) + blank


def _day(edtf: str) -> float:
    """Give the first day of a date as a number; of one that has none, the last."""
    try:
        found = bounds(edtf)
    except DateError:
        return 0.0
    return float((found.earliest or found.latest).toordinal())


def _parts(row: Mapping[str, Cell], name: str, types: Mapping[str, str], names: Names) -> Iterator[Part]:
    """Say what a cell shows."""
    value = row.get(name)
    if value is None:
        return
    if isinstance(value, bool):
        yield Part("yes" if value else "no")
    elif isinstance(value, (int, float)):
        yield Part(f"{int(value) if float(value).is_integer() else value}")
    elif types.get(name) == "EDTF":
        yield Part(words.dated(value), value=value)
    elif value.startswith(("http://", "https://")):
        iris = value.split(" ")
        label = row.get(name + SUFFIX)
        for iri in iris:
            is_given = len(iris) == 1 and label is not None
            yield Part(str(label) if is_given else names.named(iri), iri=iri)
    else:
        yield Part({**words.CERTAINTY, **words.BASIS}.get(value, value) if name in {"certainty", "basis"} else value)


def is_ours(iri: str) -> bool:
    """Tell whether a page of this service is about an IRI."""
    return iri.startswith(ns.BASE)
