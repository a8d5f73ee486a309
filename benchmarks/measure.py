"""Shared by the benchmarks: time, peak memory, and a table that is saved next to the script."""

from __future__ import annotations

import platform
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from prettytable import PrettyTable, TableStyle
from pyoxigraph import RdfFormat, Store

# The kernel counts in KiB on Linux and in bytes on macOS.
MEBIBYTE = 1024 * 1024 if sys.platform == "darwin" else 1024


def peak_mib() -> float:
    """Return the peak resident size of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def cpu() -> float:
    """Return the CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return how much CPU time a call takes, whatever else the machine does."""
    begin = cpu()
    call()
    return cpu() - begin


def unit(store: Store) -> float:
    """
    Return the CPU seconds in which the engine loads a release: what the others are compared with, on any machine.

    Args:
        store: The finished release.
    """
    lines = store.dump(format=RdfFormat.N_QUADS) or b""
    return cpu_seconds(lambda: Store().bulk_load(lines, format=RdfFormat.N_QUADS))


def with_ratio(rows: Iterable[tuple[str, float, float]], one: float) -> list[tuple[object, ...]]:
    """Add to rows of what, CPU seconds and MiB how many units the seconds are."""
    return [(what, used, used / one, mib) for what, used, mib in rows]


class Stages:
    """Measure the stages of a build in CPU seconds, from its progress calls."""

    def __init__(self) -> None:
        """Start the clock."""
        self.rows: list[tuple[str, float, float]] = []
        self.current = ""
        self.begin = cpu()

    def __call__(self, stage: str) -> None:
        """End the stage before and begin the next."""
        now = cpu()
        if self.current:
            self.rows.append((self.current, now - self.begin, peak_mib()))
        self.current, self.begin = stage, now


def show(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *more: str) -> None:
    """Print a table and notes, and save them next to the script, with a description of the machine."""
    table = PrettyTable(columns, align="r")
    table.set_style(TableStyle.PLAIN_COLUMNS)
    table.right_padding_width = 2
    table.align[columns[0]] = "l"
    table.add_rows([[f"{cell:.2f}" if isinstance(cell, float) else cell for cell in row] for row in rows])
    text = "\n".join([*(line.rstrip() for line in table.get_string().splitlines()), *more])
    head = f"{name}: Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    print(f"{head}\n{text}")
    Path(__file__).with_name(f"{name}.txt").write_text(f"{head}\n{text}\n", encoding="utf-8")
    readme = Path(__file__).with_name("README.md")
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    before = readme.read_text(encoding="utf-8")
    readme.write_text(place.sub(lambda match: f"{match[1]}```text\n{head}\n{text}\n```\n{match[2]}", before), "utf-8")
