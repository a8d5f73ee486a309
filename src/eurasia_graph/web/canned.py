"""
`/queries/`: every canned query as a form, a table, CSV and JSON.

The same file that runs in any SPARQL engine gives the form, its pickers and the columns. They are
ours, so that they run in this process, unless the dataset is so large that they need limits.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from flask import Blueprint, Response, redirect, render_template, request, url_for
from pyoxigraph import QueryResultsFormat, parse_query_results
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.export import xmlform
from eurasia_graph.formats import FORMATS, Content, Format, carrying
from eurasia_graph.queries import CannedQuery, Parameter, Rows
from eurasia_graph.sparql import shape
from eurasia_graph.store import Answer, ReleaseStore
from eurasia_graph.web import description, log
from eurasia_graph.web import sparql as free
from eurasia_graph.web.context import Service, the_service
from eurasia_graph.web.negotiation import JSON, NAMES, XML, choose
from eurasia_graph.web.protocol import Operation
from eurasia_graph.web.responses import cached, header_text, respond

blueprint = Blueprint("queries", __name__)

OFFERED = [JSON, *(FORMATS[name] for name in ("json", "csv", "tsv", "xml")), XML]
# What the service says of a query, at the name that it has there.
DESCRIBED = carrying(Content.GRAPH, Content.DATASET)
EXTENSIONS = {
    "json": JSON,
    **{
        extension: FORMATS[name]
        for extension, name in (("csv", "csv"), ("tsv", "tsv"), ("xml", "xml"), ("srj", "json"), ("srx", "xml"))
    },
}
# What the engine writes where there is nothing to write.
NO_ROWS: dict[str, Callable[[bytes], bool]] = {
    "csv": lambda body: body.count(b"\n") == 1,
    "json": lambda body: body.endswith(b'"bindings":[]}}'),
    "xml": lambda body: b"<results></results>" in body,
}
# These say how the answer is written, not what is asked.
OF_THE_ANSWER = {*NAMES, "bom"}


@blueprint.route("/queries")
def without_slash() -> BaseResponse:
    """Send to the list."""
    return redirect(url_for("queries.listing"))


@blueprint.route("/queries/")
def listing() -> Response:
    """List the canned queries by what they answer."""
    groups: dict[str, list[CannedQuery]] = {}
    for canned in queries.load().values():
        groups.setdefault(canned.group, []).append(canned)
    return cached(Response(render_template("queries.html", groups=groups), content_type="text/html; charset=utf-8"))


@blueprint.route("/queries/<name>")
def ask(name: str) -> Response:
    """Ask a canned query; a browser gets the form, and the table where the form is filled in."""
    service = the_service()
    stem, _, extension = name.partition(".")
    canned = queries.by_name(stem)
    given = {key: found for key, found in request.args.lists() if key not in OF_THE_ANSWER}
    values = {key: found[0] for key, found in given.items()}
    if extension:
        if extension.casefold() not in EXTENSIONS:
            raise UnknownNameError("format", extension, EXTENSIONS)
        chosen: Format | None = EXTENSIONS[extension.casefold()]
    else:
        chosen = choose(request, formats(service, bool(values)), html=True)
    if chosen in DESCRIBED:
        return description.answer(chosen, f"{service.home}queries/{canned.name}")
    repeated = _repeated(given)
    store = service.store if service.is_small else Apart(service)
    if chosen is None:
        with _timed(service, name, values):
            return _page(store, canned, values, repeated)
    if repeated:
        raise UsageError(repeated)
    body, notes = answer(service, store, canned, values, chosen)
    response = _with_notes(respond(body, chosen, is_checked=True), notes)
    if isinstance(store, Apart) and store.is_cut:
        response.headers["X-Result-Truncated"] = f"rows={service.limits.rows}"
    return response


def formats(service: Service, is_filled_in: bool) -> list[Format]:
    """List the formats of a query: those of its answer, and where nothing is asked those of what is said of it."""
    return OFFERED if is_filled_in or service.store.iri is None else [*OFFERED, *DESCRIBED]


def _repeated(given: Mapping[str, Sequence[str]]) -> str | None:
    """Say which parameter is given more than once; no query takes a list."""
    for key, found in given.items():
        if len(found) > 1:
            seen = " and ".join(f"{key}={each}" for each in found)
            return f"{key} is given {len(found)} times ({seen}); give it once"
    return None


class Apart(ReleaseStore):
    """The store of a service, asked in its workers and within their limits; for one request."""

    def __init__(self, service: Service) -> None:
        """Take the service; nothing is asked yet."""
        super().__init__(service.store.engine, service.store.iri)
        self._service = service
        self.is_cut = False
        # Learnt once for the release and not for each request.
        self.__dict__["unsettled"] = service.store.unsettled

    def query(self, sparql: str, base_iri: str | None = None) -> Answer:
        """
        Run a query in a worker.

        Raises:
            QueryError: As of a free query.
        """
        del base_iri
        asked = Operation(query=sparql)
        result = free.ask(self._service, asked, shape.read(sparql), FORMATS["json"])
        # An answer is several queries: its rows, and what they leave out.
        self.is_cut = self.is_cut or result.truncated
        return parse_query_results(result.body, format=QueryResultsFormat.JSON)


@contextmanager
def _timed(service: Service, name: str, values: Mapping[str, str]) -> Iterator[None]:
    """Count a query, and log it if it is slow."""
    start, outcome = time.perf_counter(), "error"
    try:
        yield
        outcome = "good"
    finally:
        seconds = time.perf_counter() - start
        service.metrics.queried("canned", seconds)
        if seconds >= service.slow_s:
            log.slow_query("canned", f"{name} {values}", seconds, outcome)


def answer(
    service: Service, store: ReleaseStore, canned: CannedQuery, values: Mapping[str, str], chosen: Format
) -> tuple[bytes, list[str]]:
    """
    Answer in a format of data; the engine writes those that it knows, faster than any loop could.

    Args:
        service: Counts the query.
        store: What is asked.
        canned: The query.
        values: By parameter, as texts.
        chosen: One of `OFFERED`.
    Returns:
        The body, and what a reader should know about it.
    Raises:
        UsageError: If a value is unknown, missing or of the wrong type.
        XmlError: If the answer is to be XML and cannot.
    """
    with _timed(service, canned.name, values):
        if chosen is JSON or chosen is FORMATS["tsv"]:
            rows = canned.run(store, values)
            return _write(rows, chosen).encode(), rows.notes
        body = xmlform.check(canned.ask(store, values).serialize(format=chosen.rows) or b"", chosen.rows)
        notes = canned.notes(store, values, is_empty=NO_ROWS[chosen.name](body))
    return body, notes


def _write(rows: Rows, chosen: Format) -> str:
    if chosen is JSON:
        return json.dumps(rows, ensure_ascii=False, indent=1)
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\r\n")
    writer.writerow(rows.columns)
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return out.getvalue()


def _with_notes(response: Response, notes: list[str]) -> Response:
    """Tell clients of data what readers of the page are told below the table."""
    for note in notes:
        response.headers.add("X-Note", header_text(note))
    return response


def _page(store: ReleaseStore, canned: CannedQuery, values: dict[str, str], problem: str | None) -> Response:
    """Show the form; with the answer if it is filled in, or with what is wrong."""
    rows = None
    wanted = [parameter.name for parameter in canned.parameters if parameter.required]
    if not problem and (values or not wanted):
        try:
            rows = canned.run(store, values)
        except UsageError as error:
            problem = str(error)
    pickers = {parameter.name: _choices(store, parameter) for parameter in canned.parameters}
    page = render_template("query.html", canned=canned, values=values, rows=rows, problem=problem, pickers=pickers)
    response = Response(page, status=400 if problem else 200, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return response if problem else cached(response)


def _choices(store: ReleaseStore, parameter: Parameter) -> list[tuple[str, str]]:
    """List the short names and labels of the entities that a parameter can stand for, by label."""
    if parameter.type == "xsd:boolean":
        return [("true", "yes"), ("false", "no")]
    labels: dict[str, str] = {}
    for iri, name in store.entities.get(ns.EG + parameter.type.removeprefix("eg:"), []):
        labels.setdefault(ns.local_name(iri), name)
    return sorted(labels.items(), key=lambda item: item[1].casefold())
