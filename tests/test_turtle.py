"""Turtle is written as the graph that it was, in one form, whatever the graph."""

from __future__ import annotations

import os
import re
import stat
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, NamedNode, Quad, RdfFormat, Triple, parse

from conftest import TESTS
from eurasia_graph.cli import main
from eurasia_graph.errors import SourceError
from eurasia_graph.turtle import formatting, reader, writer
from eurasia_graph.turtle.formatting import ChangedGraphError, NotComparedError, compared

GRAPHS = tomllib.loads((TESTS / "cases" / "turtle.toml").read_text(encoding="utf-8"))["graph"]
# The Turtle tests of the W3C RDF working group, whole and unchanged; under its 3-clause BSD licence, which is inside.
# Source: https://www.w3.org/2013/TurtleTests/
SUITE = zipfile.ZipFile(TESTS / "cases" / "w3c-turtle.zip")
TEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
HEAD = (
    "PREFIX : <http://x/> PREFIX owl: <http://www.w3.org/2002/07/owl#>"
    "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>"
    "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
)


def read(text: str | bytes, base: str | None = None) -> list[Quad]:
    """Read Turtle as the engine does."""
    return list(parse(text, format=RdfFormat.TURTLE, base_iri=base))


def named(graph: list[Quad]) -> set[str]:
    """Return the statements with the names that RDFC-1.0 gives blank nodes."""
    dataset = Dataset(graph)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def written(graph: list[Quad]) -> str:
    """Write a graph; make sure that it is the same graph, and written a second time in the same bytes."""
    text = writer.format_graph(graph)
    again = read(text)
    assert named(again) == named(graph), text
    assert writer.format_graph(again[::-1]) == text
    return text


def w3c(kind: str) -> list[tuple[str, str | None]]:
    """List the tests of a kind: the file, and the file with its triples, if there is one."""
    base = "http://manifest/"
    told = {(quad.subject, quad.predicate): quad.object for quad in read(SUITE.read("manifest.ttl"), base)}
    tests = [subject for subject, predicate in told if predicate == NamedNode(f"{TEST}action")]
    found = []
    for test in tests:
        type_ = told[test, NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")]
        if str(type_).endswith(f"#TestTurtle{kind}>"):
            action, result = told[test, NamedNode(f"{TEST}action")], told.get((test, NamedNode(f"{TEST}result")))
            assert isinstance(action, NamedNode)
            name = result.value.removeprefix(base) if isinstance(result, NamedNode) else None
            found.append((action.value.removeprefix(base), name))
    return found


@pytest.mark.parametrize(("kind", "number"), [("PositiveSyntax", 77), ("Eval", 132)])
def test_every_file_of_the_w3c_is_written_as_the_graph_that_it_is(kind: str, number: int) -> None:
    """Evaluation tests come with their triples, which what we write has too."""
    tests = w3c(kind)
    for action, result in tests:
        graph = read(SUITE.read(action), f"http://www.w3.org/2013/TurtleTests/{action}")
        text = written(graph) if graph else ""
        if result:
            assert named(read(text)) == named(list(parse(SUITE.read(result), format=RdfFormat.N_TRIPLES, lenient=True)))

    assert len(tests) == number


def test_every_file_of_the_w3c_that_is_not_turtle_is_refused_with_its_place(tmp_path: Path) -> None:
    """Line and column are within the file."""
    tests = w3c("NegativeSyntax")
    for action, _ in tests:
        file = tmp_path / action
        file.write_bytes(SUITE.read(action))
        with pytest.raises(SourceError) as error:
            reader.read(file)
        assert 1 <= error.value.line <= file.read_bytes().count(b"\n") + 1
        assert error.value.column >= 1

    assert len(tests) == 78


@pytest.mark.parametrize("case", GRAPHS, ids=lambda case: case["name"])
def test_a_graph_that_is_lost_easily_is_kept(case: dict[str, Any]) -> None:
    """The lines of the result were thought out, not pasted."""
    text = written(read(HEAD + case["turtle"]))

    rest = [line.strip() for line in text.splitlines()]
    for line in case.get("has", ()):
        assert line in rest, (line, text)
        if not case.get("unordered"):
            rest = rest[rest.index(line) + 1 :]


def expressions() -> st.SearchStrategy[str]:
    """Class expressions of OWL in Turtle, nested as they come."""
    name = st.sampled_from([":Sea", ":Lake", ":River"])
    return st.recursive(
        name,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda each: f"[ a owl:Class ; owl:unionOf ( {' '.join(each)} ) ]"),
            inner.map(lambda each: f"[ a owl:Class ; owl:complementOf {each} ]"),
            st.tuples(st.sampled_from(["some", "all"]), inner).map(
                lambda each: f"[ a owl:Restriction ; owl:onProperty :flowsTo ; owl:{each[0]}ValuesFrom {each[1]} ]"
            ),
            st.integers(0, 3).map(
                lambda each: f"[ a owl:Restriction ; owl:onProperty :n ; owl:minCardinality 0{each} ]"
            ),
        ),
        max_leaves=6,
    )


@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
)
@given(st.lists(st.tuples(st.booleans(), st.lists(expressions(), min_size=1, max_size=3)), min_size=1, max_size=4))
def test_axioms_are_written_as_they_are(axioms: list[tuple[bool, list[str]]]) -> None:
    """Whatever is nested in what, and however many axioms have no name."""
    lines = [
        f":Water rdfs:subClassOf {' , '.join(each)} ."
        if is_named
        else f"[] a owl:AllDisjointClasses ; owl:members ( {' '.join(each)} ) ."
        for is_named, each in axioms
    ]

    written(read(HEAD + "\n".join(lines)))


def test_a_list_of_many_items_and_nodes_in_nodes_are_no_matter_of_depth() -> None:
    """A list of ten thousand is one list; what stands deeper than anybody reads has a label."""
    listed = writer.format_graph(read(f"{HEAD} :a :p ( {':b ' * 10_000}) ."))
    deep = written(read(f"{HEAD} :a :p {''.join(f'[ :n {each} ; :p ' for each in range(300))}1{' ]' * 300} ."))

    assert listed.count("\n        <http://x/b>") == 10_000
    assert 0 < deep.count("\n_:b") < 10


def complete(number: int) -> list[Triple]:
    """A graph whose blank nodes all look the same, so that naming them takes longer than anybody waits."""
    nodes = [BlankNode(f"n{each}") for each in range(number)]
    return [Triple(one, NamedNode("http://x/p"), other) for one in nodes for other in nodes if one != other]


def test_a_graph_that_cannot_be_compared_in_time_is_refused() -> None:
    """The engine cannot be stopped while it names nodes; the process that does it can."""
    with pytest.raises(NotComparedError, match=r"takes more than 0\.2 s; give some of them IRIs"):
        compared(complete(12), seconds=0.2)


def run(*words: object) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_file_that_cannot_be_compared_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one is formatted all the same."""
    monkeypatch.setattr(formatting.compared, "__defaults__", (0.5, None))
    monkeypatch.setattr(writer, "canonical", lambda *_, **__: None)
    slow, quick = tmp_path / "slow.ttl", tmp_path / "quick.ttl"
    slow.write_text("".join(f"{each} .\n" for each in complete(12)), encoding="utf-8")
    quick.write_text("<http://x/a> <http://x/b> [ ] .", encoding="utf-8")
    before = slow.read_bytes()

    result = run("fmt", slow, quick)

    assert result.exit_code == 1
    assert "slow.ttl:1:1: error: the graph cannot be compared" in result.stderr
    assert slow.read_bytes() == before
    assert result.stdout == f"{quick}: formatted\n"


def test_a_fault_of_the_writer_leaves_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is read again and compared, every time."""
    file = tmp_path / "mine.ttl"
    file.write_text("<http://x/a> <http://x/b> 1 , 2 .", encoding="utf-8")
    monkeypatch.setattr(writer, "format_graph", lambda *_: "<http://x/a> <http://x/b> 1 .")

    result = run("fmt", file)

    assert result.exit_code == 1
    assert "a different graph would be written" in result.stderr
    assert file.read_text(encoding="utf-8") == "<http://x/a> <http://x/b> 1 , 2 ."
    with pytest.raises(ChangedGraphError):
        compared([quad.triple for quad in read("<http://x/a> <http://x/b> 1 , 2 .")])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("<http://x/a> <http://x/b> 1 . # why", "1:31"),
        ("# first\n\n<http://x/a> <http://x/b> 1 . # and more", "1:1"),
        ("PREFIX x: <http://x/>\nx:a x:b x:it\\'s . # it's", "2:19"),
        ('<http://x/a> <http://x/b> """\n# no\n""" ; <http://x/#c> "#" . #yes', "3:27"),
        ("<http://x/a> <http://x/b> 1#.\n.", "1:28"),
    ],
)
def test_a_comment_is_never_deleted(tmp_path: Path, content: str, place: str) -> None:
    """No triple keeps it, so the file is left alone and the comment is shown."""
    file = tmp_path / "mine.ttl"
    file.write_text(content, encoding="utf-8")

    result = run("fmt", file)

    assert f"mine.ttl:{place}: error: a comment would be lost" in result.stderr
    assert file.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    "content",
    [
        b"PREFIX x: <http://x/>\nx:a x:b x:c\\#d , <http://x/e#f> , 'g#h' .",
        b"\xef\xbb\xbfPREFIX x: <http://x/>\nx:a x:b 1 .",
        b"PREFIX x: <http://x/>\r\nx:a x:b 1\r\n.\r\n",
        b"PREFIX x: <http://x/>\rx:a\tx:b 1 .\r",
        b'<http://x/a> <http://x/b> "\xe2\x80\xa8\xc2\x85" .',
        b'<http://x/a> <http://x/b> "' + b"long " * 2_000 + b'" .',
        b"<http://x/a> <http://x/b>" + b" " * 70_000 + b"1 .",
        b"<http://x/a> <http://x/b> ( " + b" ".join(b"%d" % each for each in range(2_000)) + b" ) .",
    ],
    ids=["an escaped #", "a mark of UTF-8", "CR LF", "CR", "ends of lines that are none", "a text", "blanks", "a list"],
)
def test_any_bytes_that_are_turtle_are_formatted(tmp_path: Path, content: bytes) -> None:
    """With whatever ends of lines, however long these are; the second run changes nothing."""
    file = tmp_path / "mine.ttl"
    file.write_bytes(content)

    first, second = run("fmt", file), run("fmt", file)

    assert (first.exit_code, first.stderr, second.stdout) == (0, "", "")
    assert named(read(file.read_bytes())) == named(read(content.removeprefix(b"\xef\xbb\xbf")))
    assert b"\r" not in file.read_bytes()


def test_a_language_is_written_as_it_was(tmp_path: Path) -> None:
    """The engine keeps it in lower case; other libraries take the two for different terms."""
    file = tmp_path / "mine.ttl"
    text = "<http://x/a> <http://x/b> 'a'@SR-Latn , \"b\"@de-CH , '''c\n'''@KY , 'd'@en , 'e'@AR--rtl ."
    file.write_text(text, encoding="utf-8")

    first, second = run("fmt", file), run("fmt", file)

    tags = re.findall(r'"(@\S+)', file.read_text(encoding="utf-8"))
    assert sorted(tags) == ["@AR--rtl", "@KY", "@SR-Latn", "@de-CH", "@en"]
    assert (first.exit_code, second.stdout) == (0, "")


def test_lines_that_end_otherwise_are_not_canonical(mini: Path) -> None:
    """The bytes are compared, not what a text file makes of them."""
    file = mini / "links.ttl"
    canonical = file.read_bytes()
    file.write_bytes(canonical.replace(b"\n", b"\r\n"))

    assert run("fmt", "--check", file).exit_code == 1
    run("fmt", file)
    assert file.read_bytes() == canonical


def test_a_relative_name_is_resolved_against_the_base_of_the_file_and_no_other(tmp_path: Path) -> None:
    """The location of the file is not a base: names would differ on each machine."""
    file = tmp_path / "mine.ttl"
    file.write_text("<a> <http://x/b> 1 .", encoding="utf-8")

    result = run("fmt", file)

    assert "mine.ttl:1:1: error: this is not Turtle: No scheme found in an absolute IRI" in result.stderr
    assert "say with a line BASE <...> at the top" in result.stderr


def test_a_file_is_replaced_at_once_with_its_mode_and_through_a_link(tmp_path: Path) -> None:
    """No reader sees an incomplete file, and no temporary file is left."""
    file, link = tmp_path / "mine.ttl", tmp_path / "link.ttl"
    file.write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
    file.chmod(0o640)
    link.symlink_to(file)

    result = run("fmt", link)

    assert result.exit_code == 0
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8").endswith("<http://x/b> 1 ;\n.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == [link, file]


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes to would be waited for."""
    pipe = tmp_path / "pipe.ttl"
    os.mkfifo(pipe)

    for path, kind in ((pipe, "pipe"), (tmp_path, "folder")):
        result = run("fmt", path)
        assert result.exit_code == 2
        assert f"cannot read {path}: it is a {kind}" in result.stderr
