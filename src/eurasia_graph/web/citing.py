"""
How to cite the release, a source, a claim or an answer, over HTTP.

`/cite` and `/cite/…` are asked in a form by suffix, by `format` or by Accept; the addresses of things and of queries
send there, or answer, who accepts a form of citation.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import citing
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.web.cache import Environ
from eurasia_graph.web.context import the_store
from eurasia_graph.web.negotiation import NAMES, plain
from eurasia_graph.web.responses import cached

blueprint = Blueprint("citing", __name__)

MEDIA_TYPES = {
    "bibtex": "application/x-bibtex",
    "csl": "application/vnd.citationstyles.csl+json",
    "text": "text/x-bibliography",
}
SUFFIXES = {"bib": "bibtex", "csl": "csl", "txt": "text"}
ACCESSED = "accessed"


def wanted(environ: Environ, name: str) -> str | None:
    """Tell in which form a request asks for a citation: by the suffix of its name, or as what it accepts first."""
    suffix = name.rpartition(".")[2].casefold()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    accepted = environ.get("HTTP_ACCEPT", "")
    if not any(each in accepted for each in MEDIA_TYPES.values()):
        return None
    best = plain(parse_accept_header(accepted, MIMEAccept)).best
    return next((form for form, media_type in MEDIA_TYPES.items() if media_type == best), None)


@blueprint.route("/cite")
@blueprint.route("/cite.<suffix>")
def release(suffix: str | None = None) -> Response:
    """Cite the release."""
    return answer("release", _form(f".{suffix}" if suffix else ""))


@blueprint.route("/cite/<path:name>")
def thing(name: str) -> Response:
    """Cite a source, a claim, or the answer to a query, whose values are the parameters."""
    form = _form(name)
    return answer(name.rpartition(".")[0] if name.rpartition(".")[2].casefold() in SUFFIXES else name, form)


def sent(name: str, form: str) -> BaseResponse:
    """Send from the address of a thing to how it is cited."""
    suffix = next(each for each, meant in SUFFIXES.items() if meant == form)
    response = redirect(url_for("citing.thing", name=f"{name}.{suffix}"), code=303)
    response.vary.add("Accept")
    return response


def answer(name: str, form: str) -> Response:
    """
    Write how something is cited.

    Args:
        name: As `citing.find` takes it.
        form: One of `citing.FORMS`.
    """
    store = the_store()
    values = {key: value for key, value in request.args.items() if key not in {*NAMES, ACCESSED}}
    try:
        reference = citing.find(store, name, values)
    except UnknownNameError as error:
        if error.kind == "claim, source or query":
            raise NotFound(str(error)) from None
        raise
    body = citing.write([replace(reference, accessed=_day())], form)
    response = Response(body, content_type=f"{MEDIA_TYPES[form]}; charset=utf-8")
    response.vary.add("Accept")
    return cached(response)


def _form(name: str) -> str:
    named = next((request.args[key] for key in NAMES if key in request.args), None)
    if named:
        if named not in MEDIA_TYPES:
            raise UnknownNameError("form of citation", named, MEDIA_TYPES, is_closed=True)
        return named
    return wanted(request.environ, name) or "text"


def _day() -> date | None:
    given = request.args.get(ACCESSED)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise UsageError(f"{ACCESSED} is a day, not {given!r}; write 2026-11-25") from None
