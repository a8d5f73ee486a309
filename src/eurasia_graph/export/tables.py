"""
The release as tidy tables: one row per thing, one column per property.

Each table is a query in `queries/tables/`, which runs unchanged in any SPARQL 1.1 engine. Its headers say
what its columns contain, which of them are the key and which refer to other tables. `state-years` is the panel
that students of organisations know from the Correlates of War project: who was in what in which year.

Rows are sorted on disk, which also drops duplicates. So the queries are REDUCED: for DISTINCT, the engine would keep
the whole answer in memory.

Source: https://correlatesofwar.org/data-sets/igos/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from pyoxigraph import Literal, NamedNode, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UsageError
from eurasia_graph.export.sorting import sort
from eurasia_graph.paths import root
from eurasia_graph.queries import cell, headers
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle.writer import natural_key

COLUMN = re.compile(r"(\w+) (\w+) (required|optional) (?:eg:(\w+))? ?(.*)")
GENERATED = "Generated: "
DECIMAL = NamedNode(ns.XSD + "decimal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One column of a table.

    `datatype` is that of CSV on the Web. What the column holds is said by the definition of `term` in the
    ontology, if there is one, and by `note`.
    """

    name: str
    datatype: str
    required: bool
    term: NamedNode | None
    note: str

    def meaning(self, store: ReleaseStore) -> str:
        """Describe the column; if the data have no ontology, by the IRI of its term."""
        if self.term is None:
            return self.note
        found = next(store.local.quads_for_pattern(self.term, ns.SKOS("definition"), None, ns.GRAPH("ontology")), None)
        definition = ns.value(found.object).removeprefix(GENERATED) if found else f"<{self.term.value}>"
        return f"{definition[0].upper()}{definition[1:]} {self.note}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """
    One table: its query and what the headers say of it.

    `key` are the columns that tell its rows apart, `order` those that sort them, `references` the columns whose
    values are looked up in another table, with its name. A table that `is_spread` has a row for each year of
    each row of its query.
    """

    name: str
    summary: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]
    references: tuple[tuple[str, str], ...]
    is_spread: bool
    text: str

    @property
    def head(self) -> list[str]:
        """The names of its columns."""
        return [column.name for column in self.columns]


def load() -> dict[str, Table]:
    """Read the tables, by name, in their order in the zip."""
    return dict(_load(root() / "queries" / "tables"))


@lru_cache(maxsize=2)
def _load(folder: Path) -> tuple[tuple[str, Table], ...]:
    texts = {path: path.read_text(encoding="utf-8") for path in folder.glob("*.rq")}
    in_order = sorted(texts, key=lambda path: int(headers(texts[path])["position"][0]))
    return tuple((path.stem, _read(path, texts[path])) for path in in_order)


def _read(path: Path, text: str) -> Table:
    header = headers(text)
    key = tuple(header["key"][0].split())
    return Table(
        name=path.stem,
        summary=header["summary"][0],
        columns=tuple(_column(path, line) for line in header["column"]),
        key=key,
        order=tuple(header["order"][0].split()) if "order" in header else key,
        references=tuple(_reference(line) for line in header.get("reference", [])),
        is_spread="spread" in header,
        text=text,
    )


def _column(path: Path, line: str) -> Column:
    match = COLUMN.fullmatch(line)
    if match is None:
        raise UsageError(
            f"{path}: cannot read the column {line!r}; write: name datatype required|optional, then eg:term or text"
        )
    name, datatype, need, term, note = match.groups()
    return Column(
        name=name, datatype=datatype, required=need == "required", term=ns.EG(term) if term else None, note=note
    )


def _reference(line: str) -> tuple[str, str]:
    column, table = line.split()
    return column, table


# --- the rows ------------------------------------------------------------------------------


def rows(store: ReleaseStore, table: Table) -> Iterator[list[str]]:
    """Return the rows of a table in their order, each once."""
    found = _asked(store, table)
    if table.is_spread:
        found = (row for membership in found for row in years(membership))
    return _sorted(([row[name] for name in table.head] for row in found), table)


def _asked(store: ReleaseStore, table: Table) -> Iterator[dict[str, str]]:
    answer = store.query(table.text)
    assert isinstance(answer, QuerySolutions)
    names = [variable.value for variable in answer.variables]
    return (dict(zip(names, map(_cell, row), strict=True)) for row in answer)


def _cell(term: object) -> str:
    if isinstance(term, Literal):
        # A whole number is written without the zero behind the point that a decimal has.
        is_whole = term.datatype == DECIMAL and term.value.endswith(".0")
        return term.value.removesuffix(".0") if is_whole else term.value
    value = cell(term)
    return "" if value is None else str(value)


def _sorted(rows: Iterable[Sequence[str]], table: Table) -> Iterator[list[str]]:
    """Sort rows by the columns of the order, then by the others."""
    columns = {column.name: (place, column) for place, column in enumerate(table.columns)}
    keys = [
        (place, natural_key if column.datatype == "integer" else str)
        for place, column in map(columns.__getitem__, table.order)
    ]
    lines = (json.dumps([*(key(row[place]) for place, key in keys), *row]).encode() + b"\n" for row in rows)
    return (json.loads(line)[len(keys) :] for line in sort(lines))


def years(membership: dict[str, str]) -> Iterator[dict[str, str]]:
    """Spread a membership over the years in which it can have been, up to its horizon, with the certainty."""
    first = int(membership["fromEarliest"][:4])
    ends = (int(day[:4]) for day in (membership["toLatest"], membership["horizon"]) if day)
    for year in range(first, min(ends, default=date.max.year) + 1):
        certainty = _certainty(membership, f"{year:04}-01-01", f"{year:04}-12-31")
        if certainty:
            yield {
                **membership,
                "year": str(year),
                "certainty": certainty,
                "complete": _completeness(membership, f"{year:04}-12-31"),
            }


def _completeness(one: dict[str, str], last: str) -> str:
    """Say whether the lists that had begun by a day name all; days of ISO 8601 sort as texts."""
    if one["openFrom"] and one["openFrom"] <= last:
        return "false"
    return "true" if one["completeFrom"] and one["completeFrom"] <= last else ""


def _certainty(one: dict[str, str], first: str, last: str) -> str:
    """Return how certain a membership is in a span of days; days of ISO 8601 sort as texts."""
    if one["certainFrom"]:
        if one["certainFrom"] <= first and last < one["certainUntil"]:
            return "certain"
        if one["certainFrom"] <= last and first < one["certainUntil"]:
            return "part"
    if one["heldFrom"] and first <= one["heldFrom"] and one["heldTo"] <= last:
        return "part"
    is_possible = one["fromEarliest"] <= last and (not one["toLatest"] or first < one["toLatest"])
    return "possible" if is_possible else ""
