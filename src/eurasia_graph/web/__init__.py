"""
The web face: SPARQL, canned queries and pages over a given store.

>>> from eurasia_graph import open_graph
>>> app = create_app(open_graph().store)
>>> app.test_client().get("/queries/members-on.json?body=cst&date=1992-12-31").json[0]["memberLabel"]
'Armenia'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Flask, request
from pyoxigraph import Store

from eurasia_graph import namespaces as ns
from eurasia_graph.description import LICENCE_NAME, citation
from eurasia_graph.errors import UsageError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import canned, citing, description, graphs, health, openapi, pages, problems, responses, sparql
from eurasia_graph.web.bodies import LARGEST_REQUEST
from eurasia_graph.web.cache import AnswerCache
from eurasia_graph.web.context import Service, the_service, the_store
from eurasia_graph.web.fast_path import FastPath
from eurasia_graph.web.pool import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    How an application is run.

    `base_url` is the public address, with its path, where a proxy forwards requests; `cache_bytes` what the cache may
    hold (0 for none); `slow_s` the seconds from which a query is logged.
    """

    base_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    cache_bytes: int = 64_000_000
    access_log: bool = False
    slow_s: float = 1.0
    findings: tuple[str, ...] = ()


def create_app(store: ReleaseStore, settings: Settings | None = None) -> Flask:
    """
    Make the application.

    Args:
        store: What it serves; the application neither builds nor changes it.
        settings: How it is run.
    Raises:
        UsageError: If the public address is not a valid URL.
    """
    chosen = settings or Settings()
    if chosen.base_url and urlsplit(chosen.base_url).scheme not in {"http", "https"}:
        raise UsageError(f"{chosen.base_url!r} is not a valid URL; give one such as https://example.org/eurasia")
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    service = Service(store=store, limits=chosen.limits, base_url=chosen.base_url, slow_s=chosen.slow_s)
    service.findings = chosen.findings
    app.extensions["eurasia-graph"] = service
    app.jinja_env.filters["shorten"] = ns.shorten
    app.jinja_env.filters["local_link"] = pages.local_link
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for module in (sparql, canned, citing, pages, graphs, description, health, openapi):
        app.register_blueprint(module.blueprint)
    problems.register(app)
    responses.register(app)
    app.before_request(_refresh)
    notices = [] if store.iri else store.warnings
    app.context_processor(lambda: {"release": store.iri, "content": store.content, "notices": notices})
    app.context_processor(lambda: {"findings": chosen.findings})
    app.context_processor(lambda: {"citation": citation(store.iri), "licence": LICENCE_NAME})
    # Another store may receive another release at any time, so its answers are not cached.
    is_embedded = isinstance(store.engine, Store)
    cache_bytes = chosen.cache_bytes if is_embedded else 0
    inner = FastPath(app.wsgi_app, service) if is_embedded and service.is_small else app.wsgi_app
    app.wsgi_app = AnswerCache(  # type: ignore[method-assign]
        inner, service.metrics, chosen.base_url, cache_bytes, chosen.access_log
    )
    return app


# Answered whether or not another store is up.
ALWAYS_THERE = {health.blueprint.name, openapi.blueprint.name}


def _refresh() -> None:
    """Ask another store which release it holds, before a page names it."""
    # Health checks have to answer even when that store is down.
    if request.blueprint not in ALWAYS_THERE and request.endpoint != "static":
        the_store().refresh()


__all__ = ["Limits", "Settings", "create_app", "the_service", "the_store"]
