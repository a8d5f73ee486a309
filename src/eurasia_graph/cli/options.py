"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from eurasia_graph.stores.products import PRODUCTS

LARGEST_WRITTEN = 64 << 20
EXISTING = click.Path(path_type=Path)


class WrittenFile(click.Path):
    """A regular file of limited size; a pipe or a device would block, a folder cannot be read."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse anything else before it is opened."""
        from eurasia_graph import files

        path = Path(super().convert(value, param, ctx))  # type: ignore[arg-type]
        files.refuse_odd(path, LARGEST_WRITTEN, "give the path of a file")
        return path


class Seconds(click.FloatRange):
    """A number of seconds; click's range accepts NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse NaN, which is neither below nor above a bound."""
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:  # noqa: PLR0124  (only NaN differs from itself)
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return seconds


WRITTEN = WrittenFile(path_type=Path)
ROW_FORMATS = ("table", "list", "csv", "tsv", "json", "xml", "turtle", "jsonld")
KINDS = [each.name for each in PRODUCTS.values() if each.writable]
READ_KINDS = [each.name for each in PRODUCTS.values() if each.readable]
REMOTE = ("store", "kind", "user", "password")
data_option = click.option("--data", type=EXISTING, metavar="DIR", help="Work on another data folder.")
release_option = click.option(
    "--release", "folder", type=EXISTING, metavar="DIR", help="Open the release that build --out wrote there."
)
# No default, so that `Asked.joined` can tell whether it was given before the name of a query, after it, or at all.
format_option = click.option("--format", "form", type=click.Choice(ROW_FORMATS), help="The output format [table].")


def spreadsheet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for CSV that goes into a spreadsheet."""
    bom = click.option("--bom", is_flag=True, help="Begin CSV with a byte order mark, for spreadsheets.")
    safe = click.option(
        "--no-formulas", is_flag=True, help="In CSV and TSV, put ' before a text that begins like a formula."
    )
    return bom(safe(command))


def login_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for logging in to another store."""
    user = click.option("--user", metavar="NAME", help="Log in there [EURASIA_GRAPH_USER, else ~/.netrc].")
    password = click.option("--password", metavar="WORD", help="Others can see it; better EURASIA_GRAPH_PASSWORD.")
    return user(password(command))


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for asking another store instead of the embedded one."""
    store = click.option("--store", metavar="URL", help="Ask this store, read-only: its query service, or with --kind.")
    kind = click.option(
        "--kind", type=click.Choice(READ_KINDS), help="Which product it is; URL is then the one that push takes."
    )
    return store(kind(login_options(command)))
