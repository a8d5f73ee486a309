"""Dates, kinds and standings in words."""

from __future__ import annotations

import tomllib

import pytest

from conftest import TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph import words

CASES = tomllib.loads((TESTS / "cases" / "words.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("edtf", "said"), CASES["dated"].items())
def test_a_date_of_a_text_is_said_in_words(edtf: str, said: str) -> None:
    """As a reader of English would write it, with the doubt that the text leaves."""
    assert words.dated(edtf) == said


@pytest.mark.parametrize(("date", "said"), CASES["asked"].items())
def test_a_date_of_a_question_is_said_in_words(date: str, said: str) -> None:
    """With its preposition."""
    assert words.asked(date) == said


@pytest.mark.parametrize(("name", "case"), CASES["called"].items())
def test_a_body_is_called_by_its_acronym_where_it_has_one(name: str, case: dict[str, object]) -> None:
    """With the article, as in a sentence."""
    names = case["names"]
    assert isinstance(names, list)
    assert words.called(name, names, str(case["label"])) == case["said"]


def test_what_has_no_label_is_named_by_its_place() -> None:
    """A claim by its number, a term by its words."""
    named = {
        f"{ns.ID}state/KZ": "Kazakhstan",
        f"{ns.ID}claim/icds-2016/53": "claim 53",
        f"{ns.ID}passage/icds-2016/86": "sentence 86",
        f"{ns.EG}StatusGrant": "status grant",
        f"{ns.SCHEME}topic/foreign-trade": "foreign trade",
        "http://example.org/x": "http://example.org/x",
    }

    assert {iri: words.named({f"{ns.ID}state/KZ": "Kazakhstan"}, iri) for iri in named} == named
