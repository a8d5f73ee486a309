"""Canned queries keep their contract, and answer what the texts say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import QuerySolutions
from rdflib.plugins.sparql import prepareQuery

from conftest import CHECKOUT, TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.queries import VALUES
from eurasia_graph.store import ReleaseStore

ANSWERS = tomllib.loads((TESTS / "cases" / "answers.toml").read_text(encoding="utf-8"))["answer"]
CONTRACT = tomllib.loads((TESTS / "cases" / "contract.toml").read_text(encoding="utf-8"))
FILES = sorted((CHECKOUT / "queries").glob("*.rq"))


def shown(value: object) -> object:
    """Write a cell as the cases do: short names, nothing for nothing."""
    if value is None:
        return ""
    return " ".join(map(ns.shorten, value.split(" "))) if isinstance(value, str) and value.startswith("http") else value


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: f"{case['query']}: {case['text']}")
def test_a_question_is_answered_as_the_text_says(release: ReleaseStore, case: dict[str, Any]) -> None:
    """Expected rows were read from the texts, not from the program."""
    rows = queries.by_name(case["query"]).run(release, case["with"])

    found = [[shown(row[column]) for column in case["columns"]] for row in rows]
    assert sorted(found, key=str) == sorted(case["rows"], key=str)


def test_every_canned_query_has_an_answer_that_a_person_read() -> None:
    """And its columns in the contract."""
    names = {path.stem for path in FILES}

    assert {case["query"] for case in ANSWERS} == names
    assert set(CONTRACT) == names


@pytest.mark.parametrize("name", CONTRACT)
def test_parameters_and_columns_are_those_of_the_contract(release: ReleaseStore, name: str) -> None:
    """Names and order are fixed; an optional parameter stands in brackets."""
    parameters, columns = CONTRACT[name]
    canned = queries.by_name(name)

    assert [each.name if each.required else f"[{each.name}]" for each in canned.parameters] == parameters
    assert list(canned.columns) == columns
    example = release.query(canned.text)
    assert isinstance(example, QuerySolutions)
    assert [variable.value for variable in example.variables] == columns


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_plain_sparql_with_its_parameters_first(path: Path) -> None:
    """Another parser reads it; the VALUES block opens the outer WHERE and is the same wherever it is repeated."""
    text = path.read_text(encoding="utf-8")
    blocks = [match.group() for match in VALUES.finditer(text)]

    prepareQuery(text)
    assert re.search(r"^WHERE \{\n  VALUES \(", text, re.MULTILINE)
    assert len(set(blocks)) == 1
    assert "NOT EXISTS" not in text
    assert "ORDER BY" in text


@pytest.mark.parametrize(
    "value",
    [
        "csto",
        "CSTO",
        "body:CSTO",
        "Collective Security Treaty Organisation",
        "ОДКБ",
        "https://w3id.org/eurasia-graph/id/body/CSTO",
        "<https://w3id.org/eurasia-graph/id/body/CSTO>",
    ],
)
def test_an_entity_goes_by_any_of_its_names(release: ReleaseStore, value: str) -> None:
    """Short name, prefixed name, label, acronym or IRI, in any case."""
    assert queries.resolve(release, "eg:Body", value) == ns.ID("body/CSTO")


@pytest.mark.parametrize(
    ("query", "parameters", "says"),
    [
        ("members-on", {"body": "cso", "date": "1993"}, "no body 'cso'; nearest: csto, sco, eco"),
        (
            "members-on",
            {"body": "csto"},
            "members-on needs date: a day, a month or a year; for instance date=1993-06-30",
        ),
        ("members-on", {"date": "1993"}, "members-on needs body"),
        (
            "members-on",
            {"body": "csto", "date": "1993", "boddy": "x"},
            "has no parameter 'boddy'; it has body, date, source, lineage; nearest: body",
        ),
        (
            "members-on",
            {"body": "csto", "date": "June 1993"},
            "'June 1993' is not a date; write 2001, 2001-06 or 2001-06-14",
        ),
        ("members-on", {"body": "csto", "date": "1993-13"}, "month must be in 1..12"),
        ("members-on", {"body": "csto", "date": "1993", "lineage": "maybe"}, "lineage is true or false, not 'maybe'"),
        ("members-on", {"body": "csto", "date": "1993", "source": "icds"}, "no source 'icds'; nearest: icds-2016"),
        ("memberships-of", {"actor": "Kazakstan"}, "no actor 'Kazakstan'; nearest: kazakhstan"),
        ("disagreements", {"kind": "dates"}, "no difference kind 'dates'; nearest: date"),
    ],
)
def test_a_near_miss_is_answered_with_what_is_right(
    release: ReleaseStore, query: str, parameters: dict[str, str], says: str
) -> None:
    """The message repeats what was given and says what to give instead."""
    with pytest.raises(UsageError) as caught:
        queries.by_name(query).run(release, parameters)

    assert says in str(caught.value)


def test_an_unknown_query_is_answered_with_the_nearest() -> None:
    """The name of a query is treated like any other."""
    with pytest.raises(UnknownNameError, match="no query 'member-on'; nearest: members-on"):
        queries.by_name("member-on")


def test_a_day_after_the_horizon_says_what_to_ask_instead(release: ReleaseStore) -> None:
    """The answer stays, as possible, with a note for each text that cannot know."""
    rows = queries.by_name("members-on").run(release, {"body": "eacu", "date": "2020", "source": "icds-2016"})

    assert {row["certainty"] for row in rows} == {"possible"}
    assert rows.notes == [
        "icds-2016 was issued by 2016-03-11 and cannot tell of 2020: what it says is only possible then; ask for 2016-03-11 or before"
    ]


def test_no_rows_are_explained(release: ReleaseStore) -> None:
    """Silence is no answer, and the note says where to look."""
    rows = queries.by_name("members-on").run(release, {"body": "eco", "date": "2000"})

    assert rows == []
    assert rows.notes[0].startswith("no rows: no text tells of members on that day")


@pytest.mark.parametrize(
    "hostile", ['" } SERVICE <http://127.0.0.1/> { ?s ?p ?o } #', "\\", "}\n}", "'''", "<x>", "\u0000"]
)
def test_a_value_stays_a_value(release: ReleaseStore, hostile: str) -> None:
    """Text that looks like SPARQL is searched for like any other."""
    assert queries.by_name("find").run(release, {"text": hostile}) == []


def test_rows_are_what_pandas_takes(release: ReleaseStore) -> None:
    """Numbers are numbers, texts are texts, nothing is None."""
    rows = queries.by_name("succession").run(release, {"body": "caec"})

    assert [type(value) for value in rows[0].values()] == [int, str, str, str, str, str]
    assert list(rows[0]) == rows.columns
