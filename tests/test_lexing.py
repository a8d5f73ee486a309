"""The tokens of a query are those that the engine reads, also where it takes several lines of grammar to tell."""

from __future__ import annotations

import random
import time

import pytest
from pyoxigraph import Store

from eurasia_graph.errors import QueryError
from eurasia_graph.sparql import shape
from eurasia_graph.sparql.refusals import refuse_service
from eurasia_graph.sparql.tokens import tokens
from trap import Trap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # In an expression, after a value, `<` compares; elsewhere it begins an IRI.
        ("FILTER(?a<?b)SERVICE#>\n<x>", "word open variable mark variable close word iri"),
        ("{?s ?p(?a<?b#>)}", "open variable variable open variable iri close close"),
        ("FILTER(?a IN(<x>,<y>))", "word open variable word open iri mark iri close close"),
        ("FILTER(<x><<y>)", "word open iri mark iri close"),
        ("FILTER EXISTS{?s<x>?o}", "word word open variable iri variable close"),
        ("{SELECT(1e5<?b#>\nAS?c){}}", "open word open number mark variable word variable close open close close"),
        ('ORDER BY("a"@en--ltr<?b#>)', "word word open string language mark variable"),
        ("<<(?s<p>?o)>>", "mark open variable iri variable close mark"),
        ("VALUES(?a){(1<x>)}", "word open variable close open open number iri close close"),
        # Names, and what runs together without a blank.
        ("a:b.c a:.d _:b :x %", "name name mark word name name mark"),
        ("trueFILTER-1.5.x", "word mark word mark word mark word"),
        ("?àb·c$d‿e?f、g", "variable variable variable"),
        ("'a' \"b\" '''c'd''' \"\"\"e\"f\n\"\"\" ''", "string string string string string"),
        ("# all of it is a comment '\n?x", "variable"),
    ],
)
def test_tokens(text: str, expected: str) -> None:
    """Every kind of token, and every place that decides what a `<` is."""
    assert " ".join(token.kind for token in tokens(text)) == expected


@pytest.mark.parametrize("text", ["SELECT ('a\n' AS ?x) {}", 'ASK { ?s ?p """a" }', "ASK { ?s ?p 'a\\' }"])
def test_a_string_without_end_is_refused(text: str) -> None:
    """What follows it cannot be distinguished from its content."""
    with pytest.raises(QueryError, match="the string that begins here is not closed"):
        list(tokens(text))


@pytest.mark.parametrize("piece", ["a.", "a-", '\\"""\n', '"\\"', "<", "<a", "((", "a:b.", "1.", "'''", "%", "?a<"])
def test_the_time_grows_with_the_text(piece: str) -> None:
    """No text makes the reader go over it again and again; ten times as much takes ten times as long."""

    def work(size: int) -> float:
        text, begin = piece * (size // len(piece)), time.process_time()
        try:
            for _ in tokens(text):
                pass
        except QueryError:
            pass
        return time.process_time() - begin

    # Reading a letter again for every other one would make it 10,000 times as long; noise makes it a few times.
    assert work(100_000) < 500 * max(work(1000), 0.001)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { FILTER(?a<" + "(" * 70 + "1" + ")" * 70 + ")&&1>0) }",
        "ASK { FILTER(1" + "+1" * 2001 + ") }",
        "ASK { FILTER(" + "!" * 65 + "true) }",
        "ASK { " + "<<" * 65 + " }",
    ],
)
def test_what_is_nested_too_deep_is_refused(query: str) -> None:
    """The engine reads by recursion."""
    with pytest.raises(QueryError, match="split the query"):
        shape.read(query)


# --- against the engine --------------------------------------------------------------------

VARIABLES = ["?a", "?b", "$s", "?à", "?x·"]
LITERALS = ["1", "1e5", ".5", '"x"', "'y'", '"x"@en', '"""q"r"""', "'''t'u'''", '"1"^^<a:a>', '"1"^^x:i', "true"]
NAMES = ["<http://e/x>", "x:a", "x:b.c", "<http://e/'o>", "<#f>", "<http://x/service#z>", "x:%41", "x:a\\'b"]
BETWEEN = [" ", "\n", "#>\n", '#"\n', "#'''>\n", "# <\n", "#)>\n"]
HEAD = "PREFIX x: <http://x/>\n"


class Writer:
    """Writes queries of the grammar at random, as lists of what may stand together without a blank."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self, depth: int = 0) -> list[str]:
        """A value, a comparison, a call, a list or a pattern."""
        kind = self.random.randrange(8 if depth < 4 else 2)
        if kind < 2:
            return [self.random.choice(VARIABLES + LITERALS + NAMES)]
        inner = self.expression(depth + 1)
        if kind < 5:
            operator = self.random.choice(["<", "<", "<", ">", "<=", "=", "&&", "||", "+", "-"])
            return ["(", *inner, operator, *self.expression(depth + 1), ")"]
        if kind == 5:
            return [self.random.choice(["STR", "x:f", "<http://e/f>"]), "(", *inner, ")"]
        if kind == 6:
            return [self.random.choice(VARIABLES), " IN ", "(", *inner, ",", *self.expression(depth + 1), ")"]
        return [" EXISTS ", "{", *self.pattern(depth + 1), "}"]

    def pattern(self, depth: int = 0) -> list[str]:
        """A triple, a filter, a list, values or a query in the query."""
        kind, name = self.random.randrange(7 if depth < 3 else 2), self.random.choice(NAMES)
        value = self.random.choice(VARIABLES + LITERALS)
        if kind == 0:
            return [self.random.choice(VARIABLES), " ", name, " ", value, "."]
        if kind == 1:
            return [self.random.choice(VARIABLES), " ", name, " ", "(", value, " ", name, ")", "."]
        if kind < 4:
            return [self.random.choice(["FILTER", "FILTER x:f"]), "(", *self.expression(depth), ")"]
        if kind == 4:
            return ["VALUES", "(", "?v ", "?w", ")", "{", "(", "1", " ", name, ")", "}"]
        if kind == 5:
            return ["OPTIONAL", "{", *self.pattern(depth + 1), "}"]
        order = ["(", *self.expression(depth + 1), ")"]
        return ["{", "SELECT ", "*", "{", *self.pattern(depth + 1), "}", " ORDER BY ", *order, "}"]

    def query(self, call: str) -> str:
        """A query with a call somewhere in it."""
        parts = ["{", *self.pattern(), *self.pattern(), call, "{", "?s ?p ?o", "}", *self.pattern(), "}"]
        return f"{HEAD}SELECT * " + "".join(
            part + (self.random.choice(BETWEEN) if self.random.random() < 0.2 else "") for part in parts
        )


def test_no_call_hides_in_what_is_written_together() -> None:
    """Queries at random, each with a call of another server: all that the engine would make are refused before."""
    writer, store, refused = Writer(7), Store(), 0
    with Trap() as trap:
        for _ in range(3000):
            query = writer.query(f"SERVICE<{trap.url}>")
            try:
                refuse_service(query)
            except QueryError as error:
                refused += error.status == 403
            else:
                # The engine does not read it either.
                with pytest.raises(SyntaxError):
                    store.query(query)
    assert trap.connections == 0
    assert refused > 2900
