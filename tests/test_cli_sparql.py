"""`query --sparql` and `--file`: free-form queries on the command line, with their formats and limits."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pyoxigraph import CanonicalizationAlgorithm, Dataset, RdfFormat, parse

from conftest import CHECKOUT
from eurasia_graph.cli import main
from eurasia_graph.cli.limited import limited
from eurasia_graph.errors import QueryError
from eurasia_graph.turtle import formatting


def run(*words: object) -> Result:
    """Run the command as a user would, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


def test_free_queries_print_rows_booleans_and_graphs() -> None:
    """SELECT gives a table, ASK a word, CONSTRUCT Turtle."""
    rows = run("query", "--sparql", "SELECT (1 AS ?one) { }")
    truth = run("query", "--sparql", "ASK { }")
    graph = run("query", "--sparql", "CONSTRUCT { <http://a/s> <http://a/p> 1 } { }", "--format", "turtle")

    assert rows.stdout.split() == ["one", "1"]
    assert truth.stdout == "true\n"
    assert "<http://a/p> 1 ;" in graph.stdout


# What takes the engine minutes to plan, and what takes it hours to evaluate.
PLANNED = "SELECT * { ?s " + "/".join(["<http://a/p>?"] * 300) + " ?o }"
ROWS = " ".join(map(str, range(1000)))
EVALUATED = f"ASK {{ VALUES ?a {{ {ROWS} }} VALUES ?b {{ {ROWS} }} VALUES ?c {{ {ROWS} }} FILTER(?a > ?b + ?c + 999) }}"


@pytest.mark.parametrize("query", [PLANNED, EVALUATED], ids=["planned", "evaluated"])
def test_a_free_query_is_stopped_after_its_time(tmp_path: Path, query: str) -> None:
    """The message says what to do, and how to wait longer."""
    (tmp_path / "long.rq").write_text(query, encoding="utf-8")

    result = run("query", "--file", tmp_path / "long.rq", "--timeout", 0.5)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("the query was stopped: it had no answer after 0.5 s; ask for less")
    assert "--timeout SECONDS (0: no limit)" in result.stderr


@pytest.mark.parametrize("seconds", [0, 60])
def test_ctrl_c_ends_a_query_and_its_process(tmp_path: Path, seconds: float) -> None:
    """The engine itself would not notice."""

    def evaluate() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()), encoding="ascii")
        time.sleep(600)

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            limited(evaluate, seconds)
    finally:
        signal.signal(signal.SIGALRM, before)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text("ascii")), 0)


def test_a_query_whose_process_is_killed_says_so() -> None:
    """The system does that when memory runs out."""
    with pytest.raises(QueryError, match="ended by signal 9, as happens where memory runs out; ask for less"):
        limited(lambda: os.kill(os.getpid(), signal.SIGKILL), 60)


def test_an_error_of_the_evaluation_keeps_its_kind() -> None:
    """What is wrong with the call ends with status 2, all else with 1."""
    wanted = run("query", "--sparql", "ASK {}", "--format", "turtle")
    refused = run("query", "--sparql", "SELECT * {}", "--format", "turtle")

    assert (wanted.exit_code, refused.exit_code) == (0, 2)


def test_a_query_writes_the_graph_that_it_made() -> None:
    """Lists, shared nodes, and constants with their form and datatype; nothing on stderr."""
    prefixes = "PREFIX : <http://x/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
    pattern = '_:n :p ( ( 1 ) () ) ; :q _:m . _:o :q _:m . :a :p 007 , "2024-01-01Z"^^xsd:date , "a\\"\\nb"'

    result = run("query", "--sparql", f"{prefixes} CONSTRUCT {{ {pattern} }} {{ }}", "--format", "turtle")

    assert (result.exit_code, result.stderr) == (0, "")
    assert named(result.stdout) == named(f"{prefixes} {pattern} .")
    assert "\n        007 ,\n" in result.stdout


def test_a_graph_that_cannot_be_compared_is_written_one_triple_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is Turtle too, and cannot go wrong."""
    monkeypatch.setattr(formatting, "canonical", lambda *_, **__: None)

    result = run("query", "--sparql", "CONSTRUCT { _:a <http://x/p> _:b } { }", "--format", "turtle")

    assert result.stderr.startswith("note: the graph cannot be compared")
    assert named(result.stdout) == named("[] <http://x/p> [] .")


def named(text: str) -> set[str]:
    """Return the statements of Turtle with the names that RDFC-1.0 gives blank nodes."""
    dataset = Dataset(parse(text, format=RdfFormat.TURTLE))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def test_a_query_in_a_file_is_run_as_it_stands() -> None:
    """The canned queries themselves are such files."""
    result = run("query", "--file", CHECKOUT / "queries" / "succession.rq")

    assert "CES-1994" in result.stdout


@pytest.mark.parametrize(
    ("query", "form", "says"),
    [
        ("SELECT * { }", "turtle", "SELECT gives rows, not a graph"),
        ("CONSTRUCT { } { }", "csv", "give a graph, not rows"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(query: str, form: str, says: str) -> None:
    """The message names formats that do."""
    result = run("query", "--sparql", query, "--format", form)

    assert result.exit_code == 2
    assert says in result.stderr
