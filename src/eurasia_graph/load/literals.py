"""
Count the literals that the engine cannot keep as they are written.

It stores numbers, dates, durations and booleans by value: `007` comes back as `7`, and every type derived from
xsd:integer as xsd:integer. All other literals are kept exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple

from eurasia_graph import namespaces as ns

# fmt: off
BY_VALUE = {
    str(ns.XSD) + name: name
    for name in (
        "boolean", "byte", "date", "dateTime", "dateTimeStamp", "dayTimeDuration", "decimal", "double", "duration",
        "float", "gDay", "gMonth", "gMonthDay", "gYear", "gYearMonth", "int", "integer", "long", "negativeInteger",
        "nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "short", "time", "unsignedByte", "unsignedInt",
        "unsignedLong", "unsignedShort", "yearMonthDuration",
    )
}
# fmt: on
# Forms that are certainly kept, which most literals have: checking with the engine takes a hundred times as long.
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CANONICAL = {
    name: re.compile(form, re.ASCII)
    for name, form in {
        "boolean": "true|false",
        "date": f"{DAY}Z?",
        "dateTime": rf"{DAY}T(?:[01][0-9]|2[0-3]):[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{0,8}}[1-9])?Z?",
        "decimal": r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9]",
        "gYear": "[0-9]{4}Z?",
        "integer": "0|-?[1-9][0-9]{0,17}",
    }.items()
}
MOST_NAMED = 8
LONGEST_SHOWN = 60
ANYTHING = NamedNode("urn:eurasia-graph:nothing")


class Rewritten:
    """Counts, by datatype, the literals read through it that come back in another form."""

    def __init__(self) -> None:
        """Start with all counts at zero."""
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._store = Store()

    def read(self, quads: Iterable[Quad]) -> Iterator[Quad]:
        """Pass quads on, and count."""
        for quad in quads:
            term: Any = quad.object
            while isinstance(term, Triple):
                term = term.object
            if isinstance(term, Literal):
                name = BY_VALUE.get(term.datatype.value)
                canonical = CANONICAL.get(name or "")
                if name and not (canonical and canonical.fullmatch(term.value)):
                    self._look_at(term)
            yield quad

    def text(self) -> str | None:
        """Return in one line how many there are, of which types, with an example of each; None if there are none."""
        total = self.counts.total()
        if not total:
            return None
        shown = [f"{count} {name} ({self._examples[name]})" for name, count in self.counts.most_common(MOST_NAMED)]
        more = sum(count for _, count in self.counts.most_common()[MOST_NAMED:])
        listed = ", ".join([*shown, *([f"{more} of other types"] if more else [])])
        literals = "literal is" if total == 1 else "literals are"
        return f"{total} {literals} kept by value and not as written: {listed}; docs/serving.md says what that means"

    def _look_at(self, literal: Literal) -> None:
        quad = Quad(ANYTHING, ANYTHING, literal)
        self._store.add(quad)
        kept = next(self._store.quads_for_pattern(None, None, None)).object
        self._store.remove(quad)
        if kept != literal:
            assert isinstance(kept, Literal)
            name = f"xsd:{BY_VALUE[literal.datatype.value]}"
            self.counts[name] += 1
            self._examples.setdefault(name, f"{_shown(literal)} as {_shown(kept)}")


def _shown(literal: Literal) -> str:
    value = literal.value if len(literal.value) <= LONGEST_SHOWN else f"{literal.value[:LONGEST_SHOWN]}..."
    return f'"{value}"^^xsd:{BY_VALUE[literal.datatype.value]}'
