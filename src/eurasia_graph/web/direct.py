"""
Free-form queries on another store: sent there and answered here, without workers of our own.

What a query may take is that store's business, but for the seconds, which are passed on, and the
rows and bytes of the answer. A graph that the release does not hold is never named to the other store,
which might fetch it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyoxigraph import NamedNode, Store

from eurasia_graph.errors import RemoteError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import worker
from eurasia_graph.web.pool import JOB_FIELDS, Job, Result, WorkerError

# Names no graph of any store: what a query sees that asks for none but unknown graphs.
NOTHING = NamedNode("urn:eurasia-graph:nothing")


class Direct:
    """In the place of the worker pool, where the engine is another store."""

    def __init__(self, store: ReleaseStore) -> None:
        """Take the store; nothing is asked yet."""
        self._store = store
        self.pids: list[int] = []

    def warm(self) -> None:
        """Start nothing: the other store is there or it is not."""

    def close(self) -> None:
        """Nothing was started."""

    @property
    def is_ready(self) -> bool:
        """Whether the other store answers."""
        try:
            self._store.query("ASK {}")
        except RemoteError:
            return False
        return True

    def run(self, job: Job) -> Result:
        """
        Answer a query.

        Raises:
            WorkerError: With reason syntax, engine or bytes.
            RemoteError: If the other store does not answer.
        """
        if job.probes:
            # The other store is not asked for its opinion twice.
            raise WorkerError("busy")
        request = {name: getattr(job, name) for name in JOB_FIELDS}
        try:
            dataset, unknown = self._dataset(request)
            header, body = worker.run(_Timed(self._store, job.timeout), dataset, request)
        except worker.TooLargeError:
            raise WorkerError("bytes") from None
        except worker.NotWritableError as error:
            raise WorkerError("format", str(error)) from None
        except SyntaxError as error:
            raise WorkerError("syntax", str(error.msg)) from None
        except ValueError as error:
            raise WorkerError("engine", str(error)) from None
        return Result(
            body=body, kind=header["kind"], truncated=header["truncated"], empty=header["empty"], unknown=unknown
        )

    def _dataset(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        default, named = request["default"], request["named"]
        if not (default or named) and request["clauses"]:
            default, named = worker.clauses(Store(), request)
        if not (default or named):
            return {}, []
        known = {str(getattr(graph, "value", "")) for graph in self._store.engine.named_graphs()}
        unknown = [iri for iri in dict.fromkeys([*default, *named]) if iri not in known]
        return {
            "default_graph": [NamedNode(iri) for iri in default if iri in known] or [NOTHING],
            "named_graphs": [NamedNode(iri) for iri in named if iri in known],
        }, unknown


class _Timed:
    """The engine with the seconds of one query."""

    def __init__(self, store: ReleaseStore, timeout_s: float) -> None:
        self._ask: Callable[..., Any] = store.engine.query
        self._timeout_s = timeout_s

    def query(self, text: str, **arguments: Any) -> Any:
        return self._ask(text, timeout_s=self._timeout_s, **arguments)
