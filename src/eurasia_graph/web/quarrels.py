"""`/disagreements`: where the texts disagree, as cards: both sides in their words, the passages, the reason."""

from __future__ import annotations

import re

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph.web import differences
from eurasia_graph.web.addresses import address, needless
from eurasia_graph.web.context import the_service
from eurasia_graph.web.problems import UnknownAddress
from eurasia_graph.web.responses import cached

blueprint = Blueprint("quarrels", __name__)

CARDS_A_PAGE = 50


@blueprint.route("/disagreements")
def listing() -> BaseResponse:
    """Show all disagreements by what they are about; a facet shows those of one kind, or about one thing."""
    args = {key: request.args.get(key, "") for key in ("kind", "about", "page") if key in request.args}
    if needless("quarrels.listing", "", args):
        return redirect(address("quarrels.listing", **args), code=302)
    service = the_service()
    if not service.store.iri:
        raise NotFound("there are no disagreements here, since files are served as they are; ask /sparql or /graph/")
    names = service.names_of_things
    grouped = differences.of_all(service.store, names)
    kinds: dict[str, int] = {}
    for found in grouped.values():
        for each in found:
            kinds[ns.local_name(each.kind)] = kinds.get(ns.local_name(each.kind), 0) + 1
    wanted, about = args.get("kind", ""), args.get("about", "")
    if wanted and wanted not in kinds:
        choices = [(kind, address("quarrels.listing", kind=kind)) for kind in sorted(kinds)]
        raise UnknownAddress(f"there are no disagreements of the kind {wanted!r}", choices)
    things = {ns.local_name(iri): iri for iri in grouped}
    if about and about not in things:
        choices = [(names.named(iri), address("quarrels.listing", about=name)) for name, iri in things.items()]
        raise UnknownAddress(f"there are no disagreements listed about {about!r}", choices)
    chosen = [
        (iri, each)
        for iri, found in grouped.items()
        for each in found
        if about in {"", ns.local_name(iri)} and wanted in {"", ns.local_name(each.kind)}
    ]
    pages = max(1, -(-len(chosen) // CARDS_A_PAGE))
    given = args.get("page", "")
    page = min(max(int(given), 1), pages) if re.fullmatch(r"[0-9]{1,6}", given) else 1
    shown: dict[str, list[differences.Difference]] = {}
    for iri, each in chosen[(page - 1) * CARDS_A_PAGE : page * CARDS_A_PAGE]:
        shown.setdefault(iri, []).append(each)

    def there(**values: object) -> str:
        return address("quarrels.listing", **{"kind": wanted, "about": about, **values})

    page_of_cards = render_template(
        "disagreements.html",
        grouped=shown,
        total=len(chosen),
        everything=sum(kinds.values()),
        kinds=sorted(kinds.items(), key=lambda item: (-item[1], item[0])),
        kind_iri=f"{ns.SCHEME}difference/",
        abouts=[(iri, len(found)) for iri, found in grouped.items()],
        wanted=wanted,
        about=about,
        about_said=names.called(things[about]) if about else "",
        names=names,
        page=page,
        pages=pages,
        there=there,
        page_there=lambda number: there(page=number),
    )
    return cached(Response(page_of_cards, content_type="text/html; charset=utf-8"))
