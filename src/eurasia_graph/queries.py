"""
The canned queries: `queries/<name>.rq`, each with typed parameters and fixed columns.

What is added to the answer of the file is described in its headers: `labels` lists the columns after which a
label is put (`labels.py`), `needs` the parameters of which at least one is given, `not-with` one that excludes
others, `only-with` one that goes with another alone, `nearest` one for which the nearest names are offered where
nothing is found.

What an answer leaves out is found by a companion query, `queries/<name>.left-out.rq`, with the same parameters
and the columns claim and why; if there is none, nothing is left out.

A file runs unchanged in any SPARQL 1.1 engine, since its parameters are a VALUES block with examples. Running it
from here replaces that block with terms serialised by the RDF library, never with text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, QuerySolutions

from eurasia_graph import labels, notes, resolving, together
from eurasia_graph import namespaces as ns
from eurasia_graph.dates import DateError, day_range
from eurasia_graph.errors import QueryError, RemoteError, UnknownNameError, UsageError, nearest
from eurasia_graph.notes import LeftOut
from eurasia_graph.paths import root
from eurasia_graph.resolving import resolve
from eurasia_graph.store import OwnQuery, ReleaseStore

BESIDE = ".left-out.rq"
# The value of `settled-by` if no single parameter decides: both actors, and the days of their memberships.
PAIR = "pair"
HEADER = re.compile(r"^#\+ ([\w-]+): (.*)$", re.MULTILINE)
PARAMETER = re.compile(r"(\w+) (\S+) (required|optional|default=\S+) (.+)")
VALUES = re.compile(r"VALUES \(((?:\?\w+ ?)+)\) \{ \(([^\n]*)\) \}")
# A companion query from its columns to its end, with its pattern between them.
WITHOUT_ORDER = re.compile(r"^SELECT DISTINCT \?claim \?why$(.*)^ORDER BY \?why \?claim$", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"\?(\w+)")
NUMBERS = {ns.XSD + "integer": int, ns.XSD + "decimal": float, ns.XSD + "double": float}
# What stands for every value of a parameter that has a default.
ANY = "any"
TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

Cell = str | int | float | bool | None


class Rows(list[dict[str, Cell]]):
    """
    The rows of an answer, which can be passed to `pandas.DataFrame(rows)`.

    `columns` are the names in order, `notes` what a reader should know about the answer.
    """

    def __init__(self, rows: Iterator[dict[str, Cell]], columns: list[str], notes: list[str]) -> None:
        """Store the rows with their column names and notes."""
        super().__init__(rows)
        self.columns = columns
        self.notes = notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One parameter of a canned query.

    `type` is a prefixed name: a class of entities, or one of xsd:date, xsd:integer, xsd:boolean and
    xsd:string; of several classes, as `eg:Topic|eg:Entity`, the first that has the name is meant. `default` is
    None unless the header gives one.
    """

    name: str
    type: str
    required: bool
    default: str | None
    description: str

    @property
    def allowed(self) -> tuple[str, ...]:
        """All values that it can have, where these are few and fixed."""
        if self.type == "xsd:boolean":
            return ("true", "false")
        values = resolving.closed_values(self.type)
        return (*values, ANY) if values and self.default else values

    @property
    def classes(self) -> tuple[str, ...]:
        """The IRIs of the classes of entities that it can stand for; none where it is a value."""
        if self.type.startswith("xsd:"):
            return ()
        return tuple(ns.EG + each.removeprefix("eg:") for each in self.type.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedQuery:
    """
    A named query with its parameters, its columns and the text that it runs.

    `answer` describes the columns, `empty` what an answer without rows means, and `alone` the same if only one
    text was asked. `examples` has a value for each required parameter, `instead` the queries to use without
    some of them. `left_out` is the query for what the answer leaves out. Whether that can be anything depends on
    the parameter `settled_by`, whose values the store has. A query with `asked_once` is run once without values, and
    gives with every claim the values of these parameters for which an answer leaves it out.
    """

    name: str
    summary: str
    group: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    answer: str
    empty: str
    examples: Mapping[str, str]
    instead: Mapping[str, str]
    text: OwnQuery
    alone: str | None = None
    left_out: OwnQuery | None = None
    settled_by: str | None = None
    asked_once: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    excludes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_with: Mapping[str, str] = field(default_factory=dict)
    nearest: str | None = None

    @property
    def wants(self) -> str:
        """Which parameters it needs, in words: `body, actor or place`."""
        return in_words(self.needs)

    def bind(self, store: ReleaseStore, values: Mapping[str, object]) -> OwnQuery:
        """
        Replace the example values with the values given.

        Args:
            store: Has the entities that names stand for.
            values: By parameter; None and "" count as left out.
        Raises:
            UsageError: If a parameter is unknown, missing or of the wrong type; the message says what is right.
        """
        return _filled(self.text, self._given(store, values))

    def bind_left_out(self, store: ReleaseStore, values: Mapping[str, object]) -> OwnQuery | None:
        """Do the same as `bind` for the companion query; None if there is none."""
        return _filled(self.left_out, self._given(store, values)) if self.left_out else None

    def _given(self, store: ReleaseStore, values: Mapping[str, object]) -> dict[str, str]:
        """Write the values as terms, by the variables of the VALUES block."""
        given = {name: str(value) for name, value in values.items() if value is not None and value != ""}
        known = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in known:
                near = nearest(name, known) or known
                raise UsageError(
                    f"{self.name} has no parameter {name!r}; it has {', '.join(known)}; nearest: {near[0]}"
                )
        _check_together(self, given)
        terms: dict[str, str] = {}
        for parameter in self.parameters:
            default = parameter.default
            if self.only_with.get(parameter.name, parameter.name) not in {parameter.name, *given}:
                default = "false"
            terms.update(_terms(store, self, parameter, given.get(parameter.name, default)))
        _check_span(given, terms)
        return terms

    def ask(self, store: ReleaseStore, values: Mapping[str, object]) -> QuerySolutions:
        """Ask the query and return the answer as the engine gives it; arguments and errors are those of `run`."""
        answer = store.query(self.bind(store, values))
        assert isinstance(answer, QuerySolutions)
        return labels.labelled(store, answer, self.columns, self.labels) if self.labels else answer

    def run(self, store: ReleaseStore, values: Mapping[str, object]) -> Rows:
        """
        Ask the query and return its rows.

        Args:
            store: The release to ask.
            values: By parameter, as `bind` takes them.
        Returns:
            Rows with IRIs and texts as strings, numbers as numbers, and None for unbound values.
        """
        answer = self.ask(store, values)
        columns = [variable.value for variable in answer.variables]
        rows = (dict(zip(columns, map(cell, solution), strict=True)) for solution in answer)
        found = Rows(rows, columns, [])
        found.notes.extend(self.notes(store, values, is_empty=not found))
        return found

    def notes(self, store: ReleaseStore, values: Mapping[str, object], *, is_empty: bool) -> list[str]:
        """
        Return what a reader should know about the answer.

        Args:
            store: The release that was asked.
            values: By parameter, as `bind` takes them.
            is_empty: Whether there were no rows.
        """
        asked = values.get("source")
        source = resolve(store, "eg:Source", str(asked)).value if asked else None
        found = list(_of_horizons(store, values, source))
        left_out: LeftOut = []
        try:
            left_out = self.ask_left_out(store, values)
        except (QueryError, RemoteError) as error:
            found.append(notes.of_failure(error))
        if is_empty:
            found.append(notes.of_nothing(self.empty, self.alone, source, left_out))
            if self.nearest:
                found += notes.of_nearest(self.nearest, resolving.nearest_names(store, str(values[self.nearest])))
        return [*found, *notes.of_left_out(left_out)]

    def ask_left_out(self, store: ReleaseStore, values: Mapping[str, object]) -> LeftOut:
        """Find which claims the answer leaves out and why; arguments and errors are those of `run`."""
        if self.left_out is None:
            return []
        terms = self._given(store, values)
        if not self._may_leave_out(store, terms):
            return []
        once = self._once(store)
        others = once.keys() - set(self.asked_once)
        if self.asked_once and store.is_local and all(terms[name] == once[name] for name in others):
            return self._picked(store, terms)
        answer = store.query(_filled(self.left_out, terms))
        assert isinstance(answer, QuerySolutions)
        return [(ns.value(claim), ns.value(why)) for claim, why in answer]

    def _may_leave_out(self, store: ReleaseStore, terms: Mapping[str, str]) -> bool:
        """Return whether an answer may leave something out; False only if it certainly does not."""
        if self.settled_by == PAIR:
            return together.may_leave_out(store, terms)
        if self.settled_by:
            term = terms[self.settled_by].strip("<>")
            return bool(store.unsettled) if term == "UNDEF" else term in store.unsettled
        return True

    def _picked(self, store: ReleaseStore, terms: Mapping[str, str]) -> LeftOut:
        """
        Pick from everything that is left out of any answer what is left out with these values.

        Only for the embedded store: for another store, one query about one thing is better than one about all.
        """
        assert self.left_out
        if self.name not in store.leaving_out:
            names = " ".join(f"?{name}" for name in self.asked_once)
            text = WITHOUT_ORDER.sub(f"SELECT DISTINCT {names} ?claim ?why\\1ORDER BY ?why ?claim", self.left_out)
            answer = store.query(_filled(OwnQuery(text), self._once(store)))
            assert isinstance(answer, QuerySolutions)
            store.leaving_out[self.name] = [
                (tuple(map(str, values)), ns.value(claim), ns.value(why)) for *values, claim, why in answer
            ]
        wanted = [terms[name] for name in self.asked_once]
        found = (
            (claim, why)
            for values, claim, why in store.leaving_out[self.name]
            if all(want in {"UNDEF", value} for want, value in zip(wanted, values, strict=True))
        )
        return list(dict.fromkeys(found))

    def _once(self, store: ReleaseStore) -> dict[str, str]:
        """Leave every variable of the query beside open, but for those of parameters that have a default."""
        assert self.left_out
        defaults: dict[str, str] = {}
        for parameter in self.parameters:
            if parameter.default and parameter.classes:
                defaults.update(_terms(store, self, parameter, parameter.default))
        return {name: defaults.get(name, "UNDEF") for name in COLUMN.findall(_block(self.left_out)[1])}


def load() -> dict[str, CannedQuery]:
    """Read the canned queries, by name, in the order of their names."""
    return dict(_load(root() / "queries"))


@lru_cache(maxsize=2)
def _load(folder: Path) -> tuple[tuple[str, CannedQuery], ...]:
    paths = (path for path in sorted(folder.glob("*.rq")) if not path.name.endswith(BESIDE))
    return tuple((path.stem, _read(path)) for path in paths)


def by_name(name: str) -> CannedQuery:
    """
    Return one canned query.

    Raises:
        UnknownNameError: If there is none of that name.
    """
    known = load()
    if name not in known:
        raise UnknownNameError("query", name, known)
    return known[name]


def cell(term: Any) -> Cell:
    """Turn a term of an answer into a Python value; an unbound one into None."""
    if isinstance(term, Literal):
        datatype = term.datatype.value
        if datatype in NUMBERS:
            number: int | float = NUMBERS[datatype](term.value)
            return number
        return term.value == "true" if datatype == ns.XSD + "boolean" else term.value
    return None if term is None else str(getattr(term, "value", term))


def headers(text: str) -> dict[str, list[str]]:
    """Return the headers of a query by name, in the order of their lines."""
    found: dict[str, list[str]] = {}
    for match in HEADER.finditer(text):
        found.setdefault(match.group(1), []).append(match.group(2))
    return found


def _read(path: Path) -> CannedQuery:
    text = path.read_text(encoding="utf-8")
    beside = path.with_name(path.stem + BESIDE)
    left_out = beside.read_text(encoding="utf-8") if beside.is_file() else None
    header = headers(f"{text}\n{left_out or ''}")
    parameters = [_parameter(path, line) for line in header.get("param", [])]
    answer = header["answer"][0]
    named = header.get("labels", [""])[0].split()
    return CannedQuery(
        name=path.stem,
        summary=header["summary"][0],
        group=header["group"][0],
        parameters=tuple(parameters),
        columns=labels.with_labels(COLUMN.findall(answer), named),
        answer=labels.described(answer, named),
        empty=header["empty"][0],
        examples=dict(pair.split("=", 1) for line in header.get("example", []) for pair in line.split()),
        instead=dict(line.split(" ", 1) for line in header.get("instead", [])),
        text=OwnQuery(text),
        alone=header.get("alone", [None])[0],
        left_out=OwnQuery(left_out) if left_out else None,
        settled_by=header.get("settled-by", [None])[0],
        asked_once=tuple(header.get("asked-once", [""])[0].split()),
        labels=tuple(named),
        needs=tuple(re.split(r", | or ", header["needs"][0])) if "needs" in header else (),
        excludes={first: tuple(others) for first, *others in map(str.split, header.get("not-with", []))},
        only_with={line.split()[0]: line.split()[1] for line in header.get("only-with", [])},
        nearest=header.get("nearest", [None])[0],
    )


def _parameter(path: Path, line: str) -> Parameter:
    match = PARAMETER.fullmatch(line)
    if match is None:
        raise UsageError(
            f"{path}: cannot read the parameter {line!r}; write: name type required|optional|default=x text"
        )
    name, kind, need, description = match.groups()
    default = need.partition("=")[2] or None
    return Parameter(name=name, type=kind, required=need == "required", default=default, description=description)


# --- binding -------------------------------------------------------------------------------


@lru_cache(maxsize=100)
def _block(text: str) -> tuple[str, str]:
    """Find the VALUES block of a query; returns its text and its variables."""
    found = VALUES.search(text)
    assert found, "a canned query has a VALUES block"
    return found.group(), found.group(1)


def _filled(text: OwnQuery, terms: Mapping[str, str]) -> OwnQuery:
    """Write terms in place of the examples, wherever the block is."""
    block, variables = _block(text)
    row = " ".join(terms[variable[1:]] for variable in variables.split())
    return OwnQuery(text.replace(block, f"VALUES ({variables}) {{ ({row}) }}"))


def _terms(store: ReleaseStore, query: CannedQuery, parameter: Parameter, value: str | None) -> dict[str, str]:
    """Write the value of one parameter as terms, by variable; what is left out is UNDEF."""
    asked = f"asked{parameter.name[0].upper()}{parameter.name[1:]}"
    if value is None and parameter.required:
        need = f"{query.name} needs {parameter.name}: {parameter.description}"
        way_out = f"for instance {parameter.name}={query.examples[parameter.name]}"
        if parameter.name in query.instead:
            way_out += f"; {query.instead[parameter.name]}"
        raise UsageError(f"{need}; {way_out}")
    if parameter.type == "xsd:date":
        first, last = _dates(value) if value else ("UNDEF", "UNDEF")
        return {f"{parameter.name}First": first, f"{parameter.name}Last": last}
    if value is not None and parameter.default and parameter.type != "xsd:boolean" and value.casefold() == ANY:
        value = None
    try:
        term = "UNDEF" if value is None else str(_term(store, parameter, value))
    except UsageError as error:
        error.parameter = parameter.name
        raise
    return {parameter.name: term, asked: term}


def _dates(value: str) -> tuple[str, str]:
    try:
        first, last = day_range(value)
    except DateError as error:
        raise UsageError(str(error)) from None
    datatype = NamedNode(ns.XSD + "date")
    return str(Literal(str(first), datatype=datatype)), str(Literal(str(last), datatype=datatype))


def _term(store: ReleaseStore, parameter: Parameter, value: str) -> Literal | NamedNode:
    if parameter.type == "xsd:string":
        return Literal(value)
    if parameter.type == "xsd:boolean":
        if value.casefold() not in TRUTHS:
            raise UsageError(f"{parameter.name} must be true or false, not {value!r}; write {parameter.name}=true")
        return Literal(TRUTHS[value.casefold()])
    if parameter.type == "xsd:integer":
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise UsageError(f"{parameter.name} must be a whole number, not {value!r}; for instance 12")
        return Literal(int(value))
    return resolve(store, parameter.type, value)


def in_words(names: Sequence[str]) -> str:
    """Write alternatives: `body, actor or place`."""
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _check_together(canned: CannedQuery, given: Mapping[str, str]) -> None:
    """Refuse parameters that do not go together, and none where one is needed."""
    if canned.needs and not any(name in given for name in canned.needs):
        example = " ".join(f"{name}={value}" for name, value in canned.examples.items())
        several = "one of " if len(canned.needs) > 1 else ""
        raise UsageError(f"{canned.name} needs at least {several}{canned.wants}; for instance {example}")
    for first, others in canned.excludes.items():
        both = [name for name in others if name in given]
        if first in given and both:
            raise UsageError(f"{first} and {both[0]} exclude each other; give {first} or {in_words(others)}")
    for name, other in canned.only_with.items():
        if TRUTHS.get(given.get(name, "").casefold()) and other not in given:
            raise UsageError(
                f"{name}={given[name]} goes with {other} alone, and none is given; add {other}, or leave {name} out"
            )


def _check_span(given: Mapping[str, str], terms: Mapping[str, str]) -> None:
    """Refuse a span that ends before it begins."""
    first, last = terms.get("fromFirst", "UNDEF"), terms.get("toLast", "UNDEF")
    if "UNDEF" not in {first, last} and last < first:
        raise UsageError(f"to={given['to']} is before from={given['from']}; give the earlier one as from")


def _of_horizons(store: ReleaseStore, values: Mapping[str, object], only: str | None) -> Iterator[str]:
    """Return which texts cannot know about the time asked about."""
    asked = str(values.get("date") or "")
    if not asked:
        return
    days = day_range(asked)
    for source, horizon in sorted(store.horizons.items()):
        note = notes.of_horizon(source, horizon, store.covered.get(source), asked, days)
        if note and only in {None, source}:
            yield note
