"""
Put the label of a thing after the column that names it: one table for every face of the canned queries.

The labels are asked for by `queries/beside/labels.rq`, and the columns that have one are listed in the header
`labels` of a query, so that another program can do the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results

from eurasia_graph import namespaces as ns
from eurasia_graph.store import ReleaseStore

SUFFIX = "Label"
# What separates the things of one cell, and their labels.
BETWEEN_THINGS = " "
BETWEEN_LABELS = "; "


def with_labels(columns: Sequence[str], named: Iterable[str]) -> tuple[str, ...]:
    """
    List the columns of an answer, each that names a thing followed by its label.

    Args:
        columns: Of the query itself.
        named: Those of them that get a label.
    """
    wanted = set(named)
    return tuple(name for column in columns for name in ([column, column + SUFFIX] if column in wanted else [column]))


def described(answer: str, named: Iterable[str]) -> str:
    """Add the labels to the words that say what the columns of a query hold: `?body IRI; ?bodyLabel text`."""
    wanted = set(named)
    parts = re.split(r"; (?=\?)", answer)
    return "; ".join(
        word
        for part in parts
        for name in [part.partition(" ")[0].removeprefix("?")]
        for word in ([part, f"?{name}{SUFFIX} text"] if name in wanted else [part])
    )


def labelled(
    store: ReleaseStore, answer: QuerySolutions, columns: Sequence[str], named: Iterable[str]
) -> QuerySolutions:
    """
    Add the labels to an answer, which stays one that the engine can write in any format.

    Args:
        store: Whose labels they are.
        answer: What the query found; it is read to its end.
        columns: As `with_labels` lists them.
        named: The columns that get a label.
    """
    table = store.labels
    read = json.loads(answer.serialize(format=QueryResultsFormat.JSON) or b"")
    for row in read["results"]["bindings"]:
        for column in named:
            label = _label(table, row.get(column))
            if label is not None:
                row[column + SUFFIX] = {"type": "literal", "value": label}
    read["head"]["vars"] = list(columns)
    found = parse_query_results(json.dumps(read).encode(), format=QueryResultsFormat.JSON)
    assert isinstance(found, QuerySolutions)
    return found


def _label(table: dict[str, str], cell: dict[str, Any] | None) -> str | None:
    if cell is None:
        return None
    return BETWEEN_LABELS.join(table.get(iri) or ns.shorten(iri) for iri in cell["value"].split(BETWEEN_THINGS))
