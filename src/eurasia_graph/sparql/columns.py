"""
The columns of `SELECT *`, in the order in which the query names them.

The engine sorts them alphabetically. So the `*` is expanded before a query is answered; the engine decides which
variables are in scope, the text decides the order.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import QuerySolutions, Store

from eurasia_graph.sparql.tokens import Token, tokens

# The engine accepts the words without a space between them.
SELECT = {"SELECT", "SELECTDISTINCT", "SELECTREDUCED"}
MODIFIERS = {"DISTINCT", "REDUCED"}


def star(sparql: str, found: list[Token] | None = None) -> tuple[int, list[str]] | None:
    """
    Find the `*` of a SELECT that asks for every variable.

    Args:
        sparql: A query.
        found: Its tokens, if they were read already.
    Returns:
        Its position in the text, and the variables that the text names, in order and each once; some may
        be out of scope. None where there is no such `*`.
    """
    if "*" not in sparql:
        return None
    read = list(tokens(sparql)) if found is None else found
    first = next((index for index, each in enumerate(read) if _word(each) in SELECT), None)
    at = None if first is None else _star(read, first + 1)
    if at is None:
        return None
    return read[at].start, list(dict.fromkeys(_named(read, at + 1, len(read))))


def in_order(sparql: str, place: int, named: list[str], base_iri: str | None = None) -> str:
    """
    Expand the `*` of a query.

    Args:
        sparql: The query.
        place: The position of the `*`.
        named: The variables that the text names, in order.
        base_iri: What relative IRIs in the query are resolved against.
    Returns:
        The query with its variables instead of the `*`, or unchanged if it has none.
    Raises:
        SyntaxError: If it is not SPARQL.
    """
    # An empty store returns the variables in scope at almost no cost.
    answer = Store().query(sparql, base_iri=base_iri)
    if not isinstance(answer, QuerySolutions):
        return sparql
    meant = [variable.value for variable in answer.variables]
    # A variable that the tokens do not show, such as one with an escape in its name, comes last.
    ordered = [name for name in named if name in meant] + [name for name in meant if name not in named]
    if ordered == meant:
        return sparql
    return f"{sparql[:place]} {' '.join(f'?{name}' for name in ordered)} {sparql[place + 1 :]}"


def spelled_out(sparql: str, base_iri: str | None = None) -> str:
    """
    Expand the `*` of a query, if it has one; arguments and errors are those of `in_order`.

    Raises:
        QueryError: If a string is not closed.
    """
    found = star(sparql)
    return in_order(sparql, *found, base_iri) if found else sparql


def _word(token: Token) -> str:
    return token.text.upper() if token.kind == "word" else ""


def _star(read: list[Token], at: int) -> int | None:
    """Return the index of the `*` after SELECT and its modifier."""
    if at < len(read) and _word(read[at]) in MODIFIERS:
        at += 1
    return at if at < len(read) and read[at].text == "*" else None


def _named(read: list[Token], start: int, end: int) -> Iterator[str]:
    """Name the variables between two tokens; of a sub-SELECT, only those that it projects."""
    index = start
    while index < end:
        token = read[index]
        if token.kind == "variable":
            yield token.text[1:]
        if token.text == "{" and index + 1 < end and _word(read[index + 1]) in SELECT:
            close = _closing(read, index, end)
            yield from _handed_out(read, index + 2, close)
            index = close
        index += 1


def _handed_out(read: list[Token], start: int, end: int) -> Iterator[str]:
    """Name the variables that a SELECT projects: those listed, and those after AS."""
    at = _star(read, start)
    if at is not None:
        yield from _named(read, at + 1, end)
        return
    depth = 0
    for index in range(start, end):
        token = read[index]
        if depth == 0 and (token.text == "{" or _word(token) in {"WHERE", "FROM"}):
            return
        if token.kind == "open":
            depth += 1
        elif token.kind == "close":
            depth -= 1
        elif token.kind == "variable" and (depth == 0 or (depth == 1 and _word(read[index - 1]).endswith("AS"))):
            yield token.text[1:]


def _closing(read: list[Token], start: int, end: int) -> int:
    """Return the index of the bracket that closes the one at `start`."""
    depth = 0
    for index in range(start, end):
        if read[index].kind == "open":
            depth += 1
        elif read[index].kind == "close":
            depth -= 1
            if depth == 0:
                return index
    return end
