"""A store that never does what it is asked: it answers without end, drop by drop, or with more than it says."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Speak = Callable[[socket.socket, threading.Event], None]
ROW = b'{"s":{"type":"uri","value":"http://example.org/x"}},'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\n"
ROWS = b'{"head":{"vars":["s"]},"results":{"bindings":['
NONE = ROWS + b"]}}"
DROP_S = 0.05
BLANKS = gzip.compress(b" " * (1 << 24), 1)


def _until(stop: threading.Event, wire: socket.socket, piece: bytes, pause_s: float = 0.0) -> None:
    while not stop.is_set():
        wire.sendall(piece)
        if pause_s:
            time.sleep(pause_s)


def endless_rows(wire: socket.socket, stop: threading.Event) -> None:
    """Row after row, without a length."""
    wire.sendall(HEAD + b"Connection: close\r\n\r\n" + ROWS)
    _until(stop, wire, ROW * 2000)


def endless_chunks(wire: socket.socket, stop: threading.Event) -> None:
    """The same in chunks."""
    piece = ROW * 2000
    wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _until(stop, wire, b"%x\r\n%s\r\n" % (len(piece), piece))


def gzip_bomb(wire: socket.socket, _stop: threading.Event) -> None:
    """Two gigabytes of spaces in two megabytes, for a client that did not ask for compression."""
    wire.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(BLANKS) * 128))
    for _ in range(128):
        wire.sendall(BLANKS)


def slow_body(wire: socket.socket, stop: threading.Event) -> None:
    """A blank now and then, before the time of a read is over."""
    wire.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    _until(stop, wire, b" ", DROP_S)


def slow_chunk_size(wire: socket.socket, stop: threading.Event) -> None:
    """The digits of the size of one chunk, now and then."""
    wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _until(stop, wire, b"0", DROP_S)


def slow_headers(wire: socket.socket, stop: threading.Event) -> None:
    """A letter of a header now and then."""
    wire.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _until(stop, wire, b"x", DROP_S)


def endless_continue(wire: socket.socket, stop: threading.Event) -> None:
    """100 Continue, again and again."""
    _until(stop, wire, b"HTTP/1.1 100 Continue\r\n\r\n", DROP_S / 10)


def many_headers(wire: socket.socket, stop: threading.Event) -> None:
    """Header after header."""
    wire.sendall(b"HTTP/1.1 200 OK\r\n")
    _until(stop, wire, b"X-Other: " + b"y" * 1000 + b"\r\n")


def long_header(wire: socket.socket, stop: threading.Event) -> None:
    """One header without end."""
    wire.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _until(stop, wire, b"x" * 65536)


def too_short(wire: socket.socket, _stop: threading.Event) -> None:
    """Fewer bytes than it says; what is there would do."""
    wire.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + NONE)


def too_many_rows(wire: socket.socket, _stop: threading.Event) -> None:
    """More rows than the limit, whatever it was asked."""
    body = ROWS + ROW * 999 + ROW.rstrip(b",") + b"]}}"
    wire.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def endless_error(wire: socket.socket, stop: threading.Event) -> None:
    """An error with a reason that has no end."""
    wire.sendall(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n")
    _until(stop, wire, b"because " * 8192)


def elsewhere(wire: socket.socket, _stop: threading.Event) -> None:
    """A redirect to the address that is in place of `{url}`."""
    wire.sendall(b"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n")


def says_nothing(_wire: socket.socket, stop: threading.Event) -> None:
    """It takes the question and that is all."""
    stop.wait()


BEHAVIOURS: dict[str, Speak] = {
    each.__name__: each
    for each in (
        endless_rows,
        endless_chunks,
        gzip_bomb,
        slow_body,
        slow_chunk_size,
        slow_headers,
        endless_continue,
        many_headers,
        long_header,
        too_short,
        too_many_rows,
        endless_error,
        says_nothing,
    )
}
# Of these, what is sent is counted; the others end by the clock or at once.
LARGE = {"endless_rows", "endless_chunks", "gzip_bomb"}
SLOW = {"slow_body", "slow_chunk_size", "slow_headers", "endless_continue", "says_nothing"}


class Hostile:
    """The store; it answers the first question of every connection by what `speak` says."""

    def __init__(self, speak: Speak) -> None:
        """Listen on a free port."""
        self.speak = speak
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/sparql"

    def _serve(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                wire, _ = self._listening.accept()
                threading.Thread(target=self._talk, args=(wire,), daemon=True).start()

    def _talk(self, wire: socket.socket) -> None:
        with wire, suppress(OSError):
            wire.settimeout(20)
            asked = b""
            while b"query=" not in asked:
                asked += wire.recv(65536)
            # Which release it holds is a question of its own, and is answered as it should be.
            if b"contentSha256" in asked:
                wire.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(NONE) + NONE)
            else:
                self.speak(wire, self._stop)


@contextmanager
def running(speak: Speak) -> Iterator[Hostile]:
    """Run the store for as long as the block lasts."""
    store = Hostile(speak)
    thread = threading.Thread(target=store._serve, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store._stop.set()
        thread.join()
        store._listening.close()
