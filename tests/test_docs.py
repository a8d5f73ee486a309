"""The README is run: what it shows is what a reader gets."""

from __future__ import annotations

import os
import re
import shlex

import pytest
from click.testing import CliRunner

from conftest import CHECKOUT
from eurasia_graph import namespaces as ns
from eurasia_graph import open_graph, queries
from eurasia_graph.build.release import Release
from eurasia_graph.cli import main

PATH = CHECKOUT / "README.md"
README = PATH.read_text(encoding="utf-8")
COUNTS = re.compile(r"<!-- counts -->\n(.*?)\n<!-- /counts -->", re.DOTALL)


def transcripts() -> list[tuple[str, str]]:
    """The commands of ours that the README shows with their output."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("eurasia-graph ") and output.strip():
                found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), transcripts(), ids=lambda value: value[:60])
def test_a_command_of_the_readme_prints_what_it_shows(command: str, output: str) -> None:
    """Column by column; only the blanks between them may differ."""
    result = CliRunner().invoke(main, shlex.split(command)[1:])

    assert (result.stdout + result.stderr).split() == output.split()


def test_the_python_of_the_readme_gives_what_it_shows() -> None:
    """The example runs as it stands."""
    assert 'kg.query("succession", body="csto")[0]["date"]\n\'2002-10-07\'' in README
    assert open_graph().query("succession", body="csto")[0]["date"] == "2002-10-07"


@pytest.mark.parametrize("name", [*main.commands, *queries.load()])
def test_every_command_and_query_is_in_the_readme(name: str) -> None:
    """What is not there does not exist for a reader."""
    assert re.search(rf"\b{re.escape(name)}\b", README)


def test_the_first_screen_has_the_sentence_the_commands_and_an_answer() -> None:
    """Before line 25 a reader has seen what it is and what it says."""
    first = "\n".join(README.splitlines()[:25])

    assert "make serve" in first
    assert "make test" in first
    assert "icds-2016/8" in first


def counts_of(release: Release) -> str:
    """The line of counts, from the release."""

    def count(pattern: str) -> int:
        query = f"PREFIX eg: <{ns.EG}> PREFIX rdfs: <{ns.RDFS}> SELECT (COUNT(DISTINCT ?x) AS ?n) {{ {pattern} }}"
        return int(ns.value(next(iter(release.store.query(query)))[0]))  # type: ignore[arg-type]

    def members(cls: str) -> int:
        return count(
            f"GRAPH <{ns.GRAPH}entities> {{ ?x a ?class }} GRAPH <{ns.GRAPH}ontology> {{ ?class rdfs:subClassOf* eg:{cls} }}"
        )

    def claims(kind: str) -> int:
        return count(f"GRAPH ?g {{ ?x eg:statedIn ?source ; a eg:{kind}Claim }}")

    kinds = ("position", "cause", "norm", "prediction", "definition", "mandate", "comparison", "judgement", "situation")
    assessments = [
        f"{count(f'GRAPH ?g {{ ?x eg:saysAssessment <{ns.SCHEME}assessment/{kind}> }}')} {kind}" for kind in kinds
    ]
    return (
        f"{members('Source')} texts, {count('GRAPH ?g { ?x a eg:Sentence ; eg:number ?number }')} passages, "
        f"{count('GRAPH ?g { ?x eg:statedIn ?source }')} claims, {count('GRAPH ?g { ?claim eg:reportsEvent ?x }')} events, "
        f"{count('GRAPH ?g { ?x a eg:Membership ; eg:inBody ?body }')} memberships, {count('GRAPH ?g { ?x a eg:Disagreement }')} disagreements; "
        f"{members('State')} states, {members('Body')} bodies, {members('Treaty')} treaties.\n"
        f"Claims by kind: {claims('Event')} of events, {claims('Assessment')} assessments ({', '.join(assessments)}), "
        f"{claims('Speech')} speeches with {claims('Reported')} things said, {claims('Indicator')} figures, {claims('Name')} names, "
        f"{claims('Role')} roles, {claims('Citation')} citations."
    )


def test_the_counts_of_the_readme_are_those_of_the_release(built: Release) -> None:
    """WRITE_README=1 writes the line; without it, a line that is out of date fails."""
    line = counts_of(built)
    if os.environ.get("WRITE_README"):
        PATH.write_text(COUNTS.sub(f"<!-- counts -->\n{line}\n<!-- /counts -->", README), encoding="utf-8")

    written = COUNTS.search(PATH.read_text(encoding="utf-8"))
    assert written
    assert written.group(1) == line, "run the tests with WRITE_README=1"


@pytest.mark.parametrize(
    "path", re.findall(r"`((?:tests|docs|data|ontology|queries|src|benchmarks)/[\w./]*)`|\]\(([\w./]+)\)", README)
)
def test_every_path_of_the_readme_is_there(path: tuple[str, str]) -> None:
    """A link that leads nowhere is worse than none."""
    assert (CHECKOUT / (path[0] or path[1])).exists()
