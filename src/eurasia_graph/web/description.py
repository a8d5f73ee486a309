"""The views of the description of the service."""

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
    """Describe the datasets at the well-known address that crawlers read."""
    chosen = choose(request, OFFERED)
    assert chosen
    return answer(chosen)


def answer(chosen: Format, subject: str | None = None) -> Response:
    """Write the description, or the part of it about one subject."""
    found = the_service().description.triples()
    # Grouped by subject, for people who read the file.
    said = sorted((triple for triple in found if subject in {None, ns.value(triple.subject)}), key=str)
    body = serialize(said, format=chosen.rdf, prefixes=PREFIXES)
    return respond(body or b"", chosen)
