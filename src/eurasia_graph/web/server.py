"""Run the application on a port of this machine until it is stopped."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyoxigraph import Store

from eurasia_graph.errors import UsageError
from eurasia_graph.web import bodies, connections, sending
from eurasia_graph.web.cache import MOST_WAITING, AnswerCache

if TYPE_CHECKING:
    from flask import Flask

    from eurasia_graph.web.context import Service

BUSY = {errno.EADDRINUSE: "another program is using it", errno.EACCES: "it is reserved"}
# Threads that wait for query workers cost almost nothing; those that compute share one lock. Threads that wait for
# slow clients are added.
THREADS = 64 + bodies.MOST_WAITED_FOR + sending.MOST_WAITED_FOR + MOST_WAITING
# The limit for the request line and all headers together, in bytes.
LARGEST_HEAD = 98_304
CONNECTIONS = 1024
# Descriptors besides connections: pipes, files, query workers.
OTHER_DESCRIPTORS = 512
# How many query timeouts one answer may take: canned queries in workers or on a remote store run more than one query;
# and the seconds for other waits, such as workers that load the data.
QUERIES = 2
MANY_QUERIES = 8
SPARE_S = 5
MUCH_SPARE_S = 60
LAST_WORD_S = 15
START_S = 60
TICK_S = 0.01


def run(
    make_app: Callable[[], Flask],
    host: str,
    port: int,
    patience_s: float = connections.PATIENCE_S,
    begin: Callable[[Flask], None] = lambda _app: None,
) -> None:
    """
    Serve until Ctrl-C or SIGTERM; requests in progress are answered first.

    Args:
        make_app: Creates the application, in the process that serves it.
        host: A name or address of this machine.
        port: 0 for any that is free.
        patience_s: Seconds that a client may take to send the head of a request; also used by `connections`.
        begin: Called in the process that serves, which may start threads then.
    Raises:
        UsageError: If the address cannot be used; the message names the option to change.
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.http import HTTP1Settings

    port = _free(host, port)
    # What was loaded here is shared with the process that serves, not loaded again.
    multiprocessing.set_start_method("fork", force=True)
    server = Granian(
        "eurasia_graph",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        # One thread does the I/O of all connections: a second one would slow down those that answer. A proxy in front
        # speaks HTTP/1.1.
        runtime_threads=1,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        backlog=2048,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=int(patience_s * 1000), max_buffer_size=LARGEST_HEAD),
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_WORD_S,
    )
    _allow_connections()
    lifeline = os.pipe()
    server.serve(target_loader=lambda _target: _begun(_warmed(make_app(), lifeline, host, port, patience_s), begin))
    print("stopped", file=sys.stderr)


def _allow_connections() -> None:
    """Raise the limit of open descriptors as far as needed and permitted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_DESCRIPTORS
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _warmed(app: Flask, lifeline: tuple[int, int], host: str, port: int, patience_s: float) -> Flask:
    """
    Print the address, start the first query worker in the background, and exit with the parent.

    All threads start here: if a process forks while a thread runs, a lock may stay locked in the child.
    """
    from eurasia_graph.web.context import Service

    service, front = app.extensions["eurasia-graph"], app.wsgi_app
    assert isinstance(service, Service) and isinstance(front, AnswerCache)
    watching = connections.Watch(port, _longest_answer_s(service), patience_s)
    front.bodies.watched = watching.reading if watching.start() else None
    service.here = f"http://{_shown(host)}:{port}/"
    # Ctrl-C reaches the whole process group; only the parent decides when this process stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=service.pool.warm, daemon=True).start()
    os.close(lifeline[1])
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    threading.Thread(target=_follow, args=(lifeline[0],), daemon=True).start()
    return app


def _begun(app: Flask, begin: Callable[[Flask], None]) -> Flask:
    begin(app)
    return app


def _longest_answer_s(service: Service) -> float:
    """Return the seconds after which a request without an answer must have been incomplete."""
    is_quick = service.is_small and isinstance(service.store.engine, Store)
    spare, queries = (SPARE_S, QUERIES) if is_quick else (MUCH_SPARE_S, MANY_QUERIES)
    return spare + queries * service.limits.timeout_s


def _follow(lifeline: int) -> None:
    """Exit when the other end of the pipe closes, even if the parent was killed; the query workers follow."""
    os.read(lifeline, 1)
    os._exit(1)


def _announce(host: str, port: int) -> None:
    """Print the address as soon as it accepts connections."""
    for _ in range(int(START_S / TICK_S)):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(TICK_S)
        else:
            print(f"http://{_shown(host)}:{port}/  (Ctrl-C stops it)", file=sys.stderr, flush=True)
            return


def _shown(host: str) -> str:
    """Write an address for a URL: IPv6 addresses are put in brackets."""
    return f"[{host}]" if ":" in host else host


def _free(host: str, port: int) -> int:
    """Return the port, or a free one for 0; reports an unusable address before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        if error.errno in BUSY:
            another = f"try --port {port + 1 if port else 8000}"
            raise UsageError(f"cannot serve on {host}:{port}: {BUSY[error.errno]}; {another}") from None
        raise UsageError(f"cannot serve on {host}: not an address of this machine; try --host 127.0.0.1") from None
