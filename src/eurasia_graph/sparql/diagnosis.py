"""Say what is wrong with a text that is not a query, in the same words wherever it was sent."""

from __future__ import annotations

from pyoxigraph import Store

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql import faults, shape
from eurasia_graph.sparql.refusals import READ_ONLY, UPDATE_WORDS, first_word


def tried_here(texts: list[str]) -> list[str | None]:
    """Try to read texts on an empty store; returns the message of the engine for each, or None where it can."""
    found: list[str | None] = []
    for text in texts:
        try:
            Store().query(text)
            found.append(None)
        except SyntaxError as error:
            found.append(str(error.msg))
        except (RuntimeError, ValueError, OSError):
            found.append(None)
    return found


def not_sparql(sparql: str, error: SyntaxError) -> QueryError:
    """Say what is wrong with a query that does not parse, and what to do."""
    try:
        query = shape.read(sparql)
    except QueryError as refused:
        return refused
    return of_syntax(query, str(error.msg), tried_here)


def of_syntax(query: shape.Query, message: str, probe: faults.Probe) -> QueryError:
    """
    Diagnose a syntax error by trying parts of the query.

    Args:
        query: What its tokens tell.
        message: Of the engine.
        probe: Lets the engine try other texts.
    """
    if first_word(query.text) in UPDATE_WORDS:
        return QueryError(f"this is an update, not a query: {READ_ONLY}")
    fault = faults.explain(query, message, probe)
    if fault is None:
        return QueryError(f"this is not a SPARQL query: {message}; compare it with SPARQL 1.1")
    start = "" if query.form else "; start with PREFIX lines, then SELECT, ASK, CONSTRUCT or DESCRIBE"
    return QueryError(
        f"line {fault.line}, column {fault.column}: this is not SPARQL; expected {fault.expected}; {fault.hint}{start}",
        details={
            "line": fault.line,
            "column": fault.column,
            "excerpt": fault.excerpt,
            "expected": fault.expected,
            "hint": fault.hint,
        },
    )
