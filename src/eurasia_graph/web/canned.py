"""
`/queries/`: every canned query as a form, a table, CSV and JSON.

The form, its pickers and the columns come from the same file that runs in any SPARQL engine. The queries are trusted,
so they run in this process, unless the dataset is so large that they need limits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries, tabular
from eurasia_graph.errors import Choice, UnknownNameError, UsageError
from eurasia_graph.export import xmlform
from eurasia_graph.formats import FORMATS, Content, Format, carrying
from eurasia_graph.notes import Note
from eurasia_graph.queries import CannedQuery, Parameter
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import citing, description, log
from eurasia_graph.web.cache import Environ
from eurasia_graph.web.context import Service, the_service
from eurasia_graph.web.limited_store import LimitedStore
from eurasia_graph.web.negotiation import JSON, NAMES, XML, pick
from eurasia_graph.web.responses import BOM, CACHED, cached, content_type, entity_tag, header_text

blueprint = Blueprint("queries", __name__)

OFFERED = [JSON, *(FORMATS[name] for name in ("json", "csv", "tsv", "xml")), XML]
# The description of a query, under the name that it has in the service.
DESCRIBED = carrying(Content.GRAPH, Content.DATASET)
EXTENSIONS = {
    "json": JSON,
    **{
        extension: FORMATS[name]
        for extension, name in (("csv", "csv"), ("tsv", "tsv"), ("xml", "xml"), ("srj", "json"), ("srx", "xml"))
    },
}
DELIMITERS = {"csv": ",", "tsv": "\t"}
# What the engine writes for an empty result.
NO_ROWS: dict[str, Callable[[bytes], bool]] = {
    "json": lambda body: body.endswith(b'"bindings":[]}}'),
    "xml": lambda body: b"<results></results>" in body,
}
# These say how the answer is written, not what is asked.
NO_FORMULAS = "no-formulas"
OF_THE_ANSWER = {*NAMES, "bom", NO_FORMULAS}
# The fast path stores its error here, so that the framework reports it without running the query again.
FAILED = "eurasia_graph.failed"
# As the framework reads a query string: bytes that are not UTF-8 stay percent-encoded.
BROKEN_KEPT = "werkzeug.url_quote"
# Longer requests are negotiated each time: only one client sends them, and a thousand of these take half a megabyte.
LONGEST_REMEMBERED = 500
Headers = list[tuple[str, str]]


@blueprint.route("/queries")
def without_slash() -> BaseResponse:
    """Redirect to the list."""
    return redirect(url_for("queries.listing"))


@blueprint.route("/queries/")
def listing() -> Response:
    """List the canned queries, grouped by the kind of question they answer."""
    groups: dict[str, list[CannedQuery]] = {}
    for canned in queries.load().values():
        groups.setdefault(canned.group, []).append(canned)
    return cached(Response(render_template("queries.html", groups=groups), content_type="text/html; charset=utf-8"))


@blueprint.route("/queries/<name>")
def ask(name: str) -> Response:
    """Answer a canned query; a browser gets the form, and the table where the form is filled in."""
    if FAILED in request.environ:
        raise request.environ[FAILED]
    form = citing.wanted(request.environ, name)
    if form:
        return citing.answer(f"queries/{name.partition('.')[0]}", form)
    service = the_service()
    asked = read(service, request.environ, name)
    if asked.chosen in DESCRIBED:
        return description.answer(asked.chosen, f"{service.home}queries/{asked.canned.name}")
    if asked.chosen is None:
        with _timed(service, asked.canned.name, asked.values):
            return _page(_store(service), asked)
    headers, body = answer(service, request.environ, asked)
    return Response(body, headers=headers)


# --- the answer as data, by the view above or by the fast path ------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    A parsed request for a canned query.

    `chosen` is the format, None for a page; `bom` whether CSV begins with a byte order mark, `no_formulas` whether
    a text in it that a spreadsheet would take for a formula is made safe.
    """

    canned: CannedQuery
    values: dict[str, str]
    repeated: str | None
    chosen: Format | None
    bom: bool
    no_formulas: bool


def read(service: Service, environ: Environ, name: str) -> Asked:
    """
    Read a request for a canned query.

    Args:
        service: Which formats there are.
        environ: The WSGI environment of the request.
        name: What follows `/queries/`.
    Raises:
        UnknownNameError: If there is no such query, or no format of that extension.
        NotAcceptable: If no format is acceptable.
    """
    stem, _, extension = name.partition(".")
    canned = queries.by_name(stem)
    text = environ.get("QUERY_STRING", "").encode("latin-1").decode("utf-8", "replace")
    pairs = parse_qsl(text, keep_blank_values=True, errors=BROKEN_KEPT)
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if key not in OF_THE_ANSWER:
            given.setdefault(key, []).append(value)
    if extension:
        if extension.casefold() not in EXTENSIONS:
            raise UnknownNameError("format", extension, EXTENSIONS)
        chosen: Format | None = EXTENSIONS[extension.casefold()]
    else:
        names = tuple(value for key in NAMES for each, value in pairs if each == key)
        chosen = negotiated(names, environ.get("HTTP_ACCEPT", ""), is_described=not given and bool(service.store.iri))
    return Asked(
        canned=canned,
        values={key: found[0] for key, found in given.items()},
        repeated=_repeated(given),
        chosen=chosen,
        bom=next((value for key, value in pairs if key == "bom"), "") == "1",
        no_formulas=next((value for key, value in pairs if key == NO_FORMULAS), "") == "1",
    )


def negotiated(names: tuple[str, ...], accept: str, *, is_described: bool) -> Format | None:
    """
    Choose a format by the names and the Accept header of a request; None for a page.

    Args:
        names: The values of `format` and its aliases.
        accept: The header.
        is_described: Whether the triples about the query are offered as well as its answer.
    Raises:
        NotAcceptable: If none is acceptable; lists what there is.
    """
    is_short = len(accept) + sum(map(len, names)) <= LONGEST_REMEMBERED
    return (remembered if is_short else _negotiated)(names, accept, is_described)


def _negotiated(names: tuple[str, ...], accept: str, is_described: bool) -> Format | None:
    offered = [*OFFERED, *DESCRIBED] if is_described else OFFERED
    return pick(names, parse_accept_header(accept, MIMEAccept), offered, html=True)


remembered = lru_cache(maxsize=1000)(_negotiated)


def answer(service: Service, environ: Environ, asked: Asked) -> tuple[Headers, bytes]:
    """
    Answer a canned query in a format of data.

    Args:
        service: Its store is asked.
        environ: The WSGI environment of the request.
        asked: The request as parsed by `read`; the format is one of `OFFERED`.
    Returns:
        The headers, without those that every answer of the service has, and the body.
    Raises:
        UsageError: If a value is unknown, missing, repeated or of the wrong type.
        XmlError: If the answer is to be XML and cannot.
    """
    chosen = asked.chosen
    assert chosen
    if asked.repeated:
        raise UsageError(asked.repeated)
    store = _store(service)
    with _timed(service, asked.canned.name, asked.values):
        body, notes = _written(store, asked, chosen)
    if asked.bom and chosen is FORMATS["csv"]:
        body = BOM + body
    kind = content_type(chosen)
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Vary", "Accept"),
        ("Cache-Control", CACHED),
        ("ETag", f'"{entity_tag(service, environ, kind)}"'),
        *(("X-Note", header_text(note)) for note in notes),
    ]
    if isinstance(store, LimitedStore) and store.is_cut:
        headers.append(("X-Result-Truncated", f"rows={service.limits.rows}"))
    return headers, body


def _store(service: Service) -> ReleaseStore:
    return service.store if service.is_small else LimitedStore(service)


def _written(store: ReleaseStore, asked: Asked, chosen: Format) -> tuple[bytes, list[str]]:
    """Write the rows and their notes; the engine serialises the results of SPARQL."""
    canned, values = asked.canned, asked.values
    if chosen is JSON or chosen.name in DELIMITERS:
        rows = canned.run(store, values)
        if chosen is JSON:
            return json.dumps(rows, ensure_ascii=False, indent=1).encode(), rows.notes
        text = tabular.separated(rows, DELIMITERS[chosen.name], "\r\n", no_formulas=asked.no_formulas)
        return text.encode(), rows.notes
    body = xmlform.check(canned.ask(store, values).serialize(format=chosen.rows) or b"", chosen.rows)
    return body, canned.notes(store, values, is_empty=NO_ROWS[chosen.name](body))


def _repeated(given: Mapping[str, Sequence[str]]) -> str | None:
    """Return an error text that names a parameter given more than once, if any; no query takes a list."""
    for key, found in given.items():
        if len(found) > 1:
            seen = " and ".join(f"{key}={each}" for each in found)
            return f"{key} is given {len(found)} times ({seen}); give it once"
    return None


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


def _offered(
    values: Mapping[str, str], parameter: str | None, choices: Sequence[Choice]
) -> list[tuple[str, dict[str, str]]]:
    """List what can be asked instead, each with its words and the values of its address."""
    if not parameter:
        return []
    return [(each.text(), {**values, parameter: each.value}) for each in choices]


def _page(store: ReleaseStore, asked: Asked) -> Response:
    """Show the form; with the answer if it is filled in, or with the error."""
    canned, rows, problem = asked.canned, None, asked.repeated
    wanted = [parameter.name for parameter in canned.parameters if parameter.required]
    choices: list[tuple[str, dict[str, str]]] = []
    if not problem and (asked.values or not (wanted or canned.needs)):
        try:
            rows = canned.run(store, asked.values)
        except UsageError as error:
            problem, choices = str(error), _offered(asked.values, error.parameter, error.choices)
    for note in rows.notes if rows else ():
        if isinstance(note, Note):
            choices += _offered(asked.values, note.of, note.choices)
    pickers = {parameter.name: _choices(store, parameter) for parameter in canned.parameters}
    page = render_template(
        "query.html",
        canned=canned,
        values=asked.values,
        rows=rows,
        problem=problem,
        pickers=pickers,
        choices=choices,
        tabular=tabular,
    )
    response = Response(page, status=400 if problem else 200, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return response if problem else cached(response)


def _choices(store: ReleaseStore, parameter: Parameter) -> list[tuple[str, str]]:
    """List the short names and labels of the entities that a parameter accepts, sorted by label."""
    if parameter.type == "xsd:boolean":
        return [("true", "yes"), ("false", "no")]
    if parameter.allowed:
        return [(each, each.replace("-", " ")) for each in parameter.allowed]
    labels: dict[str, str] = {}
    for kind in parameter.classes[-1:]:
        for iri, name in store.entities.get(kind, []):
            labels.setdefault(ns.local_name(iri), name)
    return sorted(labels.items(), key=lambda item: item[1].casefold())
