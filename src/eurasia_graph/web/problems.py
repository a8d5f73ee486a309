"""
Every error of the web face in one shape, made in one place.

RFC 9457 `application/problem+json`, or the same on a page for a browser.
"""

from __future__ import annotations

import json

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from eurasia_graph.errors import EurasiaGraphError, QueryError, RemoteError, UnknownNameError, UsageError

MEDIA_TYPE = "application/problem+json"
TITLES = {403: "Query refused", 502: "Bad gateway", 504: "Gateway timeout"}


def register(app: Flask) -> None:
    """Answer every error of an application in the one shape."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(EurasiaGraphError, _ours)
    app.register_error_handler(500, _unforeseen)


def _http(error: HTTPException) -> Response:
    response = _problem(error.code or 500, error.name, error.description or "")
    response.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
    return response


def _ours(error: EurasiaGraphError) -> Response:
    if isinstance(error, QueryError):
        return _problem(error.status, TITLES.get(error.status, "Bad query"), str(error))
    if isinstance(error, RemoteError):
        return _problem(error.status, TITLES[error.status], str(error))
    if isinstance(error, UnknownNameError):
        return _problem(404 if error.kind == "query" else 400, "Unknown name", str(error))
    return _problem(400 if isinstance(error, UsageError) else 500, "Bad request", str(error))


def _unforeseen(_error: Exception) -> Response:
    # The log has the traceback; the client gets none of it.
    return _problem(500, "Internal error", "the service met a fault of its own; it is in the log")


def _problem(status: int, title: str, detail: str) -> Response:
    body: object
    if request.accept_mimetypes.best_match(
        [MEDIA_TYPE, "text/html"]
    ) == "text/html" and "text/html" in request.headers.get("Accept", ""):
        body, media_type = render_template("error.html", status=status, title=title, detail=detail), "text/html"
    else:
        content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.path}
        body, media_type = json.dumps(content, ensure_ascii=False), MEDIA_TYPE
    return Response(
        body, status=status, content_type=f"{media_type}; charset=utf-8" if media_type == "text/html" else media_type
    )
