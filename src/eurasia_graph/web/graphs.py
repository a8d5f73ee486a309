"""
The Graph Store Protocol, read side: every named graph at its own address, and any graph by its name.

Source: https://www.w3.org/TR/sparql11-http-rdf-update/
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from pyoxigraph import DefaultGraph, NamedNode, serialize
from werkzeug.exceptions import BadRequest, NotFound

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import nearest
from eurasia_graph.formats import FORMATS, Content, Format, by_extension, carrying
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.context import the_store
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.protocol import graph_name
from eurasia_graph.web.responses import cached, respond

blueprint = Blueprint("graphs", __name__)

OFFERED = carrying(Content.GRAPH, Content.DATASET)


@blueprint.route("/store")
def indirect() -> Response:
    """Write the graph that ?graph= names, or with ?default the default graph."""
    named = request.args.getlist("graph")
    if ("default" in request.args) == bool(named) or len(named) > 1:
        raise BadRequest("say which graph: ?default, or one ?graph= with its IRI")
    chosen = choose(request, OFFERED)
    assert chosen
    if not named:
        return respond(_write(the_store(), DefaultGraph(), chosen), chosen)
    return _named(graph_name(named[0], request.base_url, "graph"), chosen)


@blueprint.route("/graph/<path:name>")
def direct(name: str) -> Response:
    """Write a graph of the release at its own address; a browser gets a page about it."""
    chosen = choose(request, OFFERED, html=True)
    if chosen:
        return _named(ns.GRAPH + name, chosen)
    node = _find(the_store(), ns.GRAPH + name)
    count = sum(1 for _ in the_store().engine.quads_for_pattern(None, None, None, node))
    page = render_template("graph.html", name=name, iri=node.value, count=count, formats=OFFERED)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return cached(response)


@blueprint.route("/graph/")
def listing() -> Response:
    """List the graphs."""
    graphs = sorted(ns.value(graph) for graph in the_store().engine.named_graphs())
    local = [
        (iri, url_for("graphs.direct", name=iri.removeprefix(ns.GRAPH))) for iri in graphs if iri.startswith(ns.GRAPH)
    ]
    other = [(iri, url_for("graphs.indirect", graph=iri)) for iri in graphs if not iri.startswith(ns.GRAPH)]
    page = render_template("graphs.html", graphs=local + other)
    return cached(Response(page, content_type="text/html; charset=utf-8"))


@blueprint.route("/export/<name>.<extension>")
def export(name: str, extension: str) -> Response:
    """Write the whole: formats of triples carry the default graph, formats of quads all named graphs."""
    found = by_extension(extension)
    if name != "eurasia-graph" or found is None or found not in OFFERED:
        files = ", ".join(f"eurasia-graph.{each.extension}" for each in OFFERED)
        raise NotFound(f"there is no file {name}.{extension}; there is {files}")
    store = the_store()
    if found.content is Content.GRAPH:
        return respond(_write(store, DefaultGraph(), found), found)
    named = (quad for quad in store.engine if not isinstance(quad.graph_name, DefaultGraph))
    return respond(serialize(named, format=found.rdf, prefixes=ns.PREFIXES) or b"", found)


def _named(iri: str, chosen: Format) -> Response:
    store = the_store()
    node = _find(store, iri)
    response = respond(_write(store, node, chosen), chosen)
    response.headers["Link"] = f'<{node.value}>; rel="canonical"'
    return response


def _find(store: ReleaseStore, iri: str) -> NamedNode:
    """Return the node of a graph, or say which graphs have the nearest names."""
    try:
        node = NamedNode(iri)
    except ValueError:
        raise BadRequest(f"{iri!r} is no IRI; give the name of a graph") from None
    if not store.engine.contains_named_graph(node):
        known = {ns.value(graph).removeprefix(ns.GRAPH) for graph in store.engine.named_graphs()}
        close = nearest(iri.removeprefix(ns.GRAPH), known)
        raise NotFound(f"there is no graph {iri}" + (f"; nearest: {', '.join(close)}" if close else ""))
    return node


def _write(store: ReleaseStore, graph: NamedNode | DefaultGraph, chosen: Format) -> bytes:
    prefixes = (
        ns.PREFIXES if chosen in {FORMATS["turtle"], FORMATS["trig"], FORMATS["rdfxml"], FORMATS["jsonld"]} else None
    )
    return store.engine.dump(format=chosen.rdf, from_graph=graph, prefixes=prefixes) or b""
