"""
`/sparql`: the query side of the SPARQL 1.1 Protocol, read-only, evaluated in worker processes.

The answer is complete before the first byte is sent, so that the status is always right.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import BadRequest

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError, RemoteError, nearest
from eurasia_graph.formats import FORMATS, Content, Format, carrying
from eurasia_graph.sparql import columns, diagnosis, shape
from eurasia_graph.sparql.refusals import refuse_service
from eurasia_graph.web import log, protocol
from eurasia_graph.web.context import Service, the_service
from eurasia_graph.web.negotiation import JSON, XML, choose, pick
from eurasia_graph.web.pool import Job, Result, WorkerError
from eurasia_graph.web.responses import cached, header_text, respond
from eurasia_graph.web.volatile import is_changing

blueprint = Blueprint("sparql", __name__)

ROWS = [*carrying(Content.ROWS), JSON, XML]
GRAPHS = carrying(Content.GRAPH, Content.DATASET)
OFFERED = {"SELECT": ROWS, "ASK": ROWS, "CONSTRUCT": GRAPHS, "DESCRIBE": GRAPHS}
MOST_ROWS_ON_A_PAGE = 1000
# The most unknown names that a header lists.
MOST_NAMED = 5
LONGEST_NAMED = 200
BUSY_S = 2
EXAMPLE = """PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

SELECT ?body ?label WHERE { ?body a eg:Organisation ; skos:prefLabel ?label FILTER(LANG(?label) = "en") }
ORDER BY ?label
"""


@blueprint.route("/sparql", methods=["GET", "POST", "QUERY"], strict_slashes=False)
def endpoint() -> Response:
    """Answer a query; without one, show the form to a browser and the service description to a program."""
    service = the_service()
    operation = protocol.read(request, service.limits.query_chars, f"{service.home}sparql")
    if operation.query is None:
        if request.method != "GET":
            raise BadRequest(
                "the request has no query; send it as a field query=, or as a body of type application/sparql-query"
            )
        return _without_query()
    query = shape.read(operation.query)
    refuse_service(operation.query)
    # Text that does not begin like a query is sent as well: the engine reports what is wrong with it.
    offered = OFFERED.get(query.form or "", ROWS)
    chosen = pick(operation.formats, request.accept_mimetypes, offered, html=request.method == "GET")
    if chosen is None:
        return _page(service, operation, query)
    result = ask(service, operation, query, chosen)
    body = _flagged(result, chosen, service.limits.rows)
    response = _with_notes(service, query, result, _kept(operation.query, respond(body, chosen, is_checked=True)))
    if result.truncated and chosen.extension in {"csv", "tsv"}:
        # Formats of rows cannot say that they are truncated; the name of a saved file can.
        name = f"first-{service.limits.rows}-rows.{chosen.extension}"
        response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def ask(
    service: Service, operation: protocol.Operation, query: shape.Query, chosen: Format, rows: int | None = None
) -> Result:
    """
    Run a query in a worker.

    Args:
        service: The service, which has the workers and the limits.
        operation: The query with its graphs and its time.
        query: The query as analysed from its tokens.
        chosen: The format of the answer.
        rows: The most rows wanted, at most the limit.
    Raises:
        QueryError: If it is not SPARQL (400) or has no answer within its limits (503).
    """
    limits = service.limits
    most = min(rows or limits.rows, limits.rows)
    limited, following = query.limited(most)
    job = Job(
        query=query.text,
        form=query.form,
        limited=limited,
        next=following,
        base=f"{service.home}sparql",
        prologue=query.prologue,
        clauses=query.clauses,
        default=operation.default,
        named=operation.named,
        format=FORMATS[chosen.name].media_type,
        prefixes=ns.PREFIXES,
        rows=most,
        bytes=limits.answer_bytes,
        timeout=min(operation.timeout_s or limits.timeout_s, limits.timeout_s),
        star=columns.star(query.text, query.tokens),
    )
    start, outcome = time.perf_counter(), "good"
    try:
        return service.pool.run(job)
    except WorkerError as error:
        outcome = error.reason
        if error.reason == "bug":
            raise
        raise _refusal(service, query, job, error, start + job.timeout) from None
    except RemoteError:
        outcome = "gateway"
        raise
    finally:
        seconds = time.perf_counter() - start
        service.metrics.queried("free", seconds)
        if seconds >= service.slow_s:
            log.slow_query("free", query.text, seconds, outcome)


def _refusal(service: Service, query: shape.Query, job: Job, error: WorkerError, end: float) -> QueryError:
    """Turn the failure of a query into an error that says what to do."""
    limits = service.limits
    if error.reason == "syntax":
        return _syntax_error(service, query, job, error.detail, end)
    if error.reason == "format":
        return QueryError(error.detail, status=406)
    if error.reason == "engine":
        return QueryError(f"the query cannot be answered: {error.detail}; change that part of it")
    texts = {
        "time": f"the query was stopped after {job.timeout:g} s; ask for less: be more specific, remove "
        "patterns that share no variable with the others, add LIMIT, or download the release and run it yourself",
        "memory": f"the query needed more than {limits.memory_mib} MiB, or is nested too deep; ask for less: "
        "sort or group fewer rows, add LIMIT, or take the release and run it on your own machine",
        "bytes": f"the answer is larger than {limits.answer_bytes} bytes; ask for fewer columns or rows, "
        "or take the release",
        "killed": "the process that ran the query was stopped; nothing is wrong with the query; send it again",
        "busy": f"{limits.short + limits.long} other queries are running; wait {BUSY_S} seconds and send it again",
    }
    details: dict[str, object] = {"reason": error.reason}
    if error.reason in {"killed", "busy"}:
        details["retryAfter"] = BUSY_S
    return QueryError(texts[error.reason], status=503, details=details)


def _syntax_error(service: Service, query: shape.Query, job: Job, message: str, end: float) -> QueryError:
    """Locate a syntax error by parsing parts of the query in the time left."""

    def probe(texts: list[str]) -> list[str | None]:
        left = end - time.perf_counter()
        if left <= 0:
            return []
        try:
            tried = service.pool.run(replace(job, probes=texts, timeout=left))
        except WorkerError:
            return []
        answers: list[str | None] = json.loads(tried.body)
        return answers

    return diagnosis.of_syntax(query, message, probe)


def _flagged(result: Result, chosen: Format, rows: int) -> bytes:
    """Mark truncated rows in the JSON as well; clients ignore unknown members."""
    if result.truncated and chosen.name == "json":
        return result.body[:-1] + f',"truncated":{{"rows":{rows}}}}}'.encode()
    return result.body


def _kept(query: str, response: Response) -> Response:
    if is_changing(query):
        response.headers["Cache-Control"] = "no-store"
        del response.headers["ETag"]
    return response


def _with_notes(
    service: Service, query: shape.Query, result: Result, response: Response, rows: int | None = None
) -> Response:
    """Add notes about the answer as headers."""
    if result.truncated:
        response.headers["X-Result-Truncated"] = f"rows={min(rows or service.limits.rows, service.limits.rows)}"
    if result.unknown:
        response.headers["X-Unknown-Graph"] = ", ".join(
            [f"<{header_text(shortened(iri))}>" for iri in result.unknown[:MOST_NAMED]]
            + ([f"and {len(result.unknown) - MOST_NAMED} more"] if len(result.unknown) > MOST_NAMED else [])
        )
    for text in unknown_terms(service, query) if result.empty else ():
        response.headers.add("Warning", f'199 eurasia-graph "{header_text(text)}"')
    return response


def unknown_terms(service: Service, query: shape.Query) -> list[str]:
    """List the terms of the ontology's namespace in a query that do not exist, with the nearest that do."""
    if not service.store.iri:
        return []
    local = {iri.removeprefix(ns.EG) for iri in service.terms}
    found, unknown = [], sorted(query.terms - service.terms)
    for iri in unknown[:MOST_NAMED]:
        name = shortened(iri.removeprefix(ns.EG))
        near = ", ".join(f"eg:{each}" for each in nearest(name, local))
        found.append(f"eg:{name} is not a term of the ontology" + (f"; nearest: {near}" if near else ""))
    if len(unknown) > MOST_NAMED:
        found.append(f"{len(unknown) - MOST_NAMED} more are not terms of the ontology")
    return found


def shortened(name: str) -> str:
    """Shorten a name sent by a client, since proxies limit headers to a few thousand bytes."""
    return name if len(name) <= LONGEST_NAMED else f"{name[:LONGEST_NAMED]}..."


# --- without a query, and for browsers -----------------------------------------------------


def _without_query() -> Response:
    from eurasia_graph.web import description

    chosen = choose(request, GRAPHS, html=True)
    if chosen is None:
        return _form(EXAMPLE)
    return description.answer(chosen)


def _form(query: str, **found: object) -> Response:
    page = render_template("sparql.html", query=query, **found)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return cached(response)


def _page(service: Service, operation: protocol.Operation, query: shape.Query) -> Response:
    """Show the form, with the answer below it."""
    if query.form in {"CONSTRUCT", "DESCRIBE"}:
        result = ask(service, operation, query, FORMATS["turtle"])
        response = _form(
            query.text,
            graph=result.body.decode(),
            truncated=result.truncated,
            limit=service.limits.rows,
            unknown=result.unknown,
            formats=[each.name for each in GRAPHS],
        )
        return _with_notes(service, query, result, _kept(query.text, response))
    result = ask(service, operation, query, FORMATS["json"], MOST_ROWS_ON_A_PAGE)
    answer = json.loads(result.body)
    rows = answer.get("results", {}).get("bindings", [])
    response = _form(
        query.text,
        columns=answer["head"].get("vars", []),
        rows=rows,
        count=len(rows),
        boolean=answer.get("boolean"),
        truncated=result.truncated,
        limit=min(service.limits.rows, MOST_ROWS_ON_A_PAGE),
        warnings=unknown_terms(service, query) if result.empty else [],
        unknown=result.unknown,
        formats=["csv", "json", "tsv", "xml"],
    )
    return _with_notes(service, query, result, _kept(query.text, response), MOST_ROWS_ON_A_PAGE)
