"""Headers of every answer: the release and its citation, caching, and the security policy for browsers."""

from __future__ import annotations

import hashlib
from urllib.parse import quote, urlsplit, urlunsplit

from flask import Flask, Response, request
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph.export import xmlform
from eurasia_graph.formats import FORMATS, Content, Format
from eurasia_graph.web.cache import REFUSED, Environ
from eurasia_graph.web.context import Service, the_service

# A release does not change while it is served; after a restart a proxy serves the old one for at most a minute.
CACHED = "public, max-age=60"
EXPOSED = "ETag, Link, Warning, X-Release, X-Result-Truncated, X-Unknown-Graph, X-Note, Content-Location, Retry-After"
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "eurasia-graph",
}
BOM = b"\xef\xbb\xbf"
# Methods whose answer depends on the body of the request.
WITH_BODY = {"POST", "QUERY"}


def register(app: Flask) -> None:
    """Add the headers to every answer, and answer OPTIONS before any view is called."""
    app.before_request(_refuse)
    app.before_request(_preflight)
    app.after_request(_finish)


def respond(body: bytes | str, chosen: Format, *, is_checked: bool = False) -> Response:
    """
    Make a response with a body in a format, with the headers for caches.

    Args:
        body: The complete body.
        chosen: How it is written.
        is_checked: Whether it has already been parsed as XML, if it is XML.
    Raises:
        XmlError: If it would not be well-formed XML.
    """
    if isinstance(body, bytes) and not is_checked:
        xmlform.check(body, chosen.engine)
    if chosen is FORMATS["csv"] and "1" in (request.args.get("bom"), request.form.get("bom")):
        # Without it, spreadsheets do not recognise UTF-8.
        body = BOM + (body.encode() if isinstance(body, str) else body)
    response = Response(body, content_type=content_type(chosen))
    response.vary.add("Accept")
    # The engine writes the prefixes of a graph in any order, so equal answers may differ in their bytes.
    return cached(response, is_weak=chosen.content is not Content.ROWS)


def content_type(chosen: Format) -> str:
    """Return the media type of a format, with the charset if it is text."""
    return f"{chosen.media_type}; charset=utf-8" if chosen.media_type.startswith("text/") else chosen.media_type


def cached(response: Response, *, is_weak: bool = False) -> Response:
    """Mark an answer as cacheable: it depends only on the release and the request."""
    response.headers.setdefault("Cache-Control", CACHED)
    body = request.get_data() if request.method in WITH_BODY else b""
    tag = entity_tag(the_service(), request.environ, response.content_type or "", body)
    response.set_etag(tag, weak=is_weak)
    return response


def entity_tag(service: Service, environ: Environ, kind: str, body: bytes = b"") -> str:
    """
    Make an ETag from everything that an answer depends on.

    Args:
        service: The release, its limits and the code.
        environ: The WSGI environment of the request.
        kind: The content type of the answer.
        body: The body of the request.
    """
    method = environ["REQUEST_METHOD"]
    # Not decoded, since decoding a URL takes longer than making many of the answers.
    parts = [
        service.tag,
        method if method in WITH_BODY else "GET",
        *(environ.get(name, "") for name in ("SCRIPT_NAME", "HTTP_HOST", "PATH_INFO", "QUERY_STRING")),
        environ.get("CONTENT_TYPE", "") if method in WITH_BODY else "",
        kind,
    ]
    return hashlib.sha256("\n".join(parts).encode() + body).hexdigest()[:32]


def header_text(text: str) -> str:
    """Encode text for a header, which may contain only printable ASCII."""
    return "".join(each if " " <= each <= "~" else quote(each) if each > "~" else " " for each in text)


def _refuse() -> None:
    """Answer a request that was refused before it was read completely."""
    if REFUSED in request.environ:
        raise request.environ[REFUSED]


def _preflight() -> Response | None:
    """Answer a CORS preflight request, or any other OPTIONS."""
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


def fixed_headers(service: Service) -> list[tuple[str, str]]:
    """Return the headers that every answer of a service carries."""
    headers = [*SECURITY.items(), ("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", EXPOSED)]
    release = service.store.iri
    if release:
        headers += [("X-Release", release.value), ("Link", f'<{release.value}>; rel="cite-as"')]
    return headers


def _finish(response: BaseResponse) -> BaseResponse:
    if isinstance(request.routing_exception, RequestRedirect) and response.location:
        # The router prefixes the location with a host that it has only guessed.
        response.location = urlunsplit(("", "", *urlsplit(response.location)[2:]))
    if response.location:
        response.headers.setdefault("Cache-Control", CACHED)
    for name, value in fixed_headers(the_service()):
        if name == "Link":
            response.headers.add(name, value)
        else:
            response.headers[name] = value
    return response
