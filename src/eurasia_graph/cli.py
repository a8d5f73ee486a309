"""
The command line: one function a command, each importing what it needs when it is called.

Results go to stdout, everything else to stderr. Exit status: 0 good, 1 the data or the query is at
fault, 2 the call is.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from eurasia_graph.errors import EurasiaGraphError, UsageError
from eurasia_graph.stores.products import PRODUCTS

if TYPE_CHECKING:
    from eurasia_graph.queries import CannedQuery, Rows
    from eurasia_graph.store import ReleaseStore

EXISTING = click.Path(path_type=Path)


class WrittenFile(click.Path):
    """A file that a person writes: no folder, pipe or device, which would be waited for, and not of any size."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse anything else before it is opened."""
        from eurasia_graph import files

        path = Path(super().convert(value, param, ctx))  # type: ignore[arg-type]
        files.refuse_odd(path, LARGEST_WRITTEN, "give the path of a file")
        return path


WRITTEN = WrittenFile(path_type=Path)
LARGEST_WRITTEN = 64 << 20
LARGEST_QUERY = 1 << 20
ROW_FORMATS = ("table", "csv", "tsv", "json", "xml", "turtle", "jsonld")
WIDEST_CELL = 60
INTERRUPTED = 130  # as shells say it of SIGINT

data_option = click.option("--data", type=EXISTING, metavar="DIR", help="Work on another data folder.")
release_option = click.option(
    "--release", "folder", type=EXISTING, metavar="DIR", help="Open the release that build --out wrote there."
)
KINDS = [each.name for each in PRODUCTS.values() if each.writable]
READ_KINDS = [each.name for each in PRODUCTS.values() if each.readable]
# No default, so that what is given before the name of a query and what is given behind it can be told apart.
format_option = click.option("--format", "form", type=click.Choice(ROW_FORMATS), help="How to write it [table].")
REMOTE = ("store", "kind", "user", "password")


def login_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say who enters another store."""
    user = click.option("--user", metavar="NAME", help="Log in there [EURASIA_GRAPH_USER, else ~/.netrc].")
    password = click.option("--password", metavar="WORD", help="Better EURASIA_GRAPH_PASSWORD, which nobody else sees.")
    return user(password(command))


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that put another store in the place of the embedded one."""
    store = click.option("--store", metavar="URL", help="Ask this store, read-only: its query service, or with --kind.")
    kind = click.option(
        "--kind", type=click.Choice(READ_KINDS), help="What product it is; URL is then as push takes it."
    )
    return store(kind(login_options(command)))


class Once(click.Command):
    """A command that refuses an option that is given twice, of which the first would be dropped without a word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for options of one name before they become values."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        seen: dict[str | None, click.Parameter] = {}
        for each in order:
            if not isinstance(each, click.Option) or each.multiple:
                continue
            before = seen.setdefault(each.name, each)
            if before is not each:
                raise UsageError(f"{before.opts[0]} and {each.opts[0]} exclude each other; give one of them")
            if order.count(each) > 1 and not each.is_flag:
                raise UsageError(f"{each.opts[0]} is given {order.count(each)} times; give it once")
        return super().parse_args(ctx, args)


class Commands(click.Group):
    """A group that turns our errors into a line on stderr and the exit status that fits."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; the one place where errors are caught."""
        with suppress(AttributeError):
            # A file name may hold bytes that no text can: they are shown, and are no reason to fail.
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            return super().invoke(ctx)
        except MemoryError as error:
            told = "it holds a value of more than 16 MiB" if "buffer" in str(error) else "there is not enough memory"
            click.echo(f"the input cannot be read: {told}; make it smaller", err=True)
            ctx.exit(1)
        except RecursionError:
            click.echo("the input cannot be read: it is nested too deeply; write it with fewer brackets", err=True)
            ctx.exit(1)
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        except EurasiaGraphError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # The reader of our output has gone, which is no fault: `… | head`.
            sys.stderr.close()
            ctx.exit(0)

    command_class = Once

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Keep the order of the architecture, which is the order of use."""
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eurasia-graph", prog_name="eurasia-graph")
def main() -> None:
    """Who belonged to what, when, in which standing, and who says so."""


# --- the data ------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, type=WRITTEN)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@data_option
@click.pass_context
def validate(ctx: click.Context, paths: tuple[Path, ...], form: str, data: Path | None) -> None:
    """
    Check the shipped data, or Turtle files read beside it.

    \b
    Example: eurasia-graph validate my-claims.ttl
    """
    from eurasia_graph.build import pipeline

    report = pipeline.validate(data, list(paths))
    click.echo({"text": report.text, "json": report.json, "sarif": report.sarif}[form]())
    ctx.exit(1 if report.errors else 0)


@main.command()
@click.argument("paths", nargs=-1, type=WRITTEN)
@click.option("--check", is_flag=True, help="Change nothing; say which files are not in their canonical form.")
@data_option
@click.pass_context
def fmt(ctx: click.Context, paths: tuple[Path, ...], check: bool, data: Path | None) -> None:
    """
    Write Turtle in its canonical form.

    The graph before and after is compared. A file with comments, which no triple keeps, is left as it is.

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
            # The other files can do without it.
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


@main.command()
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

    Numbers that are there already are kept. What looks like a heading is printed, and counts as an open
    sentence until it is accepted.

    \b
    Example: eurasia-graph passages icds-2016 article.txt
    """
    from eurasia_graph.text import passage_files

    click.echo("\n".join(passage_files.write_passages(data, source, textfile, clause, headings)))


@main.command()
@click.argument("source")
@click.argument("textfile", type=WRITTEN)
@data_option
@click.pass_context
def verify(ctx: click.Context, source: str, textfile: Path, data: Path | None) -> None:
    """
    Check the passages of a source against your own copy of its text.

    \b
    Example: eurasia-graph verify icds-2016 article.txt
    """
    from eurasia_graph.text import passage_files

    lines, missing = passage_files.verify_passages(data, source, textfile)
    click.echo("\n".join(lines))
    ctx.exit(1 if missing else 0)


@main.command()
@click.argument("source", required=False)
@click.option("--format", "form", type=click.Choice(["text", "csv", "html"]), default="text", show_default=True)
@data_option
def coverage(source: str | None, form: str, data: Path | None) -> None:
    """
    Say which sentences are encoded, which are not and why.

    \b
    Example: eurasia-graph coverage icds-2016
    """
    from eurasia_graph.text import coverage as coverages

    lines = coverages.coverage(_open(data), source)
    if form == "csv":
        click.echo(coverages.coverage_csv(lines), nl=False)
    elif form == "html":
        click.echo(coverages.coverage_html(lines), nl=False)
    else:
        click.echo(_table(list(coverages.HEADINGS), [list(line.cells()) for line in lines]))


@main.command()
@click.option(
    "--out", type=EXISTING, metavar="DIR", help="Write the release there: canonical N-Quads and a description."
)
@click.option("--clean", is_flag=True, help="Throw away the releases kept so far.")
@data_option
def build(out: Path | None, clean: bool, data: Path | None) -> None:
    """
    Build the release: load, check, derive, close and compare.

    \b
    Example: eurasia-graph build --out release/
    """
    from eurasia_graph import namespaces as ns
    from eurasia_graph.build import kept, pipeline
    from eurasia_graph.build.release import counts, write

    if clean:
        kept.clean_cache()
    release = pipeline.build(data, _progress)
    _progress("")
    for finding in release.report.findings:
        click.echo(finding.text(), err=True)
    click.echo(
        _table(
            ["graph", "quads"],
            [[ns.shorten(graph).removeprefix("graph:"), count] for graph, count in counts(release).items()],
        )
    )
    click.echo(f"release  {release.iri.value}\ninputs   {release.inputs}\ncontent  {release.content}")
    if out:
        click.echo(f"written  {write(release, out)}")


# --- asking --------------------------------------------------------------------------------


class QueryCommands(Once, click.Group):
    """The canned queries as sub-commands, made from their headers."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the canned queries by name."""
        from eurasia_graph import queries

        return list(queries.load())

    def get_command(self, _ctx: click.Context, name: str) -> click.Command:
        """Make the command of one canned query."""
        from eurasia_graph import queries

        return _query_command(queries.by_name(name))


@dataclass
class Asked:
    """How a query is asked: the options that may stand before the name of a canned query or behind it."""

    form: str | None
    data: Path | None
    folder: Path | None
    remote: dict[str, str | None]

    def joined(self, later: Asked) -> Asked:
        """
        Put what stands before the name together with what stands behind it.

        Raises:
            UsageError: If the two differ.
        """
        mine, others = self.by_option(), later.by_option()
        for option, value in others.items():
            before = mine[option]
            if before is not None and value is not None and before != value:
                raise UsageError(f"{option} is given twice, as {before} and as {value}; give it once")
        return Asked(
            later.form or self.form,
            later.data or self.data,
            later.folder or self.folder,
            {name: later.remote[name] or value for name, value in self.remote.items()},
        )

    def by_option(self) -> dict[str, str | Path | None]:
        """Give the values by the names of their options."""
        given = {"--format": self.form, "--data": self.data, "--release": self.folder}
        return {**given, **{f"--{key}": each for key, each in self.remote.items()}}

    def open(self) -> ReleaseStore:
        """
        Open the store that is asked.

        Raises:
            UsageError: If two are named, or an option needs one that is missing.
        """
        _refuse_idle(self.remote)
        _refuse_two(self.data, self.folder, self.remote["store"])
        return _open_remote(None, **self.remote) if self.remote["store"] else _open(self.data, self.folder)


def _refuse_idle(remote: Mapping[str, str | None]) -> None:
    """Refuse the options that say how to enter another store where no store is named."""
    idle = [name for name, value in remote.items() if name != "store" and value]
    if idle and not remote["store"]:
        raise UsageError(f"--{idle[0]} says how to ask another store, and none is named; add --store URL")


def _refuse_two(data: Path | None, folder: Path | None, store: str | None, files: Sequence[Path] = ()) -> None:
    """Refuse two things to be opened, of which one would be left out without a word."""
    named = {"FILES": files, "--data": data, "--release": folder, "--store": store}
    given = [name for name, value in named.items() if value]
    if len(given) > 1:
        raise UsageError(f"give {' or '.join(given)}, not both")


def _query_command(canned: CannedQuery) -> click.Command:
    options: list[click.Parameter] = [
        click.Option(
            # The name first, which would else be made of the option, all in small letters.
            [parameter.name, *_spellings(parameter.name)],
            type=str,
            default=None,
            metavar=parameter.type.partition(":")[2].upper(),
            help=_parameter_help(parameter.description, parameter.required, parameter.default),
        )
        for parameter in canned.parameters
    ]

    own = {parameter.name for parameter in canned.parameters}

    @format_option
    @data_option
    @release_option
    @store_options
    @click.pass_context
    def ask(
        ctx: click.Context, /, form: str | None, data: Path | None, folder: Path | None, **values: str | None
    ) -> None:
        remote = {name: None if name in own else values.pop(name) for name in REMOTE}
        asked = ctx.obj.joined(Asked(form, data, folder, remote))
        _print_canned(canned, asked.open(), values, asked.form or "table")

    command = click.command(canned.name, cls=Once, help=f"{canned.summary}.\n\nColumns: {canned.answer}.")(ask)
    # Some queries have a --kind of their own; that of a store then stands before the name.
    command.params = [*options, *(each for each in command.params if each.name not in own)]
    return command


def _spellings(name: str) -> list[str]:
    """Write the option of a parameter: `--actorA`, and `--actor-a` as other commands have it."""
    dashed = re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).lower()
    return list(dict.fromkeys([f"--{name}", f"--{dashed}"]))


def _print_canned(canned: CannedQuery, store: ReleaseStore, values: Mapping[str, str | None], form: str) -> None:
    from eurasia_graph.formats import FORMATS

    if form in {"turtle", "jsonld"}:
        raise _no_graph(form)
    if form == "xml":
        body = canned.ask(store, values).serialize(format=FORMATS["xml"].rows) or b""
        _write_bytes(body)
        _print_notes(canned.notes(store, values, is_empty=b"<result>" not in body))
    else:
        _print_rows(canned.run(store, values), form)


def _no_graph(form: str) -> UsageError:
    return UsageError(f"SELECT gives rows, not a graph; use --format table, csv, tsv, json or xml instead of {form}")


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _parameter_help(description: str, required: bool, default: str | None) -> str:
    need = "required" if required else f"default {default}" if default else "optional"
    return f"{description} [{need}]"


@main.group(cls=QueryCommands, invoke_without_command=True, subcommand_metavar="NAME [--PARAM VALUE]...")
@click.option("--list", "listing", is_flag=True, help="List the canned queries by what they answer.")
@click.option("--sparql", metavar="QUERY", help="Run a SPARQL query of your own.")
@click.option("--file", "file", type=WRITTEN, metavar="F.rq", help="Run the SPARQL query in a file.")
@format_option
@data_option
@release_option
@store_options
@click.pass_context
def query(  # noqa: PLR0913, PLR0917  (one for each option)
    ctx: click.Context,
    /,
    listing: bool,
    sparql: str | None,
    file: Path | None,
    form: str | None,
    data: Path | None,
    folder: Path | None,
    **remote: str | None,
) -> None:
    """
    Ask a canned query, or a SPARQL query of your own.

    \b
    Example: eurasia-graph query members-on --body csto --date 1993-06-30
    """
    ctx.obj = asked = Asked(form, data, folder, remote)
    chosen = [
        name
        for name, is_given in (
            ("--list", listing),
            ("--sparql", sparql is not None),
            ("--file", file is not None),
            (str(ctx.invoked_subcommand), ctx.invoked_subcommand is not None),
        )
        if is_given
    ]
    if len(chosen) > 1:
        raise UsageError(f"give {' or '.join(chosen)}, not both")
    if ctx.invoked_subcommand:
        return
    if not chosen:
        raise UsageError("query needs a name, --list, --sparql or --file; eurasia-graph query --list shows the names")
    if listing:
        idle = next((option for option, value in asked.by_option().items() if value is not None), None)
        if idle:
            raise UsageError(f"--list shows the names of the queries and asks none; leave {idle} out")
        click.echo(_listing())
    else:
        _print_answer(asked.open(), _read_query(file) if sparql is None else sparql, form or "table")


def _read_query(file: Path | None) -> str:
    from eurasia_graph.files import read_bounded

    assert file
    wanted = "give a UTF-8 file with one SPARQL query"
    try:
        return read_bounded(file, LARGEST_QUERY, wanted).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {file}: {error}; {wanted}") from None


def _listing() -> str:
    from eurasia_graph import queries

    groups: dict[str, list[str]] = {}
    for canned in queries.load().values():
        wanted = " ".join(each.name if each.required else f"[{each.name}]" for each in canned.parameters)
        groups.setdefault(canned.group, []).append(f"  {canned.name:<16} {canned.summary}\n  {'':<16} {wanted}")
    return "\n".join(f"{group}\n" + "\n".join(lines) for group, lines in groups.items())


@main.command()
@click.argument("claim")
@click.option(
    "--text", "text_file", type=WRITTEN, metavar="FILE", help="Your own copy of the source: show the sentence itself."
)
@data_option
def explain(claim: str, text_file: Path | None, data: Path | None) -> None:
    """
    Show what a claim says, the passage it rests on, and what was derived from it.

    \b
    Example: eurasia-graph explain icds-2016/8 --text article.txt
    """
    from eurasia_graph import explain as explaining

    click.echo(explaining.explain(_open(data), claim, text_file).text())


# --- serving and taking away ---------------------------------------------------------------


@main.command()
@click.argument("files", nargs=-1, type=EXISTING)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--base-url", metavar="URL", help="The public address behind a proxy, such as https://example.org/eurasia."
)
@click.option(
    "--timeout",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Seconds for a free query; with --store, for any.",
)
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(1), help="Rows a free query may give.")
@click.option("--memory", default=512, show_default=True, type=click.IntRange(256), help="MiB for a free query.")
@click.option("--cache", default=64, show_default=True, type=click.IntRange(0), help="MiB of answers to keep; 0: none.")
@click.option(
    "--format", "form", metavar="NAME", help="Read FILES whose extension says nothing as turtle, nquads, jsonld …"
)
@click.option("--access-log", is_flag=True, help="Write a line of JSON to stderr for every request; no addresses.")
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
    access_log: bool,
    data: Path | None,
    folder: Path | None,
    **remote: str | None,
) -> None:
    """
    Serve the graph over HTTP: SPARQL, canned queries and pages.

    With FILES (Turtle, TriG, N-Quads, RDF/XML, JSON-LD and others, .gz too), those are served as they are
    instead. With --store, a release that was pushed to another store is: it does the work, and may come and go.

    \b
    Example: eurasia-graph serve --port 8080
             eurasia-graph serve --store http://127.0.0.1:3030/eurasia --kind fuseki
    """
    from concurrent.futures import ThreadPoolExecutor

    _refuse_idle(remote)
    _refuse_two(data, folder, remote["store"], files)
    if form and not files:
        raise UsageError("--format says how FILES are read; give some, or leave it out")

    def open_store() -> ReleaseStore:
        from eurasia_graph.store import load_files

        if remote["store"]:
            return _open_remote(timeout, **remote)
        return load_files(files, form) if files else _open(data, folder)

    with ThreadPoolExecutor(1) as beside:
        # The engine reads while the framework is imported.
        opening = beside.submit(open_store)
        from eurasia_graph.web import Limits, Settings, create_app
        from eurasia_graph.web.server import run

        store = opening.result()
    for warning in store.warnings if files else ():
        click.echo(f"warning: {warning}", err=True)
    limits = Limits(timeout_s=timeout, rows=rows, memory_mib=memory)
    settings = Settings(base_url=base_url, limits=limits, cache_bytes=cache << 20, access_log=access_log)
    run(lambda: create_app(store, settings), host, port)


@main.command()
@click.argument("form", metavar="FORMAT")
@click.option("--graph", metavar="NAME", help="One named graph, such as claims-icds-2016.")
@click.option("--source", metavar="NAME", help="The graphs of one text, such as icds-2016.")
@click.option("--hand-written", "only", flag_value="hand-written", help="What people wrote, nothing generated.")
@click.option("--generated", "only", flag_value="generated", help="What was generated alone.")
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

    store = _open(data, folder)
    if out:
        try:
            _write_whole(out, lambda file: exporting.write(store, form, file, graph, only=only, source=source))
        except OSError as error:
            raise UsageError(
                f"cannot write {out}: {error.strerror}; give a file in a folder that can be written"
            ) from None
    elif form.casefold() == "csv" and sys.stdout.isatty():
        raise UsageError("csv is a zip of tables, which no terminal shows; add --out tables.zip")
    else:
        sys.stdout.flush()
        exporting.write(store, form, sys.stdout.buffer, graph, only=only, source=source)
        sys.stdout.buffer.flush()


@main.command()
@click.argument("folder", type=EXISTING, metavar="DIR")
@data_option
def release(folder: Path, data: Path | None) -> None:
    """
    Write the release as a folder to publish: all formats, checksums, VoID and DCAT.

    \b
    Example: eurasia-graph release release/
    """
    from eurasia_graph.export import release_folder

    written = release_folder.publish(_open(data), folder, _progress)
    _progress("")
    click.echo(_table(["file", "bytes"], [[path.name, path.stat().st_size] for path in written]))


@main.command()
@click.argument("url")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What product it is; gsp for any other.")
@click.option("--verify", is_flag=True, help="Compare what arrived: counts, digests, every canned query.")
@click.option("--merge", is_flag=True, help="One graph, as a query without GRAPH sees it, instead of the named ones.")
@click.option("--replace", is_flag=True, help="Swap another release that is there for this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--query-url", metavar="URL", help="With --kind gsp: where it takes queries, for --verify.")
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

    Pushing again changes nothing. Graphs of others are never touched.

    \b
    Example: eurasia-graph push http://127.0.0.1:3030/eurasia --kind fuseki --verify
    """
    from eurasia_graph.stores import push as pushing
    from eurasia_graph.stores import send
    from eurasia_graph.stores.verify import verify as verified

    target = send.open_target(
        url, kind, user=user, password=password, query_url=query_url, notice=lambda text: click.echo(text, err=True)
    )
    if dry_run and verify:
        raise UsageError("--dry-run sends nothing, so that --verify has nothing to compare; give one of the two")
    store = _open(data, folder)
    if dry_run:
        parts = pushing.plan(store, merge=merge)
        rows = [[part.short, part.triples, target.graph_address(part.name)] for part in parts]
        click.echo(_table(["graph", "triples", "to"], rows))
        click.echo(f"{sum(part.triples for part in parts)} triples in {len(parts)} graphs; nothing was sent", err=True)
        return
    try:
        with _interrupted_once():
            done = pushing.push(store, target, merge=merge, replace=replace, progress=_Speed())
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: {pushing.left_behind(target.product.swap)}", err=True)
        ctx.exit(INTERRUPTED)
    finally:
        _progress("")
    click.echo(f"pushed {done.text()}")
    if verify:
        found = verified(store, target, merge=merge, progress=_progress)
        _progress("")
        click.echo(found.text())
        ctx.exit(1 if found.differences else 0)


# --- helpers -------------------------------------------------------------------------------


def _open(data: Path | None, folder: Path | None = None) -> ReleaseStore:
    from eurasia_graph.build import pipeline
    from eurasia_graph.build.release_files import open_folder

    _refuse_two(data, folder, None)
    if folder:
        return open_folder(folder)
    store = pipeline.open_release(data, _progress)
    _progress("")
    return store


def _open_remote(
    timeout_s: float | None,
    *,
    store: str | None,
    kind: str | None,
    user: str | None,
    password: str | None,
) -> ReleaseStore:
    from eurasia_graph.stores import remote

    assert store
    return remote.open_store(store, kind, user, password, timeout_s or remote.QUERY_TIMEOUT_S)


@contextmanager
def _interrupted_once() -> Iterator[None]:
    """Let the first Ctrl-C end what is done, and no further one what is done to clear up."""
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


class _Speed:
    """Shows on a terminal what has arrived, and how fast."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()

    def __call__(self, graph: str, done: int, of: int) -> None:
        speed = done / max(time.perf_counter() - self.begin, 1e-6)
        filled = 20 * done // max(of, 1)
        bar = "#" * filled + "." * (20 - filled)
        _progress(f"[{bar}] {done}/{of} triples, {speed:,.0f}/s, {graph}")


def _write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file whole or leave what was there: a full disk costs nobody the file of yesterday."""
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


def _write_bytes(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _progress(stage: str) -> None:
    """Show the stage on a terminal, in place; what somebody must know, as a line of its own everywhere."""
    if stage.startswith("note: "):
        wipe = "\r\x1b[K" if sys.stderr.isatty() else ""
        click.echo(f"{wipe}{stage}", err=True)
    elif sys.stderr.isatty():
        # Within one line, which is all that the next one wipes out.
        shown = f"{stage}{'...' if stage else ''}"[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r\x1b[K{shown}", err=True, nl=False)


def _print_rows(rows: Rows, form: str) -> None:
    from eurasia_graph import namespaces as ns

    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif form in {"csv", "tsv"}:
        click.echo(_separated(rows, "," if form == "csv" else "\t"), nl=False)
    elif rows:
        shown = [[_short(ns.shorten, value) for value in row.values()] for row in rows]
        click.echo(_table(rows.columns, shown))
    _print_notes(rows.notes)


def _separated(rows: Rows, delimiter: str) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return out.getvalue()


def _short(shorten: Callable[[str], str], value: object) -> str:
    """Write a cell for people: short names for IRIs, nothing for nothing."""
    if value is None:
        return ""
    text = str(value)
    if text.startswith("http"):
        return " ".join(shorten(each) for each in text.split(" "))
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def _table(columns: list[str], rows: list[list[Any]]) -> str:
    from prettytable import PrettyTable, TableStyle

    table = PrettyTable(columns, align="l")
    table.set_style(TableStyle.PLAIN_COLUMNS)
    table.left_padding_width, table.right_padding_width = 0, 2
    table.add_rows(rows)
    return "\n".join(line.rstrip() for line in table.get_string().splitlines())


def _print_answer(store: ReleaseStore, sparql: str, form: str) -> None:
    """Print the answer of a free query in a format that fits what it is: rows, a boolean or triples."""
    from pyoxigraph import QueryBoolean, QuerySolutions

    from eurasia_graph import queries
    from eurasia_graph.export import xmlform
    from eurasia_graph.formats import FORMATS
    from eurasia_graph.store import refuse_what_ends_the_engine

    refuse_what_ends_the_engine(sparql)
    answer = store.query(sparql)
    if isinstance(answer, QueryBoolean):
        text = {"json": json.dumps({"head": {}, "boolean": bool(answer)})}.get(form, str(bool(answer)).lower())
        click.echo(text)
    elif isinstance(answer, QuerySolutions):
        columns = [variable.value for variable in answer.variables]
        if form == "xml":
            _write_bytes(xmlform.check(answer.serialize(format=FORMATS["xml"].rows) or b"", FORMATS["xml"].rows))
        elif form in {"turtle", "jsonld"}:
            raise _no_graph(form)
        else:
            rows = queries.Rows(
                (dict(zip(columns, map(queries.cell, row), strict=True)) for row in answer), columns, []
            )
            _print_rows(rows, form)
    else:
        _print_graph(answer, form)


def _print_graph(triples: Any, form: str) -> None:
    from eurasia_graph.formats import FORMATS
    from eurasia_graph.turtle.formatting import NotComparedError, compared

    if form in {"table", "turtle"}:
        graph = list(triples)
        try:
            _write_bytes(compared(graph).encode())
        except NotComparedError as error:
            click.echo(f"note: {error}. Written one triple a line instead.", err=True)
            _write_bytes("".join(f"{triple} .\n" for triple in graph).encode())
    elif form == "jsonld":
        _write_bytes(triples.serialize(format=FORMATS["jsonld"].rdf) or b"")
    else:
        raise UsageError(
            f"CONSTRUCT and DESCRIBE give a graph, not rows; use --format turtle or jsonld instead of {form}"
        )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
