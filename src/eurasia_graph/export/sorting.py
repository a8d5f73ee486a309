"""
Sort lines that do not fit into memory: sorted runs in temporary files, then merged.

Memory holds one run, however many lines there are.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

RUN_BYTES = 8 << 20
# Runs are merged when there are so many: some systems let a process open 256 files.
MOST_FILES = 64


class _Runs:
    """Sorted runs of lines: all but the last in files, which the system removes when they are closed."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.lines: list[bytes] = []
        self.files: list[IO[bytes]] = []
        self.size = 0

    def add(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.lines.append(line)
            self.size += len(line)
        if self.size >= self.largest:
            self.lines.sort()
            self._put_away(self.lines)
            self.lines, self.size = [], 0
        if len(self.files) == MOST_FILES:
            runs, self.files = self.files, []
            self._put_away(heapq.merge(*runs))
            _close(runs)

    def merged(self) -> Iterator[bytes]:
        self.lines.sort()
        last = b""
        for line in heapq.merge(*self.files, self.lines):
            if line != last:
                yield line
            last = line
        _close(self.files)

    def _put_away(self, lines: Iterable[bytes]) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it is merged)
        file.writelines(lines)
        file.seek(0)
        self.files.append(file)


def _close(files: list[IO[bytes]]) -> None:
    for file in files:
        file.close()


def sort(lines: Iterable[bytes], run_bytes: int | None = None) -> Iterator[bytes]:
    """
    Return lines sorted by their bytes, each once.

    Args:
        lines: Each with a newline at its end and none before.
        run_bytes: How many bytes of lines memory holds; RUN_BYTES if left out.
    """
    runs = _Runs(run_bytes or RUN_BYTES)
    for line in lines:
        runs.add((line,))
    yield from runs.merged()


def dump(engine: Store, graphs: Iterable[NamedNode | DefaultGraph], take: Callable[[bytes], None]) -> None:
    """Write graphs as N-Triples, unsorted, and pass them on in blocks of whole lines."""
    for graph in graphs:
        engine.dump(cast("IO[bytes]", _Blocks(take)), RdfFormat.N_TRIPLES, from_graph=graph)


class _Blocks:
    """A file that passes on what is written to it in blocks of whole lines."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.take, self.rest = take, b""

    def write(self, content: bytes) -> int:
        whole, newline, self.rest = (self.rest + content).rpartition(b"\n")
        if newline:
            self.take(whole + newline)
        return len(content)

    def flush(self) -> None:
        """No-op: blocks are passed on when they are complete."""


def sorted_lines(
    engine: Store,
    graphs: Iterable[NamedNode | DefaultGraph],
    *,
    quads: bool,
    key: Callable[[bytes], bytes] | None = None,
    run_bytes: int | None = None,
) -> Iterator[bytes]:
    """
    Return the lines of graphs in N-Triples or N-Quads, sorted by their bytes, each once.

    Args:
        engine: The quads.
        graphs: Which of its graphs; without blank nodes, if the lines are to be canonical.
        quads: N-Quads, with the name of the graph in every line; else N-Triples.
        key: What lines are sorted by in the first place, without the byte 0; nothing if left out.
        run_bytes: How many bytes of lines memory holds; RUN_BYTES if left out.
    """
    runs = _Runs(run_bytes or RUN_BYTES)
    for graph in graphs:
        end = f" {graph} .\n".encode() if quads and isinstance(graph, NamedNode) else b" .\n"

        def take(block: bytes, end: bytes = end) -> None:
            lines = block.replace(b" .\n", end).splitlines(keepends=True)
            runs.add(lines if key is None else [key(line) + b"\0" + line for line in lines])

        dump(engine, (graph,), take)
    yield from runs.merged() if key is None else (line.partition(b"\0")[2] for line in runs.merged())
