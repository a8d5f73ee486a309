"""
The Graph Store Protocol, read side: every named graph at its own address, and any graph by its name.

Source: https://www.w3.org/TR/sparql11-http-rdf-update/
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, render_template, request, url_for
from pyoxigraph import BlankNode, DefaultGraph, NamedNode, RdfFormat, Triple, parse, serialize
from werkzeug.exceptions import BadRequest, NotFound

from eurasia_graph import description
from eurasia_graph import namespaces as ns
from eurasia_graph.errors import nearest
from eurasia_graph.export import xmlform
from eurasia_graph.formats import FORMATS, Content, Format, by_extension, carrying
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.context import Service, the_service, the_store
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.protocol import graph_name
from eurasia_graph.web.responses import cached, header_text, respond

blueprint = Blueprint("graphs", __name__)

OFFERED = carrying(Content.GRAPH, Content.DATASET)
PREFIXES = {**ns.PREFIXES, **description.PREFIXES}


@blueprint.route("/store")
def indirect() -> Response:
    """Write the graph named by ?graph=, or with ?default the default graph."""
    named = request.args.getlist("graph")
    if ("default" in request.args) == bool(named) or len(named) > 1:
        raise BadRequest("say which graph: ?default, or one ?graph= with its IRI")
    chosen = choose(request, OFFERED)
    assert chosen
    if not named:
        return respond(_write(_lines(the_service(), DefaultGraph()), chosen), chosen)
    return _named(graph_name(named[0], f"{the_service().home}store", "graph"), chosen)


@blueprint.route("/graph/<path:name>")
def direct(name: str) -> Response:
    """Write a graph of the release at its own address; a browser gets a page about it."""
    chosen = choose(request, OFFERED, html=True)
    if chosen:
        return _named(ns.GRAPH + name, chosen)
    service = the_service()
    node = _find(service, ns.GRAPH + name)
    count = _lines(service, node).count(b"\n")
    page = render_template("graph.html", name=name, iri=node.value, count=count, formats=OFFERED)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return cached(response)


@blueprint.route("/graph/")
def listing() -> Response:
    """List the graphs."""
    graphs = sorted(_graphs(the_service()), key=lambda graph: (not ns.value(graph).startswith(ns.GRAPH), str(graph)))
    shown = [(ns.value(graph) if isinstance(graph, NamedNode) else str(graph), _address(graph)) for graph in graphs]
    page = render_template("graphs.html", graphs=shown)
    return cached(Response(page, content_type="text/html; charset=utf-8"))


@blueprint.route("/export/<name>.<extension>")
def export(name: str, extension: str) -> Response:
    """Write the whole dataset: formats for triples contain the default graph, formats for quads all named graphs."""
    found = by_extension(extension)
    if name != "eurasia-graph" or found is None or found not in OFFERED:
        files = ", ".join(f"eurasia-graph.{each.extension}" for each in OFFERED)
        raise NotFound(f"there is no file {name}.{extension}; available: {files}")
    store = the_store()
    if found.content is Content.GRAPH:
        return respond(
            _write(store.engine.dump(format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph()) or b"", found), found
        )
    named = (quad for quad in store.engine if not isinstance(quad.graph_name, DefaultGraph))
    return respond(serialize(named, format=found.rdf, prefixes=ns.PREFIXES) or b"", found)


def _address(graph: NamedNode | BlankNode) -> str | None:
    """Return the address of a graph; a blank node has none, since its name is local to its file."""
    if isinstance(graph, BlankNode):
        return None
    if graph.value.startswith(ns.GRAPH):
        return url_for("graphs.direct", name=graph.value.removeprefix(ns.GRAPH))
    return url_for("graphs.indirect", graph=graph.value)


def _graphs(service: Service) -> list[NamedNode | BlankNode]:
    """List the named graphs that a query sees."""
    own = [description.GRAPH] if service.description.is_seen else []
    return [*own, *service.store.engine.named_graphs()]


def _named(iri: str, chosen: Format) -> Response:
    service = the_service()
    node = _find(service, iri)
    response = respond(_write(_lines(service, node), chosen), chosen)
    response.headers["Link"] = f'<{header_text(node.value)}>; rel="canonical"'
    return response


def _find(service: Service, iri: str) -> NamedNode:
    """Return the node of a graph, or raise an error that lists the nearest names."""
    try:
        node = NamedNode(iri)
    except ValueError:
        raise BadRequest(f"{iri!r} is not an IRI; give the name of a graph") from None
    if node == description.GRAPH and service.description.is_seen:
        return node
    if not service.store.engine.contains_named_graph(node):
        known = {graph.value.removeprefix(ns.GRAPH) for graph in _graphs(service) if isinstance(graph, NamedNode)}
        close = nearest(iri.removeprefix(ns.GRAPH), known)
        raise NotFound(f"there is no graph {iri}" + (f"; nearest: {', '.join(close)}" if close else ""))
    return node


def _lines(service: Service, graph: NamedNode | DefaultGraph) -> bytes:
    """Write a graph as a query sees it, in N-Triples."""
    lines = _dump(service.store, graph)
    if graph in {description.GRAPH, DefaultGraph()}:
        own: Iterable[Triple] = service.description.seen()
        if own and graph == DefaultGraph():
            # A triple that is also in the release counts once.
            own = (each for each in own if ns.quad(each) not in service.store.local)
        lines += "".join(f"{each} .\n" for each in own).encode()
    return lines


def _dump(store: ReleaseStore, graph: NamedNode | DefaultGraph) -> bytes:
    return store.engine.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b""


def _write(lines: bytes, chosen: Format) -> bytes:
    """Write N-Triples in another format, with the prefixes that they use."""
    if chosen is FORMATS["ntriples"]:
        return lines
    used = {name: iri for name, iri in PREFIXES.items() if f"<{iri}".encode() in lines}
    # Labels of blank nodes from other files need not be valid names in XML.
    triples = parse(lines, format=RdfFormat.N_TRIPLES, rename_blank_nodes=chosen.engine == RdfFormat.RDF_XML)
    with xmlform.told():
        return serialize(triples, format=chosen.rdf, prefixes=used) or b""
