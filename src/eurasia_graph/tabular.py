"""Rows for people and for spreadsheets: what a table shows of a cell, and how CSV is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from eurasia_graph import formats
from eurasia_graph import namespaces as ns
from eurasia_graph.labels import BETWEEN_LABELS, BETWEEN_THINGS, SUFFIX
from eurasia_graph.queries import Cell, Rows
from eurasia_graph.store import kebab

# What a spreadsheet takes for a formula at the beginning of a cell, and what keeps it from doing so.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
QUOTED = "'"


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a cell: its IRI, or none of a value, and the text for people."""

    iri: str | None
    text: str


def headings(columns: Sequence[str]) -> list[str]:
    """List the columns that people see: a thing and its label are one."""
    known = set(columns)
    return [name for name in columns if not (name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in known)]


def cells(columns: Sequence[str], row: Mapping[str, Cell]) -> Iterator[list[Thing]]:
    """Return what each of the `headings` shows of a row: `Kazakhstan (KZ)` for a thing that has a label."""
    for name in headings(columns):
        yield list(_things(row.get(name), row.get(name + SUFFIX)))


def _things(value: Cell, label: Cell) -> Iterator[Thing]:
    if value is None:
        return
    text = written(value)
    if not text.startswith("http"):
        yield Thing(None, text)
        return
    iris = text.split(BETWEEN_THINGS)
    labels = str(label).split(BETWEEN_LABELS) if label is not None else []
    # A label that has the separator in it cannot be told apart from two.
    of_each = labels if len(labels) == len(iris) else [str(label or "")] if len(iris) == 1 else [""] * len(iris)
    for iri, of_it in zip(iris, of_each, strict=True):
        short = ns.shorten(iri)
        plain = kebab(short.rpartition(":")[2]).replace("-", " ")
        yield Thing(iri, f"{of_it} ({short})" if of_it and of_it.casefold() != plain.casefold() else of_it or short)


def line(things: Iterable[Thing]) -> str:
    """Write a cell in one line."""
    return BETWEEN_LABELS.join(each.text for each in things)


def written(value: Cell) -> str:
    """Write a value: true and false, and numbers without a zero that says nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:  # noqa: PLR2004  (a float holds no more digits)
        return str(int(value))
    return str(value)


def separated(rows: Rows, delimiter: str, end: str, *, no_formulas: bool = False) -> str:
    """
    Write rows as CSV or TSV.

    Args:
        rows: With their columns, which are the first line.
        delimiter: A comma or a tab.
        end: What ends a line.
        no_formulas: Whether a text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    write = _safe if no_formulas else written
    return formats.separated(rows.columns, ([write(value) for value in row.values()] for row in rows), delimiter, end)


def _safe(value: Cell) -> str:
    text = written(value)
    return QUOTED + text if isinstance(value, str) and text.startswith(FORMULAS) else text
