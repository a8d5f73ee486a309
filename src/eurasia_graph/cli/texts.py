"""`passages`, `verify`, `coverage` and `explain`: commands about a text and its sentences."""

from __future__ import annotations

from pathlib import Path

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.opening import open_release, refuse_two
from eurasia_graph.cli.options import WRITTEN, data_option, release_option
from eurasia_graph.cli.output import table


@click.command(cls=Once)
@click.argument("source")
@click.argument("textfile", type=WRITTEN)
@click.option(
    "--clause", nargs=2, metavar="SENTENCE WORDS", help="Add a clause: the number of its sentence, and its words."
)
@click.option(
    "--headings",
    default="",
    metavar="NUMBERS",
    help="Accept headings: 'all' that are proposed, or numbers such as 1,8.",
)
@data_option
def passages(source: str, textfile: Path, clause: tuple[str, str] | None, headings: str, data: Path | None) -> None:
    """
    Split the text of a source into numbered sentences and write their offsets and digests.

    Existing numbers are kept. Likely headings are printed, and count as sentences that are not yet encoded
    until they are accepted.

    \b
    Example: eurasia-graph passages icds-2016 article.txt
    """
    from eurasia_graph.text import passage_files

    click.echo("\n".join(passage_files.write_passages(data, source, textfile, clause, headings)))


@click.command(cls=Once)
@click.argument("source")
@click.argument("textfile", type=WRITTEN)
@data_option
@release_option
@click.pass_context
def verify(ctx: click.Context, source: str, textfile: Path, data: Path | None, folder: Path | None) -> None:
    """
    Check the passages of a source against your own copy of its text.

    \b
    Example: eurasia-graph verify icds-2016 article.txt
    """
    from eurasia_graph.text import passage_files

    refuse_two(data, folder, None)
    store = open_release(None, folder) if folder else None
    lines, missing = passage_files.verify_passages(data, source, textfile, store)
    click.echo("\n".join(lines))
    ctx.exit(1 if missing else 0)


@click.command(cls=Once)
@click.argument("source", required=False)
@click.option("--format", "form", type=click.Choice(["text", "csv", "html"]), default="text", show_default=True)
@data_option
@release_option
def coverage(source: str | None, form: str, data: Path | None, folder: Path | None) -> None:
    """
    Say which sentences are encoded, which are not, and why.

    \b
    Example: eurasia-graph coverage icds-2016
    """
    from eurasia_graph.text import coverage as coverages

    lines = coverages.coverage(open_release(data, folder), source)
    if form == "csv":
        click.echo(coverages.coverage_csv(lines), nl=False)
    elif form == "html":
        click.echo(coverages.coverage_html(lines), nl=False)
    else:
        click.echo(table(list(coverages.HEADINGS), [list(line.cells()) for line in lines]))


@click.command(cls=Once)
@click.argument("claim")
@click.option(
    "--text", "text_file", type=WRITTEN, metavar="FILE", help="Your own copy of the source: show the sentence itself."
)
@data_option
@release_option
def explain(claim: str, text_file: Path | None, data: Path | None, folder: Path | None) -> None:
    """
    Show what a claim says, the passage it rests on, and what was derived from it.

    \b
    Example: eurasia-graph explain icds-2016/8 --text article.txt
    """
    from eurasia_graph import explain as explaining

    click.echo(explaining.explain(open_release(data, folder), claim, text_file).text())
