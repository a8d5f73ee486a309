"""A server on this machine that counts who connects to it; nobody should."""

from __future__ import annotations

import socket
import threading
from typing import Self


class Trap:
    """Counts connections; `url` is an address that leads to it."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/trap"

    def __enter__(self) -> Self:
        """Begin to count."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def _count(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            connection.close()
            self.connections += 1
