"""
Compile the constraints of a shape to queries, one for each.

A query finds what violates a constraint or, if that is faster, what satisfies it. Constraints on single values are
tested once for each value, however many subjects have it: `FILTER(!COALESCE(test, false))`, so that a value that
cannot be evaluated violates the constraint, as in SHACL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from pyoxigraph import Literal, NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph.build.results import Node
from eurasia_graph.build.shapes import AnyOf, Argument, NodeShape, PropertyShape, Target, Test

NODE_KINDS = {
    "IRI": "isIRI(?value)",
    "Literal": "isLITERAL(?value)",
    "BlankNode": "isBLANK(?value)",
    "BlankNodeOrIRI": "!isLITERAL(?value)",
    "BlankNodeOrLiteral": "!isIRI(?value)",
    "IRIOrLiteral": "!isBLANK(?value)",
}
# The lexical forms of XML Schema types. The engine's casts would reject numbers that are too long for it.
FORMS = {
    ns.XSD + "integer": r'REGEX(STR(?value), "^[+-]?[0-9]+$")',
    ns.XSD + "decimal": r'REGEX(STR(?value), "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$")',
    ns.XSD + "boolean": 'STR(?value) IN ("true", "false", "1", "0")',
    ns.XSD + "date": f"isLITERAL(<{ns.XSD}date>(STR(?value)))",
}
# Keywords with which one run for all nodes differs from a run for each node.
TOGETHER = re.compile(r"\b(?:GROUP|HAVING|LIMIT|OFFSET|SELECT|COUNT|SUM|MIN|MAX|AVG|SAMPLE)\b", re.IGNORECASE)
NOT_CODE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|<[^<>\s]*>|#[^\n]*")
THIS = re.compile(r"[$?]this\b")

Below = Callable[[NamedNode], "set[NamedNode]"]


class Found(Enum):
    """The meaning of the rows of a query."""

    VALUES = "values that no node may have"
    NODES = "nodes that violate the constraint"
    KEEPING = "nodes that satisfy it, so that all others violate it"
    PAIRS = "nodes and the value that violates it"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A constraint as a query, with the meaning of its rows."""

    text: str
    found: Found


def compile_property(shape: PropertyShape, below: Below) -> Iterator[Compiled]:
    """
    Compile the constraints of a property shape.

    Args:
        shape: The property shape.
        below: Returns a class with all its subclasses.
    """
    values = shape.path.pattern("?value")
    for test in shape.tests:
        wrong = f"FILTER(!COALESCE({_asked(test, below)}, false))"
        yield Compiled(
            f"SELECT ?value WHERE {{ {{ SELECT DISTINCT ?value WHERE {{ {values} }} }} {wrong} }}", Found.VALUES
        )
    if shape.at_least:
        yield Compiled(_counted(values, ">=", shape.at_least), Found.KEEPING)
    if shape.at_most is not None:
        yield Compiled(_counted(values, ">", shape.at_most), Found.NODES)
    if shape.unique_language:
        language = 'BIND(LCASE(LANG(?value)) AS ?language) FILTER(?language != "")'
        grouped = "GROUP BY ?this ?language HAVING(COUNT(DISTINCT ?value) > 1)"
        yield Compiled(f"SELECT DISTINCT ?this WHERE {{ {values} {language} }} {grouped}", Found.NODES)
    if shape.less_than is not None:
        # Two values that cannot be compared violate it as well, such as a number and a string.
        ways = (
            "?value < ?other",
            f"isNUMERIC(?value) && {_beyond('?other')}",
            f"{_beyond('?value', '-')} && isNUMERIC(?other)",
        )
        less = " || ".join(f"COALESCE({each}, false)" for each in ways)
        pair = f"{values} . ?this {shape.less_than} ?other FILTER(!({less}))"
        yield Compiled(f"SELECT DISTINCT ?this ?value WHERE {{ {pair} }}", Found.PAIRS)
    if shape.qualified and shape.qualified[0]:
        number, tests = shape.qualified
        fitting = f"{values} FILTER(COALESCE({_all_of(tests, below)}, false))"
        yield Compiled(_counted(fitting, ">=", number), Found.KEEPING)


def compile_closed(shape: NodeShape, target: Target, nodes: set[Node], below: Below) -> str:
    """
    Compile a closed shape to a query for `?this`, `?path` and `?value` of properties that it does not allow.

    Args:
        shape: A shape with the properties that it allows.
        target: One of its targets.
        nodes: What the target is; where a query finds it, the nodes are listed, or the engine looks at all there are.
        below: Gives a class with all classes below it.
    """
    listed = target.kind == "select" and all(isinstance(each, NamedNode) for each in nodes)
    whose = f"VALUES ?this {{ {_listed(nodes, ' ')} }}" if listed else _pattern_of(target, below)
    allowed = f"VALUES ?path {{ {' '.join(f'<{iri}>' for iri in sorted(shape.allowed or ()))} }}"
    return f"SELECT DISTINCT ?this ?path ?value WHERE {{ {whose} ?this ?path ?value MINUS {{ {allowed} }} }}"


def compile_target(target: Target, below: Below) -> str:
    """Compile a target to a query for `?this`."""
    if target.kind == "select":
        return target.argument
    return f"SELECT DISTINCT ?this WHERE {{ {_pattern_of(target, below)} }}"


def _pattern_of(target: Target, below: Below) -> str:
    if target.kind == "select":
        return f"{{ {target.argument} }}"
    if target.kind == "targetSubjectsOf":
        return f"?this <{target.argument}> ?anything ."
    if target.kind == "targetNode":
        return f"VALUES ?this {{ <{target.argument}> }}"
    return f"VALUES ?class {{ {_listed(below(NamedNode(target.argument)), ' ')} }} ?this a ?class ."


def _counted(values: str, comparison: str, number: int) -> str:
    """Write a query for the nodes with more values than a number, or with at least that many."""
    least = number if comparison == ">=" else number + 1
    if least == 1:
        return f"SELECT DISTINCT ?this WHERE {{ {values} }}"
    return f"SELECT ?this WHERE {{ {values} }} GROUP BY ?this HAVING(COUNT(DISTINCT ?value) >= {least})"


# --- single values -------------------------------------------------------------------------


def _asked(test: Test | AnyOf, below: Below) -> str:
    if isinstance(test, AnyOf):
        return " || ".join(f"COALESCE({_all_of(each, below)}, false)" for each in test.alternatives)
    return _test(test, below)


def _all_of(tests: tuple[Test, ...], below: Below) -> str:
    return " && ".join(f"({_test(each, below)})" for each in tests)


def _test(test: Test, below: Below) -> str:
    """Write the expression that is true for a valid value."""
    if test.name == "class":
        assert isinstance(test.argument, NamedNode)
        return f"EXISTS {{ ?value a ?class FILTER(?class IN ({_listed(below(test.argument), ', ')})) }}"
    return TESTS[test.name](test.argument)


def _languages(argument: Argument) -> str:
    assert isinstance(argument, tuple)
    return " || ".join(f"LANGMATCHES(LANG(?value), {Literal(str(each))})" for each in argument)


def _iris(argument: Argument) -> str:
    assert isinstance(argument, tuple)
    return f"?value IN ({', '.join(map(str, argument))})"


TESTS: dict[str, Callable[[Argument], str]] = {
    "datatype": lambda iri: f"DATATYPE(?value) = {iri} && {FORMS.get(ns.value(iri), 'true')}",
    "in": _iris,
    "languageIn": _languages,
    "maxLength": lambda number: f"!isBLANK(?value) && STRLEN(STR(?value)) <= {number}",
    "minLength": lambda number: f"!isBLANK(?value) && STRLEN(STR(?value)) >= {number}",
    "minInclusive": lambda number: f"COALESCE(?value >= {number}, false) || {_beyond('?value')}",
    "nodeKind": lambda name: NODE_KINDS[str(name)],
    "pattern": lambda text: f"!isBLANK(?value) && REGEX(STR(?value), {Literal(str(text))})",
}


def _beyond(variable: str, sign: str = "[+]?") -> str:
    """Write the test for a number that is too long for the engine: greater than all others, or with `-` less."""
    numbers = f"DATATYPE({variable}) IN (<{ns.XSD}integer>, <{ns.XSD}decimal>)"
    return f'({numbers} && REGEX(STR({variable}), "^{sign}[0-9]{{19,}}([.][0-9]*)?$"))'


def _listed(nodes: Collection[Node], separator: str) -> str:
    return separator.join(sorted(map(str, nodes)))


# --- queries of the shapes' own ------------------------------------------------------------


def runs_at_once(text: str) -> bool:
    """
    Return whether one run of a constraint's query for all nodes has the same results as a run for each node.

    It has if the query begins with a pattern of `$this`, so that every row binds it, and if `$this` occurs in no
    other group than that of the query itself, a FILTER NOT EXISTS or an OPTIONAL in it: elsewhere it would be
    unbound.
    """
    code = NOT_CODE.sub(" ", text)
    head, brace, body = code.partition("{")
    if not brace or not re.match(r"\s*[$?]this\b", body) or TOGETHER.search(head.lstrip()[len("SELECT") :] + body):
        return False
    keywords: list[str] = []
    start = 0
    for mark in re.finditer(r"[{}]", body):
        between = body[start : mark.start()]
        start = mark.end()
        inside = keywords[-1] if keywords else "root"
        sees = inside == "root" or (len(keywords) == 1 and inside in {"EXISTS", "OPTIONAL"})
        if THIS.search(between) and (not sees or (inside == "OPTIONAL" and "BIND" in between.upper())):
            return False
        if mark.group() == "{":
            word = re.search(r"(\w+)\s*$", between)
            keywords.append(word.group(1).upper() if word else "")
        elif keywords:
            keywords.pop()
    return True
