"""`cite`: the release, a source, a claim or an answer, to be cited."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from eurasia_graph.cli.opening import open_release
from eurasia_graph.cli.options import data_option, release_option
from eurasia_graph.cli.output import write_bytes
from eurasia_graph.errors import UsageError


@click.command()
@click.argument("names", nargs=-1, metavar="[CLAIM|SOURCE|QUERY [PARAM=VALUE]...]...")
@click.option("--format", "form", type=click.Choice(["text", "bibtex", "csl"]), default="text", show_default=True)
@click.option("--accessed", metavar="DAY", help="The day on which it was looked at; none is named without it.")
@data_option
@release_option
def cite(names: tuple[str, ...], form: str, accessed: str | None, data: Path | None, folder: Path | None) -> None:
    """
    Write how to cite the release, a source, a claim with its passage, or the answer to a query.

    Without a name, it is the release. The values of a query follow its name.

    \b
    Example: eurasia-graph cite icds-2016/8 members-on body=csto date=2003-12-31 --format bibtex
    """
    from dataclasses import replace

    from eurasia_graph import citing

    day = _day(accessed)
    store = open_release(data, folder)
    found = [citing.find(store, name, values) for name, values in _asked(names)]
    write_bytes(citing.write((replace(each, accessed=day) for each in found), form).encode())


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"--accessed is a day, not {text!r}; write 2026-11-25") from None


def _asked(names: tuple[str, ...]) -> list[tuple[str, dict[str, object]]]:
    """Put the values behind the name of the query that they are of."""
    found: list[tuple[str, dict[str, object]]] = []
    for word in names or ("release",):
        key, equals, value = word.partition("=")
        if not equals or "/" in key or ":" in key:
            found.append((word, {}))
        elif not found:
            raise UsageError(f"{word} is of no query; write the name of the query before it")
        else:
            if key in found[-1][1]:
                raise UsageError(f"{key} is given 2 times; give it once")
            found[-1][1][key] = value
    return found
