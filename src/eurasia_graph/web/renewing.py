"""
Serve the current state of the files: after every valid change, the next request is answered from the new release.

While there are errors, the last valid release is served, and its pages show the findings.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Settings, create_app
from eurasia_graph.web.cache import AnswerCache
from eurasia_graph.web.context import Service

if TYPE_CHECKING:
    from flask import Flask

# How many seconds beyond their limit queries on the previous release may continue.
SPARE_S = 5
MOST_SHOWN = 20


class Renewing:
    """An application whose release is replaced while it runs."""

    def __init__(self, app: Flask, store: ReleaseStore, settings: Settings, make: Callable[[], ReleaseStore]) -> None:
        """
        Serve a release.

        Args:
            app: The application that the server calls; it stays the same object.
            store: The release that it serves.
            settings: The settings of the application.
            make: Builds a release from the current files.
        """
        self.app, self.store, self.settings, self.make = app, store, settings, make
        self.service = _service(app)

    def follow(self, changes: Iterable[None]) -> None:
        """Follow the changes; returns after the last one."""
        for _ in changes:
            try:
                self.store, findings = self.make(), []
                print(f"serving {self.store.iri.value if self.store.iri else ''}", file=sys.stderr, flush=True)
            except EurasiaGraphError as error:
                print(error, file=sys.stderr, flush=True)
                findings = str(error).splitlines()
            self._show(findings)

    def follow_in_a_thread(self, changes: Iterable[None]) -> None:
        """Follow the changes in a thread."""
        threading.Thread(target=self.follow, args=(changes,), daemon=True).start()

    def _show(self, findings: list[str]) -> None:
        """Answer the following requests from a release, with findings on its pages."""
        more = [f"… {len(findings) - MOST_SHOWN} more"] if len(findings) > MOST_SHOWN else []
        head = ["The files have errors; this is the last release without."] if findings else []
        shown = (*head, *findings[:MOST_SHOWN], *more)
        fresh = create_app(self.store, replace(self.settings, findings=shown))
        before, after = self.app.wsgi_app, fresh.wsgi_app
        assert isinstance(before, AnswerCache) and isinstance(after, AnswerCache)
        after.bodies.watched = before.bodies.watched
        old, self.service = self.service, _service(fresh)
        self.service.here = old.here
        self.app.wsgi_app = after  # type: ignore[method-assign]
        timer = threading.Timer(old.limits.timeout_s + SPARE_S, old.pool.close)
        timer.daemon = True
        timer.start()


def _service(app: Flask) -> Service:
    service = app.extensions["eurasia-graph"]
    assert isinstance(service, Service)
    return service
