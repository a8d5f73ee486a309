"""
End a conversation over HTTP at a point of time, whatever the other side does until then.

The time limits of sockets are of each piece: a store that sends a letter now and then, in a header or in
the length of a chunk, keeps a reader for as long as it likes. So somebody looks at the clock.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = threading.local()


class Watch:
    """Closes the connection that this thread uses when it is time, unless it is done by then."""

    def __init__(self, end: float | None) -> None:
        """
        Wait for nothing yet.

        Args:
            end: When, by the monotonic clock; None for never.
        """
        self._end = end
        self._timer: threading.Timer | None = None
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self.has_ended = False

    def __enter__(self) -> Self:
        """Begin."""
        _current.watch = self
        if self._end is not None:
            self._timer = threading.Timer(max(0.0, self._end - time.monotonic()), self._close)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        _current.watch = None
        if self._timer:
            self._timer.cancel()

    def see(self, connection: HTTPConnection) -> None:
        """Note the connection, and its socket, which the connection lets go of before the answer is read."""
        self._connection = connection
        self._socket = connection.sock or self._socket
        if self.has_ended:
            self._close()

    def _close(self) -> None:
        self.has_ended = True
        for each in (self._socket, self._connection.sock if self._connection else None):
            if each is not None:
                # Past TLS, which would say goodbye and wait for an answer.
                with suppress(OSError):
                    socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Seen:
    """A connection that its watch knows."""

    def connect(self) -> None:
        _see(self)
        super().connect()  # type: ignore[misc]
        _see(self)

    def request(self, *words: Any, **options: Any) -> None:
        _see(self)
        super().request(*words, **options)  # type: ignore[misc]

    def getresponse(self) -> Any:
        _see(self)
        return super().getresponse()  # type: ignore[misc]


def _see(connection: Any) -> None:
    watch = getattr(_current, "watch", None)
    if watch:
        watch.see(connection)


class _Plain(_Seen, HTTPConnection):
    pass


class _Secure(_Seen, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def watched_pools() -> dict[str, Any]:
    """Return the classes of pools for `urllib3.PoolManager` whose connections a watch can close."""
    return {"http": _PlainPool, "https": _SecurePool}
