"""
Every canned query, and what it leaves out, at 30 and at 300 thousand quads, and the ratio of the two.

A look-up finds about as much in the large graph as in the small one and should take at most three
times as long; a search reads every name, and a comparison every membership of a source.
"""

from __future__ import annotations

import statistics
import sys

from pyoxigraph import QueryResultsFormat, QuerySolutions

import generate
from eurasia_graph import queries
from eurasia_graph.store import ReleaseStore
from measure import seconds, show

SIZES = (30_000, 300_000)
SAMPLES = 9
LARGEST_RATIO = 3.0
NOT_LOOK_UPS = {"find": "search", "overlap": "comparison", "co-members": "comparison"}


def arguments(name: str, sample: int) -> dict[str, object]:
    """The parameters of a query for the n-th of the things that the generated graph is about."""
    body, actor, treaty = f"b{sample}", f"s{sample}", f"t{sample}"
    asked: dict[str, dict[str, object]] = {
        "members-on": {"body": body, "date": "2003-06-30"},
        "memberships-of": {"actor": actor},
        "sizes": {"body": body},
        "co-members": {"date": "2003-06-30", "source": "source-1"},
        "timeline": {"body": body},
        "succession": {"body": body},
        "treaty-acts": {"treaty": treaty},
        "overlap": {"date": "2003-06-30", "source": "source-1"},
        "shared-bodies": {"actorA": actor, "actorB": f"s{sample + 1}"},
        "disagreements": {"body": body},
        "claims-about": {"entity": body},
        "find": {"text": f"body b{sample}"},
        "statements": {"speaker": f"p{sample}"},
        "assessments": {"topic": body},
        "factors": {"effect": f"f{sample}"},
        "figures": {"area": actor},
        "meetings": {"body": body},
        "organs": {"body": body},
        "proposals": {"actor": f"p{sample}"},
        "names": {"entity": body},
        "works-cited": {"source": "source-1"},
        "roles": {"person": f"p{sample}"},
        "mandates": {"body": body},
        "definitions": {"concept": f"c{sample}"},
        "compare-sources": {"body": body},
        "sentence": {"source": "source-1", "number": sample + 1},
    }
    return asked[name]


def measure(store: ReleaseStore, name: str, *, left_out: bool) -> tuple[float, float]:
    """Return the median time in ms, and the mean number of rows, over several things asked about."""
    canned = queries.by_name(name)
    bind = canned.bind_left_out if left_out else canned.bind
    times, rows = [], []
    for sample in range(SAMPLES):
        text = str(bind(store, arguments(name, sample)))

        def ask(text: str = text) -> None:
            answer = store.query(text)
            assert isinstance(answer, QuerySolutions)
            answer.serialize(format=QueryResultsFormat.JSON)

        times.append(min(seconds(ask) for _ in range(3)) * 1000)
        answer = store.query(text)
        assert isinstance(answer, QuerySolutions)
        rows.append(sum(1 for _ in answer))
    return statistics.median(times), statistics.mean(rows)


def main() -> int:
    """Measure all queries, or those that are named; print, and end with 1 if a look-up grows too fast."""
    stores = [generate.release_of(size) for size in SIZES]
    table = []
    slow = 0
    for name in sys.argv[1:] or queries.load():
        kind = NOT_LOOK_UPS.get(name, "look-up")
        for left_out in (False, True) if queries.by_name(name).left_out else (False,):
            (small, few), (large, many) = (measure(store, name, left_out=left_out) for store in stores)
            ratio = large / small
            slow += kind == "look-up" and ratio > LARGEST_RATIO
            table.append((f"{name}{', left out' * left_out}", kind, small, large, ratio, few, many))
    columns = ["query", "kind", "ms at 30k", "ms at 300k", "ratio", "rows at 30k", "rows at 300k"]
    show("queries", columns, table)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
