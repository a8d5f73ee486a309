"""A third source is a folder of Turtle: the steps of CONTRIBUTING.md, taken from it word by word."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import CHECKOUT
from eurasia_graph import open_graph
from eurasia_graph.cli import main

GUIDE = (CHECKOUT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
TEXT = "China and Russia founded the Shanghai Cooperation Organisation in 1996. Mongolia joined in 2004.\n"


def run(*words: object) -> Result:
    """Run a command of the guide."""
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The shipped data with the third source of the guide in it."""
    folder = tmp_path / "data"
    shutil.copytree(CHECKOUT / "data", folder)
    source = folder / "sources" / "toy-2010"
    source.mkdir()
    blocks = [textwrap.dedent(block) for block in re.findall(r"```turtle\n(.*?)```", GUIDE, re.DOTALL)]
    (source / "source.ttl").write_text(blocks[0], encoding="utf-8")
    text = tmp_path / "toy.txt"
    text.write_text(TEXT, encoding="utf-8")
    assert run("passages", "toy-2010", text, "--data", folder).exit_code == 0
    (source / "claims.ttl").write_text(blocks[1], encoding="utf-8")
    link = re.search(r"`(toy-2010:1 eg:reportsEvent [^`]+)`", GUIDE)
    assert link
    links = folder / "links.ttl"
    prefix = "PREFIX toy-2010: <https://w3id.org/eurasia-graph/id/claim/toy-2010/>\n"
    links.write_text(prefix + links.read_text(encoding="utf-8") + "\n" + link.group(1) + "\n", encoding="utf-8")
    return folder


def test_the_guide_leads_to_data_without_a_finding(data: Path) -> None:
    """What the guide shows is valid and canonical but for the line added to the links."""
    result = run("validate", "--data", data)

    assert result.stdout.splitlines()[-1].startswith("0 errors"), result.stdout
    check = run("fmt", "--check", data / "sources/toy-2010/source.ttl", data / "sources/toy-2010/claims.ttl")
    assert check.exit_code == 0, check.stdout


def test_the_third_source_answers_beside_the_others(data: Path) -> None:
    """No code, rule or query was touched."""
    rows = open_graph(data).query("members-on", body="sco", date="1999", source="toy-2010")

    assert [(row["memberLabel"], row["certainty"]) for row in rows] == [("China", "certain"), ("Russia", "certain")]


def test_the_third_source_disagrees_where_it_does(data: Path) -> None:
    """Its complete list of two lacks founders of both other texts; its year contradicts one of them only."""
    rows = open_graph(data).query("disagreements", body="sco")

    toy = "https://w3id.org/eurasia-graph/id/source/toy-2010"
    found = {
        (
            str(row["kind"]).rsplit("/", 1)[1],
            *sorted({str(row["sourceA"]).rsplit("/", 1)[1], str(row["sourceB"]).rsplit("/", 1)[1]}),
        )
        for row in rows
        if toy in {row["sourceA"], row["sourceB"]}
    }
    assert found == {
        ("participants", "icds-2016", "toy-2010"),
        ("participants", "eurasianism-central-asia", "toy-2010"),
        ("date", "eurasianism-central-asia", "toy-2010"),
    }


def test_the_text_verifies_and_explains(data: Path, tmp_path: Path) -> None:
    """From the claim back to the reader's own copy."""
    assert "2 found" in run("verify", "toy-2010", tmp_path / "toy.txt", "--data", data).stdout
    explained = run("explain", "toy-2010/1", "--text", tmp_path / "toy.txt", "--data", data).stdout
    assert "China and Russia founded the Shanghai Cooperation Organisation in 1996." in explained
