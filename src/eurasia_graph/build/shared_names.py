"""
Find entities that share a name: a query by that name would find one of them and miss the other.

Two names are the same if they differ only in case, spaces, hyphens and other punctuation, in British
and American spelling, or in letters of another script that look the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph import namespaces as ns
from eurasia_graph import variants
from eurasia_graph.build.record import Fault
from eurasia_graph.build.sources import Dataset
from eurasia_graph.build.vocabulary import curie
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS

NAMING = {ns.SKOS("prefLabel"): "label", ns.SKOS("altLabel"): "other label", ns.SKOS("hiddenLabel"): "other label"}
# A treaty and the circle of its parties, or a place and a concept, may share a name; two bodies may not.
FAMILIES = {
    "agent": ("Actor", "Agent"),
    "body": ("Body", "Organ", "Organisation", "ProposedBody", "TreatyRegime"),
    "concept": ("Concept",),
    "factor": ("Factor",),
    "indicator": ("Indicator",),
    "person": ("Person",),
    "place": ("Place",),
    "purpose": ("Purpose",),
    "source": ("Source",),
    "state": ("State",),
    "topic": ("Topic",),
    "treaty": ("Treaty",),
    "unit": ("Unit",),
    "work": ("Work",),
}
FAMILY_OF = {ns.EG(name): family for family, classes in FAMILIES.items() for name in classes}
# Letters that look like Latin ones, in lower or upper case: Cyrillic, then Greek.
LOOK_ALIKES = str.maketrans("авекмнорстухіјѕԛԝһ" + "αβεηικμνορτυχζ", "abekmhopctyxijsqwh" + "abehikmnoptyxz")
IZE = re.compile(r"(?<=[a-z]{2})([iy])z")
RULE = "Name-shared"


def fold(name: str) -> str:
    """Reduce a name to what distinguishes it: letters and digits, in one case and one spelling."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(LOOK_ALIKES)
    # The spelling before the rest, since its rules look at the ends of words.
    joined = "".join(each for each in variants.fold(plain) if each.isalnum())
    # For names without separators, as in OrganizationOfStates. A code is not a word: US is not UZ.
    return IZE.sub(r"\1s", joined)


def shared(dataset: Dataset) -> Iterator[Fault]:
    """
    Find entities with a name that another entity of their kind has: as a label, other label or short name.

    Each is reported once, at the name that is written after that of the first entity.
    """
    families = _families(dataset)
    bearers: dict[tuple[str, str], tuple[NamedNode, Quad, str]] = {}
    told: set[tuple[NamedNode, NamedNode]] = set()
    for entity, quad, kind, name in _names(dataset, families):
        key = (families[entity], fold(name))
        first, first_quad, first_kind = bearers.setdefault(key, (entity, quad, kind))
        if first != entity and key[1] and (entity, first) not in told:
            told.add((entity, first))
            family = families[entity]
            message = (
                f"A name must stand for one {family}, or answers by that name would be split between two. Merge the "
                "two, or give each a name that the other does not have."
            )
            seen = f'{kind} "{name}" of {curie(entity.value)}, also {first_kind} of {curie(first.value)}'
            yield Fault(quad, RULE, message, seen, warns=True, other=first_quad)


def _families(dataset: Dataset) -> dict[NamedNode, str]:
    return {
        quad.subject: FAMILY_OF[quad.object]
        for quad in dataset.origins
        if quad.graph_name in {ENTITIES, SCHEMA_GRAPHS[2]}
        and quad.predicate == ns.RDF("type")
        and isinstance(quad.subject, NamedNode)
        and isinstance(quad.object, NamedNode)
        and quad.object in FAMILY_OF
    }


def _names(dataset: Dataset, families: dict[NamedNode, str]) -> Iterator[tuple[NamedNode, Quad, str, str]]:
    """Yield names with their statements, as they are written; for a short name the statement is that of the class."""
    for quad in dataset.origins:
        subject = quad.subject
        if subject not in families or not isinstance(subject, NamedNode):
            continue
        if quad.predicate == ns.RDF("type") and quad.graph_name == ENTITIES:
            yield subject, quad, "short name", ns.local_name(subject.value)
        elif quad.predicate in NAMING and isinstance(quad.object, Literal):
            yield subject, quad, NAMING[quad.predicate], quad.object.value
