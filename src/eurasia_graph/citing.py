"""
Cite the release, a source, a claim with its passage, or an answer: as text, as BibTeX and as CSL-JSON.

The same release gives the same bytes: its year is that of `date-released` in CITATION.cff, and the day of access
is named only where it is given.

Source: https://docs.citationstyles.org/en/stable/specification.html, https://citeproc-js.readthedocs.io/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from urllib.parse import urlencode

from pyoxigraph import Literal, NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph.dates import bounds
from eurasia_graph.description import PUBLISHER, TITLE
from eurasia_graph.errors import UnknownNameError
from eurasia_graph.paths import root
from eurasia_graph.queries import CannedQuery
from eurasia_graph.store import ReleaseStore

FORMS = ("text", "bibtex", "csl")
RELEASED = re.compile(r'^date-released: "?(\d{4}-\d\d-\d\d)"?$', re.MULTILINE)
VERSION = re.compile(r'^version: "?([^"\n]+)"?$', re.MULTILINE)
# What TeX would read as an instruction.
TEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
TEX |= {sign: f"\\{sign}" for sign in "&%$#_"}
CSL_TYPES = {"JournalArticle": "article-journal", "MagazineArticle": "article-magazine", "Book": "book"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """
    Something to cite.

    `days` are the first and the last day on which it may have appeared, `inside` what it is a part of, `place`
    where in that, `notes` what else must be said.
    """

    key: str
    kind: str
    title: str
    author: str | None = None
    days: tuple[date, date] | None = None
    publisher: str | None = None
    inside: str | None = None
    place: str | None = None
    version: str | None = None
    url: str | None = None
    accessed: date | None = None
    notes: tuple[str, ...] = field(default=())


@lru_cache(maxsize=1)
def _file() -> str:
    return (root() / "CITATION.cff").read_text(encoding="utf-8")


def of_release(store: ReleaseStore) -> Reference:
    """Cite the release that a store holds."""
    released = RELEASED.search(_file())
    version = VERSION.search(_file())
    day = date.fromisoformat(released.group(1)) if released else None
    short = ns.local_name(store.iri.value) if store.iri else ""
    return Reference(
        key=f"eurasia-graph-{short}".rstrip("-"),
        kind="dataset",
        title=TITLE,
        author=PUBLISHER,
        days=(day, day) if day else None,
        version=f"{version.group(1) if version else ''}, release {short}".strip(", ") if short else None,
        url=store.iri.value if store.iri else ns.BASE,
    )


def of_source(store: ReleaseStore, source: NamedNode) -> Reference:
    """Cite a text as its entry describes it; what a curator supplied stands in brackets."""
    title = _value(store, source, ns.DCTERMS("title")) or store.labels.get(source.value, ns.local_name(source.value))
    is_supplied = _value(store, source, ns.EG("suppliedTitle")) == "true"
    issued = _value(store, source, ns.EG("issued"))
    found = bounds(issued) if issued else None
    inferred = _value(store, source, ns.EG("inferredCreator"))
    types = [quad.object for quad in store.engine.quads_for_pattern(source, ns.RDF("type"), None, None)]
    kinds = sorted(CSL_TYPES.get(ns.local_name(ns.value(each)), "") for each in types)
    return Reference(
        key=ns.local_name(source.value),
        kind=kinds[-1] or "document",
        title=f"[{title}]" if is_supplied else title,
        days=(found.earliest or found.latest, found.latest) if found else None,
        publisher=_value(store, source, ns.DCTERMS("publisher")),
        url=_value(store, source, NamedNode("http://xmlns.com/foaf/0.1/page")),
        notes=(f"The text names no author; inferred: {store.labels.get(inferred, inferred)}",) if inferred else (),
    )


def of_claim(store: ReleaseStore, claim: NamedNode) -> Reference:
    """Cite a claim, with the passages that it rests on and the text that they are of."""
    source = NamedNode(_value(store, claim, ns.EG("statedIn")) or "")
    text = of_source(store, source)
    whole = of_release(store)
    places = "; ".join(_places(store, claim))
    return replace(
        whole,
        key=ns.shorten(claim.value).replace("/", "-"),
        kind="entry",
        title=_value(store, claim, ns.EG("gist")) or ns.shorten(claim.value),
        inside=TITLE,
        place=f"claim {ns.shorten(claim.value)}",
        url=claim.value,
        notes=(f"According to {_sentence(replace(text, notes=()))} {places}".rstrip(), *_of_release(whole)),
    )


def of_answer(store: ReleaseStore, canned: CannedQuery, values: Mapping[str, object]) -> Reference:
    """Cite the answer to a canned query: the query, the values it was asked with, and the release."""
    canned.bind(store, values)
    given = {each.name: str(values[each.name]) for each in canned.parameters if values.get(each.name) not in {None, ""}}
    told = ", ".join(f"{name}={value}" for name, value in given.items())
    whole = of_release(store)
    address = f"{ns.BASE}queries/{canned.name}" + (f"?{urlencode(given)}" if given else "")
    return replace(
        whole,
        key="-".join([whole.key, canned.name, *(re.sub(r"\W+", "-", each) for each in given.values())]),
        kind="entry",
        title=f"{canned.summary} ({told})" if told else canned.summary,
        inside=TITLE,
        place=f"query {canned.name}",
        url=address,
        notes=_of_release(whole),
    )


def find(store: ReleaseStore, name: str, values: Mapping[str, object] | None = None) -> Reference:
    """
    Cite what a name stands for.

    Args:
        store: The release.
        name: A claim such as `icds-2016/8`, a source, a query, or `release`.
        values: Of the parameters, where it is a query.
    Raises:
        UnknownNameError: If it is none of these.
        UsageError: If a value is missing or wrong.
    """
    from eurasia_graph import queries

    folded = name.strip().strip("<>")
    if folded in {"release", store.iri.value if store.iri else "release"}:
        return of_release(store)
    if folded.removeprefix("queries/") in queries.load():
        return of_answer(store, queries.by_name(folded.removeprefix("queries/")), values or {})
    for base in ("", ns.ID, f"{ns.ID}claim/", f"{ns.ID}source/"):
        try:
            node = NamedNode(base + folded)
        except ValueError:
            continue
        if _value(store, node, ns.EG("statedIn")):
            return of_claim(store, node)
        if _value(store, node, ns.EG("issued")):
            return of_source(store, node)
    claims = store.engine.quads_for_pattern(None, ns.EG("statedIn"), None, None)
    sources = {ns.local_name(iri) for iri, _ in store.entities.get(f"{ns.EG}Source", [])}
    known = {ns.shorten(ns.value(quad.subject)) for quad in claims}
    raise UnknownNameError("claim, source or query", name, [*sorted(sources), *queries.load(), *sorted(known)])


def write(references: Iterable[Reference], form: str) -> str:
    """Write references as `text`, `bibtex` or `csl`, with a line feed at the end."""
    listed = list(references)
    if form == "csl":
        return json.dumps([_csl(each) for each in listed], ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return "\n".join(_bibtex(each) if form == "bibtex" else f"{_text(each)}\n" for each in listed)


# --- the forms -----------------------------------------------------------------------------


def _text(one: Reference) -> str:
    return " ".join([_sentence(one), *(f"{note}." for note in one.notes)])


def _sentence(one: Reference) -> str:
    """Write author, year, title and the rest as one sentence after the other."""
    year = f" ({_years(one)})" if one.days else ""
    lead = f"{one.author}{year}. {one.title}" if one.author else f"{one.title}{year}"
    parts = [
        lead.rstrip("."),
        f"In: {one.inside}, {one.place}" if one.inside else one.place,
        f"Version {one.version}" if one.version else None,
        one.publisher,
        one.url,
        f"Accessed {one.accessed}" if one.accessed else None,
    ]
    return " ".join(f"{part}." for part in parts if part)


def _years(one: Reference) -> str:
    assert one.days
    first, last = (day.year for day in one.days)
    return str(first) if first == last else f"{first}–{last}"


def _bibtex(one: Reference) -> str:
    fields = {
        "author": f"{{{_tex(one.author)}}}" if one.author else None,
        "title": f"{{{_tex(one.title)}}}",
        "year": _years(one).replace("–", "--") if one.days else None,
        "date": _span(one) if one.days else None,
        "howpublished": _tex(f"In: {one.inside}, {one.place}") if one.inside else None,
        "publisher": _tex(one.publisher) if one.publisher else None,
        "version": _tex(one.version) if one.version else None,
        "url": one.url,
        "urldate": str(one.accessed) if one.accessed else None,
        "note": _tex(". ".join(one.notes)) if one.notes else None,
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{one.key},", *lines, "}\n"])


def _tex(text: str | None) -> str:
    return "".join(TEX.get(sign, sign) for sign in text or "")


def _span(one: Reference) -> str:
    assert one.days
    first, last = one.days
    return str(first) if first == last else f"{first}/{last}"


def _csl(one: Reference) -> dict[str, object]:
    parts = list(dict.fromkeys(one.days)) if one.days else []
    found: dict[str, object | None] = {
        "id": one.key,
        "type": one.kind,
        "title": one.title,
        "author": [{"literal": one.author}] if one.author else None,
        "issued": {"date-parts": [[day.year, day.month, day.day] for day in parts]} if parts else None,
        "container-title": one.inside,
        "section": one.place,
        "publisher": one.publisher,
        "version": one.version,
        "URL": one.url,
        "accessed": {"date-parts": [[one.accessed.year, one.accessed.month, one.accessed.day]]}
        if one.accessed
        else None,
        "note": ". ".join(one.notes) if one.notes else None,
    }
    return {name: value for name, value in found.items() if value is not None}


# --- what the graph says --------------------------------------------------------------------


def _of_release(whole: Reference) -> tuple[str, ...]:
    return (f"Release {whole.url}",)


def _value(store: ReleaseStore, subject: NamedNode, term: NamedNode) -> str | None:
    quad = next(store.engine.quads_for_pattern(subject, term, None, None), None)
    return ns.value(quad.object) if quad and isinstance(quad.object, (Literal, NamedNode)) else None


def _places(store: ReleaseStore, claim: NamedNode) -> list[str]:
    """Say where the passages of a claim stand: their sentences, sections and characters, in their order."""
    found = []
    for quad in store.engine.quads_for_pattern(claim, ns.EG("evidence"), None, None):
        passage = quad.object
        if isinstance(passage, NamedNode):
            sentence = NamedNode(_value(store, passage, ns.EG("inSentence")) or passage.value)
            number = _value(store, sentence, ns.EG("number")) or ns.local_name(sentence.value)
            start, end = (_value(store, passage, ns.EG(term)) or "" for term in ("start", "end"))
            section = _value(store, sentence, ns.EG("section"))
            words = f"Sentence {number}{f', section “{section}”' if section else ''}, characters {start}–{end}"
            found.append((int(start or 0), words))
    return [words for _, words in sorted(set(found))]
