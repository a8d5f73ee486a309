"""Start a server with little patience, and clients that have all the time in the world."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 1.0
SCRIPT = f"""
from eurasia_graph.build.pipeline import open_release
from eurasia_graph.web import Limits, Settings, create_app
from eurasia_graph.web.server import run
settings = Settings(limits=Limits(timeout_s=4.0))
run(lambda: create_app(open_release(), settings), "127.0.0.1", 0, patience_s={PATIENCE_S})
"""


@dataclass(frozen=True)
class Served:
    """A server: its port, and the process that answers."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mib(self) -> float:
        """What it holds of memory by itself, in MiB."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="utf-8")
        return sum(int(each) for each in re.findall(r"^Private_(?:Dirty|Clean):\s+(\d+)", rollup, re.MULTILINE)) / 1024

    @property
    def clients(self) -> int:
        """How many connections it has open, besides its own."""
        found = 0
        for each in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(OSError):
                found += str(each.readlink()).startswith("socket:")
        return found

    def status(self, path: str, body: bytes | None = None) -> int:
        """Ask as anybody would."""
        headers = {"Content-Type": "application/sparql-query"} if body else {}
        request = urllib.request.Request(self.address + path, data=body, headers=headers)  # noqa: S310  (our own)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  (our own address)
            answer.read()
            return int(answer.status)

    def open(self, sent: bytes, window: int | None = None) -> socket.socket:
        """Connect, with a small window if so wished, and send something."""
        opened = socket.socket()
        if window:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        opened.connect(("127.0.0.1", self.port))
        opened.sendall(sent)
        return opened


@contextmanager
def serving(script: str = SCRIPT) -> Iterator[Served]:
    """Run a server as long as the block lasts."""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
            assert found
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
            served = Served(int(found.group(1)), int(children[0]))
            # Until the first worker has the data.
            for _ in until(60):
                with suppress(OSError):
                    if served.status("/readyz") == served.status("/sparql", b"ASK {}"):
                        break
            yield served
        finally:
            process.kill()


def until(seconds: float) -> Iterator[float]:
    """Give how many seconds have gone, ten times a second, until so many have."""
    begin = time.monotonic()
    while (gone := time.monotonic() - begin) < seconds:
        yield gone
        time.sleep(0.1)
