"""
The names that a dataset defines: terms, concepts, records, and what the build generates from them.

Any other name in our namespaces is a mistake; the name that was probably meant is suggested.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build.sources import Dataset
from eurasia_graph.errors import nearest
from eurasia_graph.graphs import LINKS, SCHEMA_GRAPHS

TYPE = ns.RDF("type")
REPORTS_EVENT = ns.EG("reportsEvent")
# The kinds of IRI that instances of a class and its subclasses have; agents and actors have several kinds.
CONCEPTS = ("concept", "scheme")
KINDS_OF_CLASSES = {
    "Body": ("body",),
    "Claim": ("claim",),
    "Concept": CONCEPTS,
    "Curator": ("agent",),
    "Event": ("event",),
    "Factor": CONCEPTS,
    "Indicator": CONCEPTS,
    "Judgement": ("judgement",),
    "Match": ("match",),
    "Note": ("note",),
    "Passage": ("passage",),
    "Person": ("person",),
    "Place": ("place",),
    "Purpose": CONCEPTS,
    "Source": ("source",),
    "State": ("state",),
    "Topic": CONCEPTS,
    "Treaty": ("treaty",),
    "Unit": CONCEPTS,
    "Work": ("work",),
}
AGENTS = ("agent", "body", "person", "state")
GENERATED_OF_A_SOURCE = ("bounds", "facts", "memberships", "closure")
GENERATED_OF_ALL = ("closure-entities", "closure-ontology", "differences", "meta", "names", "years")
# Common misspellings of our namespace: http for https, a leading www, other case, no final slash.
LOOKS_LIKE_OURS = re.compile(r"https?://(?:www\.)?w3id\.org/eurasia-graph(?:[/#]|$)", re.IGNORECASE)
MOST_LOOK_UPS = 50
MOST_COMPARED = 20


@dataclass
class Vocabulary:
    """
    The names that a dataset defines.

    `defined` has the IRIs that a file describes or the build generates; `kinds` maps a class to the kinds of
    IRI that its records have; `schema` has the IRIs that ontology and schemes describe, `generated` those of
    terms that files must not use. `unlinked` maps events that the build does not generate, since their claims
    are linked to another event, to that event.
    """

    defined: set[str] = field(default_factory=set)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    schema: set[str] = field(default_factory=set)
    generated: set[str] = field(default_factory=set)
    unlinked: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    looked_up: int = 0

    def hint(self, iri: str) -> str:
        """Return a sentence with the defined names most like one that is not, or an empty string."""
        if iri not in self.hints:
            near = self._near(iri)
            self.hints[iri] = f" Nearest: {', '.join(map(curie, near))}." if near else ""
        return self.hints[iri]

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The defined names that files may use, by local name in lower case."""
        found: dict[str, list[str]] = defaultdict(list)
        for iri in sorted(self.defined - self.generated):
            found[ns.local_name(iri).casefold()].append(iri)
        return found

    @cached_property
    def by_space(self) -> dict[str, dict[str, str]]:
        """The defined names that files may use, by the part before the local name, then by local name."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for iri in self.defined - self.generated:
            name = ns.local_name(iri)
            found[iri[: len(iri) - len(name)]][name] = iri
        return found

    def _near(self, iri: str) -> list[str]:
        if iri in self.unlinked:
            return [self.unlinked[iri]]
        ours = LOOKS_LIKE_OURS.sub(str(ns.BASE), iri, count=1)
        if ours in self.defined:
            return [ours]
        name = ns.local_name(ours)
        beside = self.by_space.get(ours[: len(ours) - len(name)], {})
        if name.isdecimal() and beside:
            numbers = [each for each in beside if each.isdecimal()]
            return [beside[each] for each in sorted(numbers, key=lambda each: abs(int(each) - int(name)))[:1]]
        same = self.by_name.get(name.casefold(), [])
        if same:
            return nearest(ours, same[:MOST_COMPARED], 1)
        # Each look-up compares with all names of that namespace, so only the first wrong names get one.
        self.looked_up += 1
        return [beside[each] for each in nearest(name, beside)] if self.looked_up <= MOST_LOOK_UPS else []


def vocabulary_of(dataset: Dataset) -> Vocabulary:
    """Collect the names that files describe and those that the build generates from them."""
    store = dataset.store
    found = Vocabulary(kinds=_kinds_of_classes(store))
    marked = store.quads_for_pattern(None, ns.EG("isGenerated"), Literal(True), SCHEMA_GRAPHS[0])
    found.generated = {ns.value(quad.subject) for quad in marked}
    found.kinds = {cls: kinds for cls, kinds in found.kinds.items() if cls not in found.generated}
    for graph in SCHEMA_GRAPHS:
        found.schema |= {ns.value(quad.subject) for quad in store.quads_for_pattern(None, None, None, graph)}
    found.schema |= {ns.value(quad.object) for quad in store.quads_for_pattern(None, ns.OWL("versionIRI"), None, None)}
    described = {
        ns.value(quad.subject)
        for quad in store.quads_for_pattern(None, TYPE, None, None)
        if ns.value(quad.object) in found.kinds
    }
    found.defined = {each for each in found.schema | described if each.startswith(ns.BASE)}
    found.defined |= {ns.value(quad.graph_name) for quad in dataset.origins}
    names = [ns.local_name(source.value) for source in dataset.sources()]
    kinds = ("claims", "passages", *GENERATED_OF_A_SOURCE)
    found.defined |= {ns.GRAPH(f"{kind}-{name}").value for name in names for kind in kinds}
    found.defined |= {ns.GRAPH(name).value for name in GENERATED_OF_ALL}
    found.defined |= {ns.GRAPH(name).value for name in ("entities", "links", "notes")}
    _add_built(store, found)
    return found


def curie(iri: str) -> str:
    """Shorten one of our IRIs as files do, to `state:KZ` or `unit:percent`; put any other IRI in angle brackets."""
    for base in (ns.SCHEME, ns.ID):
        kind, _, name = iri.removeprefix(base).partition("/")
        if iri.startswith(base) and kind and name:
            if kind in {"claim", "passage"}:
                source, _, name = name.partition("/")
                kind = source if kind == "claim" else f"{source}-passage"
            return f"{kind}:{name}"
    for prefix in ("eg", "graph"):
        if iri.startswith(ns.PREFIXES[prefix]):
            return f"{prefix}:{iri[len(ns.PREFIXES[prefix]) :]}"
    return f"<{iri}>"


def _kinds_of_classes(store: Store) -> dict[str, tuple[str, ...]]:
    """Return the kinds of IRI of every class of records and its subclasses."""
    below: dict[str, list[str]] = defaultdict(list)
    for quad in store.quads_for_pattern(None, ns.RDFS("subClassOf"), None, SCHEMA_GRAPHS[0]):
        below[ns.value(quad.object)].append(ns.value(quad.subject))
    found: dict[str, tuple[str, ...]] = {ns.EG(name).value: AGENTS for name in ("Agent", "Actor")}
    for name, kinds in KINDS_OF_CLASSES.items():
        waiting = [ns.EG(name).value]
        while waiting:
            cls = waiting.pop()
            found[cls] = kinds
            waiting += below[cls]
    return found


def _add_built(store: Store, found: Vocabulary) -> None:
    """Add the events and observations that the build generates from the claims that count."""
    for kind, path in (("EventClaim", "event"), ("IndicatorClaim", "observation")):
        for quad in store.quads_for_pattern(None, TYPE, ns.EG(kind), None):
            claim = quad.subject
            if not isinstance(claim, NamedNode) or not _counts(store, claim):
                continue
            built = claim.value.replace("/id/claim/", f"/id/{path}/")
            link = next(store.quads_for_pattern(claim, REPORTS_EVENT, None, LINKS), None)
            if link and path == "event":
                found.unlinked[built] = ns.value(link.object)
            else:
                found.defined.add(built)


def _counts(store: Store, claim: NamedNode) -> bool:
    modality = next(store.quads_for_pattern(claim, ns.EG("modality"), None, None), None)
    asserted = modality is None or modality.object == ns.SCHEME("modality/asserted")
    reported = next(store.quads_for_pattern(claim, TYPE, ns.EG("ReportedClaim"), None), None)
    return asserted and reported is None
