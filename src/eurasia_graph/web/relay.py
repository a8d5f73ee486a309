"""
The worker process for queries on a remote store: it parses queries from clients and the responses of the store.

It is `worker.py` with an empty dataset and two more tasks. Its workers have the same limits and no free file
descriptors; what they import is loaded before they are forked.
"""

from __future__ import annotations

import json

from pyoxigraph import QuerySolutions

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql import restating
from eurasia_graph.stores import remote
from eurasia_graph.web import worker
from eurasia_graph.web.worker import Header, Request, TaskError


class TooManyRowsError(ValueError):
    """A store sent more rows than were requested."""


def read(request: Request, _given: bytes) -> tuple[Header, bytes]:
    """
    Parse a query with the engine; returns a `restating.Meaning` as JSON.

    Raises:
        TaskError: If it is not SPARQL, or not supported.
    """
    try:
        found = restating.read(request["text"], request["prologue"], request["terms"], request["base"])
    except QueryError as error:
        raise TaskError("engine", str(error)) from None
    body = json.dumps([found.kind, found.columns, found.iris]).encode()
    return {"kind": "meaning", "truncated": False, "empty": False, "unknown": []}, body


def write(request: Request, given: bytes) -> tuple[Header, bytes]:
    """
    Convert the response of a store to another format; `truncated` if the row limit is reached.

    Raises:
        TaskError: If there are more rows than were requested, or it is not an answer.
    """
    try:
        found = remote.read_answer(given, request["answer"])
        count = _counted(given, request["rows"]) if isinstance(found, QuerySolutions) else 0
    except TooManyRowsError as error:
        raise TaskError("rows", str(error)) from None
    except (SyntaxError, ValueError) as error:
        raise TaskError("result", str(error)) from None
    header, body = worker.written(found, request)
    header["unknown"] = []
    if count:
        header["truncated"] = count == request["rows"]
    return header, body


def _counted(given: bytes, most: int) -> int:
    """Count rows, and stop if there are more than were requested."""
    count = 0
    for _ in remote.rows_of(given):
        count += 1
        if count > most:
            raise TooManyRowsError(f"more than the {most} rows that it was asked for")
    return count


worker.TASKS.update(read=read, write=write)

if __name__ == "__main__":
    worker.main()
