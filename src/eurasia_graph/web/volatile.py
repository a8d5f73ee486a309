"""Recognise a query whose answer may differ each time, so that it is not cached."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql.tokens import Token, readings, tokens

# STRUUID ends as UUID does.
FUNCTIONS = ("RAND", "NOW", "UUID", "BNODE")
# Functions called by IRI that are known to be deterministic: the casts of SPARQL.
# fmt: off
CASTS = {
    "boolean", "date", "dateTime", "dayTimeDuration", "decimal", "double", "duration", "float", "integer", "string",
    "time", "yearMonthDuration",
}
# fmt: on


def is_changing(query: str) -> bool:
    """
    Return whether a query may call a non-deterministic function, however it is written.

    Engines accept words that run together (`FILTERRAND()`), comments between them, and escapes. A function of another
    namespace may do anything. In doubt, the answer is yes.
    """
    try:
        return any(_calls(tokens(text)) for text in readings(query))
    except QueryError:
        return True


def _calls(found: Iterator[Token]) -> bool:
    for token, following in pairwise(found):
        if following.text != "(":
            continue
        if token.kind == "word":
            if unicodedata.normalize("NFKC", token.text).upper().endswith(FUNCTIONS):
                return True
        elif token.kind in {"name", "iri"} and _local(token.text) not in CASTS:
            return True
    return False


def _local(name: str) -> str:
    return name.rstrip(">").replace("#", ":").rpartition(":")[2]
