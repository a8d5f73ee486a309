"""
The process that reads and writes for queries on another store: texts from outside, and what the store answers.

It is `worker.py` with an empty dataset and two more errands. Its workers have the same limits, and as
little to open; what they need is loaded before they are forked.
"""

from __future__ import annotations

import json

from pyoxigraph import QuerySolutions

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql import restating
from eurasia_graph.stores import remote
from eurasia_graph.web import worker
from eurasia_graph.web.worker import Header, Request, Told


class TooManyRowsError(ValueError):
    """A store sends more rows than it was asked for."""


def read(request: Request, _given: bytes) -> tuple[Header, bytes]:
    """Let the engine read a query; the answer is a `restating.Meaning` as JSON."""
    try:
        found = restating.read(request["text"], request["prologue"], request["terms"], request["base"])
    except QueryError as error:
        raise Told("engine", str(error)) from None
    body = json.dumps([found.kind, found.columns, found.iris]).encode()
    return {"kind": "meaning", "truncated": False, "empty": False, "unknown": []}, body


def write(request: Request, given: bytes) -> tuple[Header, bytes]:
    """Read what a store has sent and write it in another format; `truncated` where there are as many rows as may be."""
    try:
        found = remote.read_answer(given, request["answer"])
        count = _counted(given, request["rows"]) if isinstance(found, QuerySolutions) else 0
    except TooManyRowsError as error:
        raise Told("rows", str(error)) from None
    except (SyntaxError, ValueError) as error:
        raise Told("result", str(error)) from None
    header, body = worker.written(found, request)
    header["unknown"] = []
    if count:
        header["truncated"] = count == request["rows"]
    return header, body


def _counted(given: bytes, most: int) -> int:
    """Count rows, and stop where there are more than were asked for."""
    count = 0
    for _ in remote.rows_of(given):
        count += 1
        if count > most:
            raise TooManyRowsError(f"more than the {most} rows that it was asked for")
    return count


worker.ERRANDS.update(read=read, write=write)

if __name__ == "__main__":
    worker.main()
