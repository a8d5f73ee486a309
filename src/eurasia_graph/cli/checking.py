"""`validate` and `fmt`: check the data and put them in their canonical form."""

from __future__ import annotations

from pathlib import Path

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.options import WRITTEN, data_option
from eurasia_graph.cli.output import repeated
from eurasia_graph.errors import UsageError


@click.command(cls=Once)
@click.argument("paths", nargs=-1, type=WRITTEN)
@click.option("--source", metavar="NAME", help="Show only the findings in the files of one source.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@data_option
@click.pass_context
def validate(  # noqa: PLR0913, PLR0917  (one for each option)
    ctx: click.Context, paths: tuple[Path, ...], source: str | None, watch: bool, form: str, data: Path | None
) -> None:
    """
    Check the shipped data, or Turtle files together with it.

    \b
    Example: eurasia-graph validate my-claims.ttl
             eurasia-graph validate --source icds-2016 --watch
    """
    from eurasia_graph.build import pipeline
    from eurasia_graph.build.kept import cache_folder
    from eurasia_graph.build.pieces import Pieces

    if paths and source:
        raise UsageError("give PATHS or --source, not both")
    if paths and watch:
        raise UsageError("--watch looks at a data folder, and PATHS are files outside it; give one of them")
    pieces = Pieces(cache_folder())

    def check() -> int:
        if source:
            report = pipeline.validate_source(source, data, pieces)
        else:
            report = pipeline.validate(data, list(paths), pieces)
        click.echo({"text": report.text, "json": report.json, "sarif": report.sarif}[form]())
        return 1 if report.errors else 0

    ctx.exit(repeated(check, data) if watch else check())


@click.command(cls=Once)
@click.argument("paths", nargs=-1, type=WRITTEN)
@click.option("--check", is_flag=True, help="Change nothing; say which files are not in their canonical form.")
@data_option
@click.pass_context
def fmt(ctx: click.Context, paths: tuple[Path, ...], check: bool, data: Path | None) -> None:
    """
    Write Turtle in its canonical form.

    The graph before and after is compared. A file with comments, which triples cannot represent, is left unchanged.

    \b
    Example: eurasia-graph fmt data/links.ttl
    """
    from eurasia_graph.errors import SourceError
    from eurasia_graph.turtle.formatting import format_file, rewrite

    if paths and data:
        raise UsageError("give PATHS or --data, not both")
    changed = failed = 0
    for path in list(paths) or _own_files(data):
        try:
            text = format_file(path)
            if text.encode() == path.read_bytes():
                continue
            if not check:
                rewrite(path, text)
        except SourceError as error:
            # The other files are still formatted.
            click.echo(str(error), err=True)
            failed += 1
            continue
        click.echo(f"{path}: {'not in canonical form; run eurasia-graph fmt' if check else 'formatted'}")
        changed += 1
    ctx.exit(1 if failed or (check and changed) else 0)


def _own_files(data: Path | None) -> list[Path]:
    from eurasia_graph import paths
    from eurasia_graph.build import sources

    shapes = sorted((paths.root() / "ontology" / "shapes").glob("*.ttl"))
    own = [file.path for file in sources.find(data)]
    return own if data else own + shapes
