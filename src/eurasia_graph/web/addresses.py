"""
Every view of the service has one address, and `address` makes it.

What is empty or what a view does anyway is not in its address, so that one view is not known by several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from flask import url_for

from eurasia_graph import queries
from eurasia_graph.formats import by_extension

# What a view shows where its address does not say so.
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "queries.ask": {"page": "1"},
    "pages.page": {"page": "1", "lanes": "1"},
    "lists.listing": {"page": "1"},
    "quarrels.listing": {"page": "1"},
}
# Names of files are at most 255 bytes long on most systems.
LONGEST_NAME = 200
PLAIN = "-._~=,+@"


def address(view: str, /, **values: object) -> str:
    """
    Return the address of a view on this service.

    Args:
        view: Its endpoint, such as `queries.ask` or `pages.page`.
        values: The parts of its path, and its parameters in the order of the address; those that are None, empty or
            the default are left out.
    """
    defaults = {**DEFAULTS.get(view, {}), **_of_query(view, str(values.get("name", "")))}
    kept = {
        key: value
        for key, value in values.items()
        if value is not None and value != "" and str(value).casefold() != defaults.get(key)
    }
    return url_for(view, **kept)  # type: ignore[arg-type]


def needless(view: str, name: str, values: Mapping[str, str]) -> bool:
    """Tell whether some of the parameters of a view would not be in its address."""
    defaults = {**DEFAULTS.get(view, {}), **_of_query(view, name)}
    return any(not value or defaults.get(key) == value.casefold() for key, value in values.items())


def file_name(of: str) -> str:
    """
    Name an address as a file, so that a site of files can hold every view under a name of its own.

    Args:
        of: An address on this service, as `address` makes it, such as `/page/body/SCO?date=2005`.
    Returns:
        A relative path such as `page/body/SCO,date=2005.html`.
    """
    parts = urlsplit(of)
    path = parts.path.lstrip("/")
    folder, _, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not (dot and stem and (by_extension(extension) or extension in {"svg", "txt", "json"})):
        stem, extension = name or "index", "html"
    asked = "".join(f",{quote(unquote(pair), safe=PLAIN.replace(',', ''))}" for pair in _pairs(parts.query))
    whole = f"{stem}{asked}"
    if len(whole) > LONGEST_NAME:
        whole = f"{whole[: LONGEST_NAME - 20]},{hashlib.sha256(whole.encode()).hexdigest()[:16]}"
    return f"{folder}/{whole}.{extension}" if folder else f"{whole}.{extension}"


def canonical(base_url: str | None, path: str, query: str) -> str:
    """
    Return the address that stands for a page, with the public host where one is known.

    Args:
        base_url: The public address of the service, if one is given.
        path: That of the request, below the service.
        query: The query string of the request.
    """
    kept = "&".join(pair for pair in query.split("&") if pair.partition("=")[2])
    if base_url:
        return f"{base_url.rstrip('/')}{quote(path, safe='/~@:,+!$&()*;=')}{'?' if kept else ''}{kept}"
    return urlunsplit(("", "", url_for("pages.front").rstrip("/") + quote(path, safe="/~@:,+!$&()*;="), kept, ""))


def _pairs(query: str) -> Iterable[str]:
    return [pair for pair in query.split("&") if pair]


def _of_query(view: str, name: str) -> dict[str, str]:
    """Return the defaults of the parameters of a canned query."""
    canned = queries.load().get(name.partition(".")[0]) if view == "queries.ask" else None
    return {each.name: each.default for each in canned.parameters if each.default} if canned else {}
