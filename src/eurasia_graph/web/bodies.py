"""
Read the body of a request whole and within a time, or refuse the request: half of one is never evaluated.

The server hands over what has arrived, and tells nobody when the rest is missing. So lengths are compared, and a
thread of its own waits for each body, since nothing else can stop waiting.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from eurasia_graph.errors import QueryError

Environ = dict[str, Any]

LARGEST_REQUEST = 1_000_000
# A client has this long, and longer by what it has sent: 16 kB a second, a slow line of twenty years ago.
PATIENCE_S = 10.0
SLOWEST = 16_000
# How much of a body in chunks has arrived is not known before its end.
PATIENCE_WITH_CHUNKS_S = 30.0
PIECE = 16_384
# Clients that are waited for at a time; they take two threads each.
MOST_WAITED_FOR = 128
RETRY_S = 2


class Bodies:
    """
    Reads bodies.

    `watched` is what bounds a body in chunks while it is read; None where nothing does, and then there are none.
    """

    def __init__(self, most: int = MOST_WAITED_FOR, patience_s: float = PATIENCE_S) -> None:
        """Start no thread yet."""
        self.watched: Callable[[], AbstractContextManager[Callable[[], bool]]] | None = _unbounded
        self._patience_s = patience_s
        self._places = threading.Semaphore(most)
        self._threads = ThreadPoolExecutor(most, "body")

    def take(self, environ: Environ) -> None:
        """
        Read the body of a request, if it has one, and put it where the server had put it.

        Raises:
            QueryError: With the status that says what is wrong with it; nothing of it may be evaluated then.
        """
        size = environ.get("CONTENT_LENGTH") or ""
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if coding is None and size in {"", "0"}:
            return
        _refuse(environ, size, coding)
        if not self._places.acquire(blocking=False):
            raise QueryError(
                f"too many other requests have not sent their bodies yet; wait {RETRY_S} seconds and send it again",
                status=503,
                details={"reason": "busy", "retryAfter": RETRY_S},
            )
        try:
            body = self._chunks(environ) if coding is not None else self._bytes(environ, int(size))
        finally:
            self._places.release()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _bytes(self, environ: Environ, size: int) -> bytes:
        arriving = _Arriving(environ["wsgi.input"], size)
        self._wait(arriving.read, lambda: self._patience_s + arriving.count / SLOWEST)
        if arriving.count < size:
            raise _broken(f"the body has {arriving.count} bytes and not the {size} of its Content-Length")
        return b"".join(arriving.parts)

    def _chunks(self, environ: Environ) -> bytes:
        if self.watched is None:
            raise QueryError("a body in chunks is not taken here; send it with a Content-Length", status=411)
        with self.watched() as is_too_long:
            # To the end: only so does the server tell a body that broke off, by giving nothing.
            body = self._wait(environ["wsgi.input"].read, lambda: PATIENCE_WITH_CHUNKS_S)
            if len(body) > LARGEST_REQUEST or (not body and is_too_long()):
                raise _too_large("more")
        if not body:
            raise _broken("the body is empty, or its chunks are broken or break off before the last")
        return body

    def _wait(self, read: Callable[[], bytes], allowed_s: Callable[[], float]) -> bytes:
        """Let a thread read, and wait for it as long as the client may take by then."""
        start = time.monotonic()
        reading: Future[bytes] = self._threads.submit(read)
        while (left := allowed_s() - (time.monotonic() - start)) > 0:
            try:
                return reading.result(left)
            except TimeoutError:
                continue
        # The answer closes the connection, which ends the reading.
        raise QueryError(
            f"the body did not arrive within {time.monotonic() - start:.0f} s; send it at once, or over a faster line",
            status=408,
        )


class _Arriving:
    """A body of a known length, and how much of it is there."""

    def __init__(self, source: io.BufferedIOBase, size: int) -> None:
        self._source = source
        self._size = size
        self.parts: list[bytes] = []
        self.count = 0

    def read(self) -> bytes:
        while self.count < self._size:
            part = self._source.read(min(PIECE, self._size - self.count))
            if not part:
                break
            self.parts.append(part)
            self.count += len(part)
        return b""


def _unbounded() -> AbstractContextManager[Callable[[], bool]]:
    return nullcontext(lambda: False)


def _refuse(environ: Environ, size: str, coding: str | None) -> None:
    """Refuse what need not be read to be refused."""
    if coding is not None and (coding.strip().casefold() != "chunked" or size):
        raise _broken(f"Transfer-Encoding is {coding!r}; send chunked alone and no Content-Length, or a Content-Length")
    if size and not (size.isascii() and size.isdigit()):
        raise _broken(f"Content-Length is {size!r}, which is not a number of bytes")
    if size and (len(size) > len(str(LARGEST_REQUEST)) or int(size) > LARGEST_REQUEST):
        raise _too_large(size)
    packed = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().casefold()
    if packed not in {"", "identity"}:
        raise QueryError(f"the body is packed with {packed[:40]}; send it as it is", status=415)


def _broken(text: str) -> QueryError:
    return QueryError(f"{text}; nothing of it was evaluated; send it again", status=400)


def _too_large(size: str) -> QueryError:
    return QueryError(f"the body has {size} bytes; at most {LARGEST_REQUEST} are taken; send less", status=413)
