"""
Load and export here, and push into each store against the store's own loader, at 10 thousand and a million quads.

A name of a store as argument measures that one alone; `--large` adds 10 million quads, `--quick` takes one pair
of each and no median. The loaders get the
same file of N-Quads; RDF4J has none but its HTTP interface. Ratios are push time by loader time, medians of
pairs that ran one after the other. Target: 1.5 at the most where the protocol allows it. The peak of memory
is that of this process beyond what the graph itself takes, in MiB.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3
from pyoxigraph import NamedNode, RdfFormat, Store

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import generate
import programs
from eurasia_graph import delivery, export, push
from eurasia_graph.products import PRODUCTS
from eurasia_graph.store import ReleaseStore
from measure import seconds, show

# The generator counts what is written by hand generously: it makes about twice as many quads as it is asked for.
SIZES = (5_000, 500_000)
LARGE = 5_000_000
PAIRS = {5_000: 5, 500_000: 3, LARGE: 1}
PAGE = 4096
LONGEST_S = 3600.0
Row = tuple[object, ...]


def resident_mib() -> float:
    """Return the resident size of this process, in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 2**20


@contextmanager
def peak() -> Iterator[list[float]]:
    """Watch how much memory this process takes beyond what it has now; the list gets the peak in MiB."""
    begin, found, over = resident_mib(), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            found[0] = max(found[0], resident_mib() - begin)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def here(store: ReleaseStore, file: Path, quads: int) -> Iterator[Row]:
    """Load and export in this process."""
    took = seconds(lambda: Store().bulk_load(path=str(file), format=RdfFormat.N_QUADS))
    yield ("here", quads, "load N-Quads", took, quads / took, "", "")
    for name in ("nquads", "ntriples", "jsonld"):
        with peak() as most, tempfile.TemporaryFile() as out:
            took = seconds(lambda name=name, out=out: export.write(store, name, out))  # type: ignore[misc]
        yield ("here", quads, f"export {name}", took, quads / took, "", most[0])


def into(kind: str, store: ReleaseStore, file: Path, quads: int, pairs: int) -> Row:
    """Push into a store and load into another of the same kind by its own loader, in pairs."""
    pushes, ratios, peaks = [], [], []
    for _ in range(pairs):
        with tempfile.TemporaryDirectory() as folder:
            with programs.running(kind, Path(folder, "push")) as running, peak() as most:
                target = delivery.open_target(running.url, kind, user=running.user, password=running.password)
                pushes.append(seconds(lambda target=target: push.push(store, target)))  # type: ignore[misc]
            peaks.append(most[0])
            ratios.append(pushes[-1] / LOADERS[kind](file, Path(folder, "load")))
    took = statistics.median(pushes)
    return (kind, quads, "push", took, quads / took, statistics.median(ratios), max(peaks))


def _oxigraph(file: Path, folder: Path) -> float:
    program = programs.oxigraph_program()
    assert program
    return _timed([program, "load", "--location", str(folder), "--file", str(file)])


def _fuseki(file: Path, folder: Path) -> float:
    jar = str(programs.jar("jena-fuseki-server"))
    return _timed(["java", "-Xmx2g", "-cp", jar, "tdb2.tdbloader", "--loc", str(folder), str(file)])


def _virtuoso(file: Path, folder: Path) -> float:
    with programs.running("virtuoso", folder) as running:
        (folder / file.name).write_bytes(file.read_bytes())
        script = f"ld_dir('{folder}', '*.nq', 'urn:none'); rdf_loader_run(); checkpoint;"
        address = f"127.0.0.1:{running.ports['sql']}"
        return _timed(["isql-vt", address, programs.USER, programs.PASSWORD, f"EXEC={script}"])


def _rdf4j(file: Path, folder: Path) -> float:
    with programs.running("rdf4j", folder) as running:
        body, begin = file.read_bytes(), time.perf_counter()
        headers = {"Content-Type": "application/n-quads"}
        answer = urllib3.request(
            "POST", f"{running.url}/statements", body=body, headers=headers, timeout=LONGEST_S, retries=False
        )
        assert answer.status < 300, answer.data  # noqa: PLR2004
        return time.perf_counter() - begin


LOADERS: dict[str, Callable[[Path, Path], float]] = {
    "oxigraph": _oxigraph,
    "fuseki": _fuseki,
    "virtuoso": _virtuoso,
    "rdf4j": _rdf4j,
}


def _timed(command: list[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def main() -> None:
    """Measure and print."""
    asked = [word for word in sys.argv[1:] if word in PRODUCTS]
    rows: list[Row] = []
    for size in (*SIZES, *([LARGE] if "--large" in sys.argv else [])):
        store = generate.release_of(size)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "release.nq")
            quads = _write(store, file)
            rows += [] if asked else here(store, file, quads)
            for kind in asked or LOADERS:
                if reason := programs.missing(kind):
                    print(reason, file=sys.stderr)
                else:
                    rows.append(into(kind, store, file, quads, 1 if "--quick" in sys.argv else PAIRS[size]))
                    print(*rows[-1], file=sys.stderr)
    show("stores", ["where", "quads", "what", "s", "quads/s", "push : loader", "more memory MiB"], rows)


def _write(store: ReleaseStore, file: Path) -> int:
    """Write the named graphs as N-Quads; return how many."""
    count = 0
    with file.open("wb") as out:
        for graph in store.local.named_graphs():
            assert isinstance(graph, NamedNode)
            name = f" {graph} .".encode()
            lines = (store.local.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b"").splitlines()
            out.writelines(line.removesuffix(b" .") + name + b"\n" for line in lines)
            count += len(lines)
    return count


if __name__ == "__main__":
    main()
