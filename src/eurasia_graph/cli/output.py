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


# Between two columns; how narrow a column may become; what begins CSV for spreadsheets.
GAP = "  "
NARROWEST = 4
BYTE_ORDER_MARK = "\ufeff"


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


def print_rows(rows: Rows, form: str, *, bom: bool = False, no_formulas: bool = False) -> None:
    """
    Print the rows of an answer, and its notes to stderr.

    Args:
        rows: The answer.
        form: table, list, csv, tsv or json.
        bom: Whether CSV begins with a byte order mark, by which spreadsheets know it for UTF-8.
        no_formulas: Whether CSV and TSV have no cell that a spreadsheet would take for a formula.
    """
    from eurasia_graph import tabular

    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif form in {"csv", "tsv"}:
        text = tabular.separated(rows, "," if form == "csv" else "\t", "\n", no_formulas=no_formulas)
        write_bytes(f"{BYTE_ORDER_MARK if bom else ''}{text}".encode())
    else:
        shown = [[tabular.line(things) for things in tabular.cells(rows.columns, row)] for row in rows]
        lay_out = blocks if form == "list" else table
        click.echo(lay_out(tabular.headings(rows.columns), shown))
    print_notes(rows.notes)


def print_notes(notes: Iterable[str]) -> None:
    """Print the notes of an answer to stderr."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def blocks(columns: list[str], rows: list[list[Any]]) -> str:
    """Lay out each row as a block of lines, one a column that is not blank; without rows, the columns alone."""
    if not rows:
        return "\n".join(columns)
    margin = max(map(len, columns)) + len(GAP)
    width = _width()
    told = []
    for row in rows:
        lines = []
        for name, value in zip(columns, row, strict=True):
            if str(value):
                first, *rest = _wrapped(str(value), max(width - margin, NARROWEST) if width else None)
                lines += [f"{name:<{margin}}{first}", *(" " * margin + each for each in rest)]
        told.append("\n".join(lines))
    return "\n\n".join(told)


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """Lay out rows under their headings: on a terminal within its width, into a file or pipe in one line each."""
    from prettytable import PrettyTable, TableStyle

    texts = [[str(value) for value in row] for row in rows]
    widths = _widths(list(zip(columns, *texts, strict=True)))
    lines = [
        ["\n".join(_wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)] for row in (columns, *texts)
    ]
    # Headings are a row like any other, for two columns may be wrapped to the same first line.
    table = PrettyTable([str(place) for place in range(len(columns))], align="l", header=False)
    table.set_style(TableStyle.PLAIN_COLUMNS)
    table.header = False
    table.left_padding_width, table.right_padding_width = 0, len(GAP)
    table.add_rows(lines)
    return "\n".join(line.rstrip() for line in table.get_string().splitlines())


def _width() -> int | None:
    """Return the width of the terminal, or None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _widths(columns: list[tuple[str, ...]]) -> list[int | None]:
    """Narrow columns to the width of the terminal, the widest first; None for as wide as its text."""
    limit = _width()
    if limit is None:
        return [None] * len(columns)
    room = limit - len(GAP) * len(columns)
    widths = [max(map(len, cells)) for cells in columns]
    words = [max(len(word) for cell in cells for word in (cell.split() or [""])) for cells in columns]
    # Words are broken only where they would not fit otherwise.
    for floors in (words, [NARROWEST] * len(columns)):
        while sum(widths) > room:
            wide = [place for place, width in enumerate(widths) if width > floors[place]]
            if not wide:
                break
            widths[max(wide, key=lambda place: widths[place])] -= 1
    return list(widths)


def _wrapped(text: str, width: int | None) -> list[str]:
    """Break a text into lines of a width, at blanks where there are some; no letter is lost."""
    import textwrap

    if width is None:
        return [text]
    return [line for part in text.splitlines() for line in textwrap.wrap(part, max(width, 1))] or [""]
