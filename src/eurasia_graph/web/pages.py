"""
The front page, and a page and data for every IRI of the namespace.

`/id/…`, `/scheme/…`, `/shape/…` and `/release/…` name things; `/page/…` and `/data/…` are documents about them.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions, RdfFormat, Store, Triple, serialize
from werkzeug.exceptions import Gone, NotFound
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import nearest
from eurasia_graph.export import xmlform
from eurasia_graph.formats import FORMATS
from eurasia_graph.paths import root
from eurasia_graph.store import Engine, ReleaseStore
from eurasia_graph.web import citing
from eurasia_graph.web.context import the_service, the_store
from eurasia_graph.web.negotiation import NAMES, choose
from eurasia_graph.web.ontology import as_data, sections
from eurasia_graph.web.responses import cached, header_text, respond

blueprint = Blueprint("pages", __name__)

DATA = [FORMATS[name] for name in ("turtle", "ntriples", "rdfxml", "jsonld")]
# How many references to a thing the data contain and a page shows; claims come first.
# One less than 10,000, since Virtuoso does not sort more rows than that if a query has a LIMIT.
MOST_REFERENCES = 9_999
ASKED_AT_ONCE = 500
MOST_SHOWN = 1000
# An unknown name is compared with this many names before and after it in alphabetical order.
MOST_COMPARED = 150
# The kinds of IRI other than /id/; the addresses of their documents keep the first segment.
OTHER_KINDS = ("scheme", "shape", "release")


@blueprint.route("/")
def front() -> Response:
    """Show what the graph contains and how to query it."""
    store = the_store()
    counts = {name.removeprefix(ns.EG): len({iri for iri, _ in named}) for name, named in store.entities.items()}
    page = render_template(
        "index.html", counts=counts, queries=queries.load(), quads=store.quads if store.is_local else len(store.engine)
    )
    return _html(page)


@blueprint.route("/id/<path:name>")
def thing(name: str) -> BaseResponse:
    """Redirect to the page, the data or the citation of a thing, by content negotiation."""
    form = citing.wanted(request.environ, name)
    if form:
        return citing.sent(name.rpartition(".")[0] if name.endswith((".bib", ".csl", ".txt")) else name, form)
    _, node = _find(name)
    chosen = choose(request, DATA, html=True)
    # A format requested by name is passed on; None leaves the parameter out, so that Accept decides again.
    form = chosen.name if chosen and any(key in request.args for key in NAMES) else None
    moved = _moved(node, form)
    if moved:
        return redirect(moved, code=301)
    target = url_for("pages.data", name=name, format=form) if chosen else url_for("pages.page", name=name)
    response = redirect(target, code=303)
    response.vary.add("Accept")
    _link_documents(response, name)
    return response


@blueprint.route("/<any(scheme,shape,release):kind>/<path:name>")
def other_thing(kind: str, name: str) -> BaseResponse:
    """Redirect to the page or the data about a concept, a shape or the release."""
    return thing(f"{kind}/{name}")


@blueprint.route("/data/<path:name>")
def data(name: str) -> Response:
    """Write everything that the graph states about a thing, and what refers to it."""
    engine, node = _find(name)
    chosen = choose(request, DATA)
    assert chosen
    incoming, is_cut = _incoming(engine, node)
    triples = sorted({*_outgoing(engine, node), *incoming}, key=str)
    text = " ".join(map(str, triples))
    used = {prefix: namespace for prefix, namespace in ns.PREFIXES.items() if f"<{namespace}" in text}
    with xmlform.told():
        body = serialize(triples, format=chosen.rdf, prefixes=used) or b""
    response = respond(body, chosen)
    if is_cut:
        response.headers["X-Result-Truncated"] = f"references={MOST_REFERENCES}"
    _link_documents(response, name)
    return response


@blueprint.route("/page/<path:name>")
def page(name: str) -> Response:
    """Show what the graph states about a thing, the claims about it, and where it is used."""
    engine, node = _find(name)
    outgoing = sorted(_outgoing(engine, node), key=lambda triple: (triple.predicate.value, str(triple.object)))
    incoming, is_cut = _incoming(engine, node)
    claims = sorted(_claims(engine, incoming), key=lambda claim: str(claim["iri"]))[:MOST_SHOWN]
    said = {claim["iri"] for claim in claims}
    others = sorted(
        (triple for triple in incoming if triple.subject not in said),
        key=lambda triple: (triple.predicate.value, str(triple.subject)),
    )
    most = MOST_SHOWN - len(claims)
    is_cut = is_cut or len(others) > most
    shown = render_template(
        "thing.html",
        name=name,
        iri=node.value,
        label=_label(engine, node),
        types=[triple.object for triple in outgoing if triple.predicate == ns.RDF("type")],
        outgoing=[triple for triple in outgoing if triple.predicate != ns.RDF("type")],
        claims=claims,
        incoming=others[:most],
        is_cut=is_cut,
        most=MOST_SHOWN,
        link=_link,
        formats=DATA,
    )
    response = _html(shown)
    if is_cut:
        response.headers["X-Result-Truncated"] = f"references={MOST_SHOWN}"
    _link_documents(response, name)
    return response


# --- the ontology --------------------------------------------------------------------------


@blueprint.route("/ontology")
def ontology() -> Response:
    """Document every term, or write the ontology as data."""
    store = the_store()
    graph = ns.GRAPH("ontology")
    if not store.engine.contains_named_graph(graph):
        raise NotFound("there is no ontology here, since files are served as they are; ask /sparql or /graph/")
    chosen = choose(request, DATA, html=True)
    if chosen:
        with xmlform.told():
            body = as_data(store.engine).dump(format=chosen.rdf, from_graph=DefaultGraph(), prefixes=ns.PREFIXES)
        return respond(body or b"", chosen)
    return _html(render_template("ontology.html", sections=sections(store.engine), link=_link, formats=DATA))


@blueprint.route("/ontology/<path:name>")
def ontology_version(name: str) -> BaseResponse:
    """Redirect the IRIs of versions and parts of the ontology to the ontology."""
    node = _ontology_iri(name)
    engine = the_store().engine
    known = next(engine.quads_for_pattern(node, None, None, None), None)
    if known is None and next(engine.quads_for_pattern(None, None, node, None), None) is None:
        raise NotFound(f"there is no ontology {name}; see /ontology")
    form = next((request.args[key] for key in NAMES if key in request.args), None)
    return redirect(url_for("pages.ontology", format=form), code=303)


def _ontology_iri(name: str) -> NamedNode:
    try:
        return ns.BASE(f"ontology/{name}")
    except ValueError:
        raise NotFound(f"{name!r} is not a valid name of an ontology; see /ontology") from None


# --- finding -------------------------------------------------------------------------------


def _iri(name: str) -> NamedNode:
    kind = name.partition("/")[0]
    try:
        return ns.BASE(name) if kind in OTHER_KINDS else ns.ID(name)
    except ValueError:
        raise NotFound(f"{name!r} is not a valid name; see /queries/names for the names in the graph") from None


@lru_cache(maxsize=1)
def _shapes() -> Store:
    """Read the shapes, which are rules about the data and not part of it."""
    shapes = Store()
    folder = root() / "ontology"
    for path in (*sorted((folder / "shapes").glob("*.ttl")), folder / "term-shapes.ttl"):
        shapes.load(path=str(path), format=RdfFormat.TURTLE)
    return shapes


def _find(name: str) -> tuple[Engine, NamedNode]:
    """Return the node of a path below the namespace and its place, or raise an error with the nearest names."""
    service, node = the_service(), _iri(name)
    store = service.store
    engine = _shapes() if name.startswith("shape/") else store.engine
    if next(engine.quads_for_pattern(node, None, None, None), None):
        _refuse_withdrawn(store, node)
        return engine, node
    if name.startswith("shape/"):
        known = {ns.value(quad.subject).removeprefix(ns.BASE) for quad in engine}
    else:
        known = {
            iri.removeprefix(ns.BASE if iri.startswith(ns.SCHEME) else ns.ID)
            for named in store.entities.values()
            for iri, _ in named
        }
    kind, _, local = name.partition("/")
    near = {*_neighbours(service.names.get(kind, []), name), *(each for each in known if each.startswith(f"{kind}/"))}
    close = nearest(name, near) or nearest(local, known)
    hint = f"; nearest: {', '.join(close)}" if close else ""
    raise NotFound(f"the graph knows no {name}{hint}")


def _neighbours(names: list[str], name: str) -> list[str]:
    """Return the names near one in a sorted list, so that few have to be compared."""
    place = bisect(names, name)
    return names[max(0, place - MOST_COMPARED) : place + MOST_COMPARED]


def _refuse_withdrawn(store: ReleaseStore, node: NamedNode) -> None:
    """Raise an error for a withdrawn name, unless it was replaced by another."""
    withdrawn = next(store.engine.quads_for_pattern(node, ns.OWL("deprecated"), None, None), None)
    if withdrawn and ns.value(withdrawn.object) in {"true", "1"} and _moved(node) is None:
        raise Gone(f"{ns.shorten(node.value)} was withdrawn from the graph, and nothing has taken its place")


def _moved(node: NamedNode, form: str | None = None) -> str | None:
    """Return the address of the replacement of a thing, if it has one, in a format if one is given."""
    quad = next(the_store().engine.quads_for_pattern(node, ns.DCTERMS("isReplacedBy"), None, None), None)
    if quad is None:
        return None
    term = quad.object
    if form and isinstance(term, NamedNode) and term.value.startswith(ns.ID):
        return url_for("pages.thing", name=term.value.removeprefix(ns.ID), format=form)
    return _link(term)


def _outgoing(engine: Engine, node: NamedNode) -> set[Triple]:
    return {quad.triple for quad in engine.quads_for_pattern(node, None, None, None)}


def _incoming(engine: Engine, node: NamedNode) -> tuple[set[Triple], bool]:
    """Return what refers to a thing, claims before memberships and the like, and whether there is more."""
    # Sorted by the engine, so that every store returns the same rows within the limit.
    text = f"""SELECT DISTINCT ?s ?p {{ {{ ?s ?p {node} }} UNION {{ GRAPH ?g {{ ?s ?p {node} }} }} }}
        ORDER BY ?s ?p LIMIT {MOST_REFERENCES + 1}"""
    answer = engine.query(text)
    assert isinstance(answer, QuerySolutions)
    found = [Triple(row[0], row[1], node) for row in answer]
    return set(found[:MOST_REFERENCES]), len(found) > MOST_REFERENCES


def _claims(engine: Engine, incoming: Iterable[Triple]) -> list[dict[str, object]]:
    """List the claims that refer to a thing, with their sources and passages."""
    gist, made_by, evidence = (ns.EG(name) for name in ("gist", "statedIn", "evidence"))
    subjects = sorted({str(triple.subject) for triple in incoming if isinstance(triple.subject, NamedNode)})
    said: dict[NamedNode, dict[NamedNode, list[Any]]] = {}
    # One query for many claims, since a remote store may be slow to reach, but not for all, since it may have limits.
    for first in range(0, len(subjects), ASKED_AT_ONCE):
        text = f"""SELECT DISTINCT ?s ?p ?o {{
            VALUES ?s {{ {" ".join(subjects[first : first + ASKED_AT_ONCE])} }}
            VALUES ?p {{ {gist} {made_by} {evidence} }}
            {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"""
        answer = engine.query(text)
        assert isinstance(answer, QuerySolutions)
        for subject, predicate, value in answer:
            said.setdefault(subject, {}).setdefault(predicate, []).append(value)
    return [
        {
            "iri": subject,
            "gist": min(ns.value(each) for each in found[gist]),
            "source": min(found[made_by], key=str),
            "passages": sorted(found.get(evidence, []), key=str),
        }
        for subject, found in said.items()
        if gist in found and made_by in found
    ]


def _label(engine: Engine, node: NamedNode) -> str:
    for predicate in (ns.SKOS("prefLabel"), ns.RDFS("label"), ns.EG("gist")):
        for quad in engine.quads_for_pattern(node, predicate, None, None):
            if isinstance(quad.object, Literal) and quad.object.language in {"en", None}:
                return quad.object.value
    return ns.shorten(node.value)


def _link(term: object) -> str | None:
    """Return the address of a term on this service, or the term's own IRI, or None for a literal."""
    if not isinstance(term, NamedNode):
        return None
    iri = term.value
    if iri.startswith(ns.ID):
        return url_for("pages.thing", name=iri.removeprefix(ns.ID))
    if iri.startswith(ns.EG):
        return url_for("pages.ontology", _anchor=iri.removeprefix(ns.EG))
    kind, _, name = iri.removeprefix(ns.BASE).partition("/")
    if iri.startswith(ns.GRAPH):
        return url_for("graphs.direct", name=name)
    if iri.startswith(ns.BASE) and kind in OTHER_KINDS and name:
        return url_for("pages.other_thing", kind=kind, name=name)
    # Any other scheme could run code.
    return iri if iri.startswith(("http:", "https:")) else None


def local_link(iri: str) -> str:
    """Return the address of an IRI on this service; another IRI only if its scheme cannot run code."""
    try:
        return _link(NamedNode(iri)) or "#"
    except ValueError:
        return "#"


def _link_documents(response: BaseResponse, name: str) -> None:
    """Return links to the other documents about a thing and to the thing itself."""
    for each in DATA:
        address = url_for("pages.data", name=name, format=each.name)
        response.headers.add("Link", f'<{address}>; rel="alternate"; type="{each.media_type}"')
    response.headers.add("Link", f'<{url_for("pages.page", name=name)}>; rel="alternate"; type="text/html"')
    response.headers.add("Link", f'<{header_text(_iri(name).value)}>; rel="describes"')


def _html(page: str) -> Response:
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return cached(response)
