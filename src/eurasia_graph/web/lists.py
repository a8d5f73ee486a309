"""Lists of what the graph knows: bodies, states, treaties, persons, concepts and texts, with what is told of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request
from pyoxigraph import QuerySolutions
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from eurasia_graph import namespaces as ns
from eurasia_graph.store import OwnQuery, ReleaseStore
from eurasia_graph.web.addresses import address, needless
from eurasia_graph.web.context import the_service, the_store
from eurasia_graph.web.naming import Names
from eurasia_graph.web.problems import UnknownAddress
from eurasia_graph.web.responses import cached

blueprint = Blueprint("lists", __name__)

ROWS_A_PAGE = 100
MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing that has a list: its class, the folder of its IRIs, and what the list is called."""

    term: str
    folder: str
    title: str
    about: str


KINDS: Mapping[str, Kind] = {
    "bodies": Kind(
        term="Body",
        folder="body",
        title="Bodies",
        about="Organisations, organs, treaty regimes and bodies that were only proposed",
    ),
    "states": Kind(term="State", folder="state", title="States", about="States that belonged, acted or are spoken of"),
    "treaties": Kind(
        term="Treaty", folder="treaty", title="Treaties", about="Treaties, charters, declarations and other instruments"
    ),
    "persons": Kind(term="Person", folder="person", title="Persons", about="Those who spoke, acted or wrote"),
    "concepts": Kind(
        term="Concept", folder="concept", title="Concepts", about="Ideas that the texts define or discuss"
    ),
    "texts": Kind(term="Source", folder="source", title="Texts", about="The texts that were encoded"),
}
FOLDERS = {kind.folder: name for name, kind in KINDS.items()}
# How many claims name each thing in any role, and how many holders or bodies it has standings with, by text.
CLAIMS = f"""
PREFIX eg: <{ns.EG}>
SELECT ?thing ?source (COUNT(DISTINCT ?claim) AS ?number) {{
  GRAPH ?entities {{ ?thing a ?class }} VALUES ?class {{ %s }}
  GRAPH ?claims {{ ?claim ?says ?thing ; eg:statedIn ?source ; eg:gist ?gist }}
}} GROUP BY ?thing ?source"""
OF_TEXTS = f"""
PREFIX eg: <{ns.EG}>
SELECT (?source AS ?thing) ?source (COUNT(DISTINCT ?claim) AS ?number) {{
  GRAPH ?claims {{ ?claim eg:statedIn ?source ; eg:gist ?gist }}
}} GROUP BY ?source"""
STANDINGS = f"""
PREFIX eg: <{ns.EG}>
SELECT ?thing ?source (COUNT(DISTINCT ?other) AS ?number) {{
  GRAPH ?g {{ ?membership %s ?thing ; %s ?other ; eg:accordingTo ?source ; eg:status ?status }}
  FILTER(?status != <{ns.SCHEME}status/outside>)
}} GROUP BY ?thing ?source"""
CLASSES = f"""
PREFIX rdfs: <{ns.RDFS}>
SELECT DISTINCT ?thing ?class {{
  GRAPH <{ns.GRAPH}entities> {{ ?thing a ?class }}
  GRAPH <{ns.GRAPH}ontology> {{ ?class rdfs:label ?label }}
}}"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing on a list: what it is called, its class in words, and by text the claims and standings told of it."""

    iri: str
    label: str
    others: list[str]
    kind: str
    claims: list[int]
    standings: list[int]


@blueprint.route("/<any(bodies,states,treaties,persons,concepts,texts):kind>")
def listing(kind: str) -> BaseResponse:
    """List the things of a kind, by name or by what is told of them; a facet shows those of one class alone."""
    args = {key: request.args.get(key, "") for key in ("class", "sort", "page") if key in request.args}
    if needless("lists.listing", "", args):
        return redirect(address("lists.listing", kind=kind, **args), code=302)
    service = the_service()
    if not service.store.iri:
        raise NotFound("there are no lists here, since files are served as they are; ask /sparql or /graph/")
    chosen, names = KINDS[kind], service.names_of_things
    texts = sorted(service.store.horizons, key=names.short)
    everything = things(service.store, names, chosen, texts)
    facets: dict[str, int] = {}
    for each in everything:
        facets[each.kind] = facets.get(each.kind, 0) + 1
    wanted = args.get("class", "")
    if wanted and wanted not in facets:
        choices = [(name, address("lists.listing", kind=kind, **{"class": name})) for name in sorted(facets)]
        raise UnknownAddress(f"there are no {kind} of the class {wanted!r}", choices)
    shown = _sorted([each for each in everything if wanted in {"", each.kind}], args.get("sort", ""))
    pages = max(1, -(-len(shown) // ROWS_A_PAGE))
    given = args.get("page", "")
    page = min(max(int(given), 1), pages) if re.fullmatch(r"[0-9]{1,6}", given) else 1

    def there(**values: object) -> str:
        kept = {"class": wanted, "sort": args.get("sort", "")}
        return address("lists.listing", kind=kind, **{**kept, **values})

    return cached(
        Response(
            render_template(
                "list.html",
                kind=kind,
                chosen=chosen,
                rows=shown[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE],
                total=len(shown),
                facets=sorted(facets.items(), key=lambda item: (-item[1], item[0])),
                everything=len(everything),
                wanted=wanted,
                sort=args.get("sort", ""),
                texts=[names.short(text) for text in texts],
                has_standings=chosen.folder in STANDING_TERMS,
                page=page,
                pages=pages,
                there=there,
                page_there=lambda number: there(page=number),
            ),
            content_type="text/html; charset=utf-8",
        )
    )


STANDING_TERMS = {"body": ("eg:inBody", "eg:holder"), "state": ("eg:holder", "eg:inBody")}


@blueprint.route("/id/")
@blueprint.route("/id/<any(body,state,treaty,person,concept,source):folder>/")
@blueprint.route("/id/<any(body,state,treaty,person,concept,source):folder>")
def of_folder(folder: str = "body") -> BaseResponse:
    """Send those who cut an address at a slash to the list of what stands below it."""
    return redirect(address("lists.listing", kind=FOLDERS[folder]), code=303)


def things(store: ReleaseStore, names: Names, kind: Kind, texts: Sequence[str]) -> list[Listed]:
    """
    List the things of a kind by their labels.

    Args:
        store: The release.
        names: What things are called.
        kind: Which of them.
        texts: By which the claims and standings are counted.
    """
    named = list(dict.fromkeys(iri for iri, _ in store.entities.get(f"{ns.EG}{kind.term}", [])))
    classes = _classes(store, names)
    terms = sorted({f"<{term}>" for iri in named for term in classes.get(iri, {})})
    asked = OF_TEXTS if kind.folder == "source" else CLAIMS % " ".join(terms)
    claims = _counts(store, asked)
    standings = _counts(store, STANDINGS % STANDING_TERMS[kind.folder]) if kind.folder in STANDING_TERMS else {}
    found = []
    for iri in named:
        label = names.named(iri)
        others = [name for name in names.others.get(iri, []) if name != label]
        found.append(
            Listed(
                iri=iri,
                label=label,
                others=sorted(others, key=lambda name: (not name.isupper(), name))[:MOST_NAMES],
                kind=", ".join(sorted(classes.get(iri, {}).values())) or kind.term.lower(),
                claims=[claims.get((iri, text), 0) for text in texts],
                standings=[standings.get((iri, text), 0) for text in texts],
            )
        )
    return sorted(found, key=lambda each: (each.label.casefold(), each.iri))


def _classes(store: ReleaseStore, names: Names) -> dict[str, dict[str, str]]:
    """Return the classes of things as they are declared, by IRI, each with its label."""
    answer = store.query(OwnQuery(CLASSES))
    assert isinstance(answer, QuerySolutions)
    found: dict[str, dict[str, str]] = {}
    for thing, term in answer:
        found.setdefault(ns.value(thing), {})[ns.value(term)] = names.named(ns.value(term))
    return found


def _counts(store: ReleaseStore, text: str) -> dict[tuple[str, str], int]:
    answer = store.query(OwnQuery(text))
    assert isinstance(answer, QuerySolutions)
    return {(ns.value(row["thing"]), ns.value(row["source"])): int(ns.value(row["number"])) for row in answer}


def _sorted(listed: list[Listed], sort: str) -> list[Listed]:
    """Sort by name, or by claims or standings of all texts, most first."""
    if sort == "-name":
        return listed[::-1]
    if sort in {"claims", "standings"}:
        return sorted(listed, key=lambda each: -sum(each.claims if sort == "claims" else each.standings))
    return listed


def counts() -> list[tuple[str, str, int]]:
    """Return the title, address and length of each list that is not empty."""
    store = the_store()
    found = []
    for name, kind in KINDS.items():
        number = len({iri for iri, _ in store.entities.get(f"{ns.EG}{kind.term}", [])})
        if number:
            found.append((kind.title, address("lists.listing", kind=name), number))
    return found
