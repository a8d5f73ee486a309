"""Find where a query stops being SPARQL, and what could be written there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import nearest
from eurasia_graph.sparql.shape import FORMS, Query
from eurasia_graph.sparql.tokens import Token, place

# Tries texts and returns the message of the engine for each, or None where it can read it.
Probe = Callable[[list[str]], list[str | None]]


PLACE = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)


LITERAL = re.compile(r"\"((?:[^\"\\]|\\.)+)\"")


KEYWORD = re.compile(r"\b[A-Z][A-Z0-9_]+\b")


# The engine compares as many letters as a keyword has, and reports the position after them.
LONGEST_KEYWORD = 16


BLANKS = "\n" * (LONGEST_KEYWORD + 4)


MOST_EXPECTED = 10


# The words of the grammar; those that are none of them are functions.
# fmt: off
GRAMMAR = {
    "AS", "ASC", "ASK", "BASE", "BIND", "BY", "CONSTRUCT", "DESC", "DESCRIBE", "DISTINCT", "EXISTS", "FILTER",
    "FROM", "GRAPH", "GROUP", "HAVING", "IN", "LIMIT", "MINUS", "NAMED", "NOT", "OFFSET", "OPTIONAL", "ORDER",
    "PREFIX", "REDUCED", "SELECT", "SEPARATOR", "UNDEF", "UNION", "VALUES", "WHERE",
}


# fmt: on
# The engine would take these; this service refuses them.
UNSAID = {"LATERAL", "SERVICE"}


KINDS = {
    **dict.fromkeys(("?", "$"), "a variable"),
    "<": "an IRI",
    ":": "a prefixed name",
    **dict.fromkeys(('\\"', "'", "true"), "a literal"),
    "_:": "a blank node",
    "=": "an operator",
}


SHOWN = set(",.;{}()[]")


CLASS = re.compile(r"\['[^\]]*\]")


DIGITS = "['0'..='9']"


MEND = "correct the text at the caret"


# What people mean by these where they are not allowed.
HINTS = {
    "UNION": "write { ... } UNION { ... }",
    "AND": "write &&",
    "OR": "write ||",
    "=": "a comparison is = or !=, inside FILTER( )",
    "COUNT": "write (COUNT(?x) AS ?n)",
    ",": "remove the comma between variables; between values it needs a list in ( )",
    "NOT": "write FILTER NOT EXISTS { ... }",
    "EXISTS": "write FILTER EXISTS { ... }",
}


# What the engine says of queries that are well-formed but invalid.
MEANINGLESS = {
    "Duplicated variable name": ("every column of SELECT to have a different name", "give one of them another name"),
    "overrides an existing variable": ("a new name after AS", "give the value a name that the pattern does not use"),
    "variable that is unbound": (
        "every variable of SELECT to be grouped by or inside an aggregate",
        "add it to GROUP BY, or put it into an aggregate such as SAMPLE",
    ),
    "IRI parsing failed": ("an IRI", "percent-encode spaces and special characters in it, such as %20"),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A syntax error: where (from 1), what stands there with a caret below, what was expected, what to do."""

    line: int
    column: int
    excerpt: str
    expected: str
    hint: str


def explain(query: Query, message: str, probe: Probe) -> Fault | None:
    """
    Find out what is wrong with a query that the engine cannot read.

    Args:
        query: What its tokens tell.
        message: Of the engine.
        probe: Lets the engine try other texts.
    Returns:
        The fault, or None where the message names no place.
    """
    match = PLACE.search(message)
    if match is None:
        return None
    seen = _offset(query.text, int(match.group(1)), int(match.group(2)))
    start, expected, hint = _prologue(query) or _misspelt(query) or _found(query, seen, match.group(3), probe)
    line, column = place(query.text, start)
    lines = query.text.split("\n")
    shown = lines[min(line, len(lines)) - 1]
    excerpt = f"{shown}\n{' ' * (column - 1)}^"
    return Fault(line=line, column=column, excerpt=excerpt, expected=expected, hint=hint)


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return min(sum(len(each) + 1 for each in lines[: line - 1]) + column - 1, len(text))


def _found(query: Query, seen: int, said: str, probe: Probe) -> tuple[int, str, str]:
    """Find the first token that cannot stand where it stands, around the place that the engine has named."""
    unknown = next((name for name in query.used if name not in query.prefixes), None)
    token, answer = _first_fault(query, seen, probe)
    if unknown is not None and (token is None or query.used[unknown] <= token.start):
        return query.used[unknown], f"a declaration of the prefix {unknown}:", declaration(unknown)
    start = token.start if token else min(seen, len(query.text.rstrip()))
    for words, (expected, hint) in MEANINGLESS.items():
        if words in answer or words in said:
            return start, expected, hint
    if token:
        hint = HINTS.get(token.text.upper(), MEND)
        return _given_twice(query, token) or (start, _expected(query.text, start, said, probe), hint)
    too_early = start >= len(query.text.rstrip())
    return start, _expected(query.text, start, said, probe), "the query ends too early" if too_early else MEND


def _first_fault(query: Query, seen: int, probe: Probe) -> tuple[Token | None, str]:
    """Return the token, and what the engine says of the text that ends with it."""
    near = [token for token in query.tokens if seen - LONGEST_KEYWORD <= token.start <= seen]
    texts = [query.text[: token.end] + BLANKS for token in near]
    for token, text, answer in zip(near, texts, probe(texts), strict=False):
        if answer is not None and not _reaches(text, answer):
            broken = next((each for each in near if each.text == "<" and "IRI parsing" in answer), token)
            return broken, answer
    return None, ""


def _reaches(text: str, message: str) -> bool:
    """Whether the engine could read a text to its end, and misses what should follow."""
    match = PLACE.search(message)
    return match is not None and _offset(text, int(match.group(1)), int(match.group(2))) >= len(text)


def _given_twice(query: Query, token: Token) -> tuple[int, str, str] | None:
    """Tell of a variable that gets a value though it has one: `AS ?x)` just before a token."""
    index = query.tokens.index(token)
    for end in range(max(index - 2, 1), index + 1):
        behind, named = query.tokens[end - 1], query.tokens[end]
        given = named.kind == "variable" and behind.text.upper() == "AS"
        if given and any(each.text == named.text for each in query.tokens[:end]):
            hint = f"{named.text} already has a value; use another name"
            return named.start, "a new variable after AS", hint
    return None


def _expected(text: str, start: int, said: str, probe: Probe) -> str:
    """List what could stand at an offset, or what the engine has said of it where it can try nothing else."""
    before = text[:start].rstrip() + BLANKS
    answers = probe([before, *(before + "~" * length for length in range(1, LONGEST_KEYWORD))])
    answers = answers or [f"error at 0:0: expected {said}"] * 2
    if answers[0] is None:
        return "the end of the query"
    told = [CLASS.sub("", found.group(3)) for found in map(PLACE.search, filter(None, answers)) if found]
    marks = LITERAL.findall(told[0]) if told else []
    listed = dict.fromkeys(f'"{mark}"' for mark in marks if mark in SHOWN)
    listed |= dict.fromkeys(KINDS[mark] for mark in marks if mark in KINDS and not (mark == "<" and "=" in marks))
    words = {word for each in told[1:] for word in KEYWORD.findall(each)} - UNSAID
    listed |= dict.fromkeys(sorted(words & GRAMMAR))
    if words - GRAMMAR:
        listed["a function"] = None
    if not listed and DIGITS in answers[0]:
        listed["a number"] = None
    shown = list(listed)
    more = f" and {len(shown) - MOST_EXPECTED} more" if len(shown) > MOST_EXPECTED else ""
    return (", ".join(shown[:MOST_EXPECTED]) + more) or "something else"


def _prologue(query: Query) -> tuple[int, str, str] | None:
    """Find a declaration of a prefix that is none."""
    for index, token in enumerate(query.tokens):
        if token.kind == "language" and token.text.lower() in {"@prefix", "@base"}:
            return (
                token.start,
                "PREFIX",
                "write PREFIX name: <...>, without @ and without a final dot",
            )
        if token.kind == "word" and token.text.upper() != "BASE":
            if token.text.upper() != "PREFIX":
                return None
            name, iri = (*query.tokens[index + 1 : index + 3], None, None)[:2]
            if name and not name.text.endswith(":"):
                written = f"{name.text.partition(':')[0]}:" if name.kind in {"word", "name"} else "name:"
                return name.start, "the name of a prefix with its colon", f"write PREFIX {written} <...>"
            if name and iri and iri.kind != "iri":
                return iri.start, "an IRI in < and >", f"write PREFIX {name.text} <...>"
    return None


def _misspelt(query: Query) -> tuple[int, str, str] | None:
    """Find a word in the place of SELECT, ASK, CONSTRUCT or DESCRIBE."""
    if query.form is not None:
        return None
    words = (token for token in query.tokens if token.kind == "word")
    first = next((token for token in words if token.text.upper() not in {"PREFIX", "BASE"}), None)
    if first is None:
        return None
    near = nearest(first.text.upper(), FORMS, limit=1)
    if near:
        return first.start, near[0], f"write {near[0]} instead of {first.text}"
    return first.start, "SELECT, ASK, CONSTRUCT or DESCRIBE", f"{first.text} cannot begin a query"


def declaration(prefix: str) -> str:
    """Say which line declares a prefix: the usual one, or that of the nearest prefix."""
    if prefix in ns.PREFIXES:
        return f"add PREFIX {prefix}: <{ns.PREFIXES[prefix]}>"
    near = nearest(prefix, ns.PREFIXES, limit=1)
    if near:
        return f"declare {prefix}:, or write {near[0]}: and add PREFIX {near[0]}: <{ns.PREFIXES[near[0]]}>"
    return f"add PREFIX {prefix}: <...> with the namespace you mean"
