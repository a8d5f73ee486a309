"""
The files that pages need: the style sheet and the icon, under names that change with their contents; robots.txt.

A name with a digest is served for a year, since it never stands for anything else.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, redirect, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph.web.responses import cached

blueprint = Blueprint("assets", __name__)

FOLDER = Path(__file__).parent / "static"
FOR_A_YEAR = "public, max-age=31536000, immutable"
DIGITS = 16
# What takes long to answer and says nothing that the pages do not say.
ROBOTS = "User-agent: *\nDisallow: /sparql\nDisallow: /store\nDisallow: /data/\n"


@lru_cache(maxsize=1)
def files() -> dict[str, tuple[str, bytes]]:
    """Read the files, by their names: each with the name that has its digest, and its contents."""
    found = {}
    for path in sorted(each for each in FOLDER.rglob("*") if each.is_file()):
        body = path.read_bytes()
        name = path.relative_to(FOLDER).as_posix()
        stem, _, extension = name.rpartition(".")
        found[name] = (f"{stem}.{hashlib.sha256(body).hexdigest()[:DIGITS]}.{extension}", body)
    return found


def asset(name: str) -> str:
    """Return the address of a file."""
    return url_for("assets.static", name=files()[name][0])


@blueprint.route("/static/<path:name>")
def static(name: str) -> Response:
    """Send a file, by its name or by the name that has its digest."""
    for plain, (digested, body) in files().items():
        if name in {plain, digested}:
            kind = mimetypes.guess_type(plain)[0] or "application/octet-stream"
            response = Response(body, mimetype=kind)
            if name == digested:
                response.headers["Cache-Control"] = FOR_A_YEAR
            return cached(response)
    raise NotFound(f"there is no file {name}")


@blueprint.route("/favicon.ico")
def icon() -> BaseResponse:
    """Send browsers that ask for the icon at its old place to it."""
    return redirect(asset("icon.svg"), code=302)


@blueprint.route("/robots.txt")
def robots() -> Response:
    """Say what crawlers need not fetch."""
    return cached(Response(ROBOTS, mimetype="text/plain"))
