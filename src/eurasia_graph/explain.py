"""Explain a claim: where it is stated, and what was derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import Literal, NamedNode, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UnknownNameError
from eurasia_graph.graphs import graph_of
from eurasia_graph.store import ReleaseStore
from eurasia_graph.text.passages import Found, from_store, read_text, verify


@dataclass
class Explanation:
    """A claim with its background, as lines of `name` and `value`."""

    claim: NamedNode
    lines: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Write the lines with their names in a column."""
        width = max(len(name) for name, _ in self.lines)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.lines)


def find_claim(store: ReleaseStore, name: str) -> NamedNode:
    """
    Find a claim by its IRI or by `source/number`.

    Raises:
        UnknownNameError: If there is no such claim; lists the nearest.
    """
    known = {
        quad.subject.value
        for quad in store.engine.quads_for_pattern(None, ns.EG("statedIn"), None, None)
        if isinstance(quad.subject, NamedNode)
    }
    for candidate in (name, f"{ns.ID}claim/{name}", f"{ns.ID}claim/{name.replace(':', '/', 1)}"):
        if candidate in known:
            return NamedNode(candidate)
    raise UnknownNameError("claim", name, (ns.shorten(each) for each in known))


def explain(store: ReleaseStore, name: str, text_file: Path | None = None) -> Explanation:
    """
    Explain a claim: what it says, where, and what was derived from it.

    Args:
        store: The release.
        name: The claim, as `find_claim` takes it.
        text_file: The reader's own copy of the source; its sentences are shown if it is given.
    """
    claim = find_claim(store, name)
    found = Explanation(claim, [("claim", ns.shorten(claim.value))])
    source = _value(store, claim, "statedIn")
    for quad in sorted(
        store.engine.quads_for_pattern(claim, None, None, graph_of("claims", ns.local_name(source))), key=str
    ):
        term = quad.predicate.value.removeprefix(ns.EG)
        if term not in {"statedIn", "evidence", "gist"} and quad.predicate != ns.RDF("type"):
            found.lines.append((_words(term), _shown(quad.object)))
    found.lines.insert(1, ("gist", _value(store, claim, "gist")))
    found.lines.append(("source", _citation(store, source)))
    _add_passages(store, claim, ns.local_name(source), text_file, found)
    for label, sparql in DERIVED.items():
        for row in _rows(store, PREFIX_LINES + sparql.replace("$claim", str(claim))):
            found.lines.append((label, " ".join(row)))
    return found


PREFIX_LINES = f"PREFIX eg: <{ns.EG}> PREFIX skos: <{ns.SKOS}> SELECT DISTINCT "
DERIVED = {
    "kind": "?type { GRAPH ?g { $claim eg:statedIn ?source ; a ?type } } ORDER BY ?type",
    "said in": "?speech { GRAPH ?g { ?speech eg:carries $claim } } ORDER BY ?speech",
    "event": "?event { GRAPH ?g { $claim eg:reportsEvent ?event } } ORDER BY ?event",
    "told also in": """?other {
        GRAPH ?g { $claim eg:reportsEvent ?event } GRAPH ?h { ?other eg:reportsEvent ?event }
        FILTER(?other != $claim)
      } ORDER BY ?other""",
    "observation": """?observation {
        GRAPH ?g { ?observation <http://purl.org/linked-data/cube#dataSet> ?set ; <$prov> $claim }
      } ORDER BY ?observation""".replace("$prov", ns.PROV + "wasDerivedFrom"),
    "begins": "?membership { GRAPH ?g { ?membership eg:begunBy $claim } } ORDER BY ?membership",
    "ends": "?membership { GRAPH ?g { ?membership eg:endedBy $claim } } ORDER BY ?membership",
    "disagrees with": """?other ?kind { GRAPH ?g {
        ?difference eg:differenceKind ?kind .
        { ?difference eg:claimA $claim ; eg:claimB ?other } UNION { ?difference eg:claimB $claim ; eg:claimA ?other }
      } } ORDER BY ?other ?kind""",
    "note": "?text { GRAPH ?g { ?note eg:about $claim ; skos:note ?text } } ORDER BY ?text",
}


def _add_passages(
    store: ReleaseStore, claim: NamedNode, source: str, text_file: Path | None, found: Explanation
) -> None:
    passages = {passage.name: passage for passage in from_store(store.local, source)}
    text = read_text(text_file) if text_file else ""
    placed = {each.passage.name: each for each in verify(passages.values(), text)} if text_file else {}
    names = {
        ns.local_name(quad.object.value)
        for quad in store.engine.quads_for_pattern(claim, ns.EG("evidence"), None, None)
        if isinstance(quad.object, NamedNode)
    }
    for name in sorted(names, key=lambda each: passages[each].span.start):
        passage = passages[name]
        section = f", {passage.section}" if passage.section else ""
        found.lines.append(
            ("passage", f"{source}/{name}, characters {passage.span.start} to {passage.span.end}{section}")
        )
        if name in placed:
            spans = placed[name].spans
            words = " ".join(" ".join(text[span.start : span.end].split()) for span in spans)
            missing = f"(not found in {text_file}; run eurasia-graph verify {source} {text_file})"
            found.lines.append(("sentence", missing if placed[name].found is Found.NOWHERE else words))


def _citation(store: ReleaseStore, source: str) -> str:
    quad = next(
        store.engine.quads_for_pattern(NamedNode(source), ns.DCTERMS("bibliographicCitation"), None, None), None
    )
    return (
        f"{ns.shorten(source)}: {quad.object.value}"
        if quad and isinstance(quad.object, Literal)
        else ns.shorten(source)
    )


def _value(store: ReleaseStore, subject: NamedNode, term: str) -> str:
    quad = next(store.engine.quads_for_pattern(subject, ns.EG(term), None, None), None)
    return quad.object.value if quad and isinstance(quad.object, (Literal, NamedNode)) else ""


def _words(term: str) -> str:
    """Turn `saysOldBody` into `says old body`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in term)


def _shown(term: object) -> str:
    value = str(getattr(term, "value", term))
    return ns.shorten(value) if isinstance(term, NamedNode) else value


def _rows(store: ReleaseStore, sparql: str) -> list[list[str]]:
    answer = store.engine.query(sparql)
    assert isinstance(answer, QuerySolutions)
    return [[_shown(term) for term in row] for row in answer]


# --- coverage ------------------------------------------------------------------------------
