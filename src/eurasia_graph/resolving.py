"""
What the values of parameters stand for: entities, concepts and kinds by any of their names.

A name that stands for nothing is answered with the nearest, one that stands for several things with the choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from pyoxigraph import NamedNode, RdfFormat, parse

from eurasia_graph import namespaces as ns
from eurasia_graph import variants
from eurasia_graph.errors import AmbiguousNameError, Choice, UnknownNameError
from eurasia_graph.paths import root
from eurasia_graph.store import ReleaseStore, kebab

EVENT_KIND = "eg:EventKind"
# Types of which the ontology and its schemes list all values, whatever the data are.
CLOSED = ("eg:AssessmentKind", "eg:DifferenceKind", "eg:Direction", EVENT_KIND, "eg:Modality")
# Names that stand for a kind of entity or a scheme before a colon.
PREFIXED = re.compile(r"([\w-]+):(?!//)(.+)", re.DOTALL)
# How alike a name must be to be offered, of 100, and how many are.
LEAST_LIKENESS = 62
MOST_OFFERED = 5


def resolve(store: ReleaseStore, kinds: str, value: str) -> NamedNode:
    """
    Find the entity that a full IRI, a prefixed name, a short name or a label stands for, whatever the case.

    Args:
        store: The release.
        kinds: The class of the entity, such as `eg:Body`; of several, such as `eg:Topic|eg:Entity`, the first that
            has the name.
        value: Such as `csto`, `body:CSTO`, `Kazakhstan` or `https://w3id.org/…/id/state/KZ`.
    Raises:
        UnknownNameError: If nothing of the class bears the name; lists the nearest names.
        AmbiguousNameError: If several do; lists them.
    """
    wanted = _written_out(value)
    classes = [ns.EG + kind.removeprefix("eg:") for kind in kinds.split("|")]
    for kind in classes:
        # An IRI beats a short name, and a short name a label; what is spelt as asked beats the other spelling.
        for found in _meant(store, kind, wanted):
            if len(found) == 1:
                return NamedNode(found[0])
            if found:
                raise AmbiguousNameError(value, [_choice(store, iri) for iri in found])
    named = store.entities.get(classes[-1], [])
    noun = _noun(kinds.rsplit("|", maxsplit=1)[-1])
    allowed = closed_values(kinds)
    if allowed:
        raise UnknownNameError(noun, value, allowed, is_closed=True)
    short_names = {_short(iri) for iri, _ in named}
    if kinds == "eg:Source":
        # The sources of a graph are few, and who mistypes one wants to see them.
        raise UnknownNameError(noun, value, sorted(short_names), is_closed=True)
    labels = {name.lower() for _, name in named} - short_names
    raise UnknownNameError(noun, value, [*sorted(short_names), *sorted(labels)])


def nearest_names(store: ReleaseStore, text: str) -> list[Choice]:
    """Find the things whose names look most like a text, best first, each with the name to type."""
    from rapidfuzz import fuzz, process

    names: dict[str, tuple[str, str]] = {}
    for iri, name in store.entities.get(f"{ns.EG}Entity", []):
        names.setdefault(variants.searched(name), (iri, name))
        names.setdefault(variants.searched(ns.local_name(iri)), (iri, ns.local_name(iri)))
    wanted = variants.searched(text)
    if not wanted:
        return []
    close = process.extract(
        wanted, list(names), scorer=fuzz.WRatio, limit=4 * MOST_OFFERED, score_cutoff=LEAST_LIKENESS
    )
    # Of two that are as alike as each other the one of the same length comes first.
    close.sort(key=lambda each: (-each[1], abs(len(each[0]) - len(wanted)), each[0]))
    found: dict[str, Choice] = {}
    for folded, _, _ in close:
        iri, name = names[folded]
        found.setdefault(iri, Choice(name, store.labels.get(iri, name), _kind(iri)))
    return list(found.values())[:MOST_OFFERED]


@cache
def closed_values(kind: str) -> tuple[str, ...]:
    """List the short names of all values of a closed type, from the ontology that is shipped; none of an open one."""
    if kind not in CLOSED:
        return ()
    ontology = root() / "ontology"
    if kind == EVENT_KIND:
        above: dict[str, set[str]] = {}
        for quad in parse(path=ontology / "eurasia.ttl", format=RdfFormat.TURTLE):
            if quad.predicate == ns.RDFS("subClassOf"):
                above.setdefault(ns.value(quad.subject), set()).add(ns.value(quad.object))
        return tuple(sorted(kebab(ns.local_name(each)) for each in above if _reaches(above, each, f"{ns.EG}Event")))
    wanted = ns.EG(kind.removeprefix("eg:"))
    return tuple(
        sorted(
            ns.local_name(ns.value(quad.subject))
            for path in (ontology / "schemes").glob("*.ttl")
            for quad in parse(path=path, format=RdfFormat.TURTLE)
            if quad.predicate == ns.RDF("type") and quad.object == wanted
        )
    )


def _reaches(above: Mapping[str, set[str]], begin: str, end: str) -> bool:
    return end in above.get(begin, ()) or any(_reaches(above, each, end) for each in above.get(begin, ()))


def _written_out(value: str) -> str:
    """Write a value so that it can be looked up: a prefixed name as its IRI, all in small letters."""
    wanted = value.strip().strip("<>").strip()
    match = PREFIXED.fullmatch(wanted)
    if match:
        prefix, local = match.group(1).casefold(), match.group(2)
        if prefix in ns.PREFIXES:
            return (ns.PREFIXES[prefix] + local).casefold()
        scheme = ns.SCHEME + prefix
        if (root() / "ontology" / "schemes" / f"{prefix}.ttl").is_file():
            return f"{scheme}/{local}".casefold()
    return wanted.casefold()


def _meant(store: ReleaseStore, kind_iri: str, wanted: str) -> Iterator[list[str]]:
    """Look a name up, exactly first; sorted IRIs, which are none where nothing bears it."""
    for meanings in store.meanings.get(kind_iri, ()):
        yield sorted(meanings.get(wanted, ()))
    for meanings in store.spellings.get(kind_iri, ()):
        yield sorted(meanings.get(variants.fold(wanted), ()))


def _choice(store: ReleaseStore, iri: str) -> Choice:
    return Choice(f"{_kind(iri)}:{ns.local_name(iri)}", store.labels.get(iri, ns.local_name(iri)), _kind(iri))


def _kind(iri: str) -> str:
    """Return what stands before the name in an IRI: `concept`, or `topic` of a scheme."""
    for base in (ns.ID, ns.SCHEME):
        if iri.startswith(base):
            return iri[len(base) :].partition("/")[0]
    return "eg" if iri.startswith(ns.EG) else ""


def _short(iri: str) -> str:
    name = ns.local_name(iri)
    return kebab(name) if iri.startswith(ns.EG) else name.lower()


def _noun(kind: str) -> str:
    """Turn `eg:DifferenceKind` into `difference kind`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removeprefix("eg:")).lower()
