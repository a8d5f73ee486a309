"""
Check a dataset against the shapes and say where each fault is written.

The shapes in `ontology/shapes/` do the work, by pySHACL on the engine's own store. A shape of
severity `sh:Violation` checks the record; one of `sh:Warning` checks the world that the texts tell
of, which needs the generated graphs. Two checks no shape can make: terms that the ontology does not
define, and days that are not in the calendar.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph import namespaces as ns
from eurasia_graph.dates import DateError, bounds
from eurasia_graph.errors import EurasiaGraphError, SourceError, nearest
from eurasia_graph.sources import Dataset, Part, Place, root, shown

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MANUAL = "https://w3id.org/eurasia-graph/shape/"


class Severity(Enum):
    """How bad a finding is: an error stops the build, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One fault: where it is written, what is needed and what was seen.

    `rule` is the name of the shape or check. `focus` and `value` are IRIs or values as the rule
    found them; of two claims at odds, `focus` is the one and `value` the other.
    """

    severity: Severity
    rule: str
    message: str
    seen: str
    focus: str
    value: str | None = None
    place: Place | None = None
    difference: str | None = None

    def text(self) -> str:
        """Write the finding as compilers do, so that editors can jump to it."""
        where = f"{shown(self.place.path)}:{self.place.line}:{self.place.column}" if self.place else "(generated)"
        return f"{where}: {self.severity.value}: {self.message} Seen: {self.seen}. [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, sorted by place."""

    findings: list[Finding] = field(default_factory=list)
    unreadable: list[SourceError] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many findings stop the build."""
        return len(self.unreadable) + sum(1 for each in self.findings if each.severity is Severity.ERROR)

    @property
    def warnings(self) -> int:
        """How many findings only warn."""
        return sum(1 for each in self.findings if each.severity is Severity.WARNING)

    def only(self, paths: Iterable[Path]) -> Report:
        """Keep the findings that are written in some of the files."""
        wanted = {path.resolve() for path in paths}
        return Report(
            [each for each in self.findings if each.place and each.place.path.resolve() in wanted],
            [each for each in self.unreadable if each.path.resolve() in wanted],
        )

    def text(self) -> str:
        """Write one finding a line, then the totals."""
        lines = [str(each) for each in self.unreadable] + [each.text() for each in self.findings]
        return "\n".join([*lines, f"{_count(self.errors, 'error')}, {_count(self.warnings, 'warning')}"])

    def json(self) -> str:
        """Write the findings as a JSON object with the arrays `findings` and `unreadable`."""
        found = [
            {**asdict(each), "severity": each.severity.value, "place": _place_json(each.place)}
            for each in self.findings
        ]
        unreadable = [
            {"path": str(shown(each.path)), "line": each.line, "column": each.column, "message": each.problem}
            for each in self.unreadable
        ]
        content = {"errors": self.errors, "warnings": self.warnings, "findings": found, "unreadable": unreadable}
        return json.dumps(content, indent=2, ensure_ascii=False)

    def sarif(self) -> str:
        """Write the findings as SARIF 2.1.0, which code hosts show beside the lines."""
        results = [
            _sarif_result(each.rule, each.severity.value, f"{each.message} Seen: {each.seen}.", each.place)
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


def check_record(dataset: Dataset) -> Report:
    """
    Check what is written in the files: passages, claims, links and entities, one record at a time.

    Args:
        dataset: As `sources.load` returns it, nothing generated yet.
    """
    findings = [*_undefined_terms(dataset), *_bad_dates(dataset), *_shape_findings(dataset, "Violation")]
    return Report(_sorted(findings), list(dataset.errors))


def check_world(dataset: Dataset) -> Report:
    """
    Check the world that the texts tell of: order in time, statuses on a day, existence.

    Args:
        dataset: With bounds, facts and memberships.
    """
    return Report(_sorted(_shape_findings(dataset, "Warning")))


# --- by shapes -----------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _shapes(severity: str) -> Any:
    """Read the shapes, those of another severity switched off."""
    from rdflib import RDF, SH, Graph, URIRef
    from rdflib import Literal as RdflibLiteral

    graph = Graph()
    for path in sorted((root() / "ontology" / "shapes").glob("*.ttl")):
        graph.parse(path, format="turtle")
    for shape in set(graph.subjects(RDF.type, SH.NodeShape)):
        own = graph.value(shape, SH.severity, default=SH.Violation)
        if own != URIRef(SH[severity]):
            graph.add((shape, SH.deactivated, RdflibLiteral(True)))
    return graph


@contextmanager
def _quiet() -> Iterator[None]:
    """Have the library say nothing of literals that have no value, for which there are findings."""
    log = logging.getLogger("rdflib.term")
    level = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            log.setLevel(level)


def _shape_findings(dataset: Dataset, severity: str) -> Iterator[Finding]:
    from pyshacl import validate
    from pyshacl.graph_abstraction import OxigraphDataGraph
    from rdflib import RDF, SH

    # For every result pySHACL asks whether the graph is true, which without this counts all its quads.
    setattr(OxigraphDataGraph, "__bool__", lambda _: True)  # noqa: B010
    shapes = _shapes(severity)
    with _quiet():
        _, report, text = validate(cast("Any", dataset.store), shacl_graph=shapes, inplace=True, advanced=True)
    if not hasattr(report, "subjects"):
        raise EurasiaGraphError(f"the shapes cannot be run: {text}")
    for result in set(report.subjects(RDF.type, SH.ValidationResult)):
        parts = {
            name: report.value(result, SH[name])
            for name in ("focusNode", "resultPath", "value", "sourceShape", "resultMessage", "resultSeverity")
        }
        yield _from_result(dataset, shapes, parts)


def _from_result(dataset: Dataset, shapes: Any, parts: dict[str, Any]) -> Finding:
    from rdflib import SH, URIRef

    shape, path, value = parts["sourceShape"], parts["resultPath"], parts["value"]
    by_query = (shape, SH.sparql, None) in shapes
    difference = shapes.value(shape, URIRef(ns.EG + "differenceKind"))
    # A query over the whole dataset has a class for its focus; what it found is the value.
    subject = value if by_query and difference is None and isinstance(value, URIRef) else parts["focusNode"]
    predicate = NamedNode(str(path)) if isinstance(path, URIRef) else None
    seen = str(value) if value is not None and not by_query else None
    return Finding(
        severity=Severity.WARNING if parts["resultSeverity"] == SH.Warning else Severity.ERROR,
        rule=ns.local_name(str(shape)),
        message=str(parts["resultMessage"]),
        seen=_seen(dataset, subject, predicate, seen, value if difference else None),
        focus=str(subject),
        value=None if value is None else str(value),
        place=_locate(dataset, str(subject), predicate, None if by_query else value),
        difference=None if difference is None else str(difference),
    )


def _seen(dataset: Dataset, subject: Any, predicate: NamedNode | None, value: str | None, other: Any) -> str:
    """Say what stands there: the value, or all values of the property, or nothing; then who is at odds with it."""
    name = ns.shorten(str(subject))
    if predicate is None:
        return f"{name}, at odds with {ns.shorten(str(other))}" if other else name
    values = (
        [value]
        if value is not None
        else [_written(quad.object) for quad in dataset.store.quads_for_pattern(_node(subject), predicate, None, None)]
    )
    shown = ", ".join(sorted({ns.shorten(each) for each in values})) or "nothing"
    against = f", at odds with {ns.shorten(str(other))}" if other else ""
    return f"{ns.shorten(predicate.value)} {shown} at {name}{against}"


def _node(term: Any) -> NamedNode | None:
    return NamedNode(str(term)) if str(term).startswith("http") else None


def _written(term: Any) -> str:
    return f'"{term.value}"' if isinstance(term, Literal) else str(getattr(term, "value", term))


def _locate(dataset: Dataset, subject: str, predicate: NamedNode | None, value: Any) -> Place | None:
    """Find what is meant: the value, else the property, else the subject."""
    if not subject.startswith("http"):
        return None
    node = NamedNode(subject)
    quads = [quad for quad in dataset.store.quads_for_pattern(node, None, None, None) if quad in dataset.origins]
    with_property = [quad for quad in quads if quad.predicate == predicate]
    exact = [quad for quad in with_property if value is not None and _is_value(quad.object, str(value))]
    # The value; the property, where its value is missing or one too many; else whom it is missing of.
    for candidates, part in ((exact, "object"), (with_property, "predicate"), (quads, "subject")):
        if candidates:
            return dataset.place_of(min(candidates, key=dataset.origins.__getitem__), cast("Part", part))
    begun = next(dataset.store.quads_for_pattern(node, ns.EG("begunBy"), None, None), None)
    if begun is None or not isinstance(begun.object, NamedNode):
        return None
    return _locate(dataset, begun.object.value, predicate, None)


def _is_value(term: Any, value: str) -> bool:
    """Tell whether a term is a value that a shape refuses; the library rewrites some forms, such as HTML."""
    from rdflib import Literal as RdflibLiteral

    if getattr(term, "value", None) == value:
        return True
    if not isinstance(term, Literal) or term.language:
        return False
    with _quiet():
        return str(RdflibLiteral(term.value, datatype=term.datatype.value)) == value


# --- by program ----------------------------------------------------------------------------


def _undefined_terms(dataset: Dataset) -> Iterator[Finding]:
    """Find terms of our namespace that the ontology does not define, which a shape would pass over in silence."""
    ontology = ns.GRAPH("ontology")
    defined = {
        quad.subject.value
        for quad in dataset.store.quads_for_pattern(None, ns.RDFS("label"), None, ontology)
        if isinstance(quad.subject, NamedNode)
    }
    parts: tuple[Part, ...] = ("predicate", "object")
    for quad in dataset.origins:
        for part in parts:
            term = getattr(quad, part)
            if isinstance(term, NamedNode) and term.value.startswith(ns.EG) and term.value not in defined:
                near = nearest(term.value[len(ns.EG) :], (each[len(ns.EG) :] for each in defined))
                hint = f" Write {' or '.join(f'eg:{each}' for each in near)}." if near else ""
                yield _found(
                    dataset,
                    quad,
                    "Undefined-term",
                    f"A term in eg: is one that the ontology defines.{hint}",
                    f"eg:{term.value[len(ns.EG) :]} at {ns.shorten(_subject(quad))}",
                    part,
                )


def _bad_dates(dataset: Dataset) -> Iterator[Finding]:
    """Find EDTF strings that are none, or whose days are not in the calendar."""
    datatype = NamedNode(ns.EDTF + "EDTF")
    for quad in dataset.origins:
        if isinstance(quad.object, Literal) and quad.object.datatype == datatype:
            try:
                bounds(quad.object.value)
            except DateError as error:
                yield _found(
                    dataset,
                    quad,
                    "Date",
                    f"A date is an EDTF date: {error}.",
                    f'{ns.shorten(quad.predicate.value)} "{quad.object.value}" at {ns.shorten(_subject(quad))}',
                )


def _found(  # noqa: PLR0913, PLR0917  (what, where, and which part of it)
    dataset: Dataset, quad: Quad, rule: str, message: str, seen: str, part: Part = "object"
) -> Finding:
    return Finding(Severity.ERROR, rule, message, seen, _subject(quad), None, dataset.place_of(quad, part))


def _subject(quad: Quad) -> str:
    return str(getattr(quad.subject, "value", quad.subject))


# --- writing -------------------------------------------------------------------------------


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place, each once: two ways can lead to the same."""

    def key(finding: Finding) -> tuple[str, int, int, str, str, str]:
        place = finding.place
        return (
            str(place.path) if place else "",
            place.line if place else 0,
            place.column if place else 0,
            finding.rule,
            finding.focus,
            finding.value or "",
        )

    return sorted(dict.fromkeys(findings), key=key)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _place_json(place: Place | None) -> dict[str, Any] | None:
    return {"path": str(shown(place.path)), "line": place.line, "column": place.column} if place else None


def _sarif_result(rule: str, level: str, message: str, place: Place | None) -> dict[str, Any]:
    result: dict[str, Any] = {"ruleId": rule, "level": level, "message": {"text": message}}
    if place:
        result["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": shown(place.path).as_posix()},
                    "region": {"startLine": place.line, "startColumn": place.column},
                }
            }
        ]
    return result
