"""What stands around every page: its head, the ways to the other pages, the release and how to cite it."""

from __future__ import annotations

from flask import Flask, request

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.description import LICENCE_NAME, citation
from eurasia_graph.web.addresses import address, canonical
from eurasia_graph.web.assets import asset
from eurasia_graph.web.context import the_service
from eurasia_graph.web.profiles import day_before

# Where the line of links leads, by what it is called; of files served as they are only the last.
PLACES = (
    ("Bodies", "lists.listing:bodies"),
    ("States", "lists.listing:states"),
    ("Texts", "lists.listing:texts"),
    ("Questions", "queries.listing"),
    ("Disagreements", "quarrels.listing"),
    ("Ontology", "pages.ontology"),
    ("SPARQL", "sparql.endpoint"),
)


def register(app: Flask) -> None:
    """Give the templates of an application what they share."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["shorten"] = ns.shorten
    app.jinja_env.globals.update(
        address=address,
        asset=asset,
        canonical=_canonical,
        cited=_cited,
        navigation=navigation,
        counted=words.counted,
        words=words,
    )
    app.jinja_env.filters["short_name"] = ns.local_name
    app.jinja_env.filters["day_before"] = day_before
    app.context_processor(_of_release)


def navigation() -> list[tuple[str, str]]:
    """Return the links that stand on every page."""
    places = PLACES if the_service().store.iri else PLACES[-1:]
    found = []
    for text, place in places:
        view, _, name = place.partition(":")
        found.append((text, address(view, **({"kind" if view == "lists.listing" else "name": name} if name else {}))))
    return found


def _canonical() -> str:
    """Return the address that stands for the page that is being made."""
    return canonical(the_service().base_url, request.path, request.query_string.decode("ascii", "replace"))


def _cited() -> str:
    """Return the address of the page that is being made as it is cited: in full."""
    return canonical(the_service().home, request.path, request.query_string.decode("ascii", "replace"))


def _of_release() -> dict[str, object]:
    store = the_service().store
    return {
        "release": store.iri,
        "content": store.content,
        "findings": the_service().findings,
        "notices": [] if store.iri else store.warnings,
        "citation": citation(store.iri),
        "licence": LICENCE_NAME,
    }
