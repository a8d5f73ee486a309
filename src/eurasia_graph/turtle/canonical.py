"""
Label the blank nodes of graphs by RDFC-1.0, in a separate process with a time limit.

For some graphs the algorithm takes practically forever, and the engine cannot be interrupted; a process can. This
module imports nothing from the package, so that the process starts in a few milliseconds.

Source: RDF Dataset Canonicalization, https://www.w3.org/TR/rdf-canon/
"""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from collections.abc import Iterable

from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, parse, serialize

SECONDS = 10.0
MEMORY, STACK = 4 << 30, 1 << 30


def canonical(*graphs: Iterable[Quad], seconds: float = SECONDS) -> list[list[str]] | None:
    """
    Return the lines of graphs in N-Triples, sorted, their blank nodes named by RDFC-1.0.

    Args:
        graphs: Their triples, each as a quad of the default graph.
        seconds: How long it may take for all of them.
    Returns:
        Equal lists for graphs that are the same but for the names of blank nodes; None if time ran out.
    """
    texts = [serialize(graph, format=RdfFormat.N_TRIPLES) or b"" for graph in graphs]
    if not any(_names_nodes(text) for text in texts):
        return [lines(text) for text in texts]
    content = b"".join(b"%d\n%s" % (len(text), text) for text in texts)
    try:
        # By the path of this file: `-m` would import the package before it.
        done = subprocess.run(  # noqa: S603  (our own file, by our own interpreter)
            [sys.executable, "-P", __file__, str(seconds)],
            input=content,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    found, rest = [], done.stdout
    while rest:
        length, _, rest = rest.partition(b"\n")
        found.append(lines(rest[: int(length)]))
        rest = rest[int(length) :]
    return found


def lines(ntriples: bytes) -> list[str]:
    """Return the different lines of N-Triples, sorted."""
    return sorted({line.decode() for line in ntriples.split(b"\n") if line})


def _names_nodes(ntriples: bytes) -> bool:
    """Return whether there may be a blank node; a string that looks like one costs time and nothing else."""
    return b"_:" in ntriples


def renamed(ntriples: bytes) -> bytes:
    """Return a graph with the names that RDFC-1.0 gives its blank nodes, however long that takes."""
    dataset = Dataset(parse(ntriples, format=RdfFormat.N_TRIPLES, lenient=True))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return serialize(dataset, format=RdfFormat.N_TRIPLES) or b""


def _main() -> None:
    # The parent may have been killed: then this ends by itself, and it never uses up the memory.
    limit = int(float(sys.argv[1])) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # The engine follows a list from cell to cell on its stack.
    threading.stack_size(STACK)
    thread = threading.Thread(target=_rename)
    thread.start()
    thread.join()


def _rename() -> None:
    rest = sys.stdin.buffer.read()
    while rest:
        length, _, rest = rest.partition(b"\n")
        text = renamed(rest[: int(length)])
        sys.stdout.buffer.write(b"%d\n%s" % (len(text), text))
        rest = rest[int(length) :]


if __name__ == "__main__":
    _main()
