"""
One JSON object a line on stderr: requests, if they are to be logged, and slow queries.

No address, no name of a program, no referrer: nothing that leads to a person.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

LONGEST_QUERY = 10_000


def write(event: str, **fields: object) -> None:
    """Write one line; a request does not fail because the log cannot be written."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
    try:
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def slow_query(kind: str, query: str, seconds: float, outcome: str) -> None:
    """Log a query that took long, with its text."""
    write("slow_query", kind=kind, ms=round(seconds * 1000), outcome=outcome, query=query[:LONGEST_QUERY])
