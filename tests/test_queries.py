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
from definition import Claim
from eurasia_graph import labels, notes, queries, resolving
from eurasia_graph import namespaces as ns
from eurasia_graph.build import pipeline
from eurasia_graph.build.release import Release
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.queries import VALUES
from eurasia_graph.store import ReleaseStore, from_quads
from test_memberships import dataset_of

ANSWERS = tomllib.loads((TESTS / "cases" / "answers.toml").read_text(encoding="utf-8"))["answer"]
QUOTATIONS = tomllib.loads((TESTS / "cases" / "answers.toml").read_text(encoding="utf-8"))["quotation"]
CONTRACT = tomllib.loads((TESTS / "cases" / "contract.toml").read_text(encoding="utf-8"))
NOTES = tomllib.loads((TESTS / "cases" / "notes.toml").read_text(encoding="utf-8"))["note"]
FILES = sorted(path for path in (CHECKOUT / "queries").glob("*.rq") if not path.name.endswith(".left-out.rq"))


@pytest.fixture(scope="module")
def release(read_texts: ReleaseStore) -> ReleaseStore:
    """The texts that the cases were read from."""
    return read_texts


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


@pytest.mark.parametrize("case", QUOTATIONS, ids=lambda case: f"{case['passage']}: {case['text']}")
def test_quoted_words_are_marked_with_whose_they_are(built: Release, case: dict[str, Any]) -> None:
    """Which claims of a passage are quoted, and from whom, was read from the texts."""
    passage = ns.ID(f"passage/{case['passage']}")
    resting = {quad.subject for quad in built.store.quads_for_pattern(None, ns.EG("evidence"), passage)}
    quoted = {quad.subject for quad in built.store.quads_for_pattern(None, ns.EG("isQuoted"), None)} & resting
    whose = {
        quad.object for claim in quoted for quad in built.store.quads_for_pattern(claim, ns.EG("quotedFrom"), None)
    }

    assert sorted(str(shown(ns.value(claim))) for claim in quoted) == case["claims"]
    assert sorted(str(shown(ns.value(each))) for each in whose) == sorted(case["from"])


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
    plain = [variable.value for variable in example.variables]
    assert list(labels.with_labels(plain, canned.labels)) == columns
    assert set(canned.labels) <= set(plain)


@pytest.mark.parametrize("name", CONTRACT)
def test_what_is_required_has_an_example_that_is_answered(release: ReleaseStore, name: str) -> None:
    """An error shows it to whoever left the parameter out."""
    canned = queries.by_name(name)

    required = {each.name for each in canned.parameters if each.required}
    assert set(canned.examples) >= required
    assert canned.examples or not (required or canned.needs)
    assert not canned.needs or set(canned.needs) & set(canned.examples)
    assert set(canned.instead) <= set(canned.examples)
    assert not canned.examples or canned.run(release, canned.examples)


def test_only_the_missing_parameter_is_spoken_of(release: ReleaseStore) -> None:
    """Whoever gives an actor and not the other is told of the other alone."""
    with pytest.raises(UsageError, match=r"shared-bodies needs actorB: .*; for instance actorB=uz$"):
        queries.by_name("shared-bodies").run(release, {"actorA": "kz"})


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
    assert resolving.resolve(release, "eg:Body", value) == ns.ID("body/CSTO")


@pytest.mark.parametrize(
    ("query", "parameters", "says"),
    [
        ("members-on", {"body": "cso", "date": "1993"}, "no body 'cso'; nearest: csto, sco, eco"),
        (
            "members-on",
            {"body": "csto"},
            "members-on needs date: a day, a month or a year; for instance date=1993-06-30; without a date, ask timeline for a body or memberships-of for an actor",
        ),
        ("members-on", {"date": "1993", "lineage": "true"}, "lineage=true goes with body alone"),
        (
            "timeline",
            {"source": "icds-2016"},
            "timeline needs at least one of body, actor, place, kind, from or to; for instance body=csto",
        ),
        ("co-members", {"date": "2003", "to": "2004"}, "date and to exclude each other; give date or from or to"),
        ("timeline", {"from": "2003", "to": "2001-05"}, "to=2001-05 is before from=2003; give the earlier one as from"),
        ("factors", {"direction": "hurts"}, "it is one of helps, hinders"),
        (
            "claims-about",
            {"entity": "spillover"},
            "'spillover' stands for 2 things; give concept:spillover (spillover) or factor:spillover (spillover)",
        ),
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
        (
            "members-on",
            {"body": "csto", "date": "1993", "lineage": "maybe"},
            "lineage must be true or false, not 'maybe'",
        ),
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
        "icds-2016 was issued by 2016-03-11 and cannot know about 2020: what it says is only possible then; ask for 2016-03-11 or before"
    ]


def store_of(claims: list[dict[str, Any]]) -> ReleaseStore:
    """Derive what follows from claims of one text on KZ in ALPHA, as tests/cases/standings.toml has them."""
    told = [Claim(**{"actors": ("KZ",), "body": "ALPHA", **said}) for said in claims]
    return from_quads(dataset_of(told, "2016-03-11").store)


@pytest.mark.parametrize("case", NOTES, ids=lambda case: f"{case['query']}: {case['text']}")
def test_notes_are_true(release: ReleaseStore, case: dict[str, Any]) -> None:
    """What is left out is counted and named; "no text" is stated only if it is true."""
    store = store_of(case["claims"]) if "claims" in case else release
    rows = queries.by_name(case["query"]).run(store, case["with"])

    assert rows.notes == case["notes"]
    assert len(rows) == case.get("rows", len(rows))
    assert rows or case.get("rows") == 0


@pytest.mark.parametrize("name", list(queries.load()))
def test_a_query_of_one_text_has_words_for_that_text_alone(name: str) -> None:
    """Of the others, "no text" would say too much."""
    canned = queries.by_name(name)
    optional = any(each.name == "source" and not each.required for each in canned.parameters)

    assert bool(canned.alone) == optional


def test_a_table_covers_up_to_its_last_year(mini: Path) -> None:
    """Nothing is certain after it, though the table was issued years later, and the note says why."""
    file = mini / "sources/one/source.ttl"
    covered = '    eg:coversUntil "2007"^^edtf:EDTF ;\n    eg:issued'
    file.write_text(file.read_text(encoding="utf-8").replace("    eg:issued", covered), encoding="utf-8")
    store = pipeline.open_release(mini)
    ask = queries.by_name("members-on")

    within = ask.run(store, {"body": "alpha", "date": "2007-12-31", "source": "one"})
    after = ask.run(store, {"body": "alpha", "date": "2008-01-01", "source": "one"})

    assert {row["certainty"] for row in within} == {"certain"}
    assert within.notes == []
    assert {row["certainty"] for row in after} == {"possible"}
    assert after.notes == [
        "one covers up to 2007 and cannot know about 2008-01-01: what it says is only possible then; ask for 2007 or before"
    ]


@pytest.mark.parametrize(
    ("words", "counted"),
    [
        (["no date"], "left out: 1 claim without a date (s/1)"),
        (["no date"] * 2, "left out: 2 claims without a date (s/1, s/2)"),
        (["open list"], "not complete: 1 claim names only some of those it is about (s/1)"),
        (["open list"] * 2, "not complete: 2 claims name only some of those they are about (s/1, s/2)"),
        (["no date"] * 7, "left out: 7 claims without a date (s/1, s/2, s/3, s/4, s/5 and 2 more)"),
        (
            ["hedged", "denied", "hedged"],
            "left out: 1 claim that is denied (s/2); 2 claims that are hedged (s/1, s/3)",
        ),
    ],
)
def test_claims_are_counted_in_english(words: list[str], counted: str) -> None:
    """One is one, several are several, and many are not all named."""
    found = [(f"{ns.ID}claim/s/{number}", why) for number, why in enumerate(words, start=1)]

    assert list(notes.of_left_out(found)) == [counted]


@pytest.mark.parametrize(
    "hostile", ['" } SERVICE <http://127.0.0.1/> { ?s ?p ?o } #', "\\", "}\n}", "'''", "<x>", "\u0000"]
)
def test_a_value_stays_a_value(release: ReleaseStore, hostile: str) -> None:
    """Text that looks like SPARQL is searched for like any other."""
    assert queries.by_name("find").run(release, {"text": hostile}) == []


def test_rows_are_what_pandas_takes(release: ReleaseStore) -> None:
    """Numbers are numbers, texts are texts, nothing is None."""
    rows = queries.by_name("sizes").run(release, {"body": "sco", "from": "2003", "to": "2003", "source": "icds-2016"})

    assert [type(value) for value in rows[0].values()] == [str, str, int, str, str, int, int, str, str, bool]
    assert list(rows[0]) == rows.columns
