"""
What no shape sees of a record: names that nothing defines, and statements in the wrong file.

A shape looks at the things of a class. What has no class, has one that its IRI belies, or is said in a
file of other records, would pass by all of them; here every statement of the files is looked at once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import nearest
from eurasia_graph.sources import ENTITIES, LINKS, SCHEMA_GRAPHS, Dataset, home_of

TYPE = ns.RDF("type")
REPORTS_EVENT = ns.EG("reportsEvent")
# For which kinds of IRI a class and those below it are; agents and actors in general are told apart by no kind.
CONCEPTS = ("concept", "scheme")
KINDS_OF_CLASSES = {
    "Body": ("body",),
    "Claim": ("claim",),
    "Concept": CONCEPTS,
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
NAME = re.compile(r"[A-Za-z0-9._~-]+")
FILES = {
    "claims": "sources/<source>/claims.ttl",
    "passages": "sources/<source>/passages.ttl",
    "links": "links.ttl",
    "notes": "notes.ttl",
    "entities": "entities/*.ttl",
}
GENERATED_OF_A_SOURCE = ("bounds", "facts", "memberships", "closure")
GENERATED_OF_ALL = ("closure-ontology", "differences", "meta")
# What a slip makes of our namespace: http for https, www in front, other capitals, no slash at the end.
LOOKS_LIKE_OURS = re.compile(r"https?://(?:www\.)?w3id\.org/eurasia-graph(?:[/#]|$)", re.IGNORECASE)
MOST_HINTS = 50
MOST_CLASSES = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A statement that is wrong, with the rule that says so, what is needed and what was seen.

    `other` is the statement that it is at odds with, where there is one; `hint` ends the message.
    """

    quad: Quad
    rule: str
    message: str
    seen: str
    warns: bool = False
    other: Quad | None = None
    hint: str = ""


@dataclass
class Vocabulary:
    """
    The names that a dataset defines.

    `defined` are IRIs that a file describes or a build makes; `kinds` gives the kinds of IRI that the
    records of a class have; `schema` are the IRIs that ontology and schemes describe, `generated` those
    of terms that no file may use.
    `unlinked` tells of events that no build makes, since their claims are linked to another.
    """

    defined: set[str] = field(default_factory=set)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    schema: set[str] = field(default_factory=set)
    generated: set[str] = field(default_factory=set)
    unlinked: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)

    def hint(self, iri: str) -> str:
        """Say which names that are defined look most like one that is not."""
        if iri not in self.hints and len(self.hints) < MOST_HINTS:
            near = self._near(iri)
            self.hints[iri] = f" Nearest: {', '.join(map(curie, near))}." if near else ""
        return self.hints.get(iri, "")

    def _near(self, iri: str) -> list[str]:
        if iri in self.unlinked:
            return [self.unlinked[iri]]
        ours = LOOKS_LIKE_OURS.sub(str(ns.BASE), iri, count=1)
        if ours in self.defined:
            return [ours]
        name = ns.local_name(ours)
        space = ours[: len(ours) - len(name)]
        usable = self.defined - self.generated
        same = sorted(each for each in usable if ns.local_name(each).casefold() == name.casefold())
        beside = {each[len(space) :]: each for each in usable if each.startswith(space)}
        if name.isdecimal():
            numbers = [each for each in beside if each.isdecimal()]
            return [beside[each] for each in sorted(numbers, key=lambda each: abs(int(each) - int(name)))[:1]]
        return [*islice(same, 2)] or [beside[each] for each in nearest(name, beside)]


def faults(dataset: Dataset) -> Iterator[Fault]:
    """
    Find what is wrong with single statements.

    Args:
        dataset: As `sources.load` returns it, nothing generated yet.
    """
    vocabulary = vocabulary_of(dataset)
    misplaced = list(_misplaced(dataset, vocabulary))
    yield from misplaced
    yield from _undefined(dataset, vocabulary, misplaced)


def vocabulary_of(dataset: Dataset) -> Vocabulary:
    """Collect the names that files describe and those that a build of them makes."""
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
    found.defined |= {ns.value(quad.graph_name) for quad in dataset.lines}
    names = [ns.local_name(source.value) for source in dataset.sources()]
    kinds = ("claims", "passages", *GENERATED_OF_A_SOURCE)
    found.defined |= {ns.GRAPH(f"{kind}-{name}").value for name in names for kind in kinds}
    found.defined |= {ns.GRAPH(name).value for name in GENERATED_OF_ALL}
    found.defined |= {ns.GRAPH(name).value for name in ("entities", "links", "notes")}
    _add_built(store, found)
    return found


def curie(iri: str) -> str:
    """Write an IRI of ours as files do, `state:KZ` or `unit:percent`; any other IRI in angle brackets."""
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


# --- where a statement stands --------------------------------------------------------------


def _misplaced(dataset: Dataset, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Find statements that no record of the file has: once for each subject, then one by one."""
    told: set[tuple[object, object]] = set()
    for quad in dataset.lines:
        if quad.graph_name in SCHEMA_GRAPHS:
            continue
        nested = _nested(quad)
        if nested:
            yield nested
            continue
        subject = quad.subject
        assert isinstance(subject, NamedNode)
        fault = _foreign(quad, subject, vocabulary) or _elsewhere(dataset, quad, subject)
        if fault and (subject, quad.graph_name) not in told:
            told.add((subject, quad.graph_name))
            yield fault
        wrong = None if fault else _wrong_class(quad, subject, vocabulary)
        if wrong:
            yield wrong


def _nested(quad: Quad) -> Fault | None:
    if isinstance(quad.subject, Triple) or isinstance(quad.object, Triple):
        message = "A file says nothing about statements, only about records. Write a claim with its evidence instead."
        return Fault(quad, "Statement-about-statement", message, ns.shorten(ns.value(quad.predicate)))
    if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
        message = "A record has an IRI by which it is cited and checked. Write the IRI in place of [ ], ( ) or _:name."
        owner = "a blank node" if isinstance(quad.subject, BlankNode) else ns.shorten(ns.value(quad.subject))
        return Fault(quad, "Blank-node", message, f"{ns.shorten(quad.predicate.value)} at {owner}")
    return None


def _foreign(quad: Quad, subject: NamedNode, vocabulary: Vocabulary) -> Fault | None:
    """Refuse what a data file says of things that are no records of it."""
    iri = subject.value
    if not iri.startswith(ns.BASE):
        rule = "Foreign-subject"
        message = (
            f"A file describes records of this graph only, whose IRIs begin with {ns.ID}. "
            "Describe the entity under an IRI of ours, and match it by skos:exactMatch."
        )
    elif iri in vocabulary.schema or iri.startswith(ns.EG):
        rule = "Defined-elsewhere"
        message = "Terms and concepts are defined in ontology/, and a data folder changes none. Take the statement out."
    elif not _is_record(subject):
        kinds = ", ".join(sorted({*ns.KINDS_OF_ENTITY, "claim", "passage", "judgement", "match", "note"}))
        rule = "Record-iri"
        message = (
            f"The IRI of a record is {ns.ID}<kind>/<name>, of a claim or passage <kind>/<source>/<number>, with a "
            f"name of letters, digits and hyphens and one of the kinds {kinds}; only the build makes others. "
            "Correct the IRI, or take out what the build makes."
        )
    else:
        return None
    return Fault(quad, rule, message, f"{ns.shorten(quad.predicate.value)} at {ns.shorten(iri)}")


def _is_record(subject: NamedNode) -> bool:
    """Tell whether an IRI has the form of a record that files describe; events of single claims are generated."""
    if home_of(subject) is None:
        return False
    kind, *names = _segments(subject.value)
    # The graph closure-ontology is that of the ontology, so no source is called so.
    reserved = kind == "source" and names == ["ontology"]
    many = 2 if kind in {"claim", "passage", "scheme"} else 1
    return kind == "graph" or (len(names) == many and all(map(NAME.fullmatch, names)) and not reserved)


def _segments(iri: str) -> list[str]:
    """Split an IRI of ours after `id/`: kind, then names; the kind of a concept is `scheme`."""
    return iri.removeprefix(ns.ID).split("/") if iri.startswith(ns.ID) else iri.removeprefix(ns.BASE).split("/")


def _elsewhere(dataset: Dataset, quad: Quad, subject: NamedNode) -> Fault | None:
    """Refuse what is said in a file of other records."""
    home, graph, predicate = home_of(subject), quad.graph_name, quad.predicate
    linked = predicate == REPORTS_EVENT
    if linked and graph != LINKS:
        message = "Which event a claim tells of is a judgement, and stands in links.ttl. Move the statement there."
        return Fault(quad, "Record-file", message, f"eg:reportsEvent at {ns.shorten(subject.value)}")
    if graph == home or linked:
        return None
    if _text_of_source(quad, subject):
        return None
    # Of a claim or a passage with its source, the shapes Claim-graph, Claim-iri and Passage-graph tell.
    for term in ("madeBy", "passageOf"):
        if next(dataset.store.quads_for_pattern(subject, ns.EG(term), None, graph), None):
            return None
    kind, _, source = ns.local_name(ns.value(home)).partition("-")
    about_source = subject.value.startswith(f"{ns.ID}source/")
    file = "sources/<source>/source.ttl" if about_source else FILES[kind].replace("<source>", source)
    message = f"What is said of this record stands in {file}. Move the statement there."
    if graph == LINKS and kind == "claims":
        message = f"Of a claim links.ttl says only eg:reportsEvent. Move the statement to {file}."
    return Fault(quad, "Record-file", message, f"{ns.shorten(predicate.value)} at {ns.shorten(subject.value)}")


def _text_of_source(quad: Quad, subject: NamedNode) -> bool:
    """Tell whether the command `passages` wrote it: the digest and length of a text, next to its passages."""
    own = ns.GRAPH(f"passages-{ns.local_name(subject.value)}")
    measures = (ns.EG("textLength"), ns.EG("textSha256"))
    return home_of(subject) == ENTITIES and quad.graph_name == own and quad.predicate in measures


def _wrong_class(quad: Quad, subject: NamedNode, vocabulary: Vocabulary) -> Fault | None:
    """Refuse a class of ours for other kinds of IRI; of a kind that has several classes, shapes know which."""
    if quad.predicate != TYPE or not isinstance(quad.object, NamedNode) or not quad.object.value.startswith(ns.EG):
        return None
    kind, cls = _segments(subject.value)[0], quad.object.value
    kinds = vocabulary.kinds.get(cls, ())
    if kind in kinds or cls not in vocabulary.schema or cls in vocabulary.generated:
        return None
    fitting = sorted(curie(each) for each, allowed in vocabulary.kinds.items() if kind in allowed)
    place = f"{'' if kind == 'scheme' else 'id/'}{kind}/"
    message = (
        f"The class of a record fits its IRI: one below {place} is of {', '.join(fitting[:MOST_CLASSES])}"
        f"{' …' if len(fitting) > MOST_CLASSES else ''}. Take the class out, or correct the IRI."
    )
    return Fault(quad, "Record-class", message, f"rdf:type {curie(cls)} at {curie(subject.value)}")


# --- names that nothing defines ------------------------------------------------------------


def _undefined(dataset: Dataset, vocabulary: Vocabulary, misplaced: list[Fault]) -> Iterator[Fault]:
    statements = {fault.quad for fault in misplaced}
    told = {(ns.value(quad.subject), quad.graph_name) for quad in statements}
    for quad in dataset.lines:
        if quad in statements:
            continue
        for term in _names_in(quad):
            if term in vocabulary.defined:
                continue
            of_subject = term == ns.value(quad.subject)
            if of_subject and (term, quad.graph_name) in told:
                continue
            told |= {(term, quad.graph_name)} if of_subject else set()
            yield _as_fault(quad, term, of_subject, vocabulary)


def _names_in(quad: Quad) -> Iterator[str]:
    """List the IRIs of our namespaces in a statement, and those that look like them."""
    terms: list[object] = [quad.subject, quad.predicate, quad.object]
    if isinstance(quad.object, Literal):
        terms[2] = quad.object.datatype
    for term in terms:
        if isinstance(term, NamedNode) and (term.value.startswith(ns.BASE) or LOOKS_LIKE_OURS.match(term.value)):
            yield term.value


def _as_fault(quad: Quad, iri: str, of_subject: bool, vocabulary: Vocabulary) -> Fault:
    hint = vocabulary.hint(iri)
    if iri.startswith(ns.EG):
        ways = hint.replace(" Nearest: ", " Write ").replace(", ", " or ")
        message = f"A term in eg: is one that the ontology defines.{ways}"
        return Fault(quad, "Undefined-term", message, f"{curie(iri)} at {ns.shorten(ns.value(quad.subject))}")
    if of_subject:
        message = (
            "Every record has a class, by which its shape finds it. "
            "Write what it is, such as a eg:EventClaim, or correct its name."
        )
        return Fault(quad, "Undefined-name", message, curie(iri), hint=hint)
    message = (
        "A name of this graph stands for something that a file describes or a build makes. "
        "Correct it, or describe what it stands for."
    )
    seen = f"{ns.shorten(quad.predicate.value)} {curie(iri)} at {ns.shorten(ns.value(quad.subject))}"
    return Fault(quad, "Undefined-name", message, seen, hint=hint)


def _kinds_of_classes(store: Store) -> dict[str, tuple[str, ...]]:
    """Give the kinds of IRI for every class below those of records."""
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
    """Add the events and observations that a build makes of the claims that count."""
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
