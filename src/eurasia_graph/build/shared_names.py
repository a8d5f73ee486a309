"""
Entities that bear one name: a query that is asked by the name would find one of them and miss the other.

Two names are one if they differ in nothing but capitals, blanks, hyphens and other signs, in the spelling
-ise and -ize, or in letters of another script that look the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph import namespaces as ns
from eurasia_graph.build.record import Fault
from eurasia_graph.build.sources import Dataset
from eurasia_graph.build.vocabulary import curie
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS

NAMING = {ns.SKOS("prefLabel"): "label", ns.SKOS("altLabel"): "other label", ns.SKOS("hiddenLabel"): "other label"}
# A treaty and the circle of its parties, or a place and a notion, may well share a name; two bodies may not.
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
IZE = re.compile(r"iz(?=ation|e|ing)")
# Letters that a reader cannot tell from Latin ones, as small or as capital letters: Cyrillic, then Greek.
LOOK_ALIKES = str.maketrans("авекмнорстухіјѕԛԝһ" + "αβεηικμνορτυχζ", "abekmhopctyxijsqwh" + "abehikmnoptyxz")
RULE = "Name-shared"


def fold(name: str) -> str:
    """Reduce a name to what tells it from others: letters and digits, in one case and one spelling."""
    plain = "".join(each for each in unicodedata.normalize("NFKC", name).casefold() if each.isalnum())
    return IZE.sub("is", plain.translate(LOOK_ALIKES))


def shared(dataset: Dataset) -> Iterator[Fault]:
    """
    Find entities that bear a name which another of their kind bears: label, other label or short name.

    Each is found once, where it is written after the one that bore the name first.
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
                f"One name stands for one {family}, for answers by that name would be split between two. Make them "
                "one, or give each a name that the other has not."
            )
            seen = f'{kind} "{name}" of {curie(entity.value)}, {first_kind} of {curie(first.value)} as well'
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
    """List names with their statements, in the order in which they are written; a class stands for the short name."""
    for quad in dataset.origins:
        subject = quad.subject
        if subject not in families or not isinstance(subject, NamedNode):
            continue
        if quad.predicate == ns.RDF("type") and quad.graph_name == ENTITIES:
            yield subject, quad, "short name", ns.local_name(subject.value)
        elif quad.predicate in NAMING and isinstance(quad.object, Literal):
            yield subject, quad, NAMING[quad.predicate], quad.object.value
