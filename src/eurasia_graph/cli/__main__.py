"""`python -m eurasia_graph.cli`: the command line without the installed script."""

from __future__ import annotations

from contextlib import suppress

from eurasia_graph.cli import main

if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
