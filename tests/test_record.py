"""Whatever a file states that no record has is refused at its line, by the rule that names it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from conftest import TESTS
from eurasia_graph.build import pipeline
from eurasia_graph.build.findings import Finding

CASES = sorted((TESTS / "cases" / "record").glob("*.ttl"))
INTO = re.compile(r"^#\+ into: (.+)$", re.MULTILINE)
EXPECTED = re.compile(r"\.  # ([\w -]+?)(?: > (\S+))?$")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_each_line_gets_the_findings_that_stand_next_to_it(mini: Path, case: Path) -> None:
    """
    A line of a case ends with the rules that refuse it and, after `>`, the name that the message offers.

    The lines are added to a file of the mini data set, so that they are read with all others; a line
    without a rule is right, and no other line has a finding.
    """
    added = case.read_text(encoding="utf-8")
    found = INTO.search(added)
    assert found
    path = mini / found.group(1)
    before = path.read_text(encoding="utf-8")
    path.write_text(before + added, encoding="utf-8")

    report = pipeline.validate(mini)

    by_line: dict[tuple[Path, int], list[Finding]] = {}
    for finding in report.findings:
        assert finding.place, finding
        by_line.setdefault((finding.place.path, finding.place.line), []).append(finding)
    first = before.count("\n") + 1
    for number, line in enumerate(added.splitlines(), start=first):
        expected = EXPECTED.search(line)
        rules = expected.group(1).split() if expected else []
        findings = by_line.pop((path, number), [])
        assert Counter(finding.rule for finding in findings) == Counter(rules), (line, report.text())
        if expected and expected.group(2):
            assert any(re.search(rf"{expected.group(2)}\b", finding.text()) for finding in findings), report.text()
    assert not by_line, report.text()
