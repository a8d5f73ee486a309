"""`query`: ask a canned query or one in SPARQL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from eurasia_graph.cli.group import Once
from eurasia_graph.cli.opening import open_release, open_remote, refuse_idle, refuse_two
from eurasia_graph.cli.options import (
    REMOTE,
    WRITTEN,
    Seconds,
    data_option,
    format_option,
    release_option,
    spreadsheet_options,
    store_options,
)
from eurasia_graph.cli.output import print_notes, print_rows, write_bytes
from eurasia_graph.errors import QueryError, UsageError

if TYPE_CHECKING:
    from pyoxigraph import Triple

    from eurasia_graph.queries import CannedQuery, Parameter
    from eurasia_graph.store import ReleaseStore


LARGEST_QUERY = 1 << 20
WITHOUT_FLAGS: Mapping[str, bool] = {}
TIMEOUT_S = 10.0
# For a remote store, which interprets a missing limit as its default.
LONGEST_S = 86_400.0
# A remote store reports its own timeout if it is given time to.
PATIENCE_S = 1.0


@dataclass(kw_only=True)
class Asked:
    """The options of a query that may stand before or after the name of a canned query."""

    form: str | None
    data: Path | None
    folder: Path | None
    remote: dict[str, str | None]
    bom: bool = False
    no_formulas: bool = False

    def joined(self, later: Asked) -> Asked:
        """
        Merge the options before the name with those after it.

        Raises:
            UsageError: If the two differ.
        """
        mine, others = self.by_option(), later.by_option()
        for option, value in others.items():
            before = mine[option]
            if before is not None and value is not None and before != value:
                raise UsageError(f"{option} is given twice, as {before} and as {value}; give it once")
        return Asked(
            form=later.form or self.form,
            data=later.data or self.data,
            folder=later.folder or self.folder,
            remote={name: later.remote[name] or value for name, value in self.remote.items()},
            bom=self.bom or later.bom,
            no_formulas=self.no_formulas or later.no_formulas,
        )

    def for_rows(self) -> tuple[str, dict[str, bool]]:
        """
        Give the format of rows, and how CSV is written.

        Raises:
            UsageError: If an option for spreadsheets is given and the format is another.
        """
        form = self.form or "table"
        flags = {"bom": self.bom, "no_formulas": self.no_formulas}
        for name, forms in (("bom", ("csv",)), ("no_formulas", ("csv", "tsv"))):
            if flags[name] and form not in forms:
                raise UsageError(f"--{name.replace('_', '-')} is for {' and '.join(forms)}; add --format {forms[0]}")
        return form, flags

    def by_option(self) -> dict[str, str | Path | None]:
        """Give the values by the names of their options."""
        given = {"--format": self.form, "--data": self.data, "--release": self.folder}
        return {**given, **{f"--{key}": each for key, each in self.remote.items()}}

    def open(self, timeout_s: float | None = None) -> ReleaseStore:
        """
        Open the store to query; the limit applies to each request to a remote store.

        Raises:
            UsageError: If two are named, or an option is about a store and none is named.
        """
        refuse_idle(self.remote)
        refuse_two(self.data, self.folder, self.remote["store"])
        return open_remote(timeout_s, **self.remote) if self.remote["store"] else open_release(self.data, self.folder)


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


@click.group(cls=QueryCommands, invoke_without_command=True, subcommand_metavar="NAME [--PARAM VALUE]...")
@click.option("--list", "listing", is_flag=True, help="List the canned queries by what they answer.")
@click.option("--sparql", metavar="QUERY", help="Run a free-form SPARQL query.")
@click.option("--file", "file", type=WRITTEN, metavar="F.rq", help="Run the SPARQL query in a file.")
@click.option(
    "--timeout",
    type=Seconds(0, 86_400),
    metavar="SECONDS",
    help=f"Stop such a query after that time [{TIMEOUT_S:g}]; 0 for no limit.",
)
@format_option
@spreadsheet_options
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
    timeout: float | None,
    form: str | None,
    bom: bool,
    no_formulas: bool,
    data: Path | None,
    folder: Path | None,
    **remote: str | None,
) -> None:
    """
    Ask a canned query, or a free-form SPARQL query.

    \b
    Example: eurasia-graph query members-on --body csto --date 1993-06-30
    """
    ctx.obj = asked = Asked(form=form, data=data, folder=folder, remote=remote, bom=bom, no_formulas=no_formulas)
    given = {"--list": listing, "--sparql": sparql is not None, "--file": file is not None}
    chosen = [*(name for name, is_given in given.items() if is_given), *filter(None, [ctx.invoked_subcommand])]
    if len(chosen) > 1:
        raise UsageError(f"give {' or '.join(chosen)}, not both")
    if timeout is not None and (listing or ctx.invoked_subcommand):
        raise UsageError(f"--timeout is for --sparql and --file, and {chosen[0]} is neither; leave it out")
    if ctx.invoked_subcommand:
        return
    if not chosen:
        raise UsageError("query needs a name, --list, --sparql or --file; eurasia-graph query --list shows the names")
    if listing:
        idle = next((option for option, value in asked.by_option().items() if value is not None), None)
        if idle:
            raise UsageError(f"--list only shows the names of the queries; leave {idle} out")
        click.echo(_listing())
    else:
        wanted, flags = asked.for_rows()
        seconds = TIMEOUT_S if timeout is None else timeout
        text = _read_query(file) if sparql is None else sparql
        store = asked.open(seconds or LONGEST_S)
        patience = PATIENCE_S if seconds and remote["store"] else 0
        print_answer(store, text, wanted, seconds + patience, flags)


def _query_command(canned: CannedQuery) -> click.Command:
    options: list[click.Parameter] = [
        click.Option(
            # Name it explicitly; click would otherwise derive a lower-case name from the option.
            [parameter.name, *_spellings(parameter.name)],
            type=str,
            default=None,
            metavar=_metavar(parameter.type),
            help=_parameter_help(canned, parameter),
        )
        for parameter in canned.parameters
    ]

    own = {parameter.name for parameter in canned.parameters}

    @format_option
    @spreadsheet_options
    @data_option
    @release_option
    @store_options
    @click.pass_context
    def ask(  # noqa: PLR0913, PLR0917  (one for each option)
        ctx: click.Context,
        /,
        form: str | None,
        bom: bool,
        no_formulas: bool,
        data: Path | None,
        folder: Path | None,
        **values: str | None,
    ) -> None:
        remote = {name: None if name in own else values.pop(name) for name in REMOTE}
        asked = ctx.obj.joined(
            Asked(form=form, data=data, folder=folder, remote=remote, bom=bom, no_formulas=no_formulas)
        )
        _print_canned(canned, asked, values)

    command = click.command(canned.name, cls=Once, help=_query_help(canned))(ask)
    # Some queries have a parameter `kind`; the --kind of a store then has to stand before the name.
    command.params = [*options, *(each for each in command.params if each.name not in own)]
    return command


def _spellings(name: str) -> list[str]:
    """Write the option of a parameter: `--actorA`, and `--actor-a` as other commands have it."""
    dashed = re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).lower()
    return list(dict.fromkeys([f"--{name}", f"--{dashed}"]))


def _metavar(kind: str) -> str:
    """Name the value of an option by the class that it is of: `BODY` for `eg:Body`."""
    return kind.rpartition("|")[2].partition(":")[2].upper()


def _parameter_help(canned: CannedQuery, parameter: Parameter) -> str:
    default = f"default {parameter.default}" if parameter.default else "optional"
    need = "required" if parameter.required else "at least one" if parameter.name in canned.needs else default
    allowed = f": {', '.join(parameter.allowed)}" if parameter.allowed else ""
    return f"{parameter.description}{allowed} [{need}]"


def _query_help(canned: CannedQuery) -> str:
    """Say what a query answers, what it needs, an example that can be run, and what its columns hold."""
    given = " ".join(f"--{name} {value}" for name, value in canned.examples.items())
    needs = f"\n\nAt least one of {canned.wants} is needed." if canned.needs else ""
    example = f"Example: eurasia-graph query {canned.name} {given}".rstrip()
    return f"{canned.summary}.{needs}\n\n{example}\n\nColumns: {canned.answer}."


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


def _print_canned(canned: CannedQuery, asked: Asked, values: Mapping[str, str | None]) -> None:
    from eurasia_graph.formats import FORMATS

    form, flags = asked.for_rows()
    if form in {"turtle", "jsonld"}:
        raise _no_graph(form)
    store = asked.open()
    if form == "xml":
        body = canned.ask(store, values).serialize(format=FORMATS["xml"].rows) or b""
        write_bytes(body)
        print_notes(canned.notes(store, values, is_empty=b"<result>" not in body))
    else:
        print_rows(canned.run(store, values), form, **flags)


def _no_graph(form: str) -> UsageError:
    return UsageError(
        f"SELECT gives rows, not a graph; use --format table, list, csv, tsv, json or xml instead of {form}"
    )


def print_answer(
    store: ReleaseStore,
    sparql: str,
    form: str,
    seconds: float = TIMEOUT_S,
    flags: Mapping[str, bool] = WITHOUT_FLAGS,
) -> None:
    """
    Print the answer of a free-form query: rows, a boolean or triples.

    Args:
        store: The store to query.
        sparql: The query.
        form: One of `ROW_FORMATS`.
        seconds: The time limit in seconds; 0 for none.
        flags: How CSV is written, as `print_rows` takes it.
    Raises:
        QueryError: If the query is refused, is not SPARQL, or takes longer.
    """
    from eurasia_graph.cli.limited import limited
    from eurasia_graph.queries import Rows
    from eurasia_graph.sparql import shape
    from eurasia_graph.sparql.refusals import EMPTY

    if not sparql.strip():
        raise QueryError(EMPTY)
    shape.read(sparql)
    found = limited(lambda: _evaluated(store, sparql, form), seconds)
    if isinstance(found, bytes):
        write_bytes(found)
    elif isinstance(found, bool):
        click.echo(json.dumps({"head": {}, "boolean": found}) if form == "json" else str(found).lower())
    elif isinstance(found, Solutions):
        print_rows(Rows(iter(found.rows), found.columns, []), form, **flags)
    else:
        _print_graph(found)


class Solutions(NamedTuple):
    """The solutions of a SELECT, in a form that can be sent to another process."""

    columns: list[str]
    rows: list[dict[str, Any]]


def _evaluated(store: ReleaseStore, sparql: str, form: str) -> bool | bytes | Solutions | list[Triple]:
    """Evaluate a query completely, and refuse a format that does not fit its kind of answer."""
    from pyoxigraph import QueryBoolean, QuerySolutions

    from eurasia_graph import queries
    from eurasia_graph.export import xmlform
    from eurasia_graph.formats import FORMATS

    answer = store.query(sparql)
    if isinstance(answer, QueryBoolean):
        return bool(answer)
    if isinstance(answer, QuerySolutions):
        if form in {"turtle", "jsonld"}:
            raise _no_graph(form)
        if form == "xml":
            return xmlform.check(answer.serialize(format=FORMATS["xml"].rows) or b"", FORMATS["xml"].rows)
        columns = [variable.value for variable in answer.variables]
        return Solutions(columns, [dict(zip(columns, map(queries.cell, row), strict=True)) for row in answer])
    if form in {"table", "list", "turtle"}:
        return list(answer)
    if form == "jsonld":
        return answer.serialize(format=FORMATS["jsonld"].rdf) or b""
    raise UsageError(f"CONSTRUCT and DESCRIBE give a graph, not rows; use --format turtle or jsonld instead of {form}")


def _print_graph(graph: list[Triple]) -> None:
    from eurasia_graph.turtle.formatting import NotComparedError, compared

    try:
        write_bytes(compared(graph).encode())
    except NotComparedError as error:
        click.echo(f"note: {error}. Written one triple a line instead.", err=True)
        write_bytes("".join(f"{triple} .\n" for triple in graph).encode())
