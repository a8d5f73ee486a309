"""A finding stands at the line and the column that an editor shows for the value it is about."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, Triple, parse

from conftest import TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph.build import pipeline, sources
from eurasia_graph.build.sources import TurtleFile
from eurasia_graph.graphs import ENTITIES
from eurasia_graph.turtle import places
from eurasia_graph.turtle.reader import Part

FILES = tomllib.loads((TESTS / "cases" / "places.toml").read_text(encoding="utf-8"))["file"]
PARTS: tuple[Part, ...] = ("subject", "predicate", "object")
PREFIXES = (
    "PREFIX body: <https://w3id.org/eurasia-graph/id/body/>\nPREFIX eg: <https://w3id.org/eurasia-graph/ontology#>\n"
    "PREFIX edtf: <http://id.loc.gov/datatypes/edtf/>\nPREFIX one: <https://w3id.org/eurasia-graph/id/claim/one/>\n"
    "PREFIX p: <https://w3id.org/eurasia-graph/id/passage/one/>\n"
    "PREFIX source: <https://w3id.org/eurasia-graph/id/source/>\n"
)


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["name"])
def test_a_statement_is_where_it_is_written(tmp_path: Path, case: dict[str, Any]) -> None:
    """Its subject, its predicate and its object, each."""
    file = tmp_path / "mine.ttl"
    file.write_bytes(case["text"].encode())
    dataset = sources.load([TurtleFile(file, ENTITIES)])
    assert not dataset.errors

    by_name: dict[str, list[list[str]]] = {}
    for quad in dataset.origins:
        found = [dataset.place_of(quad, part) for part in PARTS]
        places_ = [f"{place.line}:{place.column}" for place in found if place]
        by_name.setdefault(ns.local_name(quad.predicate.value), []).append(places_)

    for name, number, *expected in case["at"]:
        assert by_name[name][number] == expected, (name, number)


def test_the_order_of_statements_is_that_of_the_engine() -> None:
    """In every file of the W3C each statement has its place, and what stands there can be its object."""
    suite = zipfile.ZipFile(TESTS / "cases" / "w3c-turtle.zip")
    read = 0
    for name in suite.namelist():
        content = suite.read(name)
        try:
            triples = [quad.triple for quad in parse(content, format=RdfFormat.TURTLE, base_iri=f"http://w3c/{name}")]
        except SyntaxError:
            continue
        written = places.statements(content.decode())
        starts = {token.start: token for token in places.tokens(content.decode())}
        assert len(written) == len(triples), name
        for triple, place in zip(triples, written, strict=True):
            assert could_be(triple, starts[place.object]), (name, triple, place)
        read += 1

    assert read > 200


def could_be(triple: Triple, token: places.Token) -> bool:
    """Return whether a token can be the object of a triple, as far as it is written in full."""
    value = ns.value(triple.object)
    if triple.predicate == ns.RDF("rest"):
        return True  # which nobody writes
    if token.kind == "number":
        return token.text == value
    if token.kind == "string" and "\\" not in token.text:
        return value in token.text
    if token.kind == "label":
        return token.text == f"_:{value}"
    return token.kind in {"iri", "name", "string"} or token.text in {"[", "(", ")", "a", "true", "false"}


def found(mini: Path, tmp_path: Path, text: str) -> list[str]:
    """Return place and rule of each finding in a file checked with the mini data set."""
    own = tmp_path / "mine.ttl"
    own.write_text(PREFIXES + text, encoding="utf-8")
    report = pipeline.validate(mini, [own])
    assert not report.unreadable, report.text()
    return [f"{each.place.line}:{each.place.column} {each.rule}" for each in report.findings if each.place]


def test_a_finding_stands_at_the_value_or_at_the_property_or_at_the_subject(mini: Path, tmp_path: Path) -> None:
    """At the value that is wrong; where a value is missing or one is too many, at the property; else at the claim."""
    claim = (
        'one:77 a eg:EventClaim ; eg:gist "Ø 🜁"@en ; eg:statedIn source:one ; eg:saysDate "1996-13"^^edtf:EDTF ;\n'
        "\teg:saysKind eg:Meeting ; eg:saysBody body:NOWHERE ; eg:sayBody body:NOWHERE .\n"
        'one:78 a eg:EventClaim ; eg:evidence p:1 ; eg:saysKind eg:Meeting ; eg:statedIn source:one ; eg:gist "A" .\n'
        'one:79 a eg:EventClaim ; eg:gist "A."@en , "B."@en ; eg:statedIn source:one ; eg:evidence p:1 .\n'
    )

    lines = found(mini, tmp_path, claim)

    assert "7:1 Claim-evidence" in lines, "there is none"
    assert "7:82 Date" in lines, "the value"
    assert "8:39 EventClaim-saysBody" in lines, "the value"
    assert "8:54 Undefined-term" in lines, "the property itself"
    assert "9:102 Claim-gist" in lines, "the value, which has no language"
    assert "10:26 Claim-gist" in lines, "the property, of which there is one too many"


def test_a_finding_is_counted_once(mini: Path, tmp_path: Path) -> None:
    """However often the same is written, and however many ways lead to it."""
    claim = (
        'one:77 a eg:EventClaim ; eg:gist "A."@en ; eg:statedIn source:one ; eg:saysDate "1996-13"^^edtf:EDTF ;\n'
        '  eg:evidence p:1 ; eg:saysKind eg:Meeting ; eg:saysDate "1996-13"^^edtf:EDTF .\n'
    )

    lines = found(mini, tmp_path, claim)

    assert [line for line in lines if line.endswith("Date")] == ["7:81 Date"]
    assert len(lines) == len(set(lines))


def test_a_value_that_the_engine_writes_otherwise_is_found_again(tmp_path: Path) -> None:
    """It keeps 007 as 7, and midnight at the end of a day as that of the next."""
    file = tmp_path / "mine.ttl"
    file.write_text(
        'PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n<http://x/a> <http://x/b> 007 , "1"^^xsd:boolean ,\n'
        '  "1999-12-31T24:00:00"^^xsd:dateTime , "P1Y12M"^^xsd:duration , "+5"^^xsd:byte .',
        encoding="utf-8",
    )
    dataset = sources.load([TurtleFile(file, ENTITIES)])

    assert [place and place.line for place in map(dataset.place_of, dataset.store)].count(None) == 0


@pytest.mark.parametrize("bytes_", [4_096, 4_097, 70_000, 1_000_000])
def test_a_line_can_be_of_any_length(tmp_path: Path, bytes_: int) -> None:
    """The engine aborts the process if a file gives it more than it asked for."""
    file = tmp_path / "mine.ttl"
    file.write_text(f'<http://x/a> <http://x/b> "{"é" * (bytes_ // 2)}" , nope:x .', encoding="utf-8")

    error = sources.load([TurtleFile(file, ENTITIES)]).errors[0]

    assert (error.line, error.column) == (1, 32 + bytes_ // 2)
    assert len(str(error).splitlines()[1]) < 150, "what is around the place is shown, not all of the line"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("x:a x:b x:c .\n<< x:a x:b x:c >> x:d 1 .", "8:1", "<< begins a triple term"),
        ("x:a x:b x:c {| x:d 1 |} .", "7:13", "{| begins a triple term"),
        ('x:a x:b "it\'s <<(" , <<( x:a x:b x:c )>> .', "7:22", "<<( begins a triple term"),
        ('x:a x:b "م"@ar--rtl .', "7:12", "write @ar"),
    ],
)
def test_what_is_of_rdf_12_alone_is_refused_with_its_place(tmp_path: Path, text: str, place: str, says: str) -> None:
    """Neither shapes nor claims know of it; the message says what to write."""
    file = tmp_path / "mine.ttl"
    file.write_text(f"{PREFIXES.rstrip()} PREFIX x: <http://x/>\n{text}", encoding="utf-8")

    error = sources.load([TurtleFile(file, ENTITIES)]).errors[0]

    assert f"mine.ttl:{place}: error: " in str(error)
    assert says in str(error)


def test_what_the_engine_cannot_read_is_refused_and_not_the_end_of_it(tmp_path: Path) -> None:
    """A string over 16 MiB, and triple terms deeper in each other than its stack."""
    file = tmp_path / "mine.ttl"
    for text, says in (
        (f'<http://x/a> <http://x/b> "short" ;\n <http://x/c> "{"x" * (17 << 20)}" .', "2:15: error: a string"),
        (f"<http://x/a> <http://x/b> {'<<( <http://x/a> <http://x/b> ' * 30_000}1{' )>>' * 30_000} .", "100 deep"),
    ):
        file.write_text(text, encoding="utf-8")
        assert says in str(sources.load([TurtleFile(file, ENTITIES)]).errors[0])


def test_the_mark_of_utf_8_is_no_column(tmp_path: Path) -> None:
    """Some editors put it before the text and show nothing of it."""
    file = tmp_path / "mine.ttl"
    file.write_bytes(b"\xef\xbb\xbf<http://x/a> x:b 1 .")

    error = sources.load([TurtleFile(file, ENTITIES)]).errors[0]

    assert (error.line, error.column) == (1, 14)


def test_a_value_that_means_nothing_is_found_and_libraries_say_nothing(
    mini: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Some forms are rewritten on the way through the shapes; the value is found all the same."""
    claim = (
        "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
        'one:77 a eg:EventClaim ; eg:gist "<i>b<br></i>"^^rdf:HTML ; eg:saysDate "maybe"^^xsd:boolean .\n'
        'one:78 a eg:EventClaim ; eg:gist "2001-02-30"^^xsd:date , "<a"^^rdf:XMLLiteral .\n'
    )

    lines = found(mini, tmp_path, claim)

    assert {"8:34 Claim-gist", "8:73 EventClaim-saysDate", "9:34 Claim-gist", "9:59 Claim-gist"} <= set(lines)
    assert capfd.readouterr().err == ""
