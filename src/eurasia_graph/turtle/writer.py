"""
Write Turtle in its one canonical form, so that a diff shows a change of meaning and nothing else.

One subject per block, numbers in their natural order, type first, predicates and objects sorted. The
bytes depend on the graph alone. Every literal keeps its lexical form and its datatype; a blank node stands
where it is used, and one that is used twice, in a circle or in a triple term has a label.

Source: RDF 1.2 Turtle, https://www.w3.org/TR/rdf12-turtle/
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import IO

from pyoxigraph import Quad, RdfFormat, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph.turtle.canonical import SECONDS, canonical
from eurasia_graph.turtle.nesting import Nodes, Statement, is_node
from eurasia_graph.turtle.terms import TYPE, ZERO, Key, Spelling, key_of_literal

RECORD = re.compile("<(" + re.escape(ns.ID) + r"(claim|passage|observation|event|membership)/([A-Za-z0-9-]+)/)")
CONCEPT = re.compile("<(" + re.escape(ns.SCHEME) + r"([A-Za-z0-9-]+)/)")
NUMBER = re.compile(r"[0-9]+")
INDENT = "    "
# How many subjects are written before the names met so far are forgotten.
SUBJECTS_KEPT = 2_000
# What stands first; then by the alphabet.
FIRST_PREDICATES = {TYPE: 0, f"<{ns.RDFS}label>": 1}


def format_triples(ntriples: str) -> str:
    """Return the canonical Turtle of a graph given as N-Triples."""
    return format_graph(_parsed(ntriples.encode()))


def format_graph(triples: Iterable[Quad], seconds: float = SECONDS, tags: Mapping[str, str] | None = None) -> str:
    """
    Return the canonical Turtle of a graph.

    Where blank nodes need labels and RDFC-1.0 finds them no names in time, the order of these depends on the names
    that they have; the graph is the same.

    Args:
        triples: Its statements, in any order.
        seconds: How long naming its blank nodes may take.
        tags: How the language of a literal is written, see `Spelling`.
    """
    statements = statements_of(triples)
    nodes = Nodes(statements)
    if nodes.labelled:
        found = canonical(_parsed(text_of(statements)), seconds=seconds)
        if found is not None:
            nodes = Nodes(statements_of(_parsed("\n".join(found[0]).encode())))
    return _Writer(nodes, prefixes_of(text_of(statements).decode()), tags=tags).text()


def _parsed(ntriples: bytes) -> Iterable[Quad]:
    """Read what the engine has written; strictly, it would refuse some names that it has read itself."""
    return parse(ntriples, format=RdfFormat.N_TRIPLES, lenient=True)


def statements_of(triples: Iterable[Quad]) -> list[Statement]:
    """Return the different statements of a graph, their terms as in N-Triples."""
    return list(dict.fromkeys((str(each.subject), str(each.predicate), _text(each.object)) for each in triples))


def _text(term: object) -> str:
    """Write a term as in N-Triples; the engine writes a triple without the brackets that it has as a term."""
    if isinstance(term, Triple):
        return f"<<( {term.subject} {term.predicate} {_text(term.object)} )>>"
    return str(term)


def text_of(statements: Iterable[Statement]) -> bytes:
    """Write statements as N-Triples."""
    return "".join(f"{subject} {predicate} {term} .\n" for subject, predicate, term in statements).encode()


def write(lines: Iterable[bytes], prefixes: Mapping[str, str], out: IO[bytes]) -> None:
    """
    Write the canonical Turtle of a graph of any size; memory holds one of its subjects.

    Args:
        lines: N-Triples without blank nodes, sorted by `key_of`.
        prefixes: What `Prefixes` has found in all of them.
        out: Where to.
    """
    spelling = Spelling(prefixes)
    with tempfile.TemporaryFile() as body:  # which prefixes are used in the end shows when all is written
        for number, (subject, own) in enumerate(groupby(map(_split, lines), key=lambda each: each[0])):
            if number % SUBJECTS_KEPT == 0:
                spelling.forget()
            writer = _Writer(Nodes(own), {}, spelling)
            body.write(("\n" if number else "").encode() + writer.block(subject).encode())
        head = spelling.head(prefixes)
        out.write(head.encode())
        if head and body.tell():
            out.write(b"\n")
        body.seek(0)
        shutil.copyfileobj(body, out)


def _split(line: bytes) -> Statement:
    subject, predicate, rest = line.decode().split(" ", 2)
    return subject, predicate, rest.rstrip("\n")[: -len(" .")]


class _Writer:
    """The blocks of a graph, one for each subject that is not written where it is used."""

    def __init__(
        self,
        nodes: Nodes,
        prefixes: Mapping[str, str],
        spelling: Spelling | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._nodes = nodes
        self._prefixes = prefixes
        in_order = sorted(nodes.labelled, key=lambda node: (natural_key(node), node))
        self._labels = {node: f"_:b{number}" for number, node in enumerate(in_order, start=1)}
        self._spelling = spelling or Spelling(prefixes, self._labels, tags)
        self._forms: dict[str, str] = {}

    def text(self) -> str:
        """Write the prefixes and all blocks."""
        nodes = self._nodes
        named = sorted((each for each in nodes.said if not is_node(each)), key=lambda each: natural_key(each[1:-1]))
        labelled = [each for each in self._labels if each in nodes.said]
        blocks = [self.block(each) for each in (*named, *labelled, *sorted(nodes.free, key=self._form))]
        head = self._spelling.head(self._prefixes)
        return "\n".join([head, *blocks] if head else blocks)

    def block(self, subject: str) -> str:
        """Write what is said of a subject."""
        name = "[]" if self._nodes.is_nested(subject) else self._spelling.term(subject)
        return f"{name}\n{self._predicates(subject, INDENT)}.\n"

    def _predicates(self, subject: str, indent: str) -> str:
        by_predicate: dict[str, list[str]] = defaultdict(list)
        for predicate, term in self._nodes.said[subject]:
            by_predicate[predicate].append(term)
        in_order = sorted(
            by_predicate, key=lambda each: (FIRST_PREDICATES.get(each, len(FIRST_PREDICATES)), each[1:-1])
        )
        return "".join(self._objects(each, by_predicate[each], indent) for each in in_order)

    def _objects(self, predicate: str, terms: Sequence[str], indent: str) -> str:
        verb, below = self._spelling.verb(predicate), indent + INDENT
        if len(terms) == 1 and not self._is_bracketed(terms[0]):
            return f"{indent}{verb} {self._object(terms[0], indent)} ;\n"
        in_order = sorted(terms, key=self._key) if len(terms) > 1 else terms
        written = " ,\n".join(below + self._object(each, below) for each in in_order)
        return f"{indent}{verb}\n{written} ;\n"

    def _is_bracketed(self, term: str) -> bool:
        """Return whether an object is written in square brackets with something in them."""
        nodes = self._nodes
        return nodes.is_nested(term) and not nodes.is_list(term) and term in nodes.said

    def _object(self, term: str, indent: str) -> str:
        """Write an object, its first line without the indent, what is in its brackets one step further in."""
        nodes = self._nodes
        if not nodes.is_nested(term):
            return self._spelling.term(term)
        below = indent + INDENT
        if nodes.is_list(term):
            self._spelling.in_list()
            items = "".join(f"{below}{self._object(each, below)}\n" for each in nodes.items(term))
            return f"(\n{items}{indent})"
        if term not in nodes.said:
            return "[]"
        return f"[\n{self._predicates(term, below)}{indent}]"

    def _key(self, term: str) -> Key:
        """Sort blank nodes before IRIs, literals and triple terms."""
        if is_node(term):
            return 0, self._form(term), "", ZERO, ""
        if term.startswith("<<("):
            return 3, self._spelling.term(term), "", ZERO, ""
        return key_of_literal(term) if term.startswith('"') else (1, term[1:-1], "", ZERO, "")

    def _form(self, term: str) -> str:
        """Write a term so that what is alike has one form, to sort by: a nested node by what is said of it."""
        nodes = self._nodes
        if not nodes.is_nested(term):
            label = self._labels.get(term)
            return f"_:{int(label[3:]):09}" if label else self._spelling.term(term)
        if term not in self._forms:
            if nodes.is_list(term) and term not in nodes.free:
                self._forms[term] = f"({' '.join(map(self._form, nodes.items(term)))})"
            else:
                said = sorted(f"{predicate} {self._form(each)}" for predicate, each in nodes.said.get(term, ()))
                self._forms[term] = f"[{' ;'.join(said)}]"
        return self._forms[term]


class Prefixes:
    """
    The prefixes that texts with full IRIs use, learned text by text.

    Beside the fixed ones, a source gives its name to its claims (`icds-2016:12`), and its name and the kind
    to other records (`icds-2016-passage:86`); a scheme gives its name to its concepts (`status:member`). Where
    two would have one name, the first in the alphabet has it.
    """

    def __init__(self) -> None:
        """Know of none yet."""
        self._fixed: set[str] = set()
        self._own: dict[str, str] = {}

    def add(self, text: str) -> None:
        """Learn from a text, which ends where a line ends."""
        self._fixed |= {name for name, iri in ns.PREFIXES.items() if name not in self._fixed and f"<{iri}" in text}
        for namespace, kind, source in set(RECORD.findall(text)):
            name = source if source[0].isalpha() else f"s-{source}"
            self._add(name if kind == "claim" else f"{name}-{kind}", namespace)
        for namespace, scheme in set(CONCEPT.findall(text)):
            self._add(scheme if scheme[0].isalpha() else f"s-{scheme}", namespace)

    def _add(self, name: str, namespace: str) -> None:
        self._own[name] = min(namespace, self._own.get(name, namespace))

    def named(self) -> dict[str, str]:
        """Return the namespaces by their prefixes, sorted."""
        return dict(sorted({**{name: ns.PREFIXES[name] for name in self._fixed}, **self._own}.items()))


def prefixes_of(text: str) -> dict[str, str]:
    """Return the prefixes that one text uses, see `Prefixes`."""
    found = Prefixes()
    found.add(text)
    return found.named()


def natural_key(text: str) -> str:
    """Sort `2` before `10` wherever numbers stand in a text without control characters."""
    return NUMBER.sub(_number_key, text)


@lru_cache(1)  # lines of one subject mostly follow one another
def _key(subject: bytes) -> bytes:
    return natural_key(subject.decode()).encode()


def key_of(line: bytes) -> bytes:
    """Return what sorts lines of N-Triples by their subjects in natural order."""
    return _key(line[1 : line.index(b">")])


def _number_key(match: re.Match[str]) -> str:
    digits = match.group().lstrip("0")
    # The longer of two numbers is the larger one. The sign before it is below all others, as a number shall be.
    return f"\x01{len(digits):04}{digits}"
