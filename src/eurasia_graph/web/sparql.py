"""
`/sparql`: the query side of the SPARQL 1.1 Protocol, read-only.

Source: https://www.w3.org/TR/sparql11-protocol/
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from pyoxigraph import QueryBoolean, QueryTriples
from werkzeug.exceptions import BadRequest, Forbidden, UnsupportedMediaType

from eurasia_graph.formats import FORMATS, Content, Format, carrying
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.negotiation import choose

blueprint = Blueprint("sparql", __name__)

ROWS = carrying(Content.ROWS)
BOOLEANS = [FORMATS["json"], FORMATS["xml"]]
GRAPHS = [FORMATS[name] for name in ("turtle", "ntriples", "rdfxml")]
EXAMPLE = """PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

SELECT ?body ?label WHERE { ?body a eg:Organisation ; skos:prefLabel ?label FILTER(LANG(?label) = "en") }
ORDER BY ?label
"""


@blueprint.route("/sparql", methods=["GET", "POST"])
def endpoint() -> Response | str:
    """Answer a query, or show the form where a browser asks without one."""
    from eurasia_graph.web import the_store

    query = _query_of_request()
    if query is None:
        if (
            request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
            and request.method == "GET"
        ):
            return render_template("sparql.html", query=EXAMPLE)
        raise BadRequest(
            "there is no query; send it as ?query=, as a form field, or as a body of type application/sparql-query"
        )
    return answer(the_store(), query)


def _query_of_request() -> str | None:
    """Read the query from wherever the protocol lets it stand; refuse what is no single query."""
    if "update" in request.args or "update" in request.form or request.mimetype == "application/sparql-update":
        raise Forbidden("this store is read-only and takes no updates; send a query")
    given = request.args.getlist("query")
    if request.method == "POST":
        if request.mimetype == "application/sparql-query":
            given.append(_text(request.get_data()))
        elif request.mimetype == "application/x-www-form-urlencoded":
            given.extend(request.form.getlist("query"))
        else:
            raise UnsupportedMediaType("send application/sparql-query or application/x-www-form-urlencoded")
    if len(given) > 1:
        raise BadRequest(f"there are {len(given)} queries; send one")
    if given and not given[0].strip():
        raise BadRequest("the query is empty; send a SELECT, ASK, CONSTRUCT or DESCRIBE")
    return given[0] if given else None


def _text(body: bytes) -> str:
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.casefold() != "utf-8":
        raise UnsupportedMediaType(f"a query is UTF-8, not {charset}")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsupportedMediaType("the query is not UTF-8") from None


def answer(store: ReleaseStore, query: str) -> Response:
    """
    Answer a query in the format that the client prefers.

    The whole answer is made before the first byte is sent, so that no status has to be taken back.
    """
    found = store.query(query, base_iri=request.base_url)
    offered = GRAPHS if isinstance(found, QueryTriples) else BOOLEANS if isinstance(found, QueryBoolean) else ROWS
    chosen = choose(request, offered)
    assert chosen
    body = (
        found.serialize(format=chosen.rdf) if isinstance(found, QueryTriples) else found.serialize(format=chosen.rows)
    )
    return respond(body or b"", chosen)


def respond(body: bytes | str, chosen: Format) -> Response:
    """Send a body in a format, with the headers that caches need."""
    text = chosen.media_type.startswith("text/")
    response = Response(body, content_type=f"{chosen.media_type}; charset=utf-8" if text else chosen.media_type)
    response.vary.add("Accept")
    return response
