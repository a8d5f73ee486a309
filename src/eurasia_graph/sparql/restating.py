r"""
Rewrite a query from its tokens, in a form that all engines read alike.

The text of a client is never sent to another store, only what we have read of it: comments are removed, escapes are
decoded, every IRI is written in full, and there are no words, signs or functions that are not part of SPARQL. Engines
differ in when they decode `\u0022`, in what ends a comment, and in which functions and prefixes they add; nothing
of that kind is left in the rewritten text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pyoxigraph import QueryBoolean, QuerySolutions, QueryTriples, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError
from eurasia_graph.sparql import columns
from eurasia_graph.sparql.tokens import COUNTED, ESCAPE, Around, Token, decode, place, refuse_depth, tokens

# The longest text that stores accept in one request, and more than any query written by a person.
LONGEST = 1_000_000
FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
# Source: https://www.w3.org/TR/sparql11-query/#sparqlGrammar, and the functions on triples of SPARQL 1.2.
# fmt: off
WORDS = {
    *FORMS, "A", "ADJUST", "ALL", "AS", "ASC", "AVG", "BIND", "BNODE", "BOUND", "BY", "CEIL", "COALESCE", "CONCAT",
    "CONTAINS", "COUNT", "DATATYPE", "DAY", "DESC", "DISTINCT", "ENCODE_FOR_URI", "EXISTS", "FALSE", "FILTER",
    "FLOOR", "FROM", "GRAPH", "GROUP", "GROUP_CONCAT", "HASLANG", "HASLANGDIR", "HAVING", "HOURS", "IF", "IN", "IRI",
    "ISBLANK", "ISIRI", "ISLITERAL", "ISNUMERIC", "ISTRIPLE", "ISURI", "LANG", "LANGDIR", "LANGMATCHES", "LCASE",
    "LIMIT", "MAX", "MD5", "MIN", "MINUS", "MINUTES", "MONTH", "NAMED", "NOT", "NOW", "OBJECT", "OFFSET", "OPTIONAL",
    "ORDER", "PREDICATE", "RAND", "REDUCED", "REGEX", "REPLACE", "ROUND", "SAMETERM", "SAMPLE", "SECONDS",
    "SEPARATOR", "SHA1", "SHA256", "SHA384", "SHA512", "STR", "STRAFTER", "STRBEFORE", "STRDT", "STRENDS", "STRLANG",
    "STRLANGDIR", "STRLEN", "STRSTARTS", "STRUUID", "SUBJECT", "SUBSTR", "SUM", "TIMEZONE", "TRIPLE", "TRUE", "TZ",
    "UCASE", "UNDEF", "UNION", "URI", "UUID", "VALUES", "WHERE", "YEAR", "ABS",
}
# fmt: on
# A term that stands for the base.
ITSELF = "<>"
SELECTS = {"SELECT", "SELECT DISTINCT", "SELECT REDUCED"}
MARKS = set(",.;*/^|!=<>+-&?~") | {"<<", ">>"}
# Operators of two characters, which our tokenizer splits.
PAIRS = {"^^", "&&", "||", "!=", "<=", ">=", "{|", "|}", "<<(", ")>>"}
SIGNS = {"+", "-", "."}
BLANK_NODE = re.compile(r"_:\w[\w.\-]*")
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
ECHAR = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
IN_STRING = re.compile(rf"{ESCAPE.pattern}|\\(?P<char>.)", re.DOTALL)
WRITTEN = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
# A backslash and what looks like an escape after it: no notation of it is read alike by all engines. The
# digits are those of any script, since Java takes them.
LIKE_AN_ESCAPE = re.compile(r"\\(?:u+|U)[\da-fA-F\uff21-\uff26\uff41-\uff46]{4}")
IRI = re.compile(r"[^\x00-\x20<>\"{}|^`\\]*")
# Names by which a query reaches pragmas, functions and indexes of particular stores, some of which call other
# addresses (Virtuoso's `bif:http_get`), load code (Jena's `java:`) or see graphs beyond the release.
OF_STORES = (
    "bif:",
    "java:",
    "sql:",
    "tag:stardog:",
    "urn:x-arq:",
    "http://jena.apache.org/",
    "http://jena.hpl.hp.com/",
    "http://rdf4j.org/",
    "http://spinrdf.org/",
    "http://topbraid.org/",
    "http://www.bigdata.com/",
    "http://www.ontotext.com/",
    "http://www.openlinksw.com/",
    "http://www.openrdf.org/",
)
SECRET = 403


@dataclass(kw_only=True)
class Restated:
    """
    A query as its tokens say, in parts: texts, and numbers of IRIs in `terms`, which the engine has to resolve.

    `prologue` is what the terms are resolved by, `clauses` are (NAMED or "", number) for each FROM, which is
    left out of the parts, `functions` the numbers of IRIs that are called, `base` that of the base of a query
    that makes IRIs of strings, which a store would else resolve by its own address. `star` is which part is the `*` of
    a `SELECT *`, and `named` the variables that the query names, in order. `refusal` says why this query
    cannot go to another store, if it cannot.
    """

    form: str | None = None
    prologue: str = ""
    parts: list[str | int] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    clauses: list[tuple[str, int]] = field(default_factory=list)
    functions: set[int] = field(default_factory=set)
    star: int | None = None
    named: list[str] = field(default_factory=list)
    base: int | None = None
    refusal: QueryError | None = None

    def text(self, iris: list[str], meant: list[str]) -> str:
        """
        Write the query.

        Args:
            iris: The IRIs to which the engine resolves `terms`.
            meant: The variables for the `*`, if there is one.
        Raises:
            QueryError: If engines could read it differently, or if it uses extensions of some stores (403).
        """
        if self.refusal:
            raise self.refusal
        if self.form is None:
            raise QueryError("words run together; write a space after SELECT, ASK, CONSTRUCT or DESCRIBE")
        for number, iri in enumerate(iris):
            _refuse_iri(iri, is_function=number in self.functions)
        parts: list[str | int] = list(self.parts)
        if meant and self.star is not None:
            scope, named = set(meant), dict.fromkeys(self.named)
            order = [name for name in named if name in scope] + [name for name in meant if name not in named]
            parts[self.star] = " ".join(f"?{name}" for name in order)
        if sum(len(each) if isinstance(each, str) else len(iris[each]) + 2 for each in parts) > LONGEST - len(parts):
            raise QueryError(f"the query has more than {LONGEST} characters with its names written in full; split it")
        text = " ".join(each if isinstance(each, str) else f"<{iris[each]}>" for each in parts)
        if self.base is not None:
            text = f"BASE <{iris[self.base]}> {text}"
        refuse_ambiguous(text)
        return text


def restate(text: str, base_iri: str | None = None) -> Restated:
    """
    Read a query.

    Args:
        text: The text as received.
        base_iri: The base for relative IRIs; the query can override it.
    Raises:
        QueryError: If a string is not closed, or brackets are nested too deep.
    """
    found = list(tokens(text))
    refuse_depth(text, found)
    restated = Restated(named=(columns.star(text, found) or (0, []))[1])
    start = _read_prologue(restated, text, found)
    has_base = base_iri is not None or any(_is_word(token, "BASE") for token in found[:start])
    try:
        _Writer(restated, text, found).write(start, ITSELF if has_base else f"<{ns.BASE}>")
        refuse_ambiguous("\n".join(each for each in restated.parts if isinstance(each, str)))
        _refuse_two_readings(text, found)
    except QueryError as error:
        restated.refusal = error
    return restated


def refuse_ambiguous(text: str) -> None:
    """
    Refuse a text that engines decode differently.

    Raises:
        QueryError: If it has a backslash before what looks like a code point escape, or a NUL.
    """
    seen = LIKE_AN_ESCAPE.search(text)
    if seen:
        shown = seen.group()[1:]
        raise QueryError(
            f"a string has a backslash in front of {shown}, which some stores read as one character; "
            f'write CONCAT("\\\\", "{shown}") where a value is computed'
        )
    if "\x00" in text:
        raise QueryError("the query contains a NUL character, after which some stores stop reading; remove it")


def _refuse_iri(iri: str, *, is_function: bool) -> None:
    if not IRI.fullmatch(iri):
        raise QueryError(
            f"<{_shown(iri)}> is not an IRI; percent-encode spaces and special characters in it, such as %20"
        )
    if iri.casefold().startswith(OF_STORES):
        message = f"<{_shown(iri)}> is refused: stores have functions with such names; remove it"
        raise QueryError(message, status=SECRET)
    if is_function and not iri.startswith(ns.XSD):
        message = f"the function <{_shown(iri)}> is refused: only those of SPARQL 1.1 are sent to another store"
        raise QueryError(f"{message}; compute it yourself", status=SECRET)


def _shown(iri: str) -> str:
    return iri if len(iri) < 200 else f"{iri[:200]}..."  # noqa: PLR2004  (one line)


# --- the tokens ----------------------------------------------------------------------------


def _read_prologue(restated: Restated, text: str, found: list[Token]) -> int:
    """Read the prologue and the form; returns the index of the token with the form."""
    for number, token in enumerate(found):
        if token.kind == "word" and token.text.upper() in FORMS:
            restated.form, restated.prologue = token.text.upper(), text[: token.start]
            return number
    return len(found)


class _Writer:
    """Writes the parts of a query."""

    def __init__(self, restated: Restated, text: str, found: list[Token]) -> None:
        self.into = restated
        self.source = text
        self.found = found
        self.numbers: dict[str, int] = {}
        self.around = Around()
        self.is_paired = False

    def write(self, start: int, base: str) -> None:
        """Write everything from the form on; `base` is the term for the base IRI."""
        skipped: set[int] = set()
        for number in range(start, len(self.found)):
            token = self.found[number]
            depth = len(self.around.open)
            self.around.follow(token)
            if number in skipped:
                continue
            if depth == 1 and token.kind == "word" and token.text.upper() == "FROM":
                skipped.update(self._clause(number))
                continue
            if token.text == "(" and self.around.open[-1] == "e":
                self._note_call(number)
            if self.into.base is None and _is_word(token, "IRI", "URI"):
                self.into.base = self._term(base)
            if token.text == "*" and depth == 1 and self.into.star is None and self._follows_select():
                self.into.star = len(self.into.parts)
            self._add(number, self._part(token))

    def _follows_select(self) -> bool:
        parts = self.into.parts
        return len(parts) <= 2 and " ".join(map(str, parts)).upper() in SELECTS  # noqa: PLR2004  (a word and another)

    def _clause(self, number: int) -> Iterator[int]:
        """Record a FROM clause; yields the indexes of its tokens."""
        named = ""
        following = self.found[number + 1 : number + 3]
        if following and following[0].kind == "word" and following[0].text.upper() == "NAMED":
            named, following = "NAMED", following[1:]
            yield number + 1
        if following and following[0].kind in {"iri", "name"}:
            self.into.clauses.append((named, self._term(following[0].text)))
            yield number + (2 if named else 1)

    def _note_call(self, number: int) -> None:
        """Record the name before a bracket in an expression: a function."""
        before = self.found[number - 1]
        if before.kind in {"iri", "name"}:
            self.into.functions.add(self._term(before.text))

    def _term(self, written: str) -> int:
        number = self.numbers.setdefault(written, len(self.numbers))
        if number == len(self.into.terms):
            self.into.terms.append(written)
        return number

    def _part(self, token: Token) -> str | int:
        """Write one token."""
        kind, text = token.kind, token.text
        if kind == "iri" or (kind == "name" and not text.startswith("_:")):
            return self._term(text)
        if kind == "string":
            return _string(text, self._where(token))
        if kind == "variable":
            return f"?{text[1:]}"
        known = {
            "word": text.isascii() and text.upper() in WORDS,
            "name": BLANK_NODE.fullmatch(text) is not None,
            "number": NUMBER.fullmatch(text) is not None,
            "mark": text in MARKS,
        }.get(kind, text.isascii())
        if not known:
            shown = _shown(text)
            raise QueryError(
                f"{self._where(token)}: {shown} is not part of SPARQL 1.1, which is all that is sent to another store; "
                "separate words by spaces, and remove others"
            )
        # Some engines read a number that ends in a dot as one token, others as a number and the end of a triple.
        return f"{text[:-1]} ." if kind == "number" and text.endswith(".") else text

    def _where(self, token: Token) -> str:
        return f"line {place(self.source, token.start)[0]}"

    def _add(self, number: int, part: str | int) -> None:
        """Add a part, joined to the previous one if the two form one operator."""
        parts, token = self.into.parts, self.found[number]
        before = self.found[number - 1]
        beside = number > 0 and bool(parts) and before.end == token.start and isinstance(part, str)
        last = parts[-1] if parts else ""
        if beside and isinstance(last, str) and isinstance(part, str):
            is_pair = before.text + token.text in PAIRS and not self.is_paired
            is_signed = before.text in SIGNS and before.kind == "mark" and self._goes_on(number)
            is_tagged = before.kind == "string" and token.kind == "language"
            # The engine does not accept a space after COALESCE.
            is_called = before.kind == "word" and token.text == "("
            if is_pair or is_signed or is_tagged or is_called:
                parts[-1] = last + part
                self.is_paired = is_pair
                return
        self.is_paired = False
        parts.append(part)

    def _goes_on(self, number: int) -> bool:
        """Return whether a token can follow a sign: a number, or the dot that begins one."""
        token, following = self.found[number], self.found[number + 1 : number + 2]
        is_dot = token.text == "." and following and following[0].start == token.end and following[0].kind == "number"
        return token.kind == "number" or bool(is_dot)


def _is_word(token: Token, *words: str) -> bool:
    return token.kind == "word" and token.text.upper() in words


def _string(written: str, where: str) -> str:
    """Write a string in double quotes, with its escapes decoded except those that are needed."""
    quotes = 3 if written[:3] in {'"""', "'''"} and len(written) > 5 else 1  # noqa: PLR2004  (six quotes)
    return f'"{IN_STRING.sub(lambda match: _character(match, where), written[quotes:-quotes]).translate(WRITTEN)}"'


def _character(match: re.Match[str], where: str) -> str:
    char = match["char"]
    if char is None:
        return decode(match.group(), ESCAPE)
    if char not in ECHAR:
        raise QueryError(f"{where}: \\{char} is not an escape of SPARQL; write \\\\ for a backslash")
    return ECHAR[char]


# --- readings ------------------------------------------------------------------------------


def _refuse_two_readings(text: str, found: list[Token]) -> None:
    """Refuse a query that changes its meaning if escapes are decoded before it is tokenized."""
    for escape in (ESCAPE, COUNTED):
        decoded = decode(text, escape)
        if decoded == text:
            continue
        try:
            same = [_said(each) for each in tokens(decoded)] == [_said(each) for each in found]
        except QueryError:
            same = False
        if not same:
            raise _two_readings(text)


def _said(token: Token) -> tuple[str, str]:
    """Return the value of a token, independent of its notation."""
    if token.kind == "string":
        return token.kind, _string(token.text, "")
    return token.kind, decode(token.text) if token.kind == "iri" else token.text


def _two_readings(text: str) -> QueryError:
    """Return the error for an escape that gives a query two meanings."""
    escapes = list(ESCAPE.finditer(text))
    odd = next((each for each in escapes if not decode(each.group()).isalnum()), escapes[0])
    return QueryError(
        f"line {place(text, odd.start())[0]}: {odd.group()} makes a different query if it is decoded before the query "
        'is read, as SPARQL 1.1 says; write the character itself, or \\", \\n or \\\\ in a string'
    )


# --- what is asked -------------------------------------------------------------------------

KINDS: dict[str, type] = {"rows": QuerySolutions, "boolean": QueryBoolean, "graph": QueryTriples}


def kind_of(text: str, base_iri: str | None = None) -> str:
    """
    Determine the kind of answer of a query with an empty store; in a separate frame, since no other thread may free it.

    Raises:
        SyntaxError: If it is not SPARQL.
    """
    answer = Store().query(text, base_iri=base_iri)
    return next(name for name, each in KINDS.items() if isinstance(answer, each))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A query as the engine understands it: the kind of its answer, its columns, and the IRIs of its terms."""

    kind: str
    columns: list[str]
    iris: list[str]


# Parses a text with the engine; see `read`.
Reader = Callable[[str, str, list[str], str | None], Meaning]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query as sent to a remote store; `default` and `named` are the graphs of its FROM clauses, or None."""

    text: str
    kind: str
    default: list[str] | None
    named: list[str] | None


def question(text: str, limited: str, base_iri: str | None, reader: Reader) -> Question:
    """
    Parse a query from a client and write it again.

    Args:
        text: The text as received; error messages refer to it.
        limited: The same with a row limit, which is what is sent.
        base_iri: What relative IRIs are resolved against.
        reader: Parses both, and also the result.
    Raises:
        SyntaxError: If it is not SPARQL.
        QueryError: If it cannot be sent to a remote store.
    """
    restated = restate(limited, base_iri)
    meaning = reader(text, restated.prologue, restated.terms, base_iri)
    written = restated.text(meaning.iris, meaning.columns)
    try:
        again = reader(written, "", [], None)
    except SyntaxError:
        again = None
    if again is None or again.kind != meaning.kind:
        raise QueryError("the query is ambiguous; write spaces between its words")
    if not restated.clauses:
        return Question(text=written, kind=meaning.kind, default=None, named=None)
    default = [meaning.iris[number] for named, number in restated.clauses if not named]
    return Question(
        text=written,
        kind=meaning.kind,
        default=default,
        named=[meaning.iris[n] for named, n in restated.clauses if named],
    )


def read(text: str, prologue: str, terms: list[str], base_iri: str | None) -> Meaning:
    """
    Parse a query with the engine, on an empty store.

    Args:
        text: The query.
        prologue: Resolves the terms.
        terms: IRIs and prefixed names, as written.
        base_iri: What relative IRIs are resolved against.
    Raises:
        SyntaxError: If it is not SPARQL.
        QueryError: If the terms are too long.
    """
    answer = Store().query(text, base_iri=base_iri)
    kind = next(name for name, each in KINDS.items() if isinstance(answer, each))
    columns = [variable.value for variable in answer.variables] if isinstance(answer, QuerySolutions) else []
    # Errors must not reference an answer, since another thread could free them.
    del answer
    iris = list(_resolved(prologue, terms, base_iri)) if terms else []
    if sum(map(len, iris)) > LONGEST:
        raise QueryError(f"the names of the query have more than {LONGEST} characters; split it")
    return Meaning(kind, columns, iris)


def _resolved(prologue: str, terms: list[str], base_iri: str | None) -> Iterator[str]:
    """Expand IRIs and prefixed names, up to the length limit."""
    rows = Store().query(f"{prologue}\nSELECT ?g {{ VALUES ?g {{ {' '.join(terms)} }} }}", base_iri=base_iri)
    assert isinstance(rows, QuerySolutions)
    left = LONGEST
    for row in rows:
        iri = ns.value(row[0])
        left -= len(iri)
        yield iri
        if left < 0:
            return
