"""
The effects of the closure rules on single statements, found once and then applied to all statements.

Except for the rule for transitive properties, a closure rule reads one statement about instances at a time, plus the
ontology. So the rules are run on a sample for each property and each class of the ontology, and the result gives the
effect on any other statement: one pass over the lines of a graph replaces a join for each rule.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.build.rule_order import TYPE, Pattern, Rule

SAMPLE = "urn:sample:"
TEXT = "sample"
X, Y = b"?x", b"?y"
RDF_TYPE = f"<{TYPE}>".encode()

# A statement that follows: subject, predicate, object; `?x` and `?y` stand for those of the statement it follows from.
Effect = tuple[bytes, bytes, bytes]


@dataclass
class Effects:
    """
    What follows from one statement, by its predicate or its class, for literals and for other values.

    `of_subjects` and `of_objects` follow from one term only, whatever the other is.
    """

    pairs: dict[tuple[bytes, bool], list[Effect]] = field(default_factory=lambda: defaultdict(list))
    of_subjects: dict[tuple[bytes, bool], list[Effect]] = field(default_factory=lambda: defaultdict(list))
    of_objects: dict[tuple[bytes, bool], list[Effect]] = field(default_factory=lambda: defaultdict(list))
    of_members: dict[bytes, list[Effect]] = field(default_factory=lambda: defaultdict(list))

    def write(self) -> bytes:
        """Serialise the effects for `read`."""
        tables = [
            [
                [*map(_text, key if isinstance(key, tuple) else (key,)), [[*map(_text, each)] for each in effects]]
                for key, effects in sorted(table.items())
            ]
            for table in (self.pairs, self.of_subjects, self.of_objects, self.of_members)
        ]
        return json.dumps(tables).encode()

    @classmethod
    def read(cls, raw: bytes) -> Effects:
        """Parse the output of `write`."""
        found = cls()
        *by_kind, members = json.loads(raw)
        for table, rows in zip((found.pairs, found.of_subjects, found.of_objects), by_kind, strict=True):
            for term, is_text, effects in rows:
                table[term.encode(), is_text] = [_effect(each) for each in effects]
        for term, effects in members:
            found.of_members[term.encode()] = [_effect(each) for each in effects]
        return found

    def apply(self, lines: Iterable[bytes]) -> set[bytes]:
        """Return what follows from statements, all as lines of N-Triples."""
        members: dict[bytes, set[bytes]] = defaultdict(set)
        subjects: dict[tuple[bytes, bool], set[bytes]] = defaultdict(set)
        objects: dict[tuple[bytes, bool], set[bytes]] = defaultdict(set)
        made: set[bytes] = set()
        for line in lines:
            subject, predicate, rest = line.split(b" ", 2)
            if predicate == RDF_TYPE:
                members[rest[:-3]].add(subject)
            key = (predicate, rest.startswith(b'"'))
            if key in self.of_subjects:
                subjects[key].add(subject)
            if key in self.of_objects:
                objects[key].add(rest[:-3])
            for effect in self.pairs.get(key, ()):
                made.add(_line(effect, subject, rest[:-3]))
        for class_, found in members.items():
            made.update(_line(effect, each, b"") for effect in self.of_members.get(class_, ()) for each in found)
        for key, found in subjects.items():
            made.update(_line(effect, each, b"") for effect in self.of_subjects[key] for each in found)
        for key, found in objects.items():
            made.update(_line(effect, b"", each) for effect in self.of_objects[key] for each in found)
        return made


def _line(effect: Effect, x: bytes, y: bytes) -> bytes:
    subject, predicate, obj = effect
    subject = x if subject == X else y if subject == Y else subject
    obj = x if obj == X else y if obj == Y else obj
    return b"%b %b %b .\n" % (subject, predicate, obj)


def _text(term: bytes | bool) -> str | bool:
    return term.decode() if isinstance(term, bytes) else term


def _effect(terms: list[str]) -> Effect:
    subject, predicate, obj = (each.encode() for each in terms)
    return subject, predicate, obj


def instances_of(rule: Rule) -> list[Pattern]:
    """List the patterns of a rule that any statement can match: those without a fixed predicate or class."""
    found = []
    for pattern in rule.patterns:
        _, predicates, obj = pattern
        if any(each.startswith("?") or (each == TYPE and obj.startswith("?")) for each in predicates):
            found.append(pattern)
    return found


def schema_terms(rules: Iterable[Rule]) -> set[bytes]:
    """Return the schema terms that the rules read, in N-Triples: predicates, and classes of properties."""
    found = set()
    for rule in rules:
        for _, predicates, obj in rule.patterns:
            found |= {each for each in predicates if not each.startswith("?") and each != TYPE}
            if TYPE in predicates and not obj.startswith("?"):
                found.add(obj)
    return {f"<{each}>".encode() for each in found}


def speaks_of_schema(line: bytes, terms: set[bytes]) -> bool:
    """Return whether the rules read a statement as part of the ontology."""
    _, predicate, rest = line.split(b" ", 2)
    return predicate in terms or (predicate == RDF_TYPE and rest[:-3] in terms)


def find(rules: Iterable[Rule], schema: Iterable[bytes]) -> Effects:
    """
    Find the effects of rules by running them on samples.

    Args:
        rules: Each with one pattern of instances.
        schema: The closed statements of the ontology that these rules read, as lines of N-Triples.
    """
    lines = sorted(schema)
    store = Store()
    store.bulk_load(b"".join(lines), format=RdfFormat.N_TRIPLES)
    terms = {term for quad in store for term in (quad.subject, quad.object) if isinstance(term, NamedNode)}
    named = dict(enumerate(sorted(terms, key=lambda term: term.value)))
    for number, term in named.items():
        one, other, texts, member = (NamedNode(f"{SAMPLE}{kind}:{number}") for kind in "xytm")
        store.extend([Quad(one, term, other), Quad(texts, term, Literal(TEXT)), Quad(member, ns.RDF("type"), term)])
    given, before = set(store), -1
    while before != len(store):
        before = len(store)
        for rule in rules:
            store.update(f"{rule.prologue}INSERT {rule.template} {rule.where}")
    found = Effects()
    for quad in sorted(set(store) - given, key=str):
        _sort_in(found, quad, named)
    return found


def _samples(quad: Quad) -> Iterator[tuple[str, int]]:
    for term in (quad.subject, quad.object):
        if isinstance(term, NamedNode) and term.value.startswith(SAMPLE):
            kind, number = term.value.removeprefix(SAMPLE).split(":")
            yield kind, int(number)


def _sort_in(found: Effects, quad: Quad, named: dict[int, NamedNode]) -> None:
    samples = list(_samples(quad))
    if not samples:
        return
    kinds = {kind for kind, _ in samples}
    key = str(named[samples[0][1]]).encode()
    effect = (_term(quad.subject), str(quad.predicate).encode(), _term(quad.object))
    if "m" in kinds:
        found.of_members[key].append(effect)
        return
    is_text = "t" in kinds
    used = {term for term in effect if term in {X, Y}}
    if used == {X}:
        found.of_subjects[key, is_text].append(effect)
    elif used == {Y}:
        found.of_objects[key, is_text].append(effect)
    else:
        found.pairs[key, is_text].append(effect)


def _term(term: object) -> bytes:
    if isinstance(term, NamedNode) and term.value.startswith(SAMPLE):
        return Y if term.value.startswith(f"{SAMPLE}y:") else X
    if isinstance(term, Literal) and term.value == TEXT:
        return Y
    return str(term).encode()
