r"""
Queries in which a call of another server is hidden, in every way that some engine would read as one.

RDF4J decodes `\u000A` before it reads tokens, so that a comment ends there; Virtuoso fetches addresses by a
function of its own; others may count backslashes, take letters of full width, or end a comment elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

# What ends a comment, a string or an IRI if it is decoded early.
ENDS = {"comment": "\n\r", '"': '"\n', "'": "'\r", '"""': '"', "'''": "'", "<": ">"}


def escapes(char: str) -> list[str]:
    """Write a character as escapes, once, in capitals and not, long, as Java does, and in escapes of escapes."""
    number = ord(char)
    return [
        f"\\u{number:04X}",
        f"\\u{number:04x}",
        f"\\U{number:08X}",
        f"\\uu{number:04X}",
        f"\\\\u{number:04X}",
        f"\\\\\\u{number:04X}",
        f"\\u005Cu{number:04X}",
        f"\\u005C\\u{number:04X}",
        f"\\U0000005Cu{number:04X}",
        f"\\u005Cu005Cu{number:04X}",
    ]


def calls(url: str) -> list[str]:
    """Write calls of an address, as engines take them."""
    return [
        f"SERVICE <{url}> {{ ?a ?b ?c }}",
        f"SERVICE SILENT <{url}> {{ ?a ?b ?c }}",
        f"service<{url}>{{?a ?b ?c}}",
        f"BIND(<bif:http_get>('{url}') AS ?got)",
    ]


def hidden(url: str) -> Iterator[str]:
    """Hide each call in a comment, a string and an IRI, after what ends them."""
    for call in calls(url):
        for quote, ends in ENDS.items():
            for end in ends:
                for escape in escapes(end):
                    yield from _behind(quote, escape, call)


def _behind(quote: str, escape: str, call: str) -> Iterator[str]:
    if quote == "comment":
        yield f"SELECT * {{ # {escape}{call}\n }}"
        yield f"# {escape}PREFIX x: <http://x/>\nSELECT * {{ ?s ?p ?o }} # {escape}{call}"
    elif quote == "<":
        yield f"SELECT * {{ ?s <http://x/{escape}?o . {call} #> ?z }}"
    else:
        yield f"SELECT * {{ ?s ?p {quote}{escape} . {call} #{quote} \n }}"
        yield f"SELECT * {{ ?s ?p {quote}x{escape} . {call} {escape}{quote} . ?s ?p {quote}y{quote} }}"


def spelt(url: str) -> Iterator[str]:
    """Spell the call, and what pragmas, functions and graphs of single products there are, in other ways."""
    for letter in "SERVIC":
        for written in [*escapes(letter), chr(ord(letter) + 0xFEE0), chr(ord(letter) + 0xFEE0).lower()]:
            yield f"SELECT * {{ {'SERVICE'.replace(letter, written, 1)} <{url}> {{ ?s ?p ?o }} }}"
    for word in ("\u017fERVICE", "SERV\u0131CE", "SERV\u0130CE", "SER\u200dVICE", "SERVICE\u00a0", "x:\\u0053ERVICE"):
        yield f"SELECT * {{ {word} <{url}> {{ ?s ?p ?o }} }}"
    for blank in "\x0b\x0c\x85\xa0\u2028\u2029\ufeff\x00":
        yield f"SELECT * {{ # {blank}SERVICE <{url}> {{ ?s ?p ?o }} \n }}"
        yield f"SELECT *{blank}{{ }} #{blank}SERVICE <{url}> {{ ?s ?p ?o }}"
    # What other lexers take for an IRI, a name or a string that is none to ours, and the other way round.
    yield f"SELECT * {{ FILTER(?a<?b&&'x>y'!='}} SERVICE <{url}> {{ ?s ?p ?o }} #') }}"
    yield f"PREFIX x: <http://x/> SELECT * {{ ?s x:a\\' ' . SERVICE <{url}> {{ ?s ?p ?o }} #' }}"
    yield f"PREFIX x: <http://x/> SELECT * {{ ?s x:a\\' . ?s ?p ' SERVICE <{url}> {{ ?s ?p ?o }} #' }}"
    yield f"PREFIX x: <http://x/> SELECT * {{ ?s x:a\\# ?o . SERVICE <{url}> {{ ?s ?p ?o }} }}"
    yield f"SELECT * {{ ?s <http://x/'a> ' . SERVICE <{url}> {{ ?s ?p ?o }} #' }}"
    yield f"SELECT *\nFROM <{url}> FROM NAMED <{url}> {{ GRAPH <{url}> {{ ?s ?p ?o }} }}"  # noqa: S608  (not SQL)
    yield f"# \\u000AFROM <{url}>\nSELECT * {{ ?s ?p ?o }}"
    yield f"SELECT * # \\u000AFROM <{url}>\n {{ ?s ?p ?o }}"
    yield f'DEFINE get:soft "replace" SELECT * FROM <{url}> {{ ?s ?p ?o }}'  # noqa: S608  (not SQL)
    yield f'DEFINE input:grab-all "yes" DEFINE input:grab-iri <{url}> SELECT * {{ <{url}> ?p ?o }}'
    yield f'SELECT (bif:http_get("{url}") AS ?x) {{}}'
    for name in ("bif:", "\\u0062if:", "BIF:", "sql:", "http://www.openlinksw.com/schemas/bif#", "java:java.net.URL#"):
        yield f'PREFIX f: <{name}> SELECT (f:http_get("{url}") AS ?x) {{}}'
        yield f'SELECT * {{ FILTER(<{name}http_get>("{url}") = 1) }}'
        yield f'SELECT * {{ ?s ?p ?o . ?o <{name}contains> "{url}" }}'
        yield f'SELECT ?s {{ ?s ?p ?o }} GROUP BY ?s HAVING (<{name}http_get>("{url}")) ORDER BY <{name}get>("{url}")'
    yield f"SELECT * {{ GRAPH <urn:x-arq:UnionGraph> {{ <{url}> ?p ?o }} }}"
    yield f"LOAD <{url}>"
    yield f"SELECT * {{}} ; LOAD <{url}>"
    yield f"DESCRIBE <{url}>"


def drawn(seed: int, count: int, url: str) -> Iterator[str]:
    """Draw queries: pieces of what is harmless and of a call, in comments, strings and outside, escaped at random."""
    dice = random.Random(seed)
    pieces = [
        "?s ?p ?o",
        " . ",
        "FILTER(?a<?b)",
        "'",
        '"',
        "'''",
        '"""',
        "#",
        "\n",
        "\\",
        "<http://x/a>",
        "}",
        "{",
        ">",
    ]
    for _ in range(count):
        text = "SELECT * { "
        for _ in range(dice.randint(1, 7)):
            piece = dice.choice([*pieces, f"SERVICE <{url}> {{ ?s ?p ?o }}", f"bif:http_get('{url}')"])
            text += "".join(
                dice.choice(escapes(char)) if dice.random() < rate else char
                for rate in (dice.choice([0, 0, 0.05, 1]),)
                for char in piece
            )
            text += dice.choice(["", " ", "\n"])
        yield text + dice.choice([" }", '" }', "' }", "\n }", ""])
