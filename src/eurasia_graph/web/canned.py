"""
`/queries/`: every canned query as a form, a table, CSV and JSON.

The same file that runs in any SPARQL engine gives the form, its pickers and the columns.
"""

from __future__ import annotations

import csv
import io
import json

from flask import Blueprint, Response, redirect, render_template, request, url_for
from pyoxigraph import QuerySolutions
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.formats import FORMATS, Format
from eurasia_graph.queries import CannedQuery, Parameter, Rows
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.sparql import answer, respond

blueprint = Blueprint("queries", __name__)

JSON = Format("json", "application/json", "json", FORMATS["json"].content, FORMATS["json"].engine)
OFFERED = [JSON, *(FORMATS[name] for name in ("json", "csv", "tsv", "xml"))]
EXTENSIONS = {"json": JSON, "csv": FORMATS["csv"], "tsv": FORMATS["tsv"], "xml": FORMATS["xml"]}


@blueprint.route("/queries")
def without_slash() -> BaseResponse:
    """Send to the list."""
    return redirect(url_for("queries.listing"))


@blueprint.route("/queries/")
def listing() -> str:
    """List the canned queries by what they answer."""
    groups: dict[str, list[CannedQuery]] = {}
    for canned in queries.load().values():
        groups.setdefault(canned.group, []).append(canned)
    return render_template("queries.html", groups=groups)


@blueprint.route("/queries/<name>")
def ask(name: str) -> Response | str:
    """Ask a canned query; a browser gets the form, and the table where the form is filled in."""
    from eurasia_graph.web import the_store

    stem, _, extension = name.partition(".")
    canned = queries.by_name(stem)
    values = {key: value for key, value in request.args.items() if key != "format"}
    if extension:
        if extension not in EXTENSIONS:
            raise UnknownNameError("format", extension, EXTENSIONS)
        chosen: Format | None = EXTENSIONS[extension]
    else:
        chosen = choose(request, OFFERED, html=True)
    if chosen is None:
        return _page(the_store(), canned, values)
    if chosen in {FORMATS["json"], FORMATS["xml"]}:
        # The W3C formats keep datatypes and languages, so the engine writes them.
        return _with_notes(answer_in(the_store(), canned, values, chosen), [])
    return _write(canned.run(the_store(), values), chosen)


def answer_in(store: ReleaseStore, canned: CannedQuery, values: dict[str, str], chosen: Format) -> Response:
    """Answer in a W3C results format."""
    found = store.query(canned.bind(store, values))
    assert isinstance(found, QuerySolutions)
    return respond(found.serialize(format=chosen.rows) or b"", chosen)


def _write(rows: Rows, chosen: Format) -> Response:
    if chosen is JSON:
        response = respond(json.dumps(rows, ensure_ascii=False, indent=1), chosen)
    else:
        out = io.StringIO()
        writer = csv.writer(out, delimiter="," if chosen.name == "csv" else "\t", lineterminator="\r\n")
        writer.writerow(rows.columns)
        writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
        response = respond(out.getvalue(), chosen)
    return _with_notes(response, rows.notes)


def _with_notes(response: Response, notes: list[str]) -> Response:
    """Tell clients of data what readers of the page are told below the table."""
    for note in notes:
        response.headers.add("X-Note", note)
    return response


def _page(store: ReleaseStore, canned: CannedQuery, values: dict[str, str]) -> Response | str:
    """Show the form; with the answer if it is filled in, or with what is wrong."""
    rows, problem = None, None
    wanted = [parameter.name for parameter in canned.parameters if parameter.required]
    if values or not wanted:
        try:
            rows = canned.run(store, values)
        except UsageError as error:
            problem = str(error)
    pickers = {parameter.name: _choices(store, parameter) for parameter in canned.parameters}
    page = render_template("query.html", canned=canned, values=values, rows=rows, problem=problem, pickers=pickers)
    return Response(page, status=400 if problem else 200, content_type="text/html; charset=utf-8")


def _choices(store: ReleaseStore, parameter: Parameter) -> list[tuple[str, str]]:
    """List the short names and labels of the entities that a parameter can stand for, by label."""
    if parameter.type == "xsd:boolean":
        return [("true", "yes"), ("false", "no")]
    labels: dict[str, str] = {}
    for iri, name in store.entities.get(ns.EG + parameter.type.removeprefix("eg:"), []):
        labels.setdefault(ns.local_name(iri), name)
    return sorted(labels.items(), key=lambda item: item[1].casefold())


__all__ = ["answer", "blueprint"]
