"""
Load and export here, and push into each store against the store's own loader, at 10 thousand and a million quads.

A name of a store as argument measures that one alone; `--large` adds 10 million quads, `--quick` takes one pair
of each. The loaders get the same file of N-Quads; RDF4J has none but its HTTP interface. A push and a load run one
after the other, each into an empty store, as often as the column `pairs` says: fewer where a pair takes long. The
ratio is the median of those of the pairs. Target: 1.5 at the most where the protocol allows it. `more MiB` is the
peak of this process beyond what the graph itself takes; what is loaded is the graph, so it has none.
"""

from __future__ import annotations

import ctypes
import gc
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

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import generate
import programs
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.export import write
from eurasia_graph.formats import Content, by_name
from eurasia_graph.store import ReleaseStore, load_files
from eurasia_graph.stores import push, send
from eurasia_graph.stores.products import PRODUCTS
from measure import seconds, show

SIZES = (10_000, 1_000_000)
LARGE = 10_000_000
PAIRS = 5
# No further pair begins when the pairs of a store have taken so long.
ENOUGH_S = 150.0
PAGE = 4096
LONGEST_S = 1800.0
COLUMNS = ["where", "quads", "what", "pairs", "s", "quads/s", "loader s", "push : loader", "more MiB"]
FAULTS = (EurasiaGraphError, OSError, RuntimeError, subprocess.SubprocessError, urllib3.exceptions.HTTPError)
Row = tuple[object, ...]


def resident_mib() -> float:
    """Return the resident size of this process, in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 2**20


@contextmanager
def peak() -> Iterator[list[float]]:
    """Watch how much memory this process takes beyond what it has now; the list gets the peak in MiB."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before would hide what is taken now
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


def here(store: ReleaseStore, folder: Path, quads: int) -> Iterator[Row]:
    """Export in every format, and load what was exported as `serve FILE` does."""
    for name in write.names():
        form = by_name(name) if name not in write.OTHER_FORMATS else None
        held = len(store.local) - quads if form and form.content is Content.GRAPH else quads
        file = folder / f"release.{form.extension if form else name}"
        with peak() as most, file.open("wb") as out:
            took = seconds(lambda name=name, out=out: write.write(store, name, out))  # type: ignore[misc]
        yield ("here", held, f"export {name}", "", took, held / took, "", "", most[0])
        if form:
            took = seconds(lambda file=file: load_files([file]))  # type: ignore[misc]
            yield ("here", held, f"load {name}", "", took, held / took, "", "", "")
        file.unlink()


def into(kind: str, store: ReleaseStore, file: Path, quads: int, most_pairs: int) -> Row:
    """Push into a store and load into another of the same kind by its own loader, in pairs."""
    pushes: list[float] = []
    loads: list[float] = []
    peaks: list[float] = []
    begin = time.monotonic()
    try:
        while len(loads) < most_pairs and (not loads or time.monotonic() - begin < ENOUGH_S):
            with tempfile.TemporaryDirectory() as folder:
                with programs.running(kind, Path(folder, "push")) as running, peak() as most:
                    target = send.open_target(running.url, kind, user=running.user, password=running.password)
                    pushes.append(seconds(lambda target=target: push.push(store, target)))  # type: ignore[misc]
                peaks.append(most[0])
                loads.append(LOADERS[kind](file, Path(folder, "load")))
    except FAULTS as error:
        return (kind, quads, f"fails: {' '.join(str(error).split())[:80]}", len(loads), *[""] * 5)
    ratio = statistics.median(one / other for one, other in zip(pushes, loads, strict=True))
    took = statistics.median(pushes)
    return (kind, quads, "push", len(loads), took, quads / took, statistics.median(loads), ratio, max(peaks))


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
        if answer.status >= 300:  # noqa: PLR2004
            raise RuntimeError(f"{answer.status}: {answer.data[:200].decode(errors='replace')}")
        return time.perf_counter() - begin


LOADERS: dict[str, Callable[[Path, Path], float]] = {
    "oxigraph": _oxigraph,
    "fuseki": _fuseki,
    "virtuoso": _virtuoso,
    "rdf4j": _rdf4j,
}


def _timed(command: list[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True, timeout=LONGEST_S))


def rows() -> Iterator[Row]:
    """Measure what was asked for."""
    asked = [word for word in sys.argv[1:] if word in PRODUCTS]
    for size in (*SIZES, *([LARGE] if "--large" in sys.argv else [])):
        store = generate.release_of(size)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "release.nq")
            with file.open("wb") as out:
                write.write(store, "nquads", out)
            with file.open("rb") as lines:
                quads = sum(1 for _ in lines)
            for kind in asked or LOADERS:
                reason = programs.missing(kind)
                pairs = 1 if "--quick" in sys.argv else PAIRS
                yield (kind, quads, reason, *[""] * 6) if reason else into(kind, store, file, quads, pairs)
            yield from [] if asked else here(store, Path(folder), quads)


def main() -> None:
    """Print every row as it comes, then the table."""
    found: list[Row] = []
    for row in rows():
        found.append(row)
        print(*(f"{cell:.2f}" if isinstance(cell, float) else cell for cell in row), file=sys.stderr, flush=True)
    show("stores", COLUMNS, found)


if __name__ == "__main__":
    main()
