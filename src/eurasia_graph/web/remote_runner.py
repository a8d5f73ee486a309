"""
Free-form queries on a remote store.

This process reads only the tokens of a query. A worker parses it and serialises it again, the store is sent
that text, and a worker parses the response: each within the time left for the query, the last within its bytes
and rows. A graph that the release does not contain is never named to the other store, which might fetch it.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyoxigraph import QueryResultsFormat

from eurasia_graph.errors import AnswerTooLargeError, QueryError, RemoteError
from eurasia_graph.sparql.restating import Meaning, Question, question
from eurasia_graph.sparql.tokens import tokens
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores.remote import RemoteEngine, no_result
from eurasia_graph.web.pool import RELAY, Job, Limits, Pool, Result, Task, WorkerError

JSON = QueryResultsFormat.JSON.media_type


@dataclass(frozen=True, slots=True)
class _Left:
    """The seconds left for a query."""

    end: float

    @property
    def seconds(self) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise WorkerError("time")
        return left


class _TooManyRowsError(RemoteError):
    """The store sent more rows than are accepted."""


class RemoteRunner:
    """Runs free-form queries on a remote store; it has the interface of `Pool`."""

    def __init__(self, store: ReleaseStore, limits: Limits, on_restart: Callable[[str], None]) -> None:
        """Create the runner; no query is sent yet."""
        assert isinstance(store.engine, RemoteEngine)
        self._engine = store.engine
        self._pool = Pool(lambda _file: None, limits, on_restart, RELAY)
        # Each waiting query holds a thread of the server, and each running one a connection to the store.
        self._admission = threading.Semaphore(limits.short + limits.long + limits.waiting)
        self._asking = threading.Semaphore(limits.short)
        self.close = self._pool.close
        self.warm = self._pool.warm

    @property
    def pids(self) -> list[int]:
        """The idle workers; for tests and diagnostics."""
        return self._pool.pids

    @property
    def is_ready(self) -> bool:
        """Whether the remote store answers and a worker is available."""
        try:
            self._engine.query("ASK {}")
        except RemoteError:
            return False
        return self._pool.is_ready

    def run(self, job: Job) -> Result:
        """
        Answer a query.

        Raises:
            WorkerError: If it is not SPARQL, or has no answer within its limits.
            QueryError: If it cannot be sent to another store, or the store rejects it.
            RemoteError: If the other store does not answer.
        """
        if job.probes:
            # The embedded engine can judge parts of a query without the other store.
            return self._pool.run(job)
        if not self._admission.acquire(blocking=False):
            raise WorkerError("busy")
        try:
            return self._run(job, _Left(time.monotonic() + job.timeout))
        finally:
            self._admission.release()

    def _run(self, job: Job, left: _Left) -> Result:
        is_whole = self._sorts_badly(job)
        asked = self._question(job, job.query if is_whole else job.limited, left)
        default, named = asked.default, asked.named
        unknown: list[str] = []
        if job.default or job.named:
            default, named = job.default, job.named
        if default is not None and named is not None:
            default, named, unknown = self._engine.known(default, named)
        body = self._fetch(job, asked, default, named, left)
        try:
            result = self._written(job, asked, body, job.format, job.rows, left)
        except _TooManyRowsError:
            if not is_whole:
                raise
            message = f"there are more than {job.rows} rows to sort; add a LIMIT that the store takes, or no ORDER BY"
            raise QueryError(message, status=503, details={"reason": "bytes"}) from None
        truncated = result.truncated and not is_whole
        if truncated and result.kind == "rows":
            truncated = job.next is not None and self._has_more(job, job.next, default, named, left)
        return dataclasses.replace(result, truncated=truncated, unknown=unknown)

    def _sorts_badly(self, job: Job) -> bool:
        """Whether the store would refuse to sort because of the LIMIT added here, which is then left out."""
        if self._engine.product is None or self._engine.product.sorts_all:
            return False
        return any(token.kind == "word" and token.text.upper() == "ORDER" for token in tokens(job.query))

    def _question(self, job: Job, limited: str, left: _Left) -> Question:
        def reader(text: str, prologue: str, terms: list[str], base: str | None) -> Meaning:
            told = {"text": text, "prologue": prologue, "terms": terms, "base": base}
            try:
                found = self._pool.run(Task(name="read", told=told, timeout=left.seconds))
            except WorkerError as error:
                if error.reason == "syntax":
                    raise SyntaxError(error.detail) from None
                raise
            return Meaning(*json.loads(found.body))

        try:
            return question(job.query, limited, job.base, reader)
        except SyntaxError as error:
            raise WorkerError("syntax", str(error.msg)) from None

    def _fetch(
        self, job: Job, asked: Question, default: list[str] | None, named: list[str] | None, left: _Left
    ) -> bytes:
        with self._turn(left):
            try:
                return self._engine.fetch(
                    asked.text,
                    asked.kind,
                    default_graph=default,
                    named_graphs=named,
                    timeout_s=left.seconds,
                    most_bytes=job.bytes,
                )
            except AnswerTooLargeError:
                raise WorkerError("bytes") from None

    @contextmanager
    def _turn(self, left: _Left) -> Iterator[None]:
        """Wait until a query may be sent to the store."""
        if not self._asking.acquire(timeout=left.seconds):
            raise WorkerError("busy")
        try:
            yield
        finally:
            self._asking.release()

    def _written(  # noqa: PLR0913, PLR0917  (what is written, how, and how much of it)
        self, job: Job, asked: Question, body: bytes, media_type: str, rows: int, left: _Left
    ) -> Result:
        told = {
            "answer": asked.kind,
            "format": media_type,
            "prefixes": job.prefixes,
            "rows": rows,
            "bytes": job.bytes,
        }
        try:
            return self._pool.run(Task(name="write", told=told, timeout=left.seconds, given=body))
        except WorkerError as error:
            if error.reason == "rows":
                raise _TooManyRowsError(str(no_result(self._engine.address, error.detail))) from None
            if error.reason == "result":
                raise no_result(self._engine.address, error.detail) from None
            raise

    def _has_more(
        self, job: Job, following: str, default: list[str] | None, named: list[str] | None, left: _Left
    ) -> bool:
        """Return whether there is a row after the last one allowed."""
        asked = self._question(job, following, left)
        body = self._fetch(job, asked, default, named, left)
        return not self._written(job, asked, body, JSON, 1, left).empty
