"""
Canned queries as data, answered in front of the framework, which would take a quarter of the time.

What is not plainly right goes on to the framework, and so does everything that has to be explained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from eurasia_graph import queries
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.formats import Format
from eurasia_graph.web.cache import REFUSED, WSGI, Environ
from eurasia_graph.web.canned import EXTENSIONS, OF_THE_ANSWER, OFFERED, answer, formats
from eurasia_graph.web.context import Service
from eurasia_graph.web.negotiation import NAMES, pick
from eurasia_graph.web.responses import CACHED, content_type, fixed_headers, header_text

START = "/queries/"
# What clients accept is remembered, but for what nobody else will send: a thousand of these take half a megabyte.
LONGEST_REMEMBERED = 500
Headers = list[tuple[str, str]]


class Lane:
    """A WSGI application that answers the canned queries and leaves the rest to another one."""

    def __init__(self, app: WSGI, service: Service) -> None:
        """
        Stand in front of an application.

        Args:
            app: Answers what is not answered here, errors in particular.
            service: Whose store is asked; it is embedded and small.
        """
        self.app = app
        self._service = service
        self._queries = queries.load()
        self._fixed = fixed_headers(service)
        self._chosen = lru_cache(maxsize=1000)(self._choose)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        found = None
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith(START) and REFUSED not in environ:
            found = self._answer(environ)
        if found is None:
            return self.app(environ, start_response)
        start_response("200 OK", found[0])
        return [found[1]]

    def _answer(self, environ: Environ) -> tuple[Headers, bytes] | None:
        path, asked = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        name, _, extension = path.removeprefix(START).partition(".")
        canned = self._queries.get(name)
        if canned is None or not asked.isascii():
            return None
        pairs = parse_qsl(asked, keep_blank_values=True)
        given = [pair for pair in pairs if pair[0] not in OF_THE_ANSWER]
        values = dict(given)
        names = tuple(value for key in NAMES for each, value in pairs if each == key)
        chosen = EXTENSIONS.get(extension)
        if not extension:
            accept = environ.get("HTTP_ACCEPT", "")
            is_short = len(accept) + sum(map(len, names)) <= LONGEST_REMEMBERED
            choose = self._chosen if is_short else self._choose
            chosen = choose(names, accept, bool(values))
        if chosen not in OFFERED or len(values) < len(given) or any(key == "bom" for key, _ in pairs):
            return None
        try:
            body, notes = answer(self._service, self._service.store, canned, values, chosen)
        except EurasiaGraphError:
            return None
        digest = hashlib.sha256(f"{self._service.tag} {path} {asked} {chosen.media_type}".encode())
        return [
            ("Content-Type", content_type(chosen)),
            ("Content-Length", str(len(body))),
            ("Vary", "Accept"),
            ("Cache-Control", CACHED),
            ("ETag", f'"{digest.hexdigest()[:32]}"'),
            *(("X-Note", header_text(note)) for note in notes),
            *self._fixed,
        ], body

    def _choose(self, names: tuple[str, ...], accept: str, is_filled_in: bool) -> Format | None:
        """Choose a format by what a request says; None for a page, and where none is acceptable."""
        accepted = parse_accept_header(accept, MIMEAccept)
        try:
            return pick(names, accepted, formats(self._service, is_filled_in), html=True)
        except NotAcceptable:
            return None
