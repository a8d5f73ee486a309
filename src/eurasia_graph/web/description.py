"""The views of what the service says of itself."""

from __future__ import annotations

from flask import Blueprint, Response, request
from pyoxigraph import serialize

from eurasia_graph import namespaces as ns
from eurasia_graph.description import OFFERED, PREFIXES
from eurasia_graph.formats import Format
from eurasia_graph.web.context import the_service
from eurasia_graph.web.negotiation import choose
from eurasia_graph.web.responses import respond

blueprint = Blueprint("description", __name__)


@blueprint.route("/.well-known/void")
def void() -> Response:
    """Describe the datasets where crawlers look."""
    chosen = choose(request, OFFERED)
    assert chosen
    return answer(chosen)


def answer(chosen: Format, subject: str | None = None) -> Response:
    """Write the description, or what it says of one subject."""
    found = the_service().description.triples()
    # One subject after the other, for readers of the file.
    said = sorted((triple for triple in found if subject in {None, ns.value(triple.subject)}), key=str)
    body = serialize(said, format=chosen.rdf, prefixes=PREFIXES)
    return respond(body or b"", chosen)
