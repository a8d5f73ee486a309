"""
CPU time and peak memory of builds from nothing of 10, 50 and 100 sources, which are copies of those that are shipped.

Each is built in a process of its own, since peaks do not fall again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from copies import copy_data
from eurasia_graph.build import pipeline
from eurasia_graph.build.release import Release
from measure import Stages, cpu_seconds, peak_mib, show, unit

SIZES = (10, 50, 100)


def measure(sources: int) -> dict[str, float | int]:
    """Build so many sources from nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_data(Path(scratch) / "data", sources)
        stages, built = Stages(), list[Release]()
        used = cpu_seconds(lambda: built.append(pipeline.build(folder, stages)))
        stages("")
    parts = sum(seconds for stage, seconds, _ in stages.rows if stage.startswith("source "))
    across = sum(seconds for stage, seconds, _ in stages.rows if stage == "differences")
    peak = peak_mib()
    store = built[0].store
    return {"used": used, "parts": parts, "across": across, "peak": peak, "unit": unit(store), "quads": len(store)}


def main() -> None:
    """Measure and print, or measure one size and print it for the process that prints the table."""
    if len(sys.argv) > 1 and sys.argv[1].isdecimal():
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    rows: list[tuple[object, ...]] = []
    sizes = [int(each) for each in sys.argv[1].split(",")] if len(sys.argv) > 1 else SIZES
    for sources in sizes:
        done = subprocess.run([sys.executable, __file__, str(sources)], check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        used, one = found["used"], found["unit"]
        rows.append(
            (sources, found["quads"], used, used / sources, found["parts"], found["across"], used / one, found["peak"])
        )
    columns = ["sources", "quads", "CPU s", "s/source", "parts s", "differences s", "units", "peak MiB"]
    show("sources", columns, rows)


if __name__ == "__main__":
    main()
