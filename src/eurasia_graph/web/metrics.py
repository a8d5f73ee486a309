"""
What is counted: requests, time in queries, cache hits, ended workers.

No label names a client.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

KNOWN = frozenset(
    {"sparql", "queries", "id", "page", "data", "ontology", "scheme", "graph", "release", "store", "export", "static"}
    | {"healthz", "readyz", "metrics", "openapi.json", ".well-known", "shape"}
)
BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """The counters of one application, in their own registry."""

    def __init__(self) -> None:
        """Create all counters at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "eurasia_graph_requests", "Requests answered.", ["endpoint", "outcome"], registry=self._registry
        )
        self._seconds = Histogram(
            "eurasia_graph_query_seconds", "Time in queries.", ["kind"], buckets=BUCKETS, registry=self._registry
        )
        self._cache = Counter("eurasia_graph_cache", "Look-ups in the cache.", ["result"], registry=self._registry)
        self._restarts = Counter(
            "eurasia_graph_worker_restarts", "Workers ended and replaced.", ["reason"], registry=self._registry
        )
        self.hit = self._cache.labels("hit").inc
        self.miss = self._cache.labels("miss").inc

    def counter(self, path: str, status: int) -> Callable[[], None]:
        """Return what counts a request, by the first part of its path, if we serve it, and by its outcome."""
        first = path.strip("/").partition("/")[0]
        endpoint = first if first in KNOWN else "other" if first else "front"
        outcome = "good" if status < 400 else "client_error" if status < 500 else "server_error"  # noqa: PLR2004
        return self._requests.labels(endpoint, outcome).inc

    def queried(self, kind: str, seconds: float) -> None:
        """Count a query, canned or free, and its time."""
        self._seconds.labels(kind).observe(seconds)

    def restarted(self, reason: str) -> None:
        """Count a worker that had to be ended."""
        self._restarts.labels(reason).inc()

    def text(self) -> tuple[bytes, str]:
        """Write everything in the text format of Prometheus, with its media type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
