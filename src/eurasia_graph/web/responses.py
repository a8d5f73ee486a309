"""What every answer carries: its release and how to cite it, what caches need, and what browsers must not do."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph.formats import FORMATS, Format
from eurasia_graph.web.context import the_service

# A release stays as it is while it is served; a minute bounds how long a proxy shows the one before.
CACHED = "public, max-age=60"
EXPOSED = "ETag, Link, Warning, X-Release, X-Result-Truncated, X-Unknown-Graph, X-Note, Content-Location, Retry-After"
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "eurasia-graph",
}
BOM = b"\xef\xbb\xbf"


def register(app: Flask) -> None:
    """Add the headers to every answer, and answer OPTIONS before any view is asked."""
    app.before_request(_preflight)
    app.after_request(_finish)


def respond(body: bytes | str, chosen: Format) -> Response:
    """Send a body in a format, with the headers that caches need."""
    if chosen is FORMATS["csv"] and request.args.get("bom") == "1":
        # Without it, spreadsheets read UTF-8 as something else.
        body = BOM + (body.encode() if isinstance(body, str) else body)
    text = chosen.media_type.startswith("text/")
    response = Response(body, content_type=f"{chosen.media_type}; charset=utf-8" if text else chosen.media_type)
    response.vary.add("Accept")
    return cached(response)


def cached(response: Response) -> Response:
    """Let an answer be kept: it depends on the release and the request alone."""
    response.headers.setdefault("Cache-Control", CACHED)
    parts = (
        the_service().version,
        request.method if request.method != "HEAD" else "GET",
        request.url,
        request.mimetype,
        request.content_type if request.method != "GET" else "",
        response.content_type or "",
    )
    digest = hashlib.sha256("\n".join(map(str, parts)).encode())
    if request.method in {"POST", "QUERY"}:
        digest.update(request.get_data())
    response.set_etag(digest.hexdigest()[:32])
    return response


def header_text(text: str) -> str:
    """Write text so that it can stand in a header, which holds printable ASCII alone."""
    return "".join(each if " " <= each <= "~" else quote(each) if each > "~" else " " for each in text)


def _preflight() -> Response | None:
    """Say what may be asked of a path, from a page of any other site."""
    if request.method != "OPTIONS" or request.routing_exception:
        return None
    adapter = request.url_rule
    methods = sorted({"GET", "HEAD", "OPTIONS", *((adapter.methods or set()) if adapter else set())})
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = "Accept, Content-Type, If-None-Match"
    response.headers["Access-Control-Max-Age"] = "86400"
    return response


def _finish(response: BaseResponse) -> BaseResponse:
    service = the_service()
    response.headers.update(SECURITY)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if service.store.iri:
        response.headers["X-Release"] = service.store.iri.value
        response.headers.add("Link", f'<{service.store.iri.value}>; rel="cite-as"')
    return response
