"""
Pass large answers to the server in pieces, so that an answer to a slow client is not in memory twice.

The server copies a body that it gets as a whole, and keeps it until the client has received it. It takes the next
piece only after the previous one was sent, which occupies a thread. So the number of slow clients is limited, and so
is the memory for their answers: beyond the limit answers are written to temporary files.
"""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import IO

# Passed on as a whole: for a thousand clients that receive nothing this is 128 MB, until `connections` closes them.
LARGEST_WHOLE = 128_000
# Larger pieces take a third less of the processor, and four times the memory where a hundred clients take them slowly.
PIECE = 65_536
MOST_IN_MEMORY = 128_000_000
MOST_WAITED_FOR = 128


class Sending:
    """The answers that are being sent in pieces."""

    def __init__(self, most: int = MOST_WAITED_FOR, in_memory: int = MOST_IN_MEMORY) -> None:
        """Create it; nothing is being sent yet."""
        self._most = most
        self._in_memory = in_memory
        self._lock = threading.Lock()
        self.clients = 0
        self.bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether one more client may occupy a thread."""
        return self.clients < self._most

    def parts(self, body: bytes) -> Iterable[bytes]:
        """Return the pieces of a body, as an iterable for the server."""
        if len(body) <= LARGEST_WHOLE:
            return [body]
        with self._lock:
            self.clients += 1
            fits = self.bytes + len(body) <= self._in_memory
            if fits:
                self.bytes += len(body)
        return _Memory(self, body) if fits else _File(self, body)

    def done(self, size: int) -> None:
        """Release the thread and the memory of an answer that was sent."""
        with self._lock:
            self.clients -= 1
            self.bytes -= size


class _Parts(ABC):
    """The pieces of one answer; the server calls `close` after the last one, or when the client disconnects."""

    def __init__(self, sending: Sending, size: int) -> None:
        self._sending = sending
        self._size = size
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._sending.done(self._size)

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...


class _Memory(_Parts):
    def __init__(self, sending: Sending, body: bytes) -> None:
        super().__init__(sending, len(body))
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), PIECE):
            yield self._body[start : start + PIECE]


class _File(_Parts):
    def __init__(self, sending: Sending, body: bytes) -> None:
        super().__init__(sending, 0)
        # Unnamed, so that nothing is left on disk however the process ends.
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self._file.write(body)
        self._file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(PIECE):
            yield piece

    def close(self) -> None:
        super().close()
        self._file.close()
