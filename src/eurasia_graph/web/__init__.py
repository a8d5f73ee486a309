"""
The web face: SPARQL, canned queries and pages over a store that somebody hands in.

>>> from eurasia_graph import open_graph
>>> app = create_app(open_graph().store)
>>> app.test_client().get("/queries/members-on.json?body=cst&date=1992-12-31").json[0]["memberLabel"]
'Armenia'
"""

from __future__ import annotations

from flask import Flask, current_app

from eurasia_graph import namespaces as ns
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import canned, pages, problems, sparql

LARGEST_REQUEST = 1_000_000


def create_app(store: ReleaseStore) -> Flask:
    """
    Make the application.

    Args:
        store: What it serves; the application neither builds nor changes it.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.extensions["eurasia-graph"] = store
    app.jinja_env.filters["shorten"] = ns.shorten
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for module in (sparql, canned, pages):
        app.register_blueprint(module.blueprint)
    problems.register(app)
    app.context_processor(lambda: {"release": store.iri, "content": store.content})
    return app


def the_store() -> ReleaseStore:
    """Return the store that the current application serves."""
    store = current_app.extensions["eurasia-graph"]
    assert isinstance(store, ReleaseStore)
    return store
