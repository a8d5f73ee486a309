"""Wait for the files that a release depends on to change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from eurasia_graph.paths import root

SUFFIXES = (".ttl", ".rq")
# An editor writes several times in a row, and a checkout many files.
SETTLED_MS = 200
STEP_MS = 50
# Polling interval if the system does not report changes, in ms.
LOOK_MS = 2000


# (path, time of change, size) of every file.
Stamp = frozenset[tuple[str, int, int]]


def stamp(data: Path | None = None) -> Stamp:
    """Return which files a release depends on, and when each was last changed."""
    found = set()
    for folder in _folders(data):
        for path in folder.rglob("*"):
            if path.suffix in SUFFIXES:
                with suppress(OSError):
                    status = path.stat()
                    found.add((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)


def changes(data: Path | None, since: Stamp, stop: threading.Event | None = None) -> Iterator[None]:
    """
    Yield after every change of a data folder or of the ontology, when it has settled.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        since: The files as they were when they were last read, so that no change in between is missed.
        stop: Ends the iteration when it is set.
    """
    from watchfiles import watch

    waked = watch(
        *_folders(data),
        watch_filter=lambda _change, path: path.endswith(SUFFIXES),
        debounce=SETTLED_MS,
        step=STEP_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
    )
    for _ in waked:
        now = stamp(data)
        if now != since:
            since = now
            yield


def _folders(data: Path | None) -> list[Path]:
    return [data or root() / "data", root() / "ontology"]
