"""Files become quads with lines, and what cannot be read is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph.build import kept, pipeline, sources
from eurasia_graph.build.release import inputs_digest
from eurasia_graph.build.sources import TurtleFile
from eurasia_graph.errors import InvalidDataError, SourceError, UsageError
from eurasia_graph.turtle import reader

GRAPH = NamedNode("http://example.org/graph")

BROKEN = {
    "a typo in a prefix": (b"PREFIX state: <http://a/>\nstat:KZ state:b state:c .\n", 2, 1, "nearest known: state"),
    "a missing dot": (
        b"PREFIX a: <http://a/>\na:b a:c a:d\na:e a:f a:g .\n",
        3,
        1,
        "end the statement before with a dot",
    ),
    "a stray semicolon": (b"PREFIX a: <http://a/>\na:b a:c\n;;; .", 3, 1, "expected: subject predicate object"),
    "an unclosed string": (b'PREFIX a: <http://a/>\na:b a:c "d\n .', 2, 9, "not Turtle"),
    "bytes that are not UTF-8": (b'PREFIX a: <http://a/>\na:b a:c "caf\xe9" .\n', 2, 13, "save the file as UTF-8"),
    "nothing at all": (b"", 1, 1, "contains no statements"),
    "prefixes only": (b"PREFIX a: <http://a/>\n", 1, 1, "contains no statements"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_with_line_and_column(tmp_path: Path, case: str) -> None:
    """The message says where to look and what to do."""
    content, line, column, way_out = BROKEN[case]
    broken = tmp_path / "claims.ttl"
    broken.write_bytes(content)

    error = sources.load([TurtleFile(broken, GRAPH)]).errors[0]

    assert (error.path, error.line, error.column) == (broken, line, column)
    assert way_out in str(error)
    assert f"claims.ttl:{line}:{column}: error: " in str(error)


def test_a_broken_file_does_not_hide_the_others(mini: Path) -> None:
    """The findings of the files that can be read are reported as well."""
    (mini / "links.ttl").write_text("this is not Turtle", encoding="utf-8")
    claims = mini / "sources/two/claims.ttl"
    claims.write_text(
        claims.read_text(encoding="utf-8").replace("    eg:evidence two-passage:2 ;\n", ""), encoding="utf-8"
    )

    report = pipeline.validate(mini)

    assert [error.path.name for error in report.unreadable] == ["links.ttl"]
    assert {finding.rule for finding in report.findings} == {"Claim-evidence", "Sentence-accounted"}


def test_nothing_is_built_from_a_broken_file(mini: Path) -> None:
    """A build ends with the report and writes no release."""
    (mini / "links.ttl").write_text("this is not Turtle", encoding="utf-8")

    with pytest.raises(InvalidDataError, match=r"links\.ttl:1:1: error"):
        pipeline.open_release(mini)

    assert not any(kept.cache_folder().glob(inputs_digest(mini)[:32]))


@pytest.mark.parametrize(
    ("missing", "says"),
    [("", "no folder"), ("entities", "entities"), ("sources", "sources"), ("sources/one/source.ttl", "source.ttl")],
)
def test_a_missing_folder_or_file_is_named(mini: Path, missing: str, says: str) -> None:
    """The message names what a data folder needs."""
    target = mini / missing if missing else mini
    target.rename(mini.parent / "away")

    with pytest.raises(UsageError, match=says):
        sources.find(mini)


def test_a_stray_file_is_not_passed_over_in_silence(mini: Path) -> None:
    """Turtle that would not be read is an error, since its author believes it is."""
    (mini / "extra.ttl").write_text("<http://a> <http://b> <http://c> .", encoding="utf-8")

    with pytest.raises(UsageError, match=r"extra\.ttl is in the wrong place"):
        sources.find(mini)


def test_every_statement_knows_its_line(tmp_path: Path) -> None:
    """Lists, nested nodes and long strings do not shift the lines after them."""
    file = tmp_path / "lines.ttl"
    file.write_text(
        'PREFIX a: <http://a/>\na:one a:p """long\nstring""" ;\n  a:q ( a:x\n a:y ) .\na:two a:r 12.50 ;\n  a:s a:t .\n',
        encoding="utf-8",
    )
    dataset = sources.load([TurtleFile(file, GRAPH)])

    number = Literal("12.5", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#decimal"))
    written = dataset.place_of(Quad(NamedNode("http://a/two"), NamedNode("http://a/r"), number, GRAPH))
    after = dataset.place_of(Quad(NamedNode("http://a/two"), NamedNode("http://a/s"), NamedNode("http://a/t"), GRAPH))
    assert written and (written.line, written.column) == (6, 11)
    assert after and (after.line, after.column) == (7, 7)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A path that does not exist is an error, not an empty answer."""
    with pytest.raises(SourceError, match="cannot be read"):
        list(reader.statements_of(tmp_path / "nowhere.ttl"))
