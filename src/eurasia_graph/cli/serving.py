"""`serve`: the web service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.opening import open_release, open_remote, refuse_idle, refuse_two
from eurasia_graph.cli.options import EXISTING, Seconds, data_option, release_option, store_options
from eurasia_graph.errors import UsageError

if TYPE_CHECKING:
    from flask import Flask

    from eurasia_graph.build.watching import Stamp
    from eurasia_graph.store import ReleaseStore
    from eurasia_graph.web import Settings


def address_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the address to serve on, and the public one."""
    host = click.option("--host", default="127.0.0.1", show_default=True)
    port = click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
    public = "The public address behind a proxy, such as https://example.org/eurasia."
    return host(port(click.option("--base-url", metavar="URL", help=public)(command)))


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the limits of free-form queries and of the cache."""
    of_all = "Seconds for a free-form query; with --store, for any."
    timeout = click.option("--timeout", default=10.0, show_default=True, type=Seconds(0.1, 3600), help=of_all)
    rows = click.option(
        "--rows", default=100_000, show_default=True, type=click.IntRange(1), help="Most rows of such a query."
    )
    memory = click.option(
        "--memory", default=512, show_default=True, type=click.IntRange(256), help="MiB for such a query."
    )
    cache = click.option(
        "--cache", default=64, show_default=True, type=click.IntRange(0), help="MiB of answers to cache."
    )
    return timeout(rows(memory(cache(command))))


@click.command(cls=Once)
@click.argument("files", nargs=-1, type=EXISTING)
@address_options
@limit_options
@click.option(
    "--format", "form", metavar="NAME", help="The format of FILES with an unknown extension: turtle, nquads, jsonld …"
)
@click.option("--watch", is_flag=True, help="Serve what the files say now, as soon as they have no errors.")
@click.option("--access-log", is_flag=True, help="Write a line of JSON to stderr for each request, without addresses.")
@data_option
@release_option
@store_options
def serve(  # noqa: PLR0913, PLR0917  (one for each option)
    files: tuple[Path, ...],
    host: str,
    port: int,
    base_url: str | None,
    timeout: float,
    rows: int,
    memory: int,
    cache: int,
    form: str | None,
    watch: bool,
    access_log: bool,
    data: Path | None,
    folder: Path | None,
    **remote: str | None,
) -> None:
    """
    Serve the graph over HTTP: SPARQL, canned queries and pages.

    With FILES (Turtle, TriG, N-Quads, RDF/XML, JSON-LD and others, .gz too), those are served instead, as they
    are. With --store, the release in another store is served: that store answers the queries, and it may stop
    and start again meanwhile.

    \b
    Example: eurasia-graph serve --port 8080
             eurasia-graph serve --store http://127.0.0.1:3030/eurasia --kind fuseki
    """
    from concurrent.futures import ThreadPoolExecutor

    refuse_idle(remote)
    refuse_two(data, folder, remote["store"], files)
    if form and not files:
        raise UsageError("--format is the format of FILES, and none are given; add them or leave it out")
    if watch and (files or folder or remote["store"]):
        raise UsageError("--watch looks at a data folder; leave FILES, --release and --store out")
    before = _stamp(data) if watch else None
    with ThreadPoolExecutor(1) as executor:
        # The engine reads while the framework is being imported.
        opening = executor.submit(_open, files, form, data, folder, timeout, remote)
        from eurasia_graph.web import Limits, Settings, create_app
        from eurasia_graph.web.server import run

        store = opening.result()
    click.echo("".join(f"warning: {each}\n" for each in store.warnings if files), nl=False, err=True)
    limits = Limits(timeout_s=timeout, rows=rows, memory_mib=memory)
    settings = Settings(base_url=base_url, limits=limits, cache_bytes=cache << 20, access_log=access_log)

    run(lambda: create_app(store, settings), host, port, begin=_watching(data, before, store, settings))


def _watching(
    data: Path | None, before: Stamp | None, store: ReleaseStore, settings: Settings
) -> Callable[[Flask], None]:
    """Return a function that starts watching a data folder, if asked for, in the process that serves."""

    def begin(app: Flask) -> None:
        if before is None:
            return
        from eurasia_graph.build.watching import changes
        from eurasia_graph.web.renewing import Renewing

        renewing = Renewing(app, store, settings, lambda: open_release(data, for_long=True))
        renewing.follow_in_a_thread(changes(data, before))

    return begin


def _stamp(data: Path | None) -> Stamp:
    from eurasia_graph.build.watching import stamp

    return stamp(data)


def _open(  # noqa: PLR0913, PLR0917  (one for each option)
    files: tuple[Path, ...],
    form: str | None,
    data: Path | None,
    folder: Path | None,
    timeout: float,
    remote: dict[str, str | None],
) -> ReleaseStore:
    from eurasia_graph.store import load_files

    if remote["store"]:
        return open_remote(timeout, **remote)
    return load_files(files, form) if files else open_release(data, folder, for_long=True)
