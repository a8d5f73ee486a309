"""
Read the tokens of a SPARQL query as the engine reads them, in one pass and in linear time.

What a `<` begins depends on where it stands: `(?a<?b)SERVICE#>` is not an IRI but a comparison, followed by
a call of another store. So the tokeniser tracks brackets and what they contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from eurasia_graph.errors import QueryError

# Beside letters and digits as Python knows them; source: PN_CHARS in https://www.w3.org/TR/sparql11-query/#rPN_CHARS
NAME = (
    r"[\w\u00b7\u00c0-\u037d\u037f-\u1fff\u200c\u200d\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
    r"\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff]"
)
LATER = NAME[:-1] + r".\-]"
# The part of a name after its colon, and the colon.
LOCAL = rf":(?:(?:{NAME[:-1]}:]|%[0-9A-Fa-f]{{2}}|\\.)(?:{LATER[:-1]}:]|%[0-9A-Fa-f]{{2}}|\\.)*+)?"
# Names and variables are read more liberally than by the engine: where it would stop earlier, it finds a character
# that cannot begin a token, and refuses the query. Possessive quantifiers (`*+`) prevent backtracking; without them a
# run of names takes quadratic time.
TOKEN = (
    rf"(?P<blank>\s+|#[^\n\r]*)"
    rf"|(?P<variable>[?$]{NAME}+)"
    rf"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"
    rf"|(?P<bare>{NAME}{LATER}*+)(?P<name>{LOCAL})?"
    rf"|(?P<local>{LOCAL})"
    r"|(?P<iri><(?:[^<>\"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>)"
    r'|(?P<string>"""(?:[^"\\]|\\.|"(?!""))*+"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*+'''"
    r'|"(?:[^"\\\n\r]|\\.)*+"'
    r"|'(?:[^'\\\n\r]|\\.)*+')"
    r"|(?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)"
    r"|(?P<open>[{(\[])"
    r"|(?P<close>[})\]])"
    r"|(?P<mark><<|>>|.)"
)
# A run of words without spaces, and what is between them.
PART = re.compile(r"[^.\-]+|[.\-]")
# After these, an expression continues with a value, so a `<` begins an IRI; after anything else it is a comparison.
BEFORE_VALUES = {*"(,=<>!&|+-*/^;", "<<"}


class Token(NamedTuple):
    """
    One token; white space and comments are not tokens.

    `kind` is variable, string, iri, name (with a colon), word, language, number, open, close or mark;
    `start` is its offset in the text.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.text)


class Around:
    """
    The brackets that are open around a place, each with what it holds.

    `e` is an expression, `p` a list or a path, `{` a pattern, `s` the clauses of a SELECT, `[` a blank
    node. Outside of all brackets stand the clauses of the query.
    """

    def __init__(self) -> None:
        self.open = ["s"]
        self.before: Token | None = None
        self.in_constraint = False

    @property
    def awaits_operator(self) -> bool:
        """Whether a `<` is a comparison: in an expression, after a value."""
        before = self.before
        if before is None or self.open[-1] != "e":
            return False
        if before.kind == "word":
            return before.text.upper().endswith(("TRUE", "FALSE"))
        return before.text not in BEFORE_VALUES

    def follow(self, token: Token) -> None:
        """Note a token."""
        kind = token.kind
        if kind == "open":
            self.open.append(self._holds(token.text))
            self.in_constraint = False
        elif kind == "close":
            if len(self.open) > 1:
                self.open.pop()
            self.in_constraint = False
        elif kind == "word":
            # Words may run together with others, as in `trueFILTER(`.
            upper = token.text.upper()
            if upper.startswith("SELECT") and self.before and self.before.text == "{":
                self.open[-1] = "s"
            elif "FILTER" in upper or "BIND" in upper:
                self.in_constraint = True
        self.before = token

    def _holds(self, bracket: str) -> str:
        if bracket != "(":
            return bracket
        if self.before and self.before.text == "<<":
            return "p"
        if self.open[-1] in {"e", "p"}:
            return self.open[-1]
        return "e" if self.open[-1] == "s" or self.in_constraint else "p"


@lru_cache(maxsize=1)
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of one token, compiled when it is first asked for: that takes longer than reading a query."""
    return re.compile(TOKEN, re.DOTALL)


def tokens(text: str) -> Iterator[Token]:
    """
    Read the tokens of a query.

    Raises:
        QueryError: If a string is not closed; nothing after it can be read.
    """
    pattern, around, position = token_pattern(), Around(), 0
    while position < len(text):
        for found in pattern.finditer(text, position):
            kind, written = str(found.lastgroup), found.group()
            position = found.end()
            if kind == "blank":
                continue
            if kind == "bare":
                if "." in written or "-" in written:
                    yield from _words(around, written, found.start())
                    continue
                kind = "word"
            elif kind == "local":
                kind = "name"
            elif kind in {"string", "mark"}:
                _refuse_unclosed(text, found.start(), written)
            if (kind == "iri" or written == "<<") and around.awaits_operator:
                kind, written, position = "mark", "<", found.start() + 1
            token = Token(kind, written, found.start())
            around.follow(token)
            yield token
            if position != found.end():
                # It is read again from after the operator.
                break


def _words(around: Around, written: str, start: int) -> Iterator[Token]:
    """Take words apart that run together, with dots and signs between them."""
    for part in PART.finditer(written):
        token = Token("mark" if part.group() in ".-" else "word", part.group(), start + part.start())
        around.follow(token)
        yield token


def _refuse_unclosed(text: str, start: int, written: str) -> None:
    # Three quotes that are never closed would else be read as an empty string and the begin of another.
    if written in {'"', "'"} or (written in {'""', "''"} and text.startswith(written[0] * 3, start)):
        raise unclosed(text, start)


def unclosed(text: str, start: int) -> QueryError:
    """Return the error for an unclosed string."""
    line, column = place(text, start)
    shown = text.split("\n")[line - 1]
    expected, hint = "the end of the string", "close it in the same line, or write three quotes before and after it"
    return QueryError(
        f"line {line}, column {column}: this is not SPARQL; the string that begins here is not closed; {hint}",
        details={
            "line": line,
            "column": column,
            "excerpt": f"{shown}\n{' ' * (column - 1)}^",
            "expected": expected,
            "hint": hint,
        },
    )


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


# --- escapes of code points -----------------------------------------------------------------

# As the engines of other makers read them, which is wider than any grammar: with several `u`, as Java does.
ESCAPE = re.compile(r"\\(?:u+(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8}))")
# A reader that counts backslashes leaves an escaped one alone, and what follows it.
COUNTED = re.compile(rf"\\\\|{ESCAPE.pattern}")
MOST_DECODED = 2
LAST_CODE_POINT = 0x10FFFF


def readings(text: str) -> Iterator[str]:
    r"""
    Return a text in every way in which an engine may read it before it looks for tokens.

    SPARQL 1.1 decodes `\u0041` everywhere and first, SPARQL 1.2 only in strings and IRIs; some readers
    count the backslashes before it and some do not. So: the text as it is, then decoded in either way, then
    what came of that decoded again.

    Raises:
        QueryError: If escapes are written in escapes, again and again.
    """
    known = [text]
    yield text
    if "\\u" not in text and "\\U" not in text:
        return
    latest = [text]
    for _ in range(MOST_DECODED):
        latest = [
            each
            for each in dict.fromkeys(decode(one, each) for one in latest for each in (ESCAPE, COUNTED))
            if each not in known
        ]
        if not latest:
            return
        yield from latest
        known += latest
    raise QueryError("escapes are nested more than twice; write the characters themselves")


def decode(text: str, escape: re.Pattern[str] = COUNTED) -> str:
    """Decode the escapes of code points in a text, once."""
    return escape.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    digits = match["short"] or match["long"]
    number = int(digits, 16) if digits else LAST_CODE_POINT + 1
    return chr(number) if number <= LAST_CODE_POINT else match.group()


# --- what is nested too deep ----------------------------------------------------------------

# The engine parses brackets and operators recursively, and its stack is limited.
DEEPEST = 64
SIGNS = set("!^-+")
MOST_OPERATORS = 2000
OPERATORS = set("&|+-*/<>=!")


def refuse_depth(text: str, found: list[Token]) -> None:
    """
    Refuse a query that would make the engine recurse too deeply.

    Raises:
        QueryError: If brackets or operators are nested more than 64 deep, or there are more than 2000 operators.
    """
    depth = row = operators = 0
    last = ""
    for token in found:
        if token.kind == "open" or token.text == "<<":
            depth += 1
        elif token.kind == "close" or token.text == ">>":
            depth -= 1
        elif token.kind == "mark":
            row = row + 1 if token.text == last and last in SIGNS else 1
            operators += token.text in OPERATORS
        last = token.text
        if depth > DEEPEST:
            raise _too_deep(text, token, f"brackets are nested more than {DEEPEST} deep")
        if row > DEEPEST:
            raise _too_deep(text, token, f"an operator is repeated more than {DEEPEST} times in a row")
        if operators > MOST_OPERATORS:
            raise _too_deep(text, token, f"there are more than {MOST_OPERATORS} operators")


def _too_deep(text: str, token: Token, what: str) -> QueryError:
    return QueryError(f"line {place(text, token.start)[0]}: {what}; split the query")
