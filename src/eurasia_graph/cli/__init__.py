"""
The command line: one module a subject, one function a command, each importing what it needs when it is called.

Results go to stdout, everything else to stderr. Exit status: 0 good, 1 the data or the query is at
fault, 2 the call is.
"""

from __future__ import annotations

import click

from eurasia_graph.cli.asking import query
from eurasia_graph.cli.checking import fmt, validate
from eurasia_graph.cli.citing import cite
from eurasia_graph.cli.group import Commands
from eurasia_graph.cli.pushing import push
from eurasia_graph.cli.releasing import build, export, release
from eurasia_graph.cli.serving import serve
from eurasia_graph.cli.texts import coverage, explain, passages, verify

__all__ = ["main"]

# In the order of use, which is that of the architecture.
COMMANDS = (validate, fmt, passages, verify, coverage, build, query, explain, cite, serve, export, release, push)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eurasia-graph", prog_name="eurasia-graph")
def main() -> None:
    """Who belonged to what, when, with which status, and who says so."""


for command in COMMANDS:
    main.add_command(command)
