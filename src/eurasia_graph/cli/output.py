"""Output of commands: tables, rows, notes and progress."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eurasia_graph.queries import Rows


WIDEST_CELL = 60


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write the file completely or leave the old one: a full disk does not destroy the existing file."""
    import tempfile

    if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
        with path.open("wb") as file:
            write(file)
        return
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        whole = Path(folder, path.name)
        with whole.open("wb") as file:
            write(file)
        whole.replace(path)


def write_bytes(content: bytes) -> None:
    """Write bytes to stdout as they are, after the text that was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def progress(stage: str) -> None:
    """Show the stage on a terminal, in place; print a note on a separate line, on a terminal or not."""
    if stage.startswith("note: "):
        wipe = "\r\x1b[K" if sys.stderr.isatty() else ""
        click.echo(f"{wipe}{stage}", err=True)
    elif sys.stderr.isatty():
        # Cut to one line, since the next stage erases only one.
        shown = f"{stage}{'...' if stage else ''}"[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r\x1b[K{shown}", err=True, nl=False)


def repeated(run: Callable[[], int], data: Path | None) -> int:
    """
    Run a function now and after every change of the data folder or the ontology, until Ctrl-C.

    Returns:
        Its last result.
    """
    from eurasia_graph.build.watching import changes, stamp
    from eurasia_graph.errors import EurasiaGraphError, InvalidDataError

    before = stamp(data)
    try:
        status = run()
    except InvalidDataError as error:
        click.echo(str(error), err=True)
        status = 1
    click.echo("watching for changes (Ctrl-C stops)", err=True)
    for _ in changes(data, before):
        try:
            status = run()
        except EurasiaGraphError as error:
            # A folder may be in the middle of a move; the next change may complete it.
            click.echo(str(error), err=True)
            status = 1
    return status


class Speed:
    """A progress bar for sending: how many triples have arrived, and how fast."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()

    def __call__(self, graph: str, done: int, of: int) -> None:
        """Show how many of the triples have arrived; the graph is the one being sent."""
        speed = done / max(time.perf_counter() - self.begin, 1e-6)
        filled = 20 * done // max(of, 1)
        bar = "#" * filled + "." * (20 - filled)
        progress(f"[{bar}] {done}/{of} triples, {speed:,.0f}/s, {graph}")


def print_rows(rows: Rows, form: str) -> None:
    """Print the rows of an answer as a table, CSV, TSV or JSON, and its notes to stderr."""
    from eurasia_graph import namespaces as ns
    from eurasia_graph.formats import separated

    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif form in {"csv", "tsv"}:
        click.echo(separated(rows.columns, (row.values() for row in rows), "," if form == "csv" else "\t"), nl=False)
    elif rows:
        shown = [[_short(ns.shorten, value) for value in row.values()] for row in rows]
        click.echo(table(rows.columns, shown))
    print_notes(rows.notes)


def print_notes(notes: Iterable[str]) -> None:
    """Print the notes of an answer to stderr."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _short(shorten: Callable[[str], str], value: object) -> str:
    """Write a cell for people: short names for IRIs, an empty string for no value."""
    if value is None:
        return ""
    text = str(value)
    if text.startswith("http"):
        return " ".join(shorten(each) for each in text.split(" "))
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """Lay out rows under their headings for a terminal."""
    from prettytable import PrettyTable, TableStyle

    table = PrettyTable(columns, align="l")
    table.set_style(TableStyle.PLAIN_COLUMNS)
    table.left_padding_width, table.right_padding_width = 0, 2
    table.add_rows(rows)
    return "\n".join(line.rstrip() for line in table.get_string().splitlines())
