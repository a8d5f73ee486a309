"""
What a canned query asks, in words: `Who belonged to the CSTO in 1995?`.

The header `question` of a query is a template. `[on {date}|some day]` stands for `on` and the value of `date`, or for
`some day` where no value is given; without a `|` it stands for nothing then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from eurasia_graph import queries, words
from eurasia_graph.errors import UsageError
from eurasia_graph.queries import CannedQuery, Parameter
from eurasia_graph.resolving import resolve
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.naming import Names

PART = re.compile(r"\[([^\]|]*)(?:\|([^\]]*))?\]")
PLACE = re.compile(r"\{(\w+)\}")
LONGEST_VALUE = 80


def question(canned: CannedQuery, values: Mapping[str, str] | None = None, names: Names | None = None) -> str:
    """
    Say what a query asks.

    Args:
        canned: The query; one without a template is said by its summary.
        values: Of its parameters, as they were given; those left out are said as the template has it.
        names: What things are called.
    """
    template = _template(canned.text)
    if template is None:
        return canned.summary
    said = {} if names is None else _said(canned, values or {}, names)

    def part(match: re.Match[str]) -> str:
        places = PLACE.findall(match[1])
        if all(place in said for place in places):
            return PLACE.sub(lambda place: said[place[1]], match[1])
        return match[2] or ""

    whole = PART.sub(part, template)
    return whole[:1].upper() + whole[1:]


@lru_cache(maxsize=100)
def _template(text: str) -> str | None:
    return next(iter(queries.headers(text).get("question", [])), None)


def _said(canned: CannedQuery, values: Mapping[str, str], names: Names) -> dict[str, str]:
    return {
        parameter.name: _value(names, parameter, values[parameter.name])
        for parameter in canned.parameters
        if values.get(parameter.name)
    }


def _value(names: Names, parameter: Parameter, value: str) -> str:
    """Say a value as it stands in a sentence; one that means nothing as it was given, but not all of a long one."""
    if parameter.type == "xsd:date":
        return words.asked(value)
    if not parameter.type.startswith("xsd:"):
        found = _meant(names.store, parameter, value)
        if found:
            return names.called(found)
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"


def _meant(store: ReleaseStore, parameter: Parameter, value: str) -> str | None:
    try:
        return resolve(store, parameter.type, value).value
    except UsageError:
        return None
