"""`SELECT *` has its columns in the order in which the query names them, wherever it is asked."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from flask.testing import FlaskClient
from pyoxigraph import QuerySolutions, Store

from conftest import TESTS
from eurasia_graph.sparql.columns import star
from eurasia_graph.store import ReleaseStore

CASES = tomllib.loads((TESTS / "cases" / "columns.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_columns_stand_in_the_order_of_the_text(case: dict[str, Any]) -> None:
    """And they are those that the engine has in scope, no more and no fewer."""
    answer = ReleaseStore(Store()).query(case["query"])
    by_engine = Store().query(case["query"])

    assert isinstance(answer, QuerySolutions)
    assert isinstance(by_engine, QuerySolutions)
    assert [variable.value for variable in answer.variables] == case["columns"]
    assert {variable.value for variable in by_engine.variables} == set(case["columns"])


@pytest.mark.parametrize(
    "query", ["ASK { ?z ?y ?x }", "DESCRIBE * { ?z ?y ?x }", "CONSTRUCT { ?z ?y ?x } { ?z ?y ?x }"]
)
def test_other_forms_are_left_as_they_are(query: str) -> None:
    """They have no columns."""
    assert star(query) is None


@pytest.mark.parametrize(
    ("form", "head"),
    [
        ("csv", "zebra,yak,ape"),
        ("tsv", "?zebra\t?yak\t?ape"),
        ("srj", '{"head":{"vars":["zebra","yak","ape"]}'),
        ("srx", '<variable name="zebra"/><variable name="yak"/><variable name="ape"/>'),
    ],
)
def test_the_service_writes_columns_in_that_order(client: FlaskClient, form: str, head: str) -> None:
    """In every format, with a limit that the service adds."""
    names = {"srj": "json", "srx": "xml"}

    answer = client.get(
        "/sparql", query_string={"query": "SELECT * { ?zebra ?yak ?ape } LIMIT 1", "format": names.get(form, form)}
    )

    assert answer.status_code == 200, answer.text
    assert head in answer.text


def test_a_fault_is_shown_in_the_text_as_it_was_sent(client: FlaskClient) -> None:
    """What is written out never moves the place of an error."""
    answer = client.get("/sparql", query_string={"query": "SELECT * { ?zebra ?yak ?ape } LIMIT many"})

    assert answer.status_code == 400
    assert "line 1, column 37" in answer.text or "LIMIT many" in answer.text
