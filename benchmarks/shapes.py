"""
Check the shipped data, ten copies of its sources and the COW table by compiled shapes and by pySHACL.

Both are checked in one run on the same store, in CPU seconds, and have to find the same.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cow
from eurasia_graph import paths
from eurasia_graph.build import judge, shape_check, sources
from eurasia_graph.build.derive import derive
from eurasia_graph.build.results import Result
from eurasia_graph.build.sources import Dataset
from measure import show

COPIES = 10
PARTS = (("record", "Violation"), ("world", "Warning"))


def copy_sources(folder: Path, copies: int) -> None:
    """Write a data folder with the shipped entities and copies of the shipped sources, each under its own name."""
    data = paths.root() / "data"
    shutil.copytree(data / "entities", folder / "entities")
    for source in sorted((data / "sources").iterdir()):
        for number in range(copies):
            name = f"{source.name}-{number}"
            (folder / "sources" / name).mkdir(parents=True)
            for path in source.glob("*.ttl"):
                # Claims, passages and the source itself; an agent may be named after the text as well.
                own = rf"((?:claim/|passage/|source/|source:)){re.escape(source.name)}(?=[/>\s])"
                text = re.sub(own, rf"\g<1>{name}", path.read_text(encoding="utf-8"))
                (folder / "sources" / name / path.name).write_text(text, encoding="utf-8")


def checked(call: Callable[[], Iterable[Result]]) -> tuple[set[Result], float]:
    """Return what a check found, and the CPU seconds that it took."""
    begin = time.process_time()
    results = set(call())
    return results, time.process_time() - begin


def measure(label: str, dataset: Dataset) -> tuple[list[tuple[object, ...]], bool]:
    """Check a dataset in both ways; return rows of the table and whether both found the same."""
    rows: list[tuple[object, ...]] = []
    same = True
    for part, severity in PARTS:
        if part == "world":
            derive(dataset)
        compiled, ours = checked(partial(shape_check.check, dataset, severity))
        by_judge, theirs = checked(partial(judge.run, dataset.store, severity))
        same = same and compiled == by_judge
        quads = len(dataset.store)
        rows.append((f"{label}, {part}", quads, len(compiled), ours, theirs, theirs / ours, compiled == by_judge))
    return rows, same


def main() -> int:
    """Measure, print, and end with 1 where the two found different things."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=cow.TABLE, help="igo_year_formatv3.csv.gz")
    parser.add_argument("--copies", type=int, default=COPIES, help="how often each shipped source is copied")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        copies, table = Path(scratch) / "copies", Path(scratch) / "table"
        copy_sources(copies, chosen.copies)
        folders = [("shipped", None), (f"{chosen.copies} copies", copies)]
        if chosen.table.is_file():
            cow.write(table, chosen.table, only_ours=False)
            folders.append(("COW", table))
        else:
            print(f"skipped: no table {chosen.table}; give --table igo_year_formatv3.csv.gz")
        rows: list[tuple[object, ...]] = []
        good = True
        for label, folder in folders:
            more, same = measure(label, sources.load(sources.find(folder)))
            rows, good = rows + more, good and same
    columns = ["what", "quads", "found", "compiled, CPU s", "pySHACL, CPU s", "times as fast", "the same"]
    show("shapes", columns, rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
