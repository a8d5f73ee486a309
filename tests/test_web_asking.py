"""What `/queries/` asks for, offers and adds: parameters that are needed, names of two things, citations, CSV options."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
from flask.testing import FlaskClient

from conftest import BROWSER
from eurasia_graph import queries

PAGE = {"Accept": BROWSER}
NEEDY = [canned for canned in queries.load().values() if canned.needs]


@pytest.mark.parametrize("canned", NEEDY, ids=lambda canned: canned.name)
def test_at_least_one_of_is_told_everywhere(client: FlaskClient, canned: queries.CannedQuery) -> None:
    """By a problem document, above the form, on the page of a question without them, and in OpenAPI."""
    problem = client.get(f"/queries/{canned.name}.json")
    form = client.get(f"/queries/{canned.name}", headers=PAGE)
    entry = json.loads(client.get("/openapi.json").data)["paths"][f"/queries/{canned.name}.csv"]["get"]
    several = "one of " if len(canned.needs) > 1 else ""

    assert (problem.status_code, problem.mimetype) == (400, "application/problem+json")
    assert f"{canned.name} needs at least {several}{canned.wants}; for instance " in json.loads(problem.data)["detail"]
    assert form.status_code == 200
    assert f"At least one of {canned.wants} is needed." in form.text
    assert entry["x-at-least-one-of"] == list(canned.needs)
    assert f"At least one of {canned.wants} is needed." in entry["description"]
    names = [parameter.name for parameter in canned.parameters]
    other = "source=icds-2016" if "source" in names else "modality=any"
    asked = client.get(f"/queries/{canned.name}?{other}", headers=PAGE)
    assert asked.status_code == 400
    assert f"needs at least {several}{canned.wants}" in asked.text


def test_a_name_of_two_things_gives_choices(client: FlaskClient) -> None:
    """As data in the problem document and as links on the page; each of them, clicked or typed, answers."""
    problem = client.get("/queries/claims-about.json?entity=eurasia")
    page = client.get("/queries/claims-about?entity=eurasia", headers=PAGE)
    told = json.loads(problem.data)
    typed = [choice["value"] for choice in told["choices"]]
    links = [
        html.unescape(link)
        for link in re.findall(r'href="(/queries/claims-about\?entity=[^"]+(?::|%3A)[^"]+)"', page.text)
    ]

    assert (problem.status_code, page.status_code) == (400, 400)
    assert told["parameter"] == "entity"
    assert "concept:eurasia" in typed
    assert len(typed) > 1
    assert len(links) >= len(typed)
    for link in links:
        assert client.get(link, headers=PAGE).status_code == 200
    answers = [client.get("/queries/claims-about.csv", query_string={"entity": each}) for each in typed]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == len(typed)


@pytest.mark.parametrize(
    ("asked", "parameter", "value"),
    [
        ("timeline{}?body=csto&modality=x", "modality", "planned"),
        ("timeline{}?kind=x", "kind", "foundation-begun"),
        ("factors{}?direction=x", "direction", "hinders"),
        ("members-on{}?body=csto&date=1995&lineage=x", "lineage", "true"),
        ("members-on{}?body=csto&date=1995&source=x", "source", "icds-2016"),
    ],
)
def test_a_wrong_value_lists_the_allowed_ones(client: FlaskClient, asked: str, parameter: str, value: str) -> None:
    """In the words of the error, as data where they are names, and on the page."""
    problem = client.get("/queries/" + asked.format(".json"))
    page = client.get("/queries/" + asked.format(""), headers=PAGE)
    told = json.loads(problem.data)

    assert (problem.status_code, page.status_code) == (400, 400)
    assert value in told["detail"]
    assert told["parameter"] == parameter
    assert value in page.text[page.text.index('role="alert"') :]


def test_a_day_over_all_bodies_has_no_lineage(client: FlaskClient) -> None:
    """Without a body every body has its members; asking for a lineage of none is an error."""
    everywhere = json.loads(client.get("/queries/members-on.json?date=1995").data)
    refused = client.get("/queries/members-on.json?date=1995&lineage=true")

    assert len({row["body"] for row in everywhere}) > 1
    assert refused.status_code == 400
    assert "lineage" in json.loads(refused.data)["detail"]


def test_an_answer_is_cited_by_its_suffix(client: FlaskClient) -> None:
    """Query, values and release, in three formats; by Accept the same bytes."""
    asked = "body=csto&date=1995"
    for suffix, says in (("bib", "@misc{"), ("csl", '"title"'), ("txt", "Version ")):
        by_suffix = client.get(f"/queries/members-on.{suffix}?{asked}")
        by_accept = client.get(f"/queries/members-on?{asked}", headers={"Accept": by_suffix.mimetype})
        assert by_suffix.status_code == 200
        assert says in by_suffix.text
        assert "body=csto, date=1995" in by_suffix.text
        assert by_accept.data == by_suffix.data
        assert client.get(f"/queries/members-on.{suffix}?{asked}").data == by_suffix.data
    assert client.get("/queries/members-on.bib?body=cso&date=1995").status_code == 400


def test_csv_for_spreadsheets(client: FlaskClient) -> None:
    """A byte order mark and cells that are no formulas, on request alone."""
    asked = "/queries/members-on.csv?body=csto&date=1995"
    plain = client.get(asked).data
    marked = client.get(f"{asked}&bom=1").data
    safe = client.get(f"{asked}&no-formulas=1").data

    assert not plain.startswith(b"\xef\xbb\xbf")
    assert marked == b"\xef\xbb\xbf" + plain
    assert client.get(f"{asked}&bom=1&no-formulas=1").data == b"\xef\xbb\xbf" + safe
    rows = list(csv.reader(io.StringIO(safe.decode())))
    assert len(rows) == len(plain.decode().splitlines())
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell[:1]]
