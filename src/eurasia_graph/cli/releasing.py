"""`build`, `export` and `release`: make the release and write it to files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.opening import open_release
from eurasia_graph.cli.options import EXISTING, data_option, release_option
from eurasia_graph.cli.output import progress, repeated, table, write_whole
from eurasia_graph.errors import UsageError


@click.command(cls=Once)
@click.option(
    "--out", type=EXISTING, metavar="DIR", help="Write the release there: canonical N-Quads and a description."
)
@click.option("--clean", is_flag=True, help="First empty the cache of releases and parts.")
@click.option("--watch", is_flag=True, help="Build again whenever a file changes, until Ctrl-C.")
@data_option
@click.pass_context
def build(ctx: click.Context, out: Path | None, clean: bool, watch: bool, data: Path | None) -> None:
    """
    Build the release: load, check, derive, close and compare.

    \b
    Example: eurasia-graph build --out release/
    """
    from eurasia_graph.build import kept

    if clean:
        kept.clean_cache()

    def made() -> int:
        _build(out, data)
        return 0

    if watch:
        ctx.exit(repeated(made, data))
    made()


def _build(out: Path | None, data: Path | None) -> None:
    from eurasia_graph import namespaces as ns
    from eurasia_graph.build import kept, pipeline
    from eurasia_graph.build.pieces import Pieces
    from eurasia_graph.build.release import counts, write

    release = pipeline.build(data, progress, Pieces(kept.cache_folder()))
    progress("")
    for finding in release.report.findings:
        click.echo(finding.text(), err=True)
    click.echo(
        table(
            ["graph", "quads"],
            [[ns.shorten(graph).removeprefix("graph:"), count] for graph, count in counts(release).items()],
        )
    )
    click.echo(f"release  {release.iri.value}\ninputs   {release.inputs}\ncontent  {release.content}")
    if out:
        click.echo(f"written  {write(release, out)}")


@click.command(cls=Once)
@click.argument("form", metavar="FORMAT")
@click.option("--graph", metavar="NAME", help="One named graph, such as claims-icds-2016.")
@click.option("--source", metavar="NAME", help="The graphs of one text, such as icds-2016.")
@click.option("--hand-written", "only", flag_value="hand-written", help="Only the hand-written graphs.")
@click.option("--generated", "only", flag_value="generated", help="Only the generated graphs.")
@click.option("--out", type=EXISTING, metavar="FILE", help="Write to a file instead of stdout.")
@data_option
@release_option
def export(  # noqa: PLR0913, PLR0917  (one for each option)
    form: str,
    graph: str | None,
    source: str | None,
    only: str | None,
    out: Path | None,
    data: Path | None,
    folder: Path | None,
) -> None:
    """
    Write the release in a format: turtle, trig, nquads, ntriples, jsonld, rdfxml, trig12 or csv.

    \b
    Example: eurasia-graph export turtle --out eurasia.ttl
    """
    from eurasia_graph.export import write as exporting

    store = open_release(data, folder)
    if out:
        try:
            write_whole(out, lambda file: exporting.write(store, form, file, graph, only=only, source=source))
        except OSError as error:
            raise UsageError(
                f"cannot write {out}: {error.strerror}; give a file in a folder that can be written"
            ) from None
    elif form.casefold() == "csv" and sys.stdout.isatty():
        raise UsageError("csv is a zip of tables, which a terminal cannot show; add --out tables.zip")
    else:
        sys.stdout.flush()
        exporting.write(store, form, sys.stdout.buffer, graph, only=only, source=source)
        sys.stdout.buffer.flush()


@click.command(cls=Once)
@click.argument("target", type=EXISTING, metavar="DIR")
@data_option
@release_option
def release(target: Path, data: Path | None, folder: Path | None) -> None:
    """
    Write the release as a folder to publish: all formats, checksums, VoID and DCAT.

    \b
    Example: eurasia-graph release release/
    """
    from eurasia_graph.export import release_folder

    written = release_folder.publish(open_release(data, folder), target, progress)
    progress("")
    click.echo(table(["file", "bytes"], [[path.name, path.stat().st_size] for path in written]))
