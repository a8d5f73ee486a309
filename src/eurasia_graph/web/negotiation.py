"""
Choose the format of an answer: by an explicit name, else by the Accept header.

Werkzeug does the choosing; this module only knows what there is to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Request
from werkzeug.exceptions import NotAcceptable

from eurasia_graph.formats import Format

HTML = "text/html"


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
    types = [each.media_type for each in offered]
    asks_for_html = html and request.accept_mimetypes.best_match([HTML, *types], default=types[0]) == HTML
    named = any(value.startswith("text/html") for value, _ in request.accept_mimetypes)
    if asks_for_html and named:
        return None
    best = request.accept_mimetypes.best_match(types) if request.accept_mimetypes else types[0]
    if best is None:
        raise NotAcceptable(f"there is {', '.join([*types, *([HTML] if html else [])])}; ask for one of these")
    return next(each for each in offered if each.media_type == best)
