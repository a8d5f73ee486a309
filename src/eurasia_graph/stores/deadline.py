"""
End an HTTP exchange at a deadline, whatever the other side does.

Socket timeouts apply to each read: a store that sends a byte now and then, in a header or in the length of a chunk,
could keep a reader forever. So a watchdog thread closes the connection at the deadline.
"""

from __future__ import annotations

import heapq
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = threading.local()


class _Clock:
    """
    One watchdog thread for all deadlines.

    A thread for each would cost as much as a short query, and be one more place where Python collects garbage: objects
    of the engine may be freed only by the thread that created them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Watch]] = []
        self._number = 0
        self._thread: threading.Thread | None = None

    def call(self, watch: Watch, end: float) -> None:
        """Close a watch at a deadline."""
        with self._changed:
            self._number += 1
            heapq.heappush(self._due, (end, self._number, watch))
            # It does not exist in a forked process.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            elif self._due[0][1] == self._number:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                # Watches that are done are skipped when their time comes.
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                watch = heapq.heappop(self._due)[2]
            watch.close()


_clock = _Clock()


class Watch:
    """Closes the connection that this thread uses at the deadline, unless it is done by then."""

    def __init__(self, end: float | None) -> None:
        """
        Start without a connection.

        Args:
            end: The deadline on the monotonic clock; None for none.
        """
        self._end = end
        self._is_done = False
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.has_ended = False

    def __enter__(self) -> Self:
        """Begin."""
        _current.watch = self
        if self._end is not None:
            _clock.call(self, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        _current.watch = None
        with self._lock:
            # The connection is reused by others, and a late watch would close theirs.
            self._is_done = True
            self._connection = self._socket = None

    def see(self, connection: HTTPConnection) -> None:
        """Store the connection and its socket, which the connection releases before the answer is read."""
        self._connection = connection
        self._socket = connection.sock or self._socket
        if self.has_ended:
            self.close()

    def close(self) -> None:
        """End the exchange, if it is not over."""
        with self._lock:
            if self._is_done:
                return
            self.has_ended = True
            for each in (self._socket, self._connection.sock if self._connection else None):
                if each is not None:
                    # Bypasses TLS, which would send a closing alert and wait for an answer.
                    with suppress(OSError):
                        socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Seen:
    """A connection registered with its watch."""

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
