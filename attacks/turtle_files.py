"""
Attack the reader and the writer of Turtle: no graph is changed, no process aborts, nothing hangs.

Run `python attacks/turtle_files.py`, or with `--quick` for a tenth of it. One line for each kind of input; exit status
1 if anything failed, with the input that did.
"""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pyoxigraph import (
    BaseDirection,
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
    serialize,
)

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import SourceError
from eurasia_graph.turtle import places, reader, writer
from eurasia_graph.turtle.formatting import format_file

Term = NamedNode | BlankNode | Literal | Triple

HERE = Path(__file__).parent
SUITE = HERE.parent / "tests" / "cases" / "w3c-turtle.zip"
FIRST, REST, NIL, TYPE = (ns.RDF(name) for name in ("first", "rest", "nil", "type"))
# How many files one process reads in turn; if it dies, the last one named is to blame.
BATCH = 500
SECONDS = 300
ODD_TEXT = [
    *(
        "",
        '"',
        "\\",
        '"""',
        "'''",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\x00",
        "\x0b",
        "\x0c",
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
    ),
    *("\ufeff", "\ufffe", "\uffff", "\U0001f600", "\U0001fffe", "e\u0301", "#", "# no", "_:b", "<<(", "a" * 5000, "ї"),
]
# fmt: off
FORMS = [
    "0", "007", "-0", "+5", "1.0", ".5", "5.", "1e0", "1E+3", "-.5e-1", "INF", "NaN", "true", "TRUE", "1", "abc", "",
]
TYPES = [
    "integer", "decimal", "double", "float", "boolean", "date", "time", "dateTime", "gYear", "byte", "anyURI", "string",
]
LOCALS = [
    "a", "a.b", "a.", ".a", "-a", "1", "%20", "a/b", "a#b", "a:b", "a(b)", "é", "日本", "a'b", "a&b=c;d,e", "~a", "",
    "\u00b7",
]
# fmt: on
TIMES = ["2024-01-01Z", "24:00:00", "2024-02-30", "1999-12-31T24:00:00", "-0044", "2024-01-01T00:00:00.000+00:00"]
LANGUAGES = ["en", "EN-us", "zh-Hant-TW", "de-1996", "en-a-bbb-x-a-cccc", "sl-rozaj-biske", "i-klingon"]
SPACES = ["http://a/", "http://a#", "urn:x:", ns.EG, ns.XSD, ns.RDF, f"{ns.ID}claim/one/", f"{ns.SCHEME}status/"]
NOISE = [
    *(
        b"",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\xf0\x9f\x98\x80",
    ),
    *(
        b"#",
        b"# c\n",
        b"\\",
        b"\\#",
        b"\\u0000",
        b"\\U0010FFFF",
        b"\\uD800",
        b'"',
        b"'",
        b'"""',
        b"<",
        b">",
        b"<<",
        b">>",
    ),
    *(
        b"<<(",
        b")>>",
        b"{|",
        b"|}",
        b"~",
        b"(",
        b")",
        b"[",
        b"]",
        b"[]",
        b"()",
        b".",
        b";",
        b",",
        b"a",
        b"@en",
        b"@en--ltr",
    ),
    *(
        b"^^",
        b"_:b",
        b":",
        b"a:",
        b"BASE <http://b/>",
        b"@prefix : <http://c/> .",
        b'VERSION "1.2"',
        b"1",
        b"1.",
        b".5e3",
    ),
    *(b"true", b"x" * 5000, b"( " * 200, b"[ :p " * 200, b"<<( :a :p " * 150, b'"' + b"y" * 5000 + b'"'),
]


def named(graph: list[Quad]) -> list[str]:
    """Return the statements with the names that RDFC-1.0 gives blank nodes."""
    dataset = Dataset(graph)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return sorted({str(quad) for quad in dataset})


def written_as_it_is(graph: list[Quad]) -> str:
    """Say what is wrong with how a graph is written, or nothing."""
    text = writer.format_graph(graph)
    try:
        again = list(parse(text.encode(), format=RdfFormat.TURTLE))
    except SyntaxError as error:
        return f"cannot be read again: {error}\n{text}"
    if named(again) != named(graph):
        return f"another graph:\n{text}"
    other = writer.format_graph(random.Random(1).sample(again, len(again)))
    return "" if other == text else f"a second run changes it:\n{text}\n{other}"


# --- graphs --------------------------------------------------------------------------------


def literal(rng: random.Random) -> Literal:
    """Make a literal, well-formed or not."""
    kind = rng.randrange(4)
    text = "".join(rng.choice(ODD_TEXT) for _ in range(rng.randrange(4)))
    if kind == 0:
        return Literal(text)
    if kind == 1:
        direction = rng.choice([None, None, None, BaseDirection.LTR, BaseDirection.RTL])
        return Literal(text, language=rng.choice(LANGUAGES), direction=direction)
    if kind == 2:
        return Literal(rng.choice(FORMS + TIMES), datatype=NamedNode(ns.XSD + rng.choice(TYPES)))
    return Literal(
        text, datatype=NamedNode(rng.choice([ns.RDF + "HTML", ns.RDF + "XMLLiteral", "http://a/b", ns.EDTF + "EDTF"]))
    )


def iri(rng: random.Random) -> NamedNode:
    """Make an IRI, with characters that names can have only behind a backslash, or not at all."""
    while True:
        try:
            return NamedNode(rng.choice(SPACES) + rng.choice(LOCALS))
        except ValueError:
            continue


def terms(rng: random.Random) -> list[Quad]:
    """Make a graph of odd names and odd literals."""
    subjects = [iri(rng) for _ in range(3)]
    return [
        Quad(rng.choice(subjects), iri(rng), iri(rng) if rng.random() < 0.3 else literal(rng))
        for _ in range(rng.randrange(1, 12))
    ]


def nodes(rng: random.Random) -> list[Quad]:
    """Make a graph of blank nodes: trees, circles, shared ones, and lists whole and broken."""
    own: list[BlankNode] = [BlankNode(f"n{number}") for number in range(rng.randrange(1, 7))]
    ends: list[NamedNode | BlankNode] = [*own, *own, NamedNode("http://a/x"), NIL]
    predicates = [FIRST, REST, FIRST, REST, NamedNode("http://a/p"), TYPE]
    made = []
    for _ in range(rng.randrange(1, 11)):
        term: Term = rng.choice([*ends, Literal("v"), Literal(7)])
        if rng.random() < 0.1:
            term = Triple(rng.choice(ends), rng.choice(predicates), rng.choice(ends))
        made.append(Quad(rng.choice(ends), rng.choice(predicates), term))
    return made


def lists(rng: random.Random) -> list[Quad]:
    """Make lists in lists, some shared, with a statement on a cell, or with a tail that is used elsewhere."""
    made: list[Quad] = []
    cells: list[BlankNode] = []

    def listed(depth: int) -> NamedNode | BlankNode:
        head: NamedNode | BlankNode = NIL
        for _ in range(rng.randrange(4)):
            cell = BlankNode(f"c{len(cells)}")
            cells.append(cell)
            item: Term = Literal(rng.randrange(3))
            if depth and rng.random() < 0.5:
                item = listed(depth - 1)
            elif rng.random() < 0.3:
                item = BlankNode(f"i{len(cells)}")
            made.extend([Quad(cell, FIRST, item), Quad(cell, REST, head)])
            head = cell
        return head

    made += [Quad(NamedNode(f"http://a/{name}"), NamedNode("http://a/p"), listed(3)) for name in ("a", "b")]
    users: list[NamedNode | BlankNode] = [*cells, NamedNode("http://a/c")]
    for _ in range(rng.randrange(3) if cells else 0):
        made += [Quad(rng.choice(users), rng.choice([FIRST, REST, TYPE]), rng.choice(cells))]
    return made


def deep(rng: random.Random) -> list[Quad]:
    """Make nodes and lists in one another, deeper than anybody reads."""
    depth = rng.randrange(30, 130)
    inside = "1"
    for each in range(depth):
        inside = rng.choice(
            [f"[ :n {each} ; :p {inside} ]", f"( {each} {inside} )", f"[ :p {inside} , [ :n {each} ] ]"]
        )
    return list(parse(f"PREFIX : <http://a/> :a :p {inside} .", format=RdfFormat.TURTLE))


def axioms(rng: random.Random) -> list[Quad]:
    """Make axioms of OWL: restrictions, unions, negations, and several owl:AllDisjointClasses."""
    made: list[Quad] = []
    count = 0

    def fresh(kind: str) -> BlankNode:
        nonlocal count
        count += 1
        node = BlankNode(f"e{count}")
        made.append(Quad(node, TYPE, ns.OWL(kind)))
        return node

    def listed(members: list[NamedNode | BlankNode]) -> NamedNode | BlankNode:
        nonlocal count
        head: NamedNode | BlankNode = NIL
        for member in reversed(members):
            count += 1
            cell = BlankNode(f"l{count}")
            made.extend([Quad(cell, FIRST, member), Quad(cell, REST, head)])
            head = cell
        return head

    def expression(depth: int) -> NamedNode | BlankNode:
        if not depth or rng.random() < 0.3:
            return NamedNode(f"http://a/C{rng.randrange(5)}")
        kind = rng.choice(["some", "union", "not"])
        node = fresh("Restriction" if kind == "some" else "Class")
        if kind == "some":
            made.append(Quad(node, ns.OWL("onProperty"), NamedNode(f"http://a/p{rng.randrange(3)}")))
            made.append(Quad(node, ns.OWL("someValuesFrom"), expression(depth - 1)))
        elif kind == "union":
            members = [expression(depth - 1) for _ in range(rng.randrange(1, 4))]
            made.append(Quad(node, ns.OWL("unionOf"), listed(members)))
        else:
            made.append(Quad(node, ns.OWL("complementOf"), expression(depth - 1)))
        return node

    for _ in range(rng.randrange(1, 5)):
        if rng.random() < 0.5:
            made.append(Quad(NamedNode(f"http://a/C{rng.randrange(5)}"), ns.RDFS("subClassOf"), expression(3)))
        else:
            members = listed([expression(1) for _ in range(rng.randrange(4))])
            made.append(Quad(fresh("AllDisjointClasses"), ns.OWL("members"), members))
    return made


# --- files ---------------------------------------------------------------------------------


def seeds() -> list[bytes]:
    """Return the W3C test files, including those that are not Turtle, and some of ours."""
    with zipfile.ZipFile(SUITE) as suite:
        found = [
            suite.read(name) for name in suite.namelist() if name.endswith((".ttl", ".nt")) and name != "manifest.ttl"
        ]
    return found + [path.read_bytes() for path in sorted((HERE.parent / "ontology" / "schemes").glob("[a-l]*.ttl"))]


def mangled(rng: random.Random, corpus: list[bytes]) -> bytes:
    """Change some bytes of a file: cut, double, swap, or put in what is odd."""
    content = rng.choice(corpus)[: rng.choice([200, 2000, 1 << 20])]
    for _ in range(rng.randrange(4)):
        start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
        end = min(end, start + 40)
        cut, odd = rng.choice([(start, start), (start, end), (end, start)]), rng.choice([b"", rng.choice(NOISE)])
        content = content[: cut[0]] + odd + content[cut[1] :]
    return content


def wrong_places(content: str, triples: list[Triple]) -> str:
    """Say which term of a file does not stand where it is said to, or nothing."""
    if any(isinstance(each.object, Triple) for each in triples):
        return ""
    tokens = {each.start: each for each in places.tokens(content)}
    found = places.statements(content)
    if len(found) != len(triples):
        return f"{len(triples)} statements have {len(found)} places"
    for triple, place in zip(triples, found, strict=True):
        for term, start in zip(triple, place, strict=True):
            token = tokens.get(start)
            right = token is not None and (term in {FIRST, REST} or stands_there(term, token))
            if not right:
                return f"{term} is said to stand at {start}, where {token} is"
    return ""


def stands_there(term: object, token: places.Token) -> bool:
    """Return whether a token can be a term."""
    if "\\" in token.text or token.text in {"[", "("} or (token.text, term) == (")", NIL):
        return token.kind != "mark" or not isinstance(term, Literal)
    if isinstance(term, Literal):
        plain = term.value.replace("\r", "").replace("\n", "")
        return token.kind in {"string", "number", "word"} and plain in token.text.replace("\r", "").replace("\n", "")
    if isinstance(term, BlankNode):
        return token.text == f"_:{term.value}" or token.kind in {"iri", "name", "string", "number", "word", "mark"}
    value = ns.value(term)
    if token.kind == "iri":
        return value.endswith(token.text[1:-1].lstrip("./")) or "." in token.text or "?" in token.text
    return (token.kind == "name" and value.endswith(token.text.partition(":")[2])) or (token.text, term) == ("a", TYPE)


def read_and_formatted(path: Path) -> str:
    """Say what is wrong with how a file is read and formatted, or nothing; a refusal is right."""
    try:
        text, triples = reader.read(path)
        if misplaced := wrong_places(text.content, triples):
            return misplaced
        first = format_file(path)
    except SourceError as error:
        lines = path.read_bytes().count(b"\n") + path.read_bytes().count(b"\r") + 1
        return "" if 1 <= error.line <= lines and error.column >= 1 and "fault of" not in str(error) else str(error)
    path.write_text(first, encoding="utf-8")
    return "" if format_file(path) == first else "a second run changes it"


def batch(seed: int, number: int) -> None:
    """Read so many mangled files in this process; print the number of each before and what is wrong."""
    corpus = seeds()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mangled.ttl"
        for each in range(number):
            content = mangled(random.Random(seed * 1_000_003 + each), corpus)
            path.write_bytes(content)
            print(f"{each}:", end="", flush=True)
            wrong = read_and_formatted(path)
            print(f"{wrong!r} {content[:2000]!r}" if wrong else "", flush=True)


def batches(number: int) -> Iterator[str]:
    """Read mangled files in processes of their own and return what is wrong."""
    for seed in range(-(-number // BATCH)):
        done = subprocess.run(
            [sys.executable, __file__, "--batch", str(seed), str(min(BATCH, number))],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != 0 or done.stderr:
            last = done.stdout.rsplit("\n", 1)[-1]
            yield f"seed {seed}, input {last} ended the process with {done.returncode}: {done.stderr[-500:]}"
        yield from (
            f"seed {seed}, input {line}"
            for line in done.stdout.split("\n")
            if not line.endswith(":") and ":" in line[:6] and len(line) > 6
        )


def poison() -> Iterator[str]:
    """Format a graph that RDFC-1.0 does not end on, which is left alone with a message."""
    ends = [BlankNode(f"n{number}") for number in range(12)]
    graph = [Quad(one, NamedNode("http://a/p"), other) for one in ends for other in ends if one != other]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "poison.ttl"
        path.write_bytes(serialize(graph, format=RdfFormat.TURTLE) or b"")
        before = path.read_bytes()
        done = subprocess.run(
            [sys.executable, "-m", "eurasia_graph.cli", "fmt", str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 1 or "cannot be compared" not in done.stderr or path.read_bytes() != before:
            yield done.stderr or "formatted"


def graphs(make: Callable[[random.Random], list[Quad]], number: int) -> Iterator[str]:
    """Write random graphs of one kind and return what is wrong."""
    setattr(writer, "canonical", in_this_process)  # noqa: B010  (a name of its own in that module)
    for seed in range(number):
        wrong = written_as_it_is(make(random.Random(seed)))
        if wrong:
            yield f"seed {seed}: {wrong}"


def in_this_process(*graphs: list[Quad], **_: float) -> list[list[str]]:
    """Name blank nodes as `canonical` does; these graphs are small, and a process for each takes longer."""
    found = []
    for graph in graphs:
        dataset = Dataset(graph)
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        lines = io.BytesIO(serialize(dataset, format=RdfFormat.N_TRIPLES) or b"").read()
        found.append(sorted({line.decode() for line in lines.split(b"\n") if line}))
    return found


def main(quick: bool) -> int:
    """Run all attacks and print a line for each."""
    share = 10 if quick else 1
    kinds: list[tuple[str, int, Iterator[str]]] = [
        *((make.__name__, 20_000 // share, graphs(make, 20_000 // share)) for make in (terms, nodes, lists, axioms)),
        ("deep", 500 // share, graphs(deep, 500 // share)),
        ("mangled files", 10_000 // share, batches(10_000 // share)),
        ("poison", 1, poison()),
    ]
    failed = 0
    for name, number, wrong in kinds:
        found = list(wrong)
        failed += len(found)
        print(f"{name:<16} {number:>7} inputs {len(found):>5} failures", flush=True)
        for each in found[:3]:
            print(f"    {each[:3000]}")
    return 1 if failed else 0


if __name__ == "__main__":
    if "--batch" in sys.argv:
        batch(int(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main("--quick" in sys.argv))
