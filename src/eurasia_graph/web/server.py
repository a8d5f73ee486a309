"""Run the application on a port of this machine until somebody stops it."""

from __future__ import annotations

import errno
import socket
import sys

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from eurasia_graph.errors import UsageError

BUSY = {errno.EADDRINUSE: "another program is using it", errno.EACCES: "it is reserved"}


class QuietHandler(WSGIRequestHandler):
    """A request handler that keeps the addresses of clients out of the log."""

    def address_string(self) -> str:
        """Write a dash where the address would stand."""
        return "-"

    def version_string(self) -> str:
        """Tell clients the product, not the versions below it."""
        return "eurasia-graph"


def run(app: Flask, host: str, port: int) -> None:
    """
    Serve until Ctrl-C.

    Args:
        app: The application.
        host: A name or address of this machine.
        port: 0 for any that is free.
    Raises:
        UsageError: If the address cannot be had; says which option helps.
    """
    # Bound here and not by Werkzeug, which prints a text of its own and ends the process.
    with _bound(host, port) as listening:
        port = listening.getsockname()[1]
        server = make_server(host, port, app, threaded=True, request_handler=QuietHandler, fd=listening.fileno())
        print(f"http://{host}:{port}/  (Ctrl-C stops it)", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
        finally:
            server.server_close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno in BUSY:
            another = f"try --port {port + 1 if port else 8000}"
            raise UsageError(f"cannot serve on {host}:{port}: {BUSY[error.errno]}; {another}") from None
        raise UsageError(f"cannot serve on {host}: it is no address of this machine; try --host 127.0.0.1") from None
