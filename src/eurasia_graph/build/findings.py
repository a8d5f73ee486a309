"""Findings with their locations, and reports of them as text, JSON and SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import SourceError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement is written; line and column count from 1."""

    path: Path
    line: int
    column: int


def shown(path: Path) -> Path:
    """Return a path for display: relative if it is below the current folder, unchanged if not."""
    with suppress(ValueError):
        return path.resolve().relative_to(Path.cwd())
    return path


SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


MANUAL = "https://w3id.org/eurasia-graph/shape/"


class Severity(Enum):
    """How bad a finding is: an error stops the build, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One finding: where it is, what is needed and what was seen.

    `rule` is the name of the shape or check. `focus` and `value` are IRIs or values as the rule
    found them; where two claims contradict each other, `focus` is one and `value` the other. `related`
    is the location of the other one of two statements that do not agree.
    """

    severity: Severity
    rule: str
    message: str
    seen: str
    focus: str
    value: str | None = None
    place: Place | None = None
    difference: str | None = None
    related: Place | None = None
    statement: tuple[str, str, str] | None = field(default=None, compare=False, repr=False)

    def text(self, base: Path | None = None) -> str:
        """
        Format the finding as compilers do, so that editors can jump to it.

        Args:
            base: The folder that paths are relative to, for a text that says the same wherever it is written; the
                current one if left out.
        """
        where = _written_at(self.place, base) if self.place else "(generated)"
        beside = f" ({_written_at(self.related, base)})" if self.related else ""
        return f"{where}: {self.severity.value}: {self.message} Seen: {self.seen}{beside}. [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of a check, sorted by location."""

    findings: list[Finding] = field(default_factory=list)
    unreadable: list[SourceError] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """The number of findings that stop the build."""
        return len(self.unreadable) + sum(1 for each in self.findings if each.severity is Severity.ERROR)

    @property
    def warnings(self) -> int:
        """The number of findings that are only warnings."""
        return sum(1 for each in self.findings if each.severity is Severity.WARNING)

    def only(self, paths: Iterable[Path]) -> Report:
        """Keep only the findings located in the given files."""
        wanted = {path.resolve() for path in paths}
        return Report(
            [each for each in self.findings if each.place and each.place.path.resolve() in wanted],
            [each for each in self.unreadable if each.path.resolve() in wanted],
        )

    def text(self) -> str:
        """Format one finding per line, then the totals."""
        lines = [str(each) for each in self.unreadable] + [each.text() for each in self.findings]
        return "\n".join([*lines, f"{_count(self.errors, 'error')}, {_count(self.warnings, 'warning')}"])

    def json(self) -> str:
        """Format the findings as a JSON object with the arrays `findings` and `unreadable`."""
        found = [_finding_json(each) for each in self.findings]
        unreadable = [
            {"path": str(shown(each.path)), "line": each.line, "column": each.column, "message": each.problem}
            for each in self.unreadable
        ]
        content = {"errors": self.errors, "warnings": self.warnings, "findings": found, "unreadable": unreadable}
        return json.dumps(content, indent=2, ensure_ascii=False)

    def sarif(self) -> str:
        """Format the findings as SARIF 2.1.0, which code hosts show next to the lines."""
        results = [
            _sarif_result(
                each.rule, each.severity.value, f"{each.message} Seen: {each.seen}.", each.place, each.related
            )
            for each in self.findings
        ]
        results += [
            _sarif_result("Turtle", "error", each.problem, Place(each.path, each.line, each.column))
            for each in self.unreadable
        ]
        rules = [{"id": name, "helpUri": f"{MANUAL}{name}"} for name in sorted({each["ruleId"] for each in results})]
        driver = {"name": "eurasia-graph", "informationUri": str(ns.BASE), "rules": rules}
        run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
        return json.dumps(log, indent=2, ensure_ascii=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _written_at(place: Place, base: Path | None = None) -> str:
    path = shown(place.path)
    if base:
        within = place.path.resolve()
        path = within.relative_to(base.resolve()) if within.is_relative_to(base.resolve()) else Path(within.name)
    return f"{path.as_posix() if base else path}:{place.line}:{place.column}"


def _finding_json(finding: Finding) -> dict[str, Any]:
    content = {**asdict(finding), "severity": finding.severity.value}
    del content["statement"]
    return {**content, "place": _place_json(finding.place), "related": _place_json(finding.related)}


def _place_json(place: Place | None) -> dict[str, Any] | None:
    return {"path": str(shown(place.path)), "line": place.line, "column": place.column} if place else None


def _sarif_result(
    rule: str, level: str, message: str, place: Place | None, related: Place | None = None
) -> dict[str, Any]:
    result: dict[str, Any] = {"ruleId": rule, "level": level, "message": {"text": message}}
    if place:
        result["locations"] = [_sarif_location(place)]
    if related:
        result["relatedLocations"] = [_sarif_location(related)]
    return result


def _sarif_location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": shown(place.path).as_posix()},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }
