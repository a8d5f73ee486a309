"""
Read the shapes of `ontology/shapes/` into what can be compiled to queries.

Only the constructs that the shapes use are read, each in one unambiguous form. A shape with anything else, such as
another construct or a pattern that engines interpret differently, is listed in `others` and checked by pySHACL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as File
from typing import TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.paths import root
from eurasia_graph.turtle.reader import read

Term: TypeAlias = NamedNode | BlankNode | Literal
Argument: TypeAlias = "str | int | NamedNode | Literal | tuple[NamedNode, ...] | tuple[str, ...]"

# A shape so marked sees all sources; every other is checked within each source.
CROSSES = ns.SHAPE("crossesSources")
TARGETS = ("targetClass", "targetNode", "targetSubjectsOf")
# Datatypes whose values all engines validate alike; of other datatypes only the IRI is compared.
DATATYPES = {ns.XSD + name for name in ("string", "boolean", "integer", "decimal", "date")}
DATATYPES |= {ns.RDF + "langString", ns.EDTF + "EDTF"}
# Properties that do not affect conformance.
REMARKS = {
    ns.RDF + "type",
    ns.RDFS + "comment",
    ns.RDFS + "label",
    ns.DCTERMS + "identifier",
    ns.EG + "differenceKind",
    CROSSES.value,
}
# pySHACL rejects these keywords in a constraint, with a message.
REFUSED = re.compile(r"\b(?:MINUS|VALUES|SERVICE)\b", re.IGNORECASE)
# Variables with a meaning of their own.
SPECIAL = re.compile(r"[$?](?:currentShape|shapesGraph|PATH|failure)\b")
# What stands for the shapes without a name.
ANONYMOUS = ns.SHAPE("anonymous")
PROJECTS_THIS = re.compile(r"\s*SELECT\s+(?:DISTINCT\s+)?[$?]this\b", re.IGNORECASE)


class UnknownConstructError(EurasiaGraphError):
    """A shape has a construct that is not compiled."""


@dataclass(frozen=True, slots=True)
class Path:
    """A property, followed from subject to object or back."""

    predicate: NamedNode
    inverse: bool = False

    def pattern(self, value: str) -> str:
        """Write the triple pattern that leads from `?this` to a value."""
        return f"{value} {self.predicate} ?this" if self.inverse else f"?this {self.predicate} {value}"


@dataclass(frozen=True, slots=True)
class Test:
    """A constraint on single values: the name of the SHACL parameter and its argument."""

    name: str
    argument: Argument


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A disjunction of constraints on single values: sh:or."""

    alternatives: tuple[tuple[Test, ...], ...]


@dataclass(frozen=True, slots=True)
class PropertyShape:
    """Constraints on the values of one path, on each value (`tests`) and on their number and relations."""

    iri: NamedNode
    path: Path
    severity: str
    message: str
    tests: tuple[Test | AnyOf, ...]
    at_least: int | None = None
    at_most: int | None = None
    unique_language: bool = False
    less_than: NamedNode | None = None
    qualified: tuple[int, tuple[Test, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a shape: the SHACL parameter with its IRI, or `select` with a query for `?this`."""

    kind: str
    argument: str


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A shape with its targets; `allowed` are the properties of a closed one, `queries` texts with their messages."""

    iri: NamedNode
    severity: str
    targets: tuple[Target, ...]
    properties: tuple[PropertyShape, ...]
    message: str
    allowed: frozenset[str] | None
    queries: tuple[tuple[str, str], ...]
    difference: str | None
    crosses: bool


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes: the compiled ones, those left to pySHACL with the reason, and the prefixes of queries."""

    known: tuple[NodeShape, ...]
    others: dict[NamedNode, str]
    prefixes: dict[str, str]


def folder() -> File:
    """Return the folder of the shapes."""
    return root() / "ontology" / "shapes"


def read_shapes(place: File) -> Shapes:
    """
    Read all shapes of a folder; again only when a file of it has changed.

    Args:
        place: A folder of Turtle files, like that which `folder` names.
    """
    return _read(state_of(place))


def state_of(place: File) -> tuple[tuple[File, int, int], ...]:
    """Return the files of a folder, each with the time of its last change and its size."""
    paths = sorted(place.glob("*.ttl"))
    return tuple((path, state.st_mtime_ns, state.st_size) for path in paths for state in [path.stat()])


@lru_cache(maxsize=2)
def _read(files: tuple[tuple[File, int, int], ...]) -> Shapes:
    store = Store()
    for path, _, _ in files:
        store.extend(ns.quad(triple) for triple in read(path)[1])
    return _Reader(store).shapes()


class _Reader:
    """Reads shapes out of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def shapes(self) -> Shapes:
        """Read all shapes that have a target."""
        store, known, others = self._store, [], {}
        kinds = [ns.SH(name) for name in (*TARGETS, "targetObjectsOf", "target")]
        found = {quad.subject for kind in kinds for quad in store.quads_for_pattern(None, kind, None, None)}
        found |= {quad.subject for quad in store.quads_for_pattern(None, ns.RDF("type"), ns.SH("NodeShape"), None)}
        components = any(store.quads_for_pattern(None, ns.SH("parameter"), None, None))
        named = sorted((each for each in found if isinstance(each, NamedNode)), key=lambda each: each.value)
        targeted = {quad.subject for kind in kinds for quad in store.quads_for_pattern(None, kind, None, None)}
        if any(isinstance(each, BlankNode) for each in targeted):
            others[ANONYMOUS] = "a shape without a name"
        for shape in named:
            if components:
                others[shape] = "a custom constraint component"
                continue
            try:
                read = self._node_shape(shape)
            except UnknownConstructError as error:
                others[shape] = str(error)
            else:
                known += [read] if read.targets else []
        return Shapes(tuple(known), others, self._prefixes())

    def _prefixes(self) -> dict[str, str]:
        declared = {
            self._text(quad.object, "prefix"): self._text(quad.object, "namespace")
            for quad in self._store.quads_for_pattern(None, ns.SH("declare"), None, None)
        }
        return {"rdf": ns.RDF, "rdfs": ns.RDFS, "owl": ns.OWL, **declared}

    # --- one shape -------------------------------------------------------------------------

    def _node_shape(self, shape: NamedNode) -> NodeShape:
        own = {"property", "sparql", "severity", "message", "closed", "ignoredProperties", "target", *TARGETS}
        types = [quad.object for quad in self._store.quads_for_pattern(shape, ns.RDF("type"), None, None)]
        if types != [ns.SH("NodeShape")]:
            raise UnknownConstructError("a shape that is not only an sh:NodeShape")
        off = self._one(shape, "deactivated")
        has_target = any(self._all(shape, kind) for kind in (*TARGETS, "target", "targetObjectsOf"))
        if not has_target or (off is not None and _text(off) == "true"):
            # Others may refer to it, and read of it what they need.
            return NodeShape(shape, "", (), (), "", None, (), None, crosses=False)
        self._refuse_others(shape, {*own, "deactivated"})
        targets = [Target(kind, _iri(each).value) for kind in TARGETS for each in self._all(shape, kind)]
        targets += [Target("select", self._select(each)) for each in self._all(shape, "target")]
        properties = tuple(self._property_shape(each, shape) for each in self._all(shape, "property"))
        closed = self._one(shape, "closed")
        allowed = None
        if closed is not None and _text(closed) == "true":
            ignored = {_iri(each).value for each in self._items(self._one(shape, "ignoredProperties"))}
            allowed = frozenset(ignored | {each.path.predicate.value for each in properties if not each.path.inverse})
        difference = next(self._store.quads_for_pattern(shape, ns.EG("differenceKind"), None, None), None)
        return NodeShape(
            iri=shape,
            severity=self._severity(shape),
            targets=tuple(sorted(targets, key=lambda each: (each.kind, each.argument))),
            properties=properties,
            message="" if allowed is None else self._message(shape),
            allowed=allowed,
            queries=tuple(self._query(each) for each in self._all(shape, "sparql")),
            difference=None if difference is None else ns.value(difference.object),
            crosses=any(self._store.quads_for_pattern(shape, CROSSES, Literal(True), None)),
        )

    def _query(self, constraint: Term) -> tuple[str, str]:
        self._refuse_others(constraint, {"select", "message", "prefixes"})
        text = self._select(constraint)
        if REFUSED.search(text) or SPECIAL.search(text) or not PROJECTS_THIS.match(text):
            raise UnknownConstructError("a query with MINUS, VALUES or SERVICE, or one that does not begin with $this")
        return text, self._message(constraint)

    def _select(self, term: Term) -> str:
        self._refuse_others(term, {"select", "message", "prefixes"})
        return self._text(term, "select")

    def _property_shape(self, shape: Term, owner: NamedNode) -> PropertyShape:
        """Read a property shape; one without a name goes by that of its owner."""
        together = {"minCount", "maxCount", "uniqueLang", "lessThan", "qualifiedValueShape", "qualifiedMinCount"}
        self._refuse_others(shape, {"path", "severity", "message", "or", *TESTS, *together})
        tests: list[Test | AnyOf] = list(self._tests(shape))
        tests += [AnyOf(tuple(map(self._alternative, self._items(each)))) for each in self._all(shape, "or")]
        numbers = {name: self._number(shape, name) for name in ("minCount", "maxCount", "qualifiedMinCount")}
        unique = self._one(shape, "uniqueLang")
        less_than, value_shape = self._one(shape, "lessThan"), self._one(shape, "qualifiedValueShape")
        if (value_shape is None) != (numbers["qualifiedMinCount"] is None):
            raise UnknownConstructError("sh:qualifiedValueShape without sh:qualifiedMinCount")
        qualified = None if value_shape is None else (numbers["qualifiedMinCount"] or 0, self._alternative(value_shape))
        return PropertyShape(
            iri=shape if isinstance(shape, NamedNode) else owner,
            path=self._path(self._one(shape, "path")),
            severity=self._severity(shape),
            message=self._message(shape),
            tests=tuple(tests),
            at_least=numbers["minCount"],
            at_most=numbers["maxCount"],
            unique_language=unique is not None and _text(unique) == "true",
            less_than=None if less_than is None else _iri(less_than),
            qualified=qualified,
        )

    def _path(self, path: Term | None) -> Path:
        if isinstance(path, NamedNode):
            return Path(path)
        inverse = self._one(path, "inversePath") if path is not None else None
        if not isinstance(inverse, NamedNode):
            raise UnknownConstructError("a path of more than one step")
        return Path(inverse, inverse=True)

    def _alternative(self, shape: Term) -> tuple[Test, ...]:
        """Read a shape that constrains single values."""
        self._refuse_others(shape, {*TESTS, "message"})
        found = tuple(self._tests(shape))
        if not found:
            raise UnknownConstructError("a shape of values without constraints")
        return found

    def _tests(self, shape: Term) -> Iterator[Test]:
        for name, understood in TESTS.items():
            for argument in self._all(shape, name):
                items = self._items(argument) if name in {"in", "languageIn"} else [argument]
                yield Test(name, understood(items))

    # --- terms -----------------------------------------------------------------------------

    def _refuse_others(self, shape: Term, own: set[str]) -> None:
        """Reject unknown properties of any vocabulary: a custom constraint may have its own."""
        assert not isinstance(shape, Literal)
        for quad in self._store.quads_for_pattern(shape, None, None, None):
            name = quad.predicate.value
            if name not in REMARKS and name.removeprefix(ns.SH) not in own:
                raise UnknownConstructError(ns.shorten(name))

    def _all(self, shape: Term | None, name: str) -> list[Term]:
        if shape is None or isinstance(shape, Literal):
            return []
        found = [quad.object for quad in self._store.quads_for_pattern(shape, ns.SH(name), None, None)]
        terms = [each for each in found if isinstance(each, NamedNode | BlankNode | Literal)]
        return sorted(terms, key=ns.value)

    def _one(self, shape: Term | None, name: str) -> Term | None:
        found = self._all(shape, name)
        if len(found) > 1:
            raise UnknownConstructError(f"several of sh:{name}")
        return found[0] if found else None

    def _text(self, shape: Term | Literal | object, name: str) -> str:
        assert isinstance(shape, NamedNode | BlankNode)
        found = self._one(shape, name)
        if not isinstance(found, Literal):
            raise UnknownConstructError(f"no sh:{name}")
        return found.value

    def _number(self, shape: Term, name: str) -> int | None:
        found = self._one(shape, name)
        return None if found is None else _whole([found])

    def _severity(self, shape: Term) -> str:
        found = self._one(shape, "severity")
        return "Violation" if found is None else ns.local_name(_text(found))

    def _message(self, shape: Term) -> str:
        text = self._text(shape, "message")
        if "{?" in text or "{$" in text:
            raise UnknownConstructError("a message with variables")
        return text

    def _items(self, head: Term | None) -> list[Term]:
        """List the members of an RDF list."""
        found: list[Term] = []
        while isinstance(head, BlankNode):
            steps = {
                name: next(self._store.quads_for_pattern(head, ns.RDF(name), None, None)).object
                for name in ("first", "rest")
            }
            first, rest = steps["first"], steps["rest"]
            assert isinstance(first, NamedNode | BlankNode | Literal)
            assert isinstance(rest, NamedNode | BlankNode | Literal)
            found.append(first)
            head = rest
        return found


# --- arguments -----------------------------------------------------------------------------


def _text(term: Term) -> str:
    return term.value


def _iri(term: Term) -> NamedNode:
    if not isinstance(term, NamedNode):
        raise UnknownConstructError("a value that is not an IRI where one is needed")
    return term


def _class(items: list[Term]) -> Argument:
    return _iri(items[0])


def _datatype(items: list[Term]) -> Argument:
    if _iri(items[0]).value not in DATATYPES:
        raise UnknownConstructError(f"sh:datatype {ns.shorten(_text(items[0]))}")
    return _iri(items[0])


def _iris(items: list[Term]) -> Argument:
    return tuple(_iri(each) for each in items)


def _languages(items: list[Term]) -> Argument:
    found = tuple(_text(each).lower() for each in items)
    if not all(each.isalpha() for each in found):
        raise UnknownConstructError("sh:languageIn with anything but languages")
    return found


def _whole(items: list[Term]) -> int:
    term = items[0]
    if not isinstance(term, Literal) or term.datatype.value != ns.XSD + "integer" or not term.value.isdigit():
        raise UnknownConstructError("a count that is not a whole number")
    return int(term.value)


def _positive(items: list[Term]) -> Argument:
    if not (found := _whole(items)):
        raise UnknownConstructError("a length of 0")
    return found


def _node_kind(items: list[Term]) -> Argument:
    return ns.local_name(_iri(items[0]).value)


def _pattern(items: list[Term]) -> Argument:
    """Read a regular expression that Python and the engine interpret alike."""
    text = _text(items[0])
    plain = re.sub(r"\\[^A-Za-z0-9]", "_", text)
    if "\\" in plain or "$" in plain[:-1] or re.search(r"\(\?|\[\[|\[\^?\]|&&|--|~~", plain):
        raise UnknownConstructError("a pattern that engines may interpret differently")
    return text


TESTS: dict[str, Callable[[list[Term]], Argument]] = {
    "class": _class,
    "datatype": _datatype,
    "in": _iris,
    "languageIn": _languages,
    "maxLength": _whole,
    "minInclusive": _whole,
    "minLength": _positive,
    "nodeKind": _node_kind,
    "pattern": _pattern,
}
