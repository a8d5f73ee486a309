"""
Choose the format of an answer: by an explicit name, else by the Accept header.

Werkzeug does the choosing; this module only knows what there is to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from eurasia_graph.formats import FORMATS, Content, Format, by_extension, by_media_type, by_name

HTML = "text/html"
# The names that clients of other services send, SPARQLWrapper all three at once.
NAMES = ("format", "output", "results")
# A short name means the nearest thing that the answer can be.
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
        request: With an Accept header, or without, which means anything.
        offered: The preferred one first.
        html: Whether a page is there as well; it is chosen only where it is asked for by name.
    Returns:
        The format, or None for a page.
    Raises:
        NotAcceptable: If none is acceptable; lists what there is.
    """
    names = [value for key in NAMES for value in request.args.getlist(key)]
    return pick(names, request.accept_mimetypes, offered, html)


def plain(accepted: MIMEAccept) -> MIMEAccept:
    """Leave out the parameters of the types but q: a format is written in one way, whatever its charset or version."""
    return MIMEAccept((value.partition(";")[0].strip(), quality) for value, quality in accepted)


def pick(names: Sequence[str], accepted: MIMEAccept, offered: Sequence[Format], html: bool) -> Format | None:
    """Choose as `choose` does, by the names of formats that are asked for and the types that are accepted."""
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
    # Browsers take XML of any sort before anything that they do not know, and mean pages.
    known = types if is_browser else [*types, *stand_ins]
    best = accepted.best_match(known) or accepted.best_match(stand_ins) if accepted else types[0]
    if best is None:
        raise NotAcceptable(f"there is {', '.join([*types, *([HTML] if html else [])])}; ask for one of these")
    sent = best if best in types else STANDING_FOR[best]
    return next(each for each in offered if each.media_type == sent)


def _named(name: str, offered: Sequence[Format]) -> Format | None:
    """Find what a short name or a media type means among what is offered; None if it means nothing here."""
    # A plus that was not encoded arrives as a blank.
    folded = name.strip().casefold().replace(" ", "+")
    for meant in MEANT.get(folded, (folded,)):
        found = by_media_type(meant) or by_name(meant) or by_extension(meant)
        for each in offered:
            if each is found or each.media_type == meant:
                return each
    return None


# Clients often ask for the general type; they get it, since it is the same text.
JSON = Format("json", "application/json", "json", Content.ROWS, FORMATS["json"].engine)
XML = Format("xml", "application/xml", "xml", Content.ROWS, FORMATS["xml"].engine)
