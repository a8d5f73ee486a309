"""Every constraint finds its fault, names the line and leaves what is right alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conftest import TESTS
from eurasia_graph.build import pipeline, sources
from eurasia_graph.build.findings import Report, Severity
from judging import judged

FILES = {
    "C1": "sources/one/claims.ttl",
    "C2": "sources/two/claims.ttl",
    "P1": "sources/one/passages.ttl",
    "P2": "sources/two/passages.ttl",
    "S1": "sources/one/source.ttl",
    "E": "entities/all.ttl",
    "L": "links.ttl",
    "N": "notes.ttl",
}
CONSTRAINTS = tomllib.loads((TESTS / "cases" / "constraints.toml").read_text(encoding="utf-8"))["constraint"]


def changed(data: Path, case: dict[str, Any]) -> Report:
    """Apply a case to a copy of the mini data set and check it; pySHACL has to find the same."""
    for name, old, new in case.get("edit", []):
        path = data / FILES[name]
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new), encoding="utf-8")
    for key in ("add", "add2"):
        if key in case:
            path = data / FILES[case[key][0]]
            path.write_text(path.read_text(encoding="utf-8") + "\n" + case[key][1] + "\n", encoding="utf-8")
    return judged(sources.load(sources.find(data)))


def test_the_mini_data_set_is_valid(mini: Path) -> None:
    """Without a change there is no finding, so each case shows only its own."""
    assert pipeline.validate(mini).text() == "0 errors, 0 warnings"


@pytest.mark.parametrize("case", CONSTRAINTS, ids=lambda case: f"{case['number']}-{case['text']}")
def test_a_good_change_is_left_alone(mini: Path, case: dict[str, Any]) -> None:
    """What a constraint allows gives no finding of it."""
    report = changed(mini, case["good"])

    rules = {finding.rule for finding in report.findings} - {case["good"].get("expect")}
    assert not report.errors and case["rule"] not in rules, report.text()


@pytest.mark.parametrize(
    "case", [each for each in CONSTRAINTS if "bad" in each], ids=lambda case: f"{case['number']}-{case['text']}"
)
def test_a_bad_change_is_found_at_its_line(mini: Path, case: dict[str, Any]) -> None:
    """What a constraint forbids is found, in the file and at the line where it is written."""
    report = changed(mini, case["bad"])

    found = [finding for finding in report.findings if finding.rule == case["rule"]]
    assert found, report.text()
    if "at" in case["bad"]:
        lines = {
            finding.place.path.read_text(encoding="utf-8").splitlines()[finding.place.line - 1]
            for finding in found
            if finding.place
        }
        assert any(case["bad"]["at"] in line for line in lines), (lines, report.text())


@pytest.mark.parametrize("case", CONSTRAINTS, ids=lambda case: str(case["number"]))
def test_a_message_says_what_is_needed(case: dict[str, Any]) -> None:
    """Every shape has a message with the need first and a way out after it."""
    from rdflib import SH, URIRef

    from eurasia_graph.build.findings import MANUAL
    from eurasia_graph.build.judge import shapes_graph
    from eurasia_graph.build.shapes import folder

    shapes = shapes_graph(folder(), "Violation")
    shape = URIRef(MANUAL + case["rule"])
    query = shapes.value(shape, SH.sparql)
    message = str(shapes.value(query or shape, SH.message))

    assert len(message.split(". ")) >= 2, message


def test_faults_of_the_record_are_errors_and_faults_of_the_world_are_warnings(mini: Path) -> None:
    """A text may be wrong about the world; the record of it may not be wrong."""
    world = changed(mini, {"edit": [["C1", '"2005-05-05"^^edtf:EDTF', '"1999"^^edtf:EDTF']]})

    assert {finding.severity for finding in world.findings} == {Severity.WARNING}
    assert world.errors == 0


def test_every_constraint_has_a_case() -> None:
    """The list of cases has all constraints that shapes hold; the others need the text, a program or the ontology."""
    wanted = set(range(1, 74)) - {8, 9, 35, 36, 59, 60} | set(range(81, 86))

    assert {case["number"] for case in CONSTRAINTS} == wanted


def test_an_undefined_term_is_answered_with_the_nearest(mini: Path) -> None:
    """A slip in the name of a property would pass all shapes; it is found and put right."""
    report = changed(mini, {"edit": [["C2", 'eg:saysDate "2001"', 'eg:sayDate "2001"']]})

    assert "eg:sayDate" in report.text()
    assert "Write eg:saysDate" in report.text()


def test_a_month_13_is_named_with_its_line(mini: Path) -> None:
    """What is not a date stops the record, with the days that are right."""
    report = changed(mini, {"edit": [["C2", '"2001"^^edtf:EDTF', '"2001-13"^^edtf:EDTF']]})

    assert '"2001-13"' in report.text()
    assert "claims.ttl:22:" in report.text()
    assert report.errors == 1


def test_json_carries_what_the_text_says(mini: Path) -> None:
    """A program finds path, line and rule of every finding in the JSON."""
    report = changed(mini, {"edit": [["C2", "    eg:evidence two-passage:2 ;\n", ""]]})

    found = json.loads(report.json())
    assert found["errors"] == 2, "the sentence is then unaccounted for as well"
    assert found["findings"][0]["rule"] == "Claim-evidence"
    assert found["findings"][0]["place"]["line"] > 1


def test_sarif_names_file_and_line(mini: Path) -> None:
    """Code hosts show a finding next to its line."""
    report = changed(mini, {"edit": [["C2", "    eg:evidence two-passage:2 ;\n", ""]]})

    log = json.loads(report.sarif())
    region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert log["version"] == "2.1.0"
    assert region["artifactLocation"]["uri"].endswith("claims.ttl")
    assert region["region"]["startLine"] > 1


def test_a_file_beside_the_data_is_checked_alone(mini: Path, tmp_path: Path) -> None:
    """Only findings in the file that was named are reported, against all entities of the data folder."""
    own = tmp_path / "mine.ttl"
    own.write_text(
        "PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>\n"
        "<https://w3id.org/eurasia-graph/id/claim/one/99> a eg:EventClaim ;\n"
        "  eg:statedIn <https://w3id.org/eurasia-graph/id/source/one> ;\n"
        '  eg:gist "A meeting."@en ; eg:saysKind eg:Meeting .\n',
        encoding="utf-8",
    )

    report = pipeline.validate(mini, [own])

    assert [finding.rule for finding in report.findings] == ["Claim-evidence"]
