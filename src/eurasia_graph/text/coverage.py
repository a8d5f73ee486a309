"""Which sentences of a source are encoded, which are not, and why not."""

from __future__ import annotations

import html
from dataclasses import dataclass

from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UsageError
from eurasia_graph.formats import separated
from eurasia_graph.graphs import graph_of
from eurasia_graph.store import ReleaseStore
from eurasia_graph.text.passages import Passage, from_store

HEADINGS = ("source", "section", "sentences", "claims", "encoded", "with a reason", "unaccounted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The number of sentences in a section: all, encoded, not encoded for a reason, and neither."""

    source: str
    section: str
    sentences: int
    claims: int
    encoded: int
    reasoned: int

    @property
    def unaccounted(self) -> int:
        """Sentences that are neither the evidence of a claim nor have a reason."""
        return self.sentences - self.encoded - self.reasoned

    def cells(self) -> tuple[str | int, ...]:
        """The values under `HEADINGS`."""
        return self.source, self.section, self.sentences, self.claims, self.encoded, self.reasoned, self.unaccounted


def coverage(store: ReleaseStore, source: str | None = None) -> list[Coverage]:
    """
    Count the sentences of each section, in the order of the text.

    Raises:
        UsageError: If there is no such source.
    """
    known = sorted(ns.local_name(iri) for iri in store.horizons)
    if source is not None and source not in known:
        raise UsageError(f"there is no source {source!r}; give one of {', '.join(known)}")
    return [line for name in known if source in {None, name} for line in _sections(store, name)]


def _sections(store: ReleaseStore, source: str) -> list[Coverage]:
    rests: dict[str, set[str]] = {}
    for quad in store.local.quads_for_pattern(None, ns.EG("evidence"), None, graph_of("claims", source)):
        if isinstance(quad.object, NamedNode):
            rests.setdefault(ns.local_name(quad.object.value), set()).add(str(quad.subject))
    passages = from_store(store.local, source)
    claims: dict[str, set[str]] = {}
    for each in passages:
        claims.setdefault(each.sentence or each.name, set()).update(rests.get(each.name, ()))
    sections: dict[str, list[Passage]] = {}
    for passage in passages:
        if not passage.sentence:
            sections.setdefault(passage.section or "", []).append(passage)
    return [
        Coverage(
            source=source,
            section=section,
            sentences=len(own),
            claims=len(set().union(*(claims[each.name] for each in own))),
            encoded=sum(bool(claims[each.name]) for each in own),
            reasoned=sum(bool(each.reason) and not claims[each.name] for each in own),
        )
        for section, own in sections.items()
    ]


def coverage_csv(lines: list[Coverage]) -> str:
    """Write the counts as CSV."""
    return separated(HEADINGS, (line.cells() for line in lines))


def coverage_html(lines: list[Coverage]) -> str:
    """Write the counts as a complete HTML page."""

    def row(tag: str, cells: tuple[str | int, ...]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(each))}</{tag}>" for each in cells) + "</tr>"

    body = "\n".join(row("td", line.cells()) for line in lines)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Coverage</title>\n'
        f"<table>\n<thead>{row('th', HEADINGS)}</thead>\n<tbody>\n{body}\n</tbody></table></html>\n"
    )
