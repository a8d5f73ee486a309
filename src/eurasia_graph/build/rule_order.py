"""
Derive the order of rules from their texts: a rule runs after those that produce what it reads.

What a rule reads and produces is a set of predicates and classes. Patterns in a GRAPH read the files, which rules do
not change. A variable predicate or class stands for the values that the rule lists, for those in the ontology, or
else for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.sparql.tokens import Token, tokens

ANYTHING = "*"
TYPE = ns.RDF("type").value
SUBCLASS = ns.RDFS("subClassOf").value
HEADER = re.compile(r"^#\+ ([\w-]+): *(.+)$", re.MULTILINE)
LISTED = re.compile(r"VALUES\s*(\?\w+)\s*\{([^}]*)\}|(\?\w+)\s+IN\s*\(([^)]*)\)")
NAME = re.compile(r"[A-Za-z][\w-]*:[\w-]+|<[^>]+>")
# What follows these keywords is not a pattern: projections, GROUP BY and the like.
COLUMNS = {"SELECT", "GROUP", "ORDER"}

Term = str
# Subject, predicate (the alternatives of a path) and object of a pattern; variables begin with `?`.
Pattern = tuple[Term, tuple[Term, ...], Term]
# Returns the pairs of subjects and objects of a predicate in the ontology.
Pairs = Callable[[str], frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Rule:
    """One CONSTRUCT in `ontology/rules/`, with its name `<stage>/<name>`."""

    name: str
    text: str

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers: lines that begin with `#+`."""
        return dict(HEADER.findall(self.text))

    @property
    def is_recursive(self) -> bool:
        """Whether the rule is declared to continue from its own output."""
        return self.headers.get("recursive") == "true"

    @cached_property
    def _parts(self) -> tuple[int, int, int]:
        """The offsets of the bracket that opens the template, of what follows it, and of what follows WHERE."""
        found = list(tokens(self.text))
        begin = next(at for at, each in enumerate(found) if each.text.upper() == "CONSTRUCT")
        where = next(at for at, each in enumerate(found) if at > begin and each.text.upper() == "WHERE")
        return found[begin].start, found[begin + 1].start, found[where].start

    @property
    def prologue(self) -> str:
        """The prefixes."""
        return self.text[: self._parts[0]]

    @property
    def template(self) -> str:
        """The template, with its braces."""
        return self.text[self._parts[1] : self._parts[2]].strip()

    @property
    def where(self) -> str:
        """What it reads: WHERE and everything after it."""
        return self.text[self._parts[2] :]

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """The IRIs of the prefixes."""
        return dict(re.findall(r"PREFIX\s+([\w-]*):\s*<([^>]*)>", self.prologue))

    def iri(self, name: str) -> str:
        """Expand a prefixed name; anything else is returned unchanged."""
        if name == "a":
            return TYPE
        if name.startswith("<"):
            return name[1:-1]
        prefix, colon, local = name.partition(":")
        return self.prefixes[prefix] + local if colon and prefix in self.prefixes else name

    def makes(self, pairs: Pairs) -> set[str]:
        """Return the predicates and classes that it produces; rdf:type is represented by its classes only."""
        return self._names(_Reader(self, self.template).patterns, pairs)

    def reads(self, pairs: Pairs) -> set[str]:
        """Return the predicates and classes that it reads and that rules can produce."""
        return self._names(self.patterns, pairs)

    @cached_property
    def patterns(self) -> list[Pattern]:
        """The patterns that can match what rules produce."""
        return _Reader(self, self.where).patterns

    @cached_property
    def _all_patterns(self) -> list[Pattern]:
        return _Reader(self, self.where, with_files=True).patterns

    @cached_property
    def of_the_ontology(self) -> set[str]:
        """The predicates in the ontology that give the values of variables."""
        variables = {
            each
            for _, predicates, obj in (*self._all_patterns, *_Reader(self, self.template).patterns)
            for each in (*predicates, *([obj] if TYPE in predicates else []))
            if each.startswith("?")
        }
        asked = {
            predicate
            for subject, predicates, obj in self._all_patterns
            if variables & {subject, obj}
            for predicate in predicates
            if not predicate.startswith("?") and predicate != TYPE
        }
        return asked | ({SUBCLASS} if "classes-below" in self.headers else set())

    def _names(self, patterns: Sequence[Pattern], pairs: Pairs) -> set[str]:
        found: set[str] = set()
        for _, predicates, obj in patterns:
            for predicate in predicates:
                names = self._meant(predicate, pairs)
                found |= names - {TYPE}
                if TYPE in names:
                    found |= self._meant(obj, pairs, is_class=True)
        return found

    def _meant(self, term: Term, pairs: Pairs, *, is_class: bool = False) -> set[str]:
        """Return what a predicate or a class can be."""
        if not term.startswith("?"):
            return {term}
        listed = self._listed.get(term)
        if listed is not None:
            return listed
        said = [
            {pair[at] for predicate in predicates for pair in pairs(predicate)}
            for subject, predicates, obj in self._all_patterns
            for at, each in ((0, subject), (1, obj))
            if each == term and TYPE not in predicates
        ]
        said = [each for each in said if each]
        below = self.headers.get("classes-below")
        if is_class and below:
            said.append(_below(self.iri(below), pairs))
        return set.intersection(*said) if said else {ANYTHING}

    @cached_property
    def _listed(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for first, some, second, others in LISTED.findall(self.where):
            found[first or second] = {self.iri(name) for name in NAME.findall(some or others)}
        return found


def _below(top: str, pairs: Pairs) -> set[str]:
    found, waiting = {top}, [top]
    while waiting:
        above = waiting.pop()
        new = {sub for sub, sup in pairs(SUBCLASS) if sup == above} - found
        found |= new
        waiting += new
    return found


@dataclass
class _Reader:
    """Reads the patterns of a group, those in a GRAPH only if asked for."""

    rule: Rule
    text: str
    with_files: bool = False
    patterns: list[Pattern] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stack: list[str] = []
        self.subject: Term = ""
        self.path: list[Term] = []
        self.at = "subject"
        self.opens = "group"
        for token in tokens(self.text):
            self._read(token)

    def _read(self, token: Token) -> None:
        if token.kind in {"open", "close"}:
            self._bracket(token)
        elif self.stack and self.stack[-1] in {"expression", "values"}:
            return
        elif token.kind == "word" and token.text != "a":
            self._word(token.text.upper())
        elif self.at != "columns":
            if token.kind in {"variable", "name", "iri", "string", "number", "word"}:
                self._term(self.rule.iri(token.text))
            elif token.kind == "mark":
                self._mark(token.text)

    def _bracket(self, token: Token) -> None:
        if token.kind == "close":
            self.stack.pop()
            self.at = "subject" if token.text == "}" else self.at
            return
        if token.text == "{":
            inside = "file" in self.stack and self.opens == "group"
            self.stack.append("file" if inside else self.opens)
            self.opens, self.at = "group", "subject"
        elif self.at == "predicate":
            raise EurasiaGraphError(f"the rule {self.rule.name} has brackets in a path; write the path without them")
        else:
            self.stack.append("expression")

    def _word(self, word: str) -> None:
        if word in {"TRUE", "FALSE"} and self.at == "object":
            self._term(word)
        elif word in {"GRAPH", "VALUES"}:
            self.opens, self.at = ("file" if word == "GRAPH" else "values"), "columns"
        elif word in COLUMNS:
            self.at = "columns"
        elif self.at != "columns":
            self.at = "subject"

    def _term(self, term: Term) -> None:
        if self.at == "subject":
            self.subject, self.path, self.at = term, [], "predicate"
        elif self.at == "predicate":
            self.path.append(term)
            self.at = "object"
        elif self.at == "object":
            if self.with_files or self.stack[-1] != "file":
                self.patterns.append((self.subject, tuple(self.path), term))
            self.at = "behind"

    def _mark(self, mark: str) -> None:
        if mark in "/|" and self.at == "object":
            self.at = "predicate"
        elif mark == "." and self.at == "behind":
            self.at = "subject"
        elif mark == ";" and self.at in {"behind", "predicate"}:
            self.path, self.at = [], "predicate"
        elif mark == "," and self.at == "behind":
            self.at = "object"


def in_order(rules: Sequence[Rule], pairs: Pairs) -> list[list[Rule]]:
    """
    Order rules so that each reads only what earlier ones have produced.

    Args:
        rules: The rules in any order; ties are sorted by name.
        pairs: Returns the subjects and objects of a predicate in the ontology.
    Returns:
        Groups of rules: one rule that runs once, or recursive ones that run together until nothing is new.
    Raises:
        EurasiaGraphError: If rules form a cycle and are not declared recursive.
    """
    makes = {rule.name: rule.makes(pairs) for rule in rules}
    reads = {rule.name: rule.reads(pairs) for rule in rules}
    after = {
        one: {other for other in makes if _meet(reads[one], makes[other])}
        for one in sorted(rule.name for rule in rules)
    }
    reach = _followed(after)
    by_name = {rule.name: rule for rule in rules}
    order: list[list[Rule]] = []
    left = sorted(by_name)
    while left:
        first = next(name for name in left if all(each not in left or name in reach[each] for each in reach[name]))
        group = [first] + [each for each in left if each != first and each in reach[first] and first in reach[each]]
        if first in reach[first] and not all(by_name[each].is_recursive for each in group):
            raise _circle([by_name[each] for each in sorted(group)], reads, makes)
        order.append([by_name[each] for each in group])
        left = [each for each in left if each not in group]
    return order


def _followed(after: dict[str, set[str]]) -> dict[str, set[str]]:
    """Compute the transitive closure of the dependencies."""
    reach = {name: set(others) for name, others in after.items()}
    for middle, further in reach.items():
        for others in reach.values():
            if middle in others:
                others.update(further)
    return reach


def _meet(reads: set[str], makes: set[str]) -> bool:
    return bool(reads & makes) or (ANYTHING in reads and bool(makes)) or (ANYTHING in makes and bool(reads))


def _circle(rules: list[Rule], reads: dict[str, set[str]], makes: dict[str, set[str]]) -> EurasiaGraphError:
    """Describe a cycle: its rules and the terms that connect them."""
    made = set().union(*(makes[each.name] for each in rules))
    read = set().union(*(reads[each.name] for each in rules))
    terms = sorted(ns.shorten(each) for each in (made & read) - {ANYTHING}) or ["anything"]
    silent = ", ".join(each.name for each in rules if not each.is_recursive)
    names = ", ".join(each.name for each in rules)
    return EurasiaGraphError(
        f"rules read what they make, in a circle: {names} (by {', '.join(terms)}); let "
        "one of them read or make something else, read what files say in a GRAPH, or write `#+ recursive: true` at the "
        f"head of {silent} if that is meant to go on from what it has made"
    )
