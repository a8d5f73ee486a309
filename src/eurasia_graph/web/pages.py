"""
The front page, and a page and data for every IRI of the graph.

`/id/…` names the thing; `/page/…` and `/data/…` are documents about it.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from pyoxigraph import Literal, NamedNode, Triple, serialize
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import nearest
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.sparql import respond

blueprint = Blueprint("pages", __name__)

DATA = [FORMATS[name] for name in ("turtle", "ntriples", "rdfxml")]
MOST_REFERENCES = 200


@blueprint.route("/")
def front() -> str:
    """Say what the graph holds and how to ask it."""
    from eurasia_graph.web import the_store

    store = the_store()
    counts = {name.removeprefix(ns.EG): len({iri for iri, _ in named}) for name, named in store.entities.items()}
    return render_template("index.html", counts=counts, queries=queries.load(), quads=len(store.engine))


@blueprint.route("/id/<path:name>")
def thing(name: str) -> BaseResponse:
    """Send to the page or the data about a thing, as the client prefers."""
    from eurasia_graph.web import the_store

    _find(the_store(), name)
    page = choose(request, DATA, html=True) is None
    response = redirect(url_for("pages.page" if page else "pages.data", name=name), code=303)
    response.vary.add("Accept")
    return response


@blueprint.route("/data/<path:name>")
def data(name: str) -> Response:
    """Write all that the graph says of a thing, and what refers to it."""
    from eurasia_graph.web import the_store

    store = the_store()
    node = _find(store, name)
    chosen = choose(request, DATA)
    assert chosen
    triples = sorted({*_outgoing(store, node), *_incoming(store, node)}, key=str)
    text = " ".join(map(str, triples))
    used = {prefix: namespace for prefix, namespace in ns.PREFIXES.items() if f"<{namespace}" in text}
    return respond(serialize(triples, format=chosen.rdf, prefixes=used) or b"", chosen)


@blueprint.route("/page/<path:name>")
def page(name: str) -> str:
    """Show what the graph says of a thing, and where it is used."""
    from eurasia_graph.web import the_store

    store = the_store()
    node = _find(store, name)
    outgoing = sorted(_outgoing(store, node), key=lambda triple: (triple.predicate.value, str(triple.object)))
    incoming = sorted(_incoming(store, node), key=lambda triple: (triple.predicate.value, str(triple.subject)))
    return render_template(
        "thing.html",
        name=name,
        iri=node.value,
        label=_label(store, node),
        outgoing=outgoing,
        incoming=incoming,
        link=_link,
    )


def _find(store: ReleaseStore, name: str) -> NamedNode:
    """Return the node of a path below /id/, or say which names are nearest."""
    node = ns.ID(name)
    if next(store.engine.quads_for_pattern(node, None, None, None), None):
        return node
    kind, _, local = name.partition("/")
    known = {iri.removeprefix(ns.ID) for named in store.entities.values() for iri, _ in named}
    close = nearest(name, (each for each in known if each.startswith(f"{kind}/"))) or nearest(local, known)
    hint = f"; nearest: {', '.join(close)}" if close else ""
    raise NotFound(f"the graph knows no {name}{hint}")


def _outgoing(store: ReleaseStore, node: NamedNode) -> set[Triple]:
    return {quad.triple for quad in store.engine.quads_for_pattern(node, None, None, None)}


def _incoming(store: ReleaseStore, node: NamedNode) -> set[Triple]:
    found: set[Triple] = set()
    for quad in store.engine.quads_for_pattern(None, None, node, None):
        found.add(quad.triple)
        if len(found) == MOST_REFERENCES:
            break
    return found


def _label(store: ReleaseStore, node: NamedNode) -> str:
    for predicate in (ns.SKOS("prefLabel"), ns.EG("gist")):
        labels = [quad.object for quad in store.engine.quads_for_pattern(node, predicate, None, None)]
        for label in labels:
            if isinstance(label, Literal) and label.language in {"en", None}:
                return label.value
    return ns.shorten(node.value)


def _link(term: object) -> str | None:
    """Give the address of a term on this service, or of the term itself, or None for a literal."""
    if not isinstance(term, NamedNode):
        return None
    if term.value.startswith(ns.ID):
        return url_for("pages.thing", name=term.value.removeprefix(ns.ID))
    return term.value
