"""
Choose the format of an answer: by an explicit name, else by the Accept header.

Werkzeug does the negotiation; this module only provides the formats on offer.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from eurasia_graph.formats import FORMATS, Content, Format, by_extension, by_media_type, by_name

HTML = "text/html"
# The parameter names that clients of other services send; SPARQLWrapper sends all three.
NAMES = ("format", "output", "results")
# A short name means the closest format that the answer can have.
MEANT = {
    "json": ("json", "application/json", "jsonld"),
    "xml": ("xml", "rdfxml"),
    "n3": ("turtle",),
}
# Media types accepted as aliases, and the type that is sent for each.
STANDING_FOR = {
    "application/json": "application/ld+json",
    "application/xml": "application/rdf+xml",
    "application/x-turtle": "text/turtle",
    "text/n3": "text/turtle",
    "text/plain": "application/n-triples",
}


def choose(request: Request, offered: Sequence[Format], html: bool = False) -> Format | None:
    """
    Choose one of the formats for a request.

    Args:
        request: With or without an Accept header; without one, any format is acceptable.
        offered: The preferred one first.
        html: Whether a page is available as well; it is chosen only if HTML is requested explicitly.
    Returns:
        The format, or None for a page.
    Raises:
        NotAcceptable: If none is acceptable; lists what there is.
    """
    names = [value for key in NAMES for value in request.args.getlist(key)]
    return pick(names, request.accept_mimetypes, offered, html)


def plain(accepted: MIMEAccept) -> MIMEAccept:
    """Remove the parameters of media types except q: a format has one charset and version only."""
    return MIMEAccept((value.partition(";")[0].strip(), quality) for value, quality in accepted)


def pick(names: Sequence[str], accepted: MIMEAccept, offered: Sequence[Format], html: bool) -> Format | None:
    """
    Choose as `choose` does, from the requested format names and the accepted media types.

    Raises:
        NotAcceptable: If none is acceptable; lists what there is.
    """
    accepted = plain(accepted)
    for name in names:
        if html and name.casefold() in {"html", HTML}:
            return None
        named = _named(name, offered)
        if named:
            return named
    types = [each.media_type for each in offered]
    is_browser = any(value == HTML for value, _ in accepted)
    if html and is_browser and accepted.best_match([HTML, *types], default=types[0]) == HTML:
        return None
    stand_ins = [each for each, meant in STANDING_FOR.items() if each not in types and meant in types]
    # Browsers prefer any kind of XML to unknown types, but mean pages.
    known = types if is_browser else [*types, *stand_ins]
    best = accepted.best_match(known) or accepted.best_match(stand_ins) if accepted else types[0]
    if best is None:
        raise NotAcceptable(f"there is {', '.join([*types, *([HTML] if html else [])])}; ask for one of these")
    sent = best if best in types else STANDING_FOR[best]
    return next(each for each in offered if each.media_type == sent)


def _named(name: str, offered: Sequence[Format]) -> Format | None:
    """Return the offered format that a short name or a media type means, or None."""
    # An unencoded plus sign arrives as a space.
    folded = name.strip().casefold().replace(" ", "+")
    for meant in MEANT.get(folded, (folded,)):
        found = by_media_type(meant) or by_name(meant) or by_extension(meant)
        for each in offered:
            if each is found or each.media_type == meant:
                return each
    return None


# Clients often ask for the general type and get it, since the text is the same.
JSON = Format("json", "application/json", "json", Content.ROWS, FORMATS["json"].engine)
XML = Format("xml", "application/xml", "xml", Content.ROWS, FORMATS["xml"].engine)
