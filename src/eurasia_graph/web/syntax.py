"""
Read a query by its tokens, without parsing it: its form, its graphs, its size, its limit.

The parser is the engine's and runs in another process; what is read here decides how the query is sent there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError, nearest
from eurasia_graph.store import TOKEN

LEXER = re.compile(rf"{TOKEN.pattern}|(?P<open>[{{(\[])|(?P<close>[}})\]])|(?P<number>\d+)", re.DOTALL)
FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
DEEPEST = 64
# Operators that the engine reads by recursion; a long run of one is a nest without brackets.
RUN = re.compile(r"(?:!\s*){65,}|(?:\^\s*){65,}|(?:-\s*){65,}|(?:\+\s*){65,}")


@dataclass
class Query:
    """
    What the tokens of a query tell.

    `form` is None where the text begins as no query does. `clauses` are (NAMED or "", term as
    written) for each FROM; `terms` the names of our ontology that it uses.
    """

    text: str
    form: str | None = None
    prologue: str = ""
    prefixes: dict[str, str] = field(default_factory=dict)
    clauses: list[tuple[str, str]] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    terms: set[str] = field(default_factory=set)
    where_end: int | None = None
    limit: tuple[int, int, int] | None = None
    offset: tuple[int, int, int] | None = None
    values: int | None = None

    def limited(self, rows: int) -> tuple[str, str | None]:
        """
        Cut the query to a number of rows.

        Returns:
            The query with that limit, unless its own is lower, and one that asks for the row after the
            last, or None where there can be none.
        """
        if self.form != "SELECT" or self.where_end is None or (self.limit and self.limit[2] <= rows):
            return self.text, None
        start = self.offset[2] if self.offset else 0
        end = len(self.text) if self.values is None else self.values
        body, tail = self.text[:end], self.text[end:]
        for clause in sorted((each for each in (self.limit, self.offset) if each), reverse=True):
            body = f"{body[: clause[0]]}{' ' * (clause[1] - clause[0])}{body[clause[1] :]}"
        # On a line of its own, since the last line may end in a comment.
        return f"{body}\nLIMIT {rows} OFFSET {start}\n{tail}", f"{body}\nLIMIT 1 OFFSET {start + rows}\n{tail}"


def read(text: str) -> Query:
    """
    Read the tokens of a query.

    Raises:
        QueryError: If brackets or operators are nested more than 64 deep.
    """
    query = Query(text)
    tokens = [match for match in LEXER.finditer(text) if not match.group().startswith("#")]
    _refuse_runs(text, tokens)
    depth = 0
    for index, match in enumerate(tokens):
        if match.group("open"):
            depth += 1
            if depth > DEEPEST:
                line = text.count("\n", 0, match.start()) + 1
                raise QueryError(f"line {line}: brackets are nested more than {DEEPEST} deep; take the query apart")
        elif match.group("close"):
            depth -= 1
            if depth == 0 and match.group() == "}" and query.where_end is None and query.form:
                query.where_end = match.end()
        elif depth == 0:
            _top_level(query, tokens, index)
        _note_term(query, match)
    return query


def _refuse_runs(text: str, tokens: list[re.Match[str]]) -> None:
    if all(text.count(operator) <= DEEPEST for operator in "!^-+"):
        return
    kept, last = [], 0
    for match in tokens:
        kept.append(text[last : match.start()])
        last = match.end()
        kept.append("x")
    kept.append(text[last:])
    if RUN.search("".join(kept)):
        raise QueryError(f"an operator is repeated more than {DEEPEST} times in a row; take the query apart")


def _top_level(query: Query, tokens: list[re.Match[str]], index: int) -> None:
    """Read a word outside all brackets."""
    match = tokens[index]
    word = (match.group("word") or "").upper()
    following = [each.group() for each in tokens[index + 1 : index + 3]]
    if query.form is None:
        if word == "PREFIX" and len(following) > 1 and following[0].endswith(":") and following[1].startswith("<"):
            query.prefixes[following[0][:-1]] = following[1][1:-1]
        elif word in FORMS:
            query.form = word
            query.prologue = query.text[: match.start()]
    elif word == "FROM" and query.where_end is None and following:
        named = following[0].upper() == "NAMED" and len(following) > 1
        query.clauses.append(("NAMED", following[1]) if named else ("", following[0]))
    elif query.where_end is not None and word in {"LIMIT", "OFFSET"} and following and following[0].isdigit():
        clause = (match.start(), tokens[index + 1].end(), int(following[0]))
        if word == "LIMIT":
            query.limit = clause
        else:
            query.offset = clause
    elif query.where_end is not None and word == "VALUES":
        query.values = match.start()


def _note_term(query: Query, match: re.Match[str]) -> None:
    """Remember the prefixes that are used, with where, and the names of our ontology."""
    prefix, text = match.group("prefix"), match.group()
    if ":" not in text:
        return
    if text.startswith("<"):
        iri = text[1:-1]
    elif prefix or text.startswith(":"):
        name, _, local = text.partition(":")
        if query.form:
            query.used.setdefault(name, match.start())
        iri = query.prefixes.get(name, "") + local
    else:
        return
    if query.form and iri.startswith(ns.EG) and len(iri) > len(ns.EG):
        query.terms.add(iri)


# --- what went wrong -----------------------------------------------------------------------

PLACE = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
PART = re.compile(r"\"(?:[^\"\\]|\\.)+\"|'(?:[^'\\]|\\.)'|\[[^\]]*(?:\][^,\]]*\])?[^,]*|[^,]+")
MOST_EXPECTED = 8


@dataclass(frozen=True)
class Fault:
    """A syntax error: where (from 1), what stands there with a caret below, what was expected, what to do."""

    line: int
    column: int
    excerpt: str
    expected: str
    hint: str


def explain(query: Query, message: str) -> Fault | None:
    """Turn the message of the engine into a fault, or return None where it names no place."""
    match = PLACE.search(message)
    if match is None:
        return None
    line, column = int(match.group(1)), int(match.group(2))
    missing = next((name for name in query.used if name not in query.prefixes), None)
    misspelt = _misspelt(query)
    if misspelt is not None:
        start, word, meant = misspelt
        line, column = _place(query.text, start)
        expected = meant or "SELECT, ASK, CONSTRUCT or DESCRIBE"
        hint = f"write {meant} in the place of {word}" if meant else f"{word} begins no query"
    elif missing is not None:
        # The engine points behind the name, or to the end of the longest thing it could read.
        start = query.used[missing]
        line, column = _place(query.text, start)
        expected, hint = f"a declaration of the prefix {missing}:", declaration(missing)
    else:
        expected, hint = _expected(match.group(3)), "mend what stands at the caret"
    lines = query.text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    return Fault(line, column, f"{shown}\n{' ' * (column - 1)}^", expected, hint)


def _misspelt(query: Query) -> tuple[int, str, str] | None:
    """Return where the word stands that begins no form of query, the word, and the form it nearly is, or ""."""
    if query.form is not None:
        return None
    words = (match for match in TOKEN.finditer(query.text) if match.group("word"))
    first = next((match for match in words if match.group("word").upper() not in {"PREFIX", "BASE"}), None)
    if first is None:
        return None
    near = nearest(first.group("word").upper(), FORMS, limit=1)
    return first.start(), first.group("word"), near[0] if near else ""


def _place(text: str, start: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    return text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1


def declaration(prefix: str) -> str:
    """Say which line declares a prefix: the usual one, or that of the nearest prefix."""
    if prefix in ns.PREFIXES:
        return f"add PREFIX {prefix}: <{ns.PREFIXES[prefix]}>"
    near = nearest(prefix, ns.PREFIXES, limit=1)
    if near:
        return f"declare {prefix}:, or write {near[0]}: and add PREFIX {near[0]}: <{ns.PREFIXES[near[0]]}>"
    return f"add PREFIX {prefix}: <...> with the namespace you mean"


def _expected(text: str) -> str:
    """Shorten the engine's list of what it could have read."""
    if "variable that is unbound" in text:
        return "every variable of SELECT to be grouped by or inside an aggregate"
    seen: list[str] = []
    for word in re.findall(r"\"[^\"]+\"|\b[A-Za-z][A-Za-z ]{2,}\b|'.'", re.sub(r"\[[^\]]*\][^,]*", "", text)):
        # The engine would read a call of another store there; this service would refuse it.
        if word not in seen and word not in {"LATERAL", "SERVICE"}:
            seen.append(word)
    if "['A'" in text or "['0'" in text:
        seen.append("a name or a number")
    more = f" and {len(seen) - MOST_EXPECTED} more" if len(seen) > MOST_EXPECTED else ""
    return (", ".join(seen[:MOST_EXPECTED]) + more) or "the rest of a pattern: subject, predicate and object"
