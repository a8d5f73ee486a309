"""
Analyse a query by its tokens, without parsing it: its form, its graphs, its size, its limit.

The engine parses the query in another process; this analysis decides how the query is sent there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eurasia_graph import namespaces as ns
from eurasia_graph.sparql.tokens import Token, refuse_depth, tokens

FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass
class Query:
    """
    A query as analysed from its tokens.

    `form` is None if the text does not begin like a query. `clauses` are (NAMED or "", term as
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
    tokens: list[Token] = field(default_factory=list)

    def limited(self, rows: int) -> tuple[str, str | None]:
        """
        Limit the query to a number of rows.

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
        # On a new line, since the last line may end in a comment.
        return f"{body}\nLIMIT {rows} OFFSET {start}\n{tail}", f"{body}\nLIMIT 1 OFFSET {start + rows}\n{tail}"


def read(text: str) -> Query:
    """
    Read the tokens of a query.

    Raises:
        QueryError: If brackets or operators are nested more than 64 deep, if there are more than 2000
            operators, or if a string is not closed.
    """
    query = Query(text, tokens=list(tokens(text)))
    refuse_depth(text, query.tokens)
    depth = 0
    for index, token in enumerate(query.tokens):
        if token.kind == "open":
            depth += 1
        elif token.kind == "close":
            depth -= 1
            if depth == 0 and token.text == "}" and query.where_end is None and query.form:
                query.where_end = token.end
        elif depth == 0:
            _top_level(query, index)
        if token.kind in {"name", "iri"}:
            _note_term(query, token)
    return query


def _top_level(query: Query, index: int) -> None:
    """Read a word outside all brackets."""
    token = query.tokens[index]
    word = token.text.upper() if token.kind == "word" else ""
    following = [each.text for each in query.tokens[index + 1 : index + 3]]
    if query.form is None:
        if word == "PREFIX" and len(following) > 1 and following[0].endswith(":") and following[1].startswith("<"):
            query.prefixes[following[0][:-1]] = following[1][1:-1]
        elif word in FORMS:
            query.form = word
            query.prologue = query.text[: token.start]
    elif word == "FROM" and query.where_end is None and following:
        named = following[0].upper() == "NAMED" and len(following) > 1
        query.clauses.append(("NAMED", following[1]) if named else ("", following[0]))
    elif word == "FROMNAMED" and query.where_end is None and following:
        query.clauses.append(("NAMED", following[0]))
    elif query.where_end is not None and word in {"LIMIT", "OFFSET"} and following and NUMBER.fullmatch(following[0]):
        clause = (token.start, query.tokens[index + 1].end, int(following[0]))
        if word == "LIMIT":
            query.limit = clause
        else:
            query.offset = clause
    elif query.where_end is not None and word == "VALUES":
        query.values = token.start


def _note_term(query: Query, token: Token) -> None:
    """Record the prefixes that are used, with their positions, and the names of our ontology."""
    if token.kind == "iri":
        iri = token.text[1:-1]
    else:
        name, _, local = token.text.partition(":")
        if name == "_":
            return
        if query.form:
            query.used.setdefault(name, token.start)
        iri = query.prefixes.get(name, "") + local
    if query.form and iri.startswith(ns.EG) and len(iri) > len(ns.EG):
        query.terms.add(iri)


# --- what went wrong -----------------------------------------------------------------------
