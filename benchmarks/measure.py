"""Shared by the benchmarks: time, peak memory, and a table that is saved next to the script."""

from __future__ import annotations

import platform
import re
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from prettytable import PrettyTable, TableStyle

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


class Stages:
    """Time the stages of a build from its progress calls."""

    def __init__(self) -> None:
        """Start the clock."""
        self.rows: list[tuple[str, float, float]] = []
        self.current = ""
        self.begin = time.perf_counter()

    def __call__(self, stage: str) -> None:
        """End the stage before and begin the next."""
        now = time.perf_counter()
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
