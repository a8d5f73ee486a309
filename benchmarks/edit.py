"""
CPU time from the edit of one claim to the report and to the new release, among 2, 10 and 50 sources.

All but the edited source is kept from the build before; the commands run in one process that has built before.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from copies import copy_data
from eurasia_graph.build import pipeline
from eurasia_graph.build.pieces import Pieces
from eurasia_graph.build.release import Release
from measure import cpu_seconds, peak_mib, show, unit

SIZES = (2, 10, 50)
CLAIMS = Path("sources") / "icds-2016" / "claims.ttl"


def edit(data: Path, word: str) -> None:
    """Change the gist of one claim."""
    path = data / CLAIMS
    path.write_text(path.read_text(encoding="utf-8").replace('eg:gist "', f'eg:gist "{word} ', 1), encoding="utf-8")


def main() -> None:
    """Measure and print."""
    rows: list[tuple[object, ...]] = []
    sizes = [int(each) for each in sys.argv[1].split(",")] if len(sys.argv) > 1 else SIZES
    for sources in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            data = copy_data(Path(scratch) / "data", sources)
            pieces, built = Pieces(Path(scratch) / "cache"), list[Release]()
            pipeline.build(data, pieces=pieces)
            same = cpu_seconds(lambda data=data, pieces=pieces: pipeline.validate(data, pieces=pieces))  # type: ignore[misc]
            edit(data, "Once")
            checked = cpu_seconds(lambda data=data, pieces=pieces: pipeline.validate(data, pieces=pieces))  # type: ignore[misc]
            edit(data, "Twice")
            made = cpu_seconds(lambda data=data, pieces=pieces, built=built: built.append(pipeline.build(data, pieces=pieces)))  # type: ignore[misc]  # fmt: skip  # noqa: E501
            one = unit(built[0].store)
        rows += [
            (f"{sources} sources: validate, the first time after a build", same, same / one, peak_mib()),
            (f"{sources} sources: validate, one claim edited", checked, checked / one, peak_mib()),
            (f"{sources} sources: build, one claim edited", made, made / one, peak_mib()),
        ]
    show("edit", ["what", "CPU s", "units", "peak MiB so far"], rows)


if __name__ == "__main__":
    main()
