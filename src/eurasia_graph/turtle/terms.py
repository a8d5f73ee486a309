"""
Spell the terms of a graph in Turtle: names by prefixes, literals with the form and the datatype that they have.

A term comes as the engine writes it in N-Triples, which keeps every character of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns

Key = tuple[int, str, str, Decimal, str]

NIL, TYPE = f"<{ns.RDF}nil>", f"<{ns.RDF}type>"
# Source: PN_CHARS_BASE and PN_LOCAL in https://www.w3.org/TR/rdf12-turtle/#sec-grammar-grammar
BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
FIRST = rf"(?:[{BASE}_:0-9]|%[0-9A-Fa-f]{{2}})"
LATER = rf"(?:[{BASE}_:0-9\u00b7\u0300-\u036f\u203f\u2040-]|%[0-9A-Fa-f]{{2}})"
# What can follow the colon unescaped; a name that would need a backslash is written as a full IRI.
LOCAL = re.compile(rf"(?:{FIRST}(?:{LATER}|\.+(?={LATER}))*)?")
# What an editor does not show, takes for the end of a line or the direction of others, or a reader may refuse.
UNSEEN = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufff9-\uffff" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17)
)
PLAIN_TEXT = re.compile(rf"[^\\\"{UNSEEN}]*")
TO_ESCAPE = re.compile(rf"[{UNSEEN}]")
# What would end a text in three quotes.
CLOSING = re.compile(r'"""|"\Z')
ESCAPES = {"\t": "\\t", "\b": "\\b", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
UNESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
# Lexical forms that Turtle reads as literals of these datatypes without an explicit datatype.
SHORTHAND = {
    f"{ns.XSD}{name}": re.compile(form)
    for name, form in (
        ("integer", r"[+-]?[0-9]+"),
        ("decimal", r"[+-]?[0-9]*\.[0-9]+"),
        ("double", r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+"),
        ("boolean", "true|false"),
    )
}
NUMERIC = {ns.XSD + name for name in ("integer", "decimal", "double", "float")}
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
ZERO = Decimal(0)
# The last code point that four digits can name.
LAST_OF_FOUR = 0xFFFF


class Spelling:
    """
    How terms are spelt with some prefixes.

    `used` has the prefixes of the terms met so far, `newer` whether one of them is of RDF 1.2.
    """

    def __init__(
        self,
        prefixes: Mapping[str, str],
        labels: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """
        Know how names are spelt.

        Args:
            prefixes: Namespaces by their prefixes.
            labels: The labels of blank nodes by their names.
            tags: How the language of a literal is written, where not in lower case as the engine keeps it.
        """
        self._namespaces = sorted(((iri, name) for name, iri in prefixes.items()), key=lambda each: -len(each[0]))
        self._labels = labels or {}
        self._tags = tags or {}
        self._names: dict[str, str] = {}
        self._made: dict[str, str] = {}
        self.used: set[str] = set()
        self.newer = False

    def head(self, prefixes: Mapping[str, str]) -> str:
        """Write the lines that go before all terms spelt so far."""
        version = 'VERSION "1.2"\n' if self.newer else ""
        declared = {name: prefixes[name] for name in self.used} | {name: iri for iri, name in self._made.items()}
        return version + "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in sorted(declared.items()))

    def forget(self) -> None:
        """Forget the names met so far, so that memory does not grow; `used` stays."""
        self._names.clear()

    def in_list(self) -> None:
        """Count the prefix of a list, whose cells use RDF terms that are not written."""
        self.name(NIL)

    def verb(self, term: str) -> str:
        """Spell a predicate."""
        return "a" if term == TYPE else self.name(term)

    def name(self, term: str) -> str:
        """Spell an IRI, by a prefix if one fits."""
        found = self._names.get(term)
        if found is None:
            found = self._names[term] = self._name(term[1:-1])
        return found

    def _name(self, iri: str) -> str:
        for namespace, prefix in self._namespaces:
            if iri.startswith(namespace) and LOCAL.fullmatch(iri, len(namespace)):
                self.used.add(prefix)
                return f"{prefix}:{iri[len(namespace) :]}"
        if not iri.isascii() and not _is_iri(iri):
            return self._by_made_prefix(iri)
        return f"<{TO_ESCAPE.sub(_numbered, iri)}>"

    def _by_made_prefix(self, iri: str) -> str:
        """Return the characters that the engine accepts after a prefix but rejects in an IRI."""
        place = max(iri.rfind(mark) for mark in "/#:") + 1
        if not LOCAL.fullmatch(iri, place):
            return f"<{iri}>"
        self._made.setdefault(iri[:place], f"made-{len(self._made) + 1}")
        return f"{self._made[iri[:place]]}:{iri[place:]}"

    def term(self, term: str) -> str:
        """Spell a subject or an object; a blank node by its label."""
        if term.startswith("<<("):
            return self._triple(term)
        if term == NIL:
            self.name(term)
            return "()"
        if term.startswith("<"):
            return self.name(term)
        if term.startswith('"'):
            return self._literal(term)
        return self._labels.get(term, term)

    def _triple(self, term: str) -> str:
        self.newer = True
        subject, predicate, rest = term[4:-4].split(" ", 2)
        # A list has no place in a triple term, not even an empty one.
        ends = [self.name(each) if each == NIL else self.term(each) for each in (subject, rest)]
        return f"<<( {ends[0]} {self.verb(predicate)} {ends[1]} )>>"

    def _literal(self, term: str) -> str:
        end = term.rindex('"')
        suffix = term[end + 1 :]
        if suffix.startswith("@"):
            self.newer |= "--" in suffix
            return quoted(term[1:end]) + self._tags.get(term, suffix)
        if not suffix:
            return quoted(term[1:end])
        datatype = self.name(suffix[2:])
        shorthand = SHORTHAND.get(suffix[3:-1])
        if shorthand and shorthand.fullmatch(term, 1, end):
            return term[1:end]
        return f"{quoted(term[1:end])}^^{datatype}"


def _is_iri(text: str) -> bool:
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def quoted(escaped: str) -> str:
    """Quote a text that is escaped as in N-Triples: in three quotes where it has lines, else in one."""
    if PLAIN_TEXT.fullmatch(escaped):
        return f'"{escaped}"'
    text = unescaped(escaped).replace("\\", "\\\\")
    if "\n" not in text:
        return '"{}"'.format(TO_ESCAPE.sub(_shown, text.replace('"', '\\"')))
    text = CLOSING.sub(lambda match: '\\"' * len(match.group()), text)
    text = "\n".join(TO_ESCAPE.sub(_shown, line) for line in text.split("\n"))
    return f'"""{text}"""'


def unescaped(text: str) -> str:
    """Undo the escapes of N-Triples."""
    return ESCAPED.sub(_meant, text) if "\\" in text else text


def _meant(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    return UNESCAPES.get(letter, letter) if letter else chr(int(short or long, 16))


def _shown(match: re.Match[str]) -> str:
    return ESCAPES.get(match.group()) or _numbered(match)


def _numbered(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\u{number:04X}" if number <= LAST_OF_FOUR else f"\\U{number:08X}"


def key_of_literal(term: str) -> Key:
    """Sort literals by datatype, numbers as one, then by language, value and form."""
    end = term.rindex('"')
    value, suffix = term[1:end], term[end + 1 :]
    datatype = suffix[3:-1] if suffix.startswith("^^") else f"{ns.XSD}string"
    if datatype in NUMERIC and NUMBER.fullmatch(value):
        return 2, f"{ns.XSD}decimal", "", Decimal(value), f"{value} {datatype}"
    return 2, datatype, suffix if suffix.startswith("@") else "", ZERO, unescaped(value)
