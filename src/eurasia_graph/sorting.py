"""
Sort lines that do not fit into memory: sorted runs in files of their own, then merged.

Memory holds one run, however many lines there are.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Store

RUN_BYTES = 64 << 20


class _Cutting:
    """A file that N-Triples are written to; whole lines come out, with the name of their graph."""

    def __init__(self, runs: _Runs, graph: NamedNode | None) -> None:
        self.runs, self.rest = runs, b""
        self.end = b" ." if graph is None else f" {graph} .".encode()

    def write(self, content: bytes) -> int:
        *lines, self.rest = (self.rest + content).split(b"\n")
        self.runs.add([line.removesuffix(b" .") + self.end + b"\n" for line in lines])
        return len(content)

    def flush(self) -> None:
        """Lines are handed on as they are whole."""


class _Runs:
    """Sorted runs of lines: all but the last in files that go with the stack."""

    def __init__(self, stack: ExitStack, largest: int) -> None:
        self.stack, self.largest = stack, largest
        self.lines: list[bytes] = []
        self.files: list[IO[bytes]] = []
        self.size = 0

    def add(self, lines: list[bytes]) -> None:
        self.lines += lines
        self.size += sum(map(len, lines))
        if self.size >= self.largest:
            file = self.stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (the stack closes it)
            self.lines.sort()
            file.writelines(self.lines)
            file.seek(0)
            self.files.append(file)
            self.lines, self.size = [], 0

    def merged(self) -> Iterator[bytes]:
        self.lines.sort()
        last = b""
        for line in heapq.merge(*self.files, self.lines):
            if line != last:
                yield line
            last = line


def sorted_lines(
    engine: Store, graphs: Iterable[NamedNode | DefaultGraph], *, quads: bool, run_bytes: int = RUN_BYTES
) -> Iterator[bytes]:
    """
    Return the lines of graphs in N-Triples or N-Quads, sorted by their bytes, each once.

    Args:
        engine: The quads.
        graphs: Which of its graphs; without blank nodes, if the lines are to be canonical.
        quads: N-Quads, with the name of the graph in every line; else N-Triples.
        run_bytes: How many bytes of lines memory holds.
    """
    with ExitStack() as stack:
        runs = _Runs(stack, run_bytes)
        for graph in graphs:
            named = graph if quads and isinstance(graph, NamedNode) else None
            engine.dump(_Cutting(runs, named), RdfFormat.N_TRIPLES, from_graph=graph)  # type: ignore[arg-type]
        yield from runs.merged()
