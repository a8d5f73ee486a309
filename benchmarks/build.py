"""
CPU time and peak memory of each stage of the build, of a build with parts, and of the commands as processes.

The ratios are to the unit, the CPU time in which the engine loads the finished release.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from eurasia_graph.build import pipeline
from eurasia_graph.build.pieces import Pieces
from eurasia_graph.build.release import Release
from measure import Stages, cpu_seconds, peak_mib, show, unit, with_ratio

COMMAND = "from eurasia_graph.cli import main; main()"
MEMBERS = ["query", "members-on", "--body", "cst", "--date", "1992-12-31"]
REPEATS = 5


def main() -> None:
    """Measure and print."""
    stages, built = Stages(), list[Release]()
    whole = cpu_seconds(lambda: built.append(pipeline.build(progress=stages)))
    stages("")
    rows = [*stages.rows, ("whole build, from nothing", whole, peak_mib())]
    with tempfile.TemporaryDirectory() as folder:
        pieces = Pieces(Path(folder) / "cache")
        pipeline.build(pieces=pieces)
        rows.append(("whole build, nothing changed", cpu_seconds(lambda: pipeline.build(pieces=pieces)), peak_mib()))
        environment = {**os.environ, "EURASIA_GRAPH_CACHE": folder}

        def run(*arguments: str) -> None:
            told = [sys.executable, "-c", COMMAND, *arguments]
            subprocess.run(told, check=True, env=environment, capture_output=True)

        for what, arguments in (("validate", ["validate"]), ("query members-on", MEMBERS)):
            first = cpu_seconds(lambda arguments=arguments: run(*arguments))  # type: ignore[misc]
            again = min(cpu_seconds(lambda arguments=arguments: run(*arguments)) for _ in range(REPEATS))  # type: ignore[misc]
            rows += [(f"{what} as a process, nothing kept", first, 0.0), (f"{what} as a process, kept", again, 0.0)]
    one = unit(built[0].store)
    rows.append((f"unit: loading {len(built[0].store)} quads", one, 0.0))
    show("build", ["stage", "CPU s", "units", "peak MiB so far"], with_ratio(rows, one))


if __name__ == "__main__":
    main()
