"""
Every error of the web face in one shape, made in one place.

RFC 9457 `application/problem+json`, or the same on a page for a browser.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from eurasia_graph.errors import EurasiaGraphError, QueryError, RemoteError, UnknownNameError, UsageError
from eurasia_graph.export.xmlform import XmlError
from eurasia_graph.web.negotiation import plain

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad query",
    403: "Query refused",
    406: "Not Acceptable",
    408: "Request timeout",
    411: "Length required",
    413: "Query too large",
    415: "Unsupported media type",
    431: "Headers too large",
    502: "Bad gateway",
    503: "No answer within the limits",
    504: "Gateway timeout",
}
# The headers of a werkzeug error that a client needs; the body is written here.
KEPT_HEADERS = {"Allow", "Retry-After"}


def register(app: Flask) -> None:
    """Give every error of an application the same shape."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(EurasiaGraphError, _ours)
    app.register_error_handler(500, _unforeseen)


def _http(error: HTTPException) -> Response:
    response = _problem(error.code or 500, error.name, error.description or "")
    response.headers.extend({name: value for name, value in error.get_headers() if name in KEPT_HEADERS})
    return response


def _ours(error: EurasiaGraphError) -> Response:
    if isinstance(error, QueryError):
        response = _problem(error.status, TITLES.get(error.status, "Bad query"), str(error), error.details)
        if "retryAfter" in error.details:
            response.headers["Retry-After"] = str(error.details["retryAfter"])
        return response
    if isinstance(error, RemoteError):
        return _problem(error.status, TITLES[error.status], str(error))
    if isinstance(error, UnknownNameError):
        details: dict[str, object] = {"nearest": error.nearest} if error.nearest else {}
        return _problem(404 if error.kind == "query" else 400, "Unknown name", str(error), {**details, **_offer(error)})
    if isinstance(error, XmlError):
        return _problem(406, "Not Acceptable", str(error))
    if isinstance(error, UsageError):
        return _problem(400, "Bad request", str(error), _offer(error))
    return _unforeseen(error)


def _offer(error: UsageError) -> dict[str, object]:
    """Say which parameter is at fault, and what can be given instead."""
    offered = [{"value": each.value, "label": each.label} for each in error.choices]
    named = {"parameter": error.parameter} if error.parameter else {}
    return {**named, **({"choices": offered} if offered and error.parameter else {})}


def _unforeseen(_error: Exception) -> Response:
    # The log has the traceback, which the client does not get.
    return _problem(500, "Internal error", "internal error; details are in the server log")


def _problem(status: int, title: str, detail: str, details: Mapping[str, object] | None = None) -> Response:
    accepted = plain(request.accept_mimetypes)
    named = any(value == "text/html" for value, _ in accepted)
    if named and accepted.best_match([MEDIA_TYPE, "text/html"]) == "text/html":
        excerpt = (details or {}).get("excerpt")
        if request.endpoint == "sparql.endpoint" and "query" in request.args:
            # Keep the query, so that it need not be typed again.
            query = request.args["query"]
            page = render_template("sparql.html", query=query, title=title, problem=detail, excerpt=excerpt)
        else:
            page = render_template("error.html", status=status, title=title, detail=detail, excerpt=excerpt)
        response = Response(page, status=status, content_type="text/html; charset=utf-8")
    else:
        content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.path}
        body = json.dumps({**content, **(details or {})}, ensure_ascii=False)
        response = Response(body, status=status, content_type=MEDIA_TYPE)
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-store"
    return response
