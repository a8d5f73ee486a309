"""
Hand large answers to the server piece by piece, so that one that is taken slowly does not lie in memory twice.

What the server is given whole it copies, and keeps until the client has it. Of pieces it takes the next when the
one before has gone, and a thread waits meanwhile; so only some clients may be waited for, and what their answers
take together is bounded: beyond that they lie in files.
"""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import IO

# Given whole: to a thousand clients that take nothing these are 128 MB, for as long as `watch` lets them.
LARGEST_WHOLE = 128_000
# Of 64 kB each a megabyte takes a third more of the processor; of a megabyte each it takes no less.
PIECE = 262_144
MOST_IN_MEMORY = 128_000_000
MOST_WAITED_FOR = 128


class Sending:
    """What is on its way to clients in pieces."""

    def __init__(self, most: int = MOST_WAITED_FOR, in_memory: int = MOST_IN_MEMORY) -> None:
        """Send nothing yet."""
        self._most = most
        self._in_memory = in_memory
        self._lock = threading.Lock()
        self.clients = 0
        self.bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether one more client could be waited for."""
        return self.clients < self._most

    def parts(self, body: bytes) -> Iterable[bytes]:
        """Return what to give to the server in the place of a body."""
        if len(body) <= LARGEST_WHOLE:
            return [body]
        with self._lock:
            self.clients += 1
            fits = self.bytes + len(body) <= self._in_memory
            if fits:
                self.bytes += len(body)
        return _Memory(self, body) if fits else _File(self, body)

    def done(self, size: int) -> None:
        """Forget an answer that has gone, with what it took in memory."""
        with self._lock:
            self.clients -= 1
            self.bytes -= size


class _Parts(ABC):
    """The pieces of one answer; the server calls `close` when the last has gone or the client has."""

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
        # Without a name, so that nothing is left of it however we end.
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the client has it)
        self._file.write(body)
        self._file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(PIECE):
            yield piece

    def close(self) -> None:
        super().close()
        self._file.close()
