"""
Read the whole body of a request, or refuse the request: an incomplete body is never evaluated.

The server passes on what has arrived without saying that the rest is missing, so lengths are compared. It has no time
limit either: `connections` closes a connection that is too slow, which ends the reading.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from eurasia_graph.errors import QueryError

Environ = dict[str, Any]

LARGEST_REQUEST = 1_000_000
# How many clients are waited for at a time; each occupies a thread.
MOST_WAITED_FOR = 400
RETRY_S = 2


class Bodies:
    """
    Reads bodies.

    `watched` is a context manager that limits what is read within it; it yields a function that returns whether the
    limit was exceeded. It is None where connections cannot be watched; then a body of unknown length is refused.
    """

    def __init__(self, most: int = MOST_WAITED_FOR) -> None:
        """Create the reader; nothing is read yet."""
        self.watched: Callable[[bool], AbstractContextManager[Callable[[], bool]]] | None = _unbounded
        self._places = threading.Semaphore(most)

    def take(self, environ: Environ) -> None:
        """
        Read the body of a request, if it has one, and put it back as the input of the request.

        Raises:
            QueryError: If the body is incomplete or too large, with the HTTP status; the request must not be evaluated.
        """
        size = environ.get("CONTENT_LENGTH") or ""
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if coding is None and size in {"", "0"}:
            return
        _refuse(environ, size, coding)
        if coding is not None and self.watched is None:
            raise QueryError("a body in chunks is not taken here; send it with a Content-Length", status=411)
        if not self._places.acquire(blocking=False):
            raise QueryError(
                f"too many other requests have not sent their bodies yet; wait {RETRY_S} seconds and send it again",
                status=503,
                details={"reason": "busy", "retryAfter": RETRY_S},
            )
        source, is_chunked = environ["wsgi.input"], coding is not None
        try:
            with (self.watched or _unbounded)(is_chunked) as is_ended:
                # To the end: the server returns nothing if the chunks break off, and does not report it otherwise.
                body = source.read() if is_chunked else source.read(int(size))
                _refuse_half(body, None if is_chunked else int(size), is_ended)
        finally:
            self._places.release()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)


def _refuse_half(body: bytes, size: int | None, is_ended: Callable[[], bool]) -> None:
    if size is None and len(body) > LARGEST_REQUEST:
        raise _too_large("more")
    if size is None and not body:
        if is_ended():
            raise _too_large("more, or is sent too slowly")
        raise _broken("the body is empty, or its chunks are broken or break off before the last")
    if size is not None and len(body) < size:
        seen = f"the body has {len(body)} bytes and not the {size} of its Content-Length"
        if is_ended():
            raise QueryError(f"{seen}, and more did not arrive in time; send it over a faster line", status=408)
        raise _broken(seen)


def _unbounded(_is_chunked: bool) -> AbstractContextManager[Callable[[], bool]]:
    return nullcontext(lambda: False)


def _refuse(environ: Environ, size: str, coding: str | None) -> None:
    """Refuse a request whose headers alone show that its body cannot be accepted."""
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
