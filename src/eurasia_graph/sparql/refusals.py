"""Refuse queries that would access another address, and texts that are not queries."""

from __future__ import annotations

import unicodedata

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql.tokens import place, readings, tokens

FORBIDDEN = 403


def refuse_service(sparql: str) -> None:
    """
    Refuse a query that uses SERVICE, wherever it is and however the engine decodes escapes.

    Raises:
        QueryError: With status 403.
    """
    for number, text in enumerate(readings(sparql)):
        if "SERVICE" not in _folded(text):
            continue
        try:
            _refuse_calls(text, is_decoded=number > 0)
        except QueryError as error:
            # A text that is not SPARQL once it is decoded is none to an engine that decodes it.
            if number == 0 or error.status == FORBIDDEN:
                raise


def _refuse_calls(sparql: str, *, is_decoded: bool) -> None:
    # The engine reads without a lexer: to it, `SERVICE:x`, `SERVICESILENT<...>` and `trueSERVICE<...>` are
    # calls. So a word or the prefix of a name that contains the keyword counts as one.
    for token in tokens(sparql):
        word = token.text if token.kind == "word" else token.text.partition(":")[0] if token.kind == "name" else ""
        if "SERVICE" in _folded(word):
            where = "once its escapes are decoded" if is_decoded else f"line {place(sparql, token.start)[0]}"
            way_out = (
                "remove the clause and join the results yourself"
                if token.kind == "word"
                else "give the prefix another name"
            )
            message = f"{where}: SERVICE is refused, since this store does not query others; {way_out}"
            raise QueryError(message, status=FORBIDDEN)


def _folded(text: str) -> str:
    """Normalise letters, ignoring case and width."""
    return text.upper() if text.isascii() else unicodedata.normalize("NFKC", text).upper()


READ_ONLY = "this store is read-only and does not accept updates; send a query"
EMPTY = "the query is empty; send a SELECT, ASK, CONSTRUCT or DESCRIBE"
UPDATE_WORDS = {"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"}


def first_word(sparql: str) -> str:
    """Return the keyword that follows the PREFIX and BASE lines, in capitals, or ""."""
    words = (token.text.upper() for token in tokens(sparql) if token.kind == "word")
    return next((word for word in words if word not in {"PREFIX", "BASE"}), "")
