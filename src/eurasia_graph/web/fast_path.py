"""
Answers of canned queries without the framework, whose routing and request objects would take a quarter of the time.

`canned` makes the answer, as it does for the framework; pages, descriptions and errors are left to the framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from eurasia_graph import queries
from eurasia_graph.web import canned, citing
from eurasia_graph.web.cache import REFUSED, WSGI, Environ
from eurasia_graph.web.context import Service
from eurasia_graph.web.responses import fixed_headers

START = "/queries/"


class FastPath:
    """A WSGI middleware that answers canned queries as data and passes on all other requests."""

    def __init__(self, app: WSGI, service: Service) -> None:
        """
        Wrap an application.

        Args:
            app: Answers the other requests, and the errors of these.
            service: Its store is queried; the store is embedded and small.
        """
        self.app = app
        self._service = service
        self._names = frozenset(queries.load())
        self._fixed = fixed_headers(service)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        made = None
        # Decoded as the framework does, for the text of an error.
        name = environ["PATH_INFO"].removeprefix(START).encode("latin-1").decode("utf-8", "replace")
        if environ["REQUEST_METHOD"] == "GET" and name.partition(".")[0] in self._names and REFUSED not in environ:
            try:
                made = self._made(environ, name)
            except Exception as error:  # noqa: BLE001  (raised again by the framework, which answers and logs it)
                environ[canned.FAILED] = error
        if made is None:
            return self.app(environ, start_response)
        start_response("200 OK", made[0] + self._fixed)
        return [made[1]]

    def _made(self, environ: Environ, name: str) -> tuple[canned.Headers, bytes] | None:
        if citing.wanted(environ, name):
            return None
        asked = canned.read(self._service, environ, name)
        return canned.answer(self._service, environ, asked) if asked.chosen in canned.OFFERED else None
