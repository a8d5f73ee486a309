"""
Time and peak memory of each stage of the build, and the time to the first answer of a kept release.

Targets on two cores: the build under 10 s and 500 MiB, the first answer within 0.5 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from eurasia_graph.build import pipeline
from measure import Stages, peak_mib, seconds, show

FIRST_ANSWER = (
    "import eurasia_graph\nfrom eurasia_graph.web import create_app\n"
    "client = create_app(eurasia_graph.open_graph().store).test_client()\n"
    "assert len(client.get('/queries/members-on.json?body=cst&date=1992-12-31').json) == 6"
)


def main() -> None:
    """Measure and print."""
    stages = Stages()
    whole = seconds(lambda: pipeline.build(progress=stages))
    stages("")
    rows: list[tuple[object, ...]] = [*stages.rows, ("whole build", whole, peak_mib())]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "EURASIA_GRAPH_CACHE": cache}

        def start() -> None:
            subprocess.run([sys.executable, "-c", FIRST_ANSWER], check=True, env=environment)

        rows.append(("first answer, nothing kept", seconds(start), ""))
        rows.append(("first answer, release kept", min(seconds(start) for _ in range(5)), ""))
    show("build", ["stage", "s", "peak MiB so far"], rows)


if __name__ == "__main__":
    main()
