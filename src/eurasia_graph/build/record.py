"""
Check what shapes cannot see: names that are not defined, and statements in the wrong file.

A shape checks the instances of a class. A record that has no class, a class that contradicts its IRI, or
statements in a file of other records would escape all shapes; so every statement of the files is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

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
    A fault in one statement, with the rule that it breaks, what is needed and what was seen.

    `other` is the statement that it contradicts, if there is one; `hint` is added to the end of the message,
    and `part` says which part of the statement is wrong.
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
    Find the faults of single statements.

    Args:
        dataset: As `sources.load` returns it, nothing generated yet.
    """
    vocabulary = vocabulary_of(dataset)
    misplaced = list(_misplaced(dataset, vocabulary))
    yield from misplaced
    yield from _undefined(dataset, vocabulary, misplaced)


# --- statements in the wrong file ----------------------------------------------------------


def _misplaced(dataset: Dataset, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Find statements that do not belong in their file: one fault for each subject, then those of single statements."""
    told: set[tuple[object, object]] = set()
    for quad in dataset.origins:
        nested = _nested(quad)
        if nested:
            yield nested
        if nested or quad.graph_name in SCHEMA_GRAPHS:
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
        message = "A file describes records, not statements. Write a claim with its evidence instead."
        return Fault(quad, "Statement-about-statement", message, ns.shorten(ns.value(quad.predicate)))
    if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
        message = (
            "A record needs an IRI, by which it is cited and checked. Write the IRI instead of [ ], ( ) or _:name."
        )
        owner = "a blank node" if isinstance(quad.subject, BlankNode) else ns.shorten(ns.value(quad.subject))
        return Fault(quad, "Blank-node", message, f"{ns.shorten(quad.predicate.value)} at {owner}")
    return None


def _foreign(quad: Quad, subject: NamedNode, vocabulary: Vocabulary) -> Fault | None:
    """Refuse statements of a data file about anything but its records."""
    iri = subject.value
    if not iri.startswith(ns.BASE):
        rule = "Foreign-subject"
        message = (
            f"A data file describes only records of this dataset, whose IRIs begin with {ns.ID}. "
            "Describe the entity under such an IRI, and link it with skos:exactMatch."
        )
    elif iri in vocabulary.schema or iri.startswith(ns.EG):
        rule = "Defined-elsewhere"
        message = "Terms and concepts are defined in ontology/; a data folder cannot change them. Remove the statement."
    elif not _is_record(subject):
        kinds = ", ".join(sorted({*ns.KINDS_OF_ENTITY, "claim", "passage", "judgement", "match", "note"}))
        rule = "Record-iri"
        message = (
            f"The IRI of a record is {ns.ID}<kind>/<name>, or <kind>/<source>/<number> for a claim or passage, with "
            f"a name of letters, digits and hyphens and one of the kinds {kinds}; only the build makes others. "
            "Correct the IRI, or remove what the build generates."
        )
    else:
        return None
    return Fault(quad, rule, message, f"{ns.shorten(quad.predicate.value)} at {ns.shorten(iri)}", part="subject")


@lru_cache(maxsize=65536)
def _is_record(subject: NamedNode) -> bool:
    """Return whether an IRI has the form of a record that files describe; events of single claims are generated."""
    if home_of(subject) is None:
        return False
    kind, *names = _segments(subject.value)
    # The graphs closure-ontology and closure-entities belong to no source, so a source cannot have these names.
    reserved = kind == "source" and names in (["ontology"], ["entities"])
    many = 2 if kind in {"claim", "passage", "scheme"} else 1
    return kind == "graph" or (len(names) == many and all(map(NAME.fullmatch, names)) and not reserved)


def _segments(iri: str) -> list[str]:
    """Split one of our IRIs after `id/`: kind, then names; the kind of a concept is `scheme`."""
    return iri.removeprefix(ns.ID).split("/") if iri.startswith(ns.ID) else iri.removeprefix(ns.BASE).split("/")


def _elsewhere(dataset: Dataset, quad: Quad, subject: NamedNode) -> Fault | None:
    """Refuse a statement that belongs in another file."""
    home, graph, predicate = home_of(subject), quad.graph_name, quad.predicate
    linked = predicate == REPORTS_EVENT
    if linked and graph != LINKS:
        message = "Which event a claim reports is a judgement, which belongs in links.ttl. Move the statement there."
        return Fault(quad, "Record-file", message, f"eg:reportsEvent at {ns.shorten(subject.value)}")
    if graph == home or linked:
        return None
    if _text_of_source(quad, subject):
        return None
    # For a claim or a passage that names its source, the shapes Claim-graph, Claim-iri and Passage-graph check this.
    for term in ("statedIn", "passageOf"):
        if next(dataset.store.quads_for_pattern(subject, ns.EG(term), None, graph), None):
            return None
    kind, _, source = ns.local_name(ns.value(home)).partition("-")
    about_source = subject.value.startswith(f"{ns.ID}source/")
    file = "sources/<source>/source.ttl" if about_source else FILES[kind].replace("<source>", source)
    message = f"Statements about this record belong in {file}. Move the statement there."
    if graph == LINKS and kind == "claims":
        message = f"The only statement about a claim in links.ttl is eg:reportsEvent. Move this one to {file}."
    return Fault(quad, "Record-file", message, f"{ns.shorten(predicate.value)} at {ns.shorten(subject.value)}")


def _text_of_source(quad: Quad, subject: NamedNode) -> bool:
    """Return whether the command `passages` wrote it: the digest or length of a text, next to its passages."""
    own = ns.GRAPH(f"passages-{ns.local_name(subject.value)}")
    measures = (ns.EG("textLength"), ns.EG("textSha256"))
    return home_of(subject) == ENTITIES and quad.graph_name == own and quad.predicate in measures


def _wrong_class(quad: Quad, subject: NamedNode, vocabulary: Vocabulary) -> Fault | None:
    """Refuse a class that does not fit the kind of the IRI; among several classes that fit, the shapes decide."""
    if quad.predicate != TYPE or not isinstance(quad.object, NamedNode) or not quad.object.value.startswith(ns.EG):
        return None
    kind, cls = _segments(subject.value)[0], quad.object.value
    kinds = vocabulary.kinds.get(cls, ())
    if kind in kinds or cls not in vocabulary.schema or cls in vocabulary.generated:
        return None
    fitting = sorted(curie(each) for each, allowed in vocabulary.kinds.items() if kind in allowed)
    place = f"{'' if kind == 'scheme' else 'id/'}{kind}/"
    message = (
        f"The class of a record must fit its IRI; below {place} it can be {', '.join(fitting[:MOST_CLASSES])}"
        f"{' …' if len(fitting) > MOST_CLASSES else ''}. Remove the class, or correct the IRI."
    )
    return Fault(quad, "Record-class", message, f"rdf:type {curie(cls)} at {curie(subject.value)}")


# --- names that are not defined ------------------------------------------------------------


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
    """Yield the IRIs in a statement that are in our namespaces, or look like it."""
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
        message = f"A term in eg: must be defined in the ontology.{ways}"
        part: Part = "predicate" if iri == quad.predicate.value else "object"
        return Fault(
            quad, "Undefined-term", message, f"{curie(iri)} at {ns.shorten(ns.value(quad.subject))}", part=part
        )
    if of_subject:
        message = (
            "Every record needs a class, by which its shape finds it. "
            "Write its class, such as a eg:EventClaim, or correct its name."
        )
        return Fault(quad, "Undefined-name", message, curie(iri), hint=hint, part="subject")
    message = (
        "A name in our namespaces must be that of a record that a file describes or the build generates. "
        "Correct it, or describe the record."
    )
    seen = f"{ns.shorten(quad.predicate.value)} {curie(iri)} at {ns.shorten(ns.value(quad.subject))}"
    return Fault(quad, "Undefined-name", message, seen, hint=hint)
