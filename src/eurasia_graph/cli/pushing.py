"""`push`: load the release into another store."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.opening import open_release
from eurasia_graph.cli.options import KINDS, data_option, login_options, release_option
from eurasia_graph.cli.output import Speed, progress, table
from eurasia_graph.errors import UsageError

if TYPE_CHECKING:
    from eurasia_graph.store import ReleaseStore
    from eurasia_graph.stores.send import Part, Target

INTERRUPTED = 130  # the exit status of shells after SIGINT


@click.command(cls=Once)
@click.argument("url")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="Which product it is; gsp for any other.")
@click.option("--verify", is_flag=True, help="Compare what arrived: counts, digests, every canned query.")
@click.option("--merge", is_flag=True, help="Send one merged graph, as seen without GRAPH, instead of the named ones.")
@click.option("--replace", is_flag=True, help="Replace another release that is there with this one.")
@click.option("--dry-run", is_flag=True, help="Only list what would be sent.")
@click.option("--query-url", metavar="URL", help="With --kind gsp: the address for queries, for --verify.")
@login_options
@data_option
@release_option
@click.pass_context
def push(  # noqa: PLR0913, PLR0917  (one for each option)
    ctx: click.Context,
    url: str,
    kind: str,
    verify: bool,
    merge: bool,
    replace: bool,
    dry_run: bool,
    query_url: str | None,
    user: str | None,
    password: str | None,
    data: Path | None,
    folder: Path | None,
) -> None:
    """
    Load the release into another triple store, and prove that it arrived.

    Pushing again changes nothing. Other graphs in the store are never touched.

    \b
    Example: eurasia-graph push http://127.0.0.1:3030/eurasia --kind fuseki --verify
    """
    from eurasia_graph.stores import push as pushing
    from eurasia_graph.stores import send

    target = send.open_target(
        url, kind, user=user, password=password, query_url=query_url, notice=lambda text: click.echo(text, err=True)
    )
    if dry_run and verify:
        raise UsageError("--dry-run sends nothing, so --verify has nothing to compare; give one of the two")
    store = open_release(data, folder)
    if dry_run:
        _show_plan(pushing.plan(store, merge=merge), target)
        return
    try:
        with _interrupted_once():
            done = pushing.push(store, target, merge=merge, replace=replace, progress=Speed())
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: {pushing.left_behind(target.product.swap)}", err=True)
        ctx.exit(INTERRUPTED)
    finally:
        progress("")
    click.echo(f"pushed {done.text()}")
    if verify:
        ctx.exit(0 if _is_there(store, target, merge=merge) else 1)


def _show_plan(parts: list[Part], target: Target) -> None:
    rows = [[part.short, part.triples, target.graph_address(part.name)] for part in parts]
    click.echo(table(["graph", "triples", "to"], rows))
    click.echo(f"{sum(part.triples for part in parts)} triples in {len(parts)} graphs; nothing was sent", err=True)


def _is_there(store: ReleaseStore, target: Target, *, merge: bool) -> bool:
    """Compare the store with the release, print the result, and return whether nothing differs."""
    from eurasia_graph.stores.verify import verify

    found = verify(store, target, merge=merge, progress=progress)
    progress("")
    click.echo(found.text())
    return not found.differences


@contextmanager
def _interrupted_once() -> Iterator[None]:
    """Let the first Ctrl-C interrupt the block, and ignore further ones while it cleans up."""
    before = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, first)
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
    signal.signal(signal.SIGINT, before)
