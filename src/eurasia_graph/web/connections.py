"""
Close the connections of clients that receive or send too slowly, or send more than a request may contain.

The server has no such limits, but the kernel knows for every connection how much is still to be sent and how much the
client has acknowledged, so it is asked periodically. Only Linux reports this; elsewhere a proxy is needed in front,
see docs/serving.md.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eurasia_graph.web.bodies import LARGEST_REQUEST

DESCRIPTORS = Path("/proc/self/fd")
TICK_S = 1.0
# The minimum rate of a client beyond its patience: 16 kB a second, a slow line of twenty years ago.
PATIENCE_S = 10.0
SLOWEST = 16_000
# The server closes an idle connection after as long as it waits for a request head.
IDLE_S = 5.0
# While a body of unknown length arrives.
HURRIED_TICK_S = 0.02
# A slow client is allowed if at most this many bytes are left; more means that an answer is waiting.
LITTLE = 16_384
# Requests are read one after another, each after the previous answer: no more than this can be waiting.
MOST_RECEIVED = 2 * LARGEST_REQUEST + 500_000
# Of struct tcp_info, which only grows at its end. Source: include/uapi/linux/tcp.h
TCP_INFO = struct.Struct("=120xQQ20xI")
INT = struct.Struct("=i")
LINGER = struct.Struct("=ii")
INFO_BYTES = 256
LINUX_TCP_INFO = 11


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection as the kernel sees it; `left` is how many bytes the other side has not acknowledged."""

    acknowledged: int
    received: int
    left: int
    segments: int


@dataclass(slots=True)
class _Client:
    """
    A connection to this server.

    Times are in seconds, amounts in bytes. `since` is when it began to wait for the client to acknowledge `goal`
    bytes in total, of which `start` had been acknowledged. `told` is when anything was last sent to the client
    (`segments` by then) and `before` how much the client had sent by then; `asked` is when it first sent more, and
    `received` the total.
    """

    inode: int
    told: float
    since: float | None = None
    start: int = 0
    goal: int = 0
    segments: int = 0
    before: int = 0
    asked: float | None = None
    received: int = 0
    is_cut: bool = False


class Watch:
    """Watches the connections of a port in a thread; `ended` counts those that it has closed."""

    def __init__(self, port: int, answer_s: float, patience_s: float = PATIENCE_S) -> None:
        """
        Create the watcher; its thread is started by `start`.

        Args:
            port: The port of the server.
            answer_s: Seconds that making an answer may take.
            patience_s: Seconds that a client may take, extended by the amount that it sends or receives.
        """
        self._port = port
        self._answer_s = answer_s
        self._patience_s = patience_s
        self._clients: dict[int, _Client] = {}
        self._others: dict[int, int] = {}
        self._hurry = 0
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self.ended = 0
        self.cut = 0

    def start(self) -> bool:
        """Start watching; returns False if the kernel does not report what is needed."""
        if not is_possible():
            return False
        threading.Thread(target=self._run, daemon=True, name="watch").start()
        return True

    @contextmanager
    def reading(self, is_endless: bool) -> Iterator[Callable[[], bool]]:
        """
        Watch the reading of a request; yields a function that returns whether a connection was closed meanwhile.

        Args:
            is_endless: Whether the length of the request is unknown, so that it has to be checked more often.
        """
        before = self.cut
        with self._lock:
            self._hurry += is_endless
        if is_endless:
            self._wake.set()
        try:
            yield lambda: self.cut > before
        finally:
            with self._lock:
                self._hurry -= is_endless

    def look(self) -> None:
        """Check all connections once."""
        # No file descriptor may be free at the moment; the next check may succeed.
        with suppress(OSError):
            for descriptor in _sockets():
                with suppress(OSError):
                    self._look_at(descriptor, time.monotonic())

    def _run(self) -> None:
        while True:
            self._wake.clear()
            begin = time.monotonic()
            self.look()
            took = time.monotonic() - begin
            if self._hurry:
                # Use at most a fifth of a processor.
                time.sleep(max(HURRIED_TICK_S, 4 * took))
            else:
                self._wake.wait(max(TICK_S, 20 * took))

    def _look_at(self, descriptor: int, now: float) -> None:
        inode = os.fstat(descriptor).st_ino
        if self._others.get(descriptor) == inode:
            return
        client = self._clients.get(descriptor)
        if client is None or client.inode != inode:
            if not _is_ours(descriptor, self._port):
                self._others[descriptor] = inode
                return
            client = self._clients[descriptor] = _Client(inode, now)
        flow = flow_of(descriptor)
        if self._takes_too_slowly(client, flow, now):
            self.ended += _shut(descriptor, inode, socket.SHUT_RDWR)
        elif self._sends_too_slowly(client, flow, now) or flow.received - client.before > MOST_RECEIVED:
            # An answer can still be sent: the server sees the end of the request, and refuses it.
            self.cut += _shut(descriptor, inode, socket.SHUT_RDWR if client.is_cut else socket.SHUT_RD)
            client.is_cut = True

    def _takes_too_slowly(self, client: _Client, flow: Flow, now: float) -> bool:
        if not flow.left:
            client.since = None
            return False
        done = client.since is not None and flow.acknowledged >= client.goal and flow.left < LITTLE
        if client.since is None or done:
            client.since, client.start, client.goal = now, flow.acknowledged, flow.acknowledged + flow.left
        return now - client.since > self._patience_s + (flow.acknowledged - client.start) / SLOWEST

    def _sends_too_slowly(self, client: _Client, flow: Flow, now: float) -> bool:
        """
        Return whether a request is still incomplete when it should be complete, or stalls while the server waits.

        Nothing is sent to a client before its request is complete. The server closes idle connections itself, unless
        it waits for a body. While an answer is being made nothing is sent in either direction, so a request is known
        to be incomplete only after more time than any answer takes.
        """
        if flow.segments != client.segments or flow.left:
            client.segments, client.told, client.before, client.asked = flow.segments, now, flow.received, None
        grows, client.received = flow.received > client.received, flow.received
        if flow.received == client.before:
            # Or it has sent another request between two checks.
            return now - client.told > max(self._patience_s + IDLE_S, self._answer_s)
        if client.asked is None:
            client.asked = now
        due = client.asked + (flow.received - client.before) / SLOWEST
        return now > due + (self._patience_s if grows else self._answer_s)


def is_possible() -> bool:
    """Return whether the kernel reports what is needed."""
    with socket.socket() as probe, suppress(OSError):
        return DESCRIPTORS.is_dir() and len(probe.getsockopt(socket.IPPROTO_TCP, LINUX_TCP_INFO, INFO_BYTES)) >= (
            TCP_INFO.size
        )
    return False


def flow_of(descriptor: int) -> Flow:
    """
    Return the state of a connection in the kernel.

    Raises:
        OSError: If the connection is closed.
    """
    # The descriptor belongs to the server and is closed there, not here.
    asked = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    try:
        info = asked.getsockopt(socket.IPPROTO_TCP, LINUX_TCP_INFO, INFO_BYTES)
    finally:
        asked.detach()
    acknowledged, received, segments = TCP_INFO.unpack_from(info)
    left = INT.unpack(fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(INT.size)))[0]
    return Flow(acknowledged, received, left, segments)


def _sockets() -> Iterator[int]:
    # Creating `Path` objects would take longer than everything else here.
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield int(name)


def _is_ours(descriptor: int, port: int) -> bool:
    """Return whether a socket is an incoming connection to our port."""
    with socket.socket(fileno=os.dup(descriptor)) as found:
        if found.family not in {socket.AF_INET, socket.AF_INET6} or found.type != socket.SOCK_STREAM:
            return False
        try:
            found.getpeername()
        except OSError:
            return False
        return bool(found.getsockname()[1] == port)


def _shut(descriptor: int, inode: int, how: int) -> bool:
    """Close a connection, unless its descriptor has been reused since."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as found:
        if os.fstat(found.fileno()).st_ino == inode:
            if how == socket.SHUT_RDWR:
                # Discard what it has not read, which the kernel would otherwise keep for it.
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER.pack(1, 0))
            found.shutdown(how)
            return True
    return False
