"""
What no shape sees of a record: names that nothing defines, and statements in the wrong file.

A shape looks at the things of a class. What has no class, has one that its IRI belies, or is said in a
file of other records, would pass by all of them; here every statement of the files is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build.sources import Dataset, home_of
from eurasia_graph.build.vocabulary import LOOKS_LIKE_OURS, REPORTS_EVENT, TYPE, Vocabulary, curie, vocabulary_of
from eurasia_graph.graphs import ENTITIES, LINKS, SCHEMA_GRAPHS
from eurasia_graph.turtle.reader import Part

NAME = re.compile(r"[A-Za-z0-9._~-]+")
FILES = {
    "claims": "sources/<source>/claims.ttl",
    "passages": "sources/<source>/passages.ttl",
    "links": "links.ttl",
    "notes": "notes.ttl",
    "entities": "entities/*.ttl",
}
MOST_CLASSES = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A statement that is wrong, with the rule that says so, what is needed and what was seen.

    `other` is the statement that it is at odds with, where there is one; `hint` ends the message, and
    `part` is where in the statement the fault stands.
    """

    quad: Quad
    rule: str
    message: str
    seen: str
    warns: bool = False
    other: Quad | None = None
    hint: str = ""
    part: Part = "object"


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


# --- where a statement stands --------------------------------------------------------------


def _misplaced(dataset: Dataset, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Find statements that no record of the file has: once for each subject, then one by one."""
    told: set[tuple[object, object]] = set()
    for quad in dataset.origins:
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
    return Fault(quad, rule, message, f"{ns.shorten(quad.predicate.value)} at {ns.shorten(iri)}", part="subject")


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
    for term in ("statedIn", "passageOf"):
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
    for quad in dataset.origins:
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
        part: Part = "predicate" if iri == quad.predicate.value else "object"
        return Fault(
            quad, "Undefined-term", message, f"{curie(iri)} at {ns.shorten(ns.value(quad.subject))}", part=part
        )
    if of_subject:
        message = (
            "Every record has a class, by which its shape finds it. "
            "Write what it is, such as a eg:EventClaim, or correct its name."
        )
        return Fault(quad, "Undefined-name", message, curie(iri), hint=hint, part="subject")
    message = (
        "A name of this graph stands for something that a file describes or a build makes. "
        "Correct it, or describe what it stands for."
    )
    seen = f"{ns.shorten(quad.predicate.value)} {curie(iri)} at {ns.shorten(ns.value(quad.subject))}"
    return Fault(quad, "Undefined-name", message, seen, hint=hint)
