"""The command line does what its help says; results go to stdout, all else to stderr."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import TESTS
from eurasia_graph import queries, tabular
from eurasia_graph.cli import main, output
from eurasia_graph.store import ReleaseStore

TEXT = TESTS / "mini" / "texts" / "one.txt"
COMMANDS = ["validate", "fmt", "passages", "verify", "coverage", "build", "query", "explain", "serve", "export"]


def run(*words: object) -> Result:
    """Run the command as a user would, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    """--help says what it does and shows one call."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"Example: eurasia-graph {command}" in result.stdout


@pytest.mark.parametrize("name", list(queries.load()))
def test_every_canned_query_is_a_command_with_its_parameters(name: str) -> None:
    """Options, needs and columns come from the header of the file."""
    result = run("query", name, "--help")

    for parameter in queries.by_name(name).parameters:
        assert re.search(rf"--{parameter.name}\b", result.stdout)
    for column in queries.by_name(name).columns:
        assert f"?{column}" in result.stdout


# A value for every parameter, by its name or else by its type.
VALUES = {
    "actor": "kz", "actorA": "kz", "actorB": "uz", "area": "cis", "holder": "kg", "person": "putin", "speaker": "nazarbayev",
    "entity": "sco", "topic": "language", "concept": "eurasianism", "number": "29", "text": "sco", "lineage": "false",
    "eg:Body": "sco", "eg:Treaty": "csto-charter", "eg:Place": "bishkek", "eg:Source": "icds-2016", "eg:Direction": "helps",
    "eg:Factor": "regional-integration", "eg:Indicator": "trade-share-of-gdp", "eg:AssessmentKind": "position",
    "eg:DifferenceKind": "date", "xsd:date": "2004-12-31", "eg:Modality": "any", "eg:Location": "bishkek",
    "eg:EventKind": "meeting",
}  # fmt: skip


def value_of(name: str) -> dict[str, str]:
    """Give a value to every parameter of a query that goes with the others."""
    canned = queries.by_name(name)
    excluded = {other for others in canned.excludes.values() for other in others}
    return {
        each.name: VALUES.get(each.name) or VALUES[each.type.partition("|")[0]]
        for each in canned.parameters
        if each.name not in excluded
    }


def words_of(name: str, *, dashed: bool = False) -> list[str]:
    """Write every parameter of a query as an option with a value, `--actorA kz` or `--actor-a kz`."""
    words = []
    for parameter, value in value_of(name).items():
        option = re.sub("([A-Z])", r"-\1", parameter).lower() if dashed else parameter
        words += [f"--{option}", value]
    return words


def test_every_canned_query_runs_as_a_process_with_all_its_options(release: ReleaseStore) -> None:
    """What the command prints is what the library answers."""
    command = shutil.which("eurasia-graph", path=str(Path(sys.executable).parent)) or "eurasia-graph"
    names = list(queries.load())

    def ask(name: str) -> subprocess.CompletedProcess[str]:
        words = [command, "query", name, *words_of(name), "--format", "json"]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        for name, done in zip(names, pool.map(ask, names), strict=True):
            rows = queries.by_name(name).run(release, value_of(name))
            assert (done.returncode, json.loads(done.stdout)) == (0, list(rows)), f"{name}: {done.stderr}"
            assert done.stderr.splitlines() == [f"note: {note}" for note in rows.notes], name


@pytest.mark.parametrize("name", list(queries.load()))
def test_each_option_of_a_canned_query_is_heeded(name: str) -> None:
    """Alone it is known, spelt either way; a value that cannot be shows that it arrives under its name."""
    assert run("query", name, *words_of(name, dashed=True)).exit_code == 0
    for parameter in queries.by_name(name).parameters:
        if parameter.type == "xsd:string" or parameter.name not in value_of(name):
            continue
        words = words_of(name)
        words[words.index(f"--{parameter.name}") + 1] = "no-such-thing"
        result = run("query", name, *words)
        assert result.exit_code == 2, words
        assert "no-such-thing" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["query", "--format", "csv", "find", "--text", "alpha", "--data", "DATA"],
        ["query", "--data", "DATA", "find", "--format", "csv", "--text", "alpha"],
        ["query", "--format", "csv", "--data", "DATA", "find", "--text", "alpha"],
        ["query", "--format", "csv", "find", "--text", "alpha", "--format", "csv", "--data", "DATA"],
    ],
)
def test_an_option_counts_before_the_name_as_it_does_behind_it(mini: Path, words: list[str]) -> None:
    """The folder and the format are those that were given."""
    result = run(*(mini if word == "DATA" else word for word in words))

    assert result.exit_code == 0
    assert result.stdout.startswith("entity,label,type,typeLabel,score\nhttps://w3id.org/eurasia-graph/id/body/ALPHA,")


def test_a_store_is_asked_whether_it_is_named_before_or_behind() -> None:
    """Nothing answers at this address, which the message says."""
    before = run("query", "--store", "http://127.0.0.1:1/", "find", "--text", "sco")
    behind = run("query", "find", "--text", "sco", "--store", "http://127.0.0.1:1/")

    assert before.exit_code == behind.exit_code == 1
    assert "nothing answers at 127.0.0.1:1" in before.stderr
    assert before.stderr == behind.stderr


def test_a_query_prints_a_table_in_which_a_thing_and_its_label_are_one_cell() -> None:
    """The first line has the columns, in the order of the contract; into a pipe, a row is a line and nothing is cut."""
    result = run("query", "members-on", "--body", "cst", "--date", "1992-12-31")

    lines = [re.split(r" {2,}", line) for line in result.stdout.splitlines()]
    assert lines[0] == ["body", "member", "status", "certainty", "from", "source", "claim", "complete", "basis"]
    assert lines[1] == [
        "circle of the Collective Security Treaty (CST)",
        "Armenia (AM)",
        "signatory",
        "certain",
        "1992-05-15",
        "ICDS 2016",
        "icds-2016/8",
        "true",
        "until a told end",
    ]
    assert len(lines) == 7


def test_an_answer_without_rows_has_its_header() -> None:
    """In every format that has one."""
    words = ("query", "members-on", "--body", "cst", "--date", "1900")

    assert run(*words).stdout.split() == [
        "body",
        "member",
        "status",
        "certainty",
        "from",
        "source",
        "claim",
        "complete",
        "basis",
    ]
    assert run(*words, "--format", "list").stdout.split()[0] == "body"
    assert run(*words, "--format", "csv").stdout.startswith("body,bodyLabel,member,")


@pytest.mark.parametrize("width", [40, 80, 100])
def test_a_table_wraps_to_the_width_of_a_terminal_and_loses_nothing(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words are broken only where they would not fit; in each column all letters are there, in their order."""
    monkeypatch.setattr(output, "_width", lambda: width)
    rows = [["Conference on Interaction and Confidence Building Measures in Asia", "x" * 30, ""], ["a b", "ё", "2"]]

    lines = output.table(["body", "member", "to"], rows).splitlines()
    told = output.blocks(["body", "member", "to"], rows).splitlines()

    assert max(map(len, lines)) <= width
    assert max(map(len, told)) <= width
    letters = sorted("".join(["body", "member", "to", *rows[0], *rows[1]]).replace(" ", ""))
    assert sorted("".join(lines).replace(" ", "")) == letters


def test_a_block_is_a_record() -> None:
    """A line a column that is not blank, and a blank line between two."""
    assert output.blocks(["a", "long"], [["1", "x"], ["", "y"]]) == "a     1\nlong  x\n\nlong  y"


def test_a_spreadsheet_gets_a_mark_and_no_formulas() -> None:
    """Texts alone are made safe: a negative number is a number."""
    rows = queries.Rows(iter([{"a": "=1+1", "b": -1, "c": 21.0, "d": True, "e": "@x", "f": 0.833}]), list("abcdef"), [])

    assert tabular.separated(rows, ",", "\n") == "a,b,c,d,e,f\n=1+1,-1,21,true,@x,0.833\n"
    assert tabular.separated(rows, ",", "\n", no_formulas=True) == "a,b,c,d,e,f\n'=1+1,-1,21,true,'@x,0.833\n"
    result = run("query", "find", "--text", "alma", "--format", "csv", "--bom")
    assert result.stdout.startswith("\ufeffentity,label,")
    assert run("query", "find", "--text", "alma", "--bom").exit_code == 2


def test_json_is_an_array_of_objects_with_whole_iris() -> None:
    """Programs get IRIs, numbers as numbers, and null for what is not said."""
    rows = json.loads(run("query", "succession", "--body", "caec", "--format", "json").stdout)

    assert rows[0]["step"] == -1
    assert rows[0]["newBody"] == "https://w3id.org/eurasia-graph/id/body/CAEC"


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("csv", "step,oldBody,oldBodyLabel,newBody,newBodyLabel,date,source,sourceLabel,claim,"),
        ("tsv", "step\toldBody\toldBodyLabel\t"),
        ("xml", "<?xml version"),
    ],
)
def test_other_formats_carry_the_same_columns(form: str, begins: str) -> None:
    """CSV and TSV have a header line; XML is the W3C results format."""
    result = run("query", "succession", "--body", "caec", "--format", form)

    assert result.stdout.startswith(begins)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["query", "members-on", "--body", "cso", "--date", "1993"], 2, "no body 'cso'; nearest: csto, sco, eco"),
        (["query", "members-on", "--body", "csto"], 2, "members-on needs date"),
        (["query", "members-on", "--bodi", "csto"], 2, "No such option '--bodi'"),
        (["query", "member-on"], 2, "no query 'member-on'; nearest: members-on"),
        (["query"], 2, "query needs a name, --list, --sparql or --file"),
        (["query", "--sparql", "SELECT * WHERE {"], 1, "this is not SPARQL"),
        (["query", "--sparql", "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"], 1, "SERVICE is refused"),
        (["query", "--format", "csv", "find", "--text", "a", "--format", "json"], 2, "--format is given twice, as csv"),
        (["query", "find", "--text", "a", "--text", "b"], 2, "--text is given 2 times; give it once"),
        (["query", "--sparql", "ASK {}", "--sparql", "ASK {}"], 2, "--sparql is given 2 times"),
        (["export", "turtle", "--hand-written", "--generated"], 2, "--hand-written and --generated exclude each other"),
        (["export", "turtle", "--graph", "a", "--graph", "b"], 2, "--graph is given 2 times"),
        (["query", "--list", "--format", "csv"], 2, "leave --format out"),
        (["query", "--timeout", "2", "find", "--text", "a"], 2, "find is neither; leave it out"),
        (["query", "--list", "--timeout", "0"], 2, "--list is neither; leave it out"),
        (["query", "--sparql", "ASK {}", "--timeout", "nan"], 2, "nan is not a number of seconds"),
        (["query", "--sparql", "ASK {}", "--timeout", "-1"], 2, "is not in the range"),
        (["query", "--list", "--sparql", "ASK {}"], 2, "give --list or --sparql, not both"),
        (["query", "--sparql", "ASK {}", "find", "--text", "a"], 2, "give --sparql or find, not both"),
        (["query", "--kind", "fuseki", "find", "--text", "a"], 2, "none is named; add --store URL"),
        (["query", "find", "--text", "a", "--user", "me"], 2, "none is named; add --store URL"),
        (
            ["query", "--data", "d", "find", "--text", "a", "--store", "http://a/"],
            2,
            "give --data or --store, not both",
        ),
        (["serve", "a.ttl", "--data", "d"], 2, "give FILES or --data, not both"),
        (["serve", "--kind", "fuseki"], 2, "none is named; add --store URL"),
        (["fmt", "a.ttl", "--data", "d"], 2, "give PATHS or --data, not both"),
        (["export", "turtle", "--graph", "links", "--source", "icds-2016"], 2, "has no effect; give only one"),
        (["push", "http://a/", "--kind", "fuseki", "--dry-run", "--verify"], 2, "give one of the two"),
        (["query", "--file", "nowhere.rq"], 2, "cannot read nowhere.rq"),
        (["explain", "icds-2016/999"], 2, "no claim 'icds-2016/999'; nearest: icds-2016/99"),
        (["coverage", "icds"], 2, "there is no source 'icds'; give one of eurasianism-central-asia, icds-2016"),
        (["verify", "icds-2016", "nowhere.txt"], 2, "cannot read nowhere.txt"),
        (["passages", "nowhere", str(TEXT)], 2, "to add one, make the folder"),
        (["export", "turtel"], 2, "no format 'turtel'; nearest: turtle"),
        (["validate", "--data", "nowhere"], 2, "no folder nowhere"),
        (["serve", "table.xls"], 2, "is not of an RDF format"),
        (["serve", "--port", "99999"], 2, "is not in the range"),
        (["no-such"], 2, "No such command 'no-such'"),
    ],
)
def test_a_fault_has_its_exit_status_and_a_way_out(words: list[str], status: int, says: str) -> None:
    """1 where the data or the query is at fault, 2 where the call is; the reason goes to stderr."""
    result = run(*words)

    assert (result.exit_code, result.stdout) == (status, "")
    assert says in result.stderr


def test_notes_go_to_stderr_so_that_stdout_stays_data() -> None:
    """A day after the horizon is answered, with a note beside."""
    result = run("query", "members-on", "--body", "eacu", "--date", "2020", "--format", "csv")

    assert result.exit_code == 0
    assert "cannot know about 2020" in result.stderr
    assert "note" not in result.stdout


@pytest.mark.parametrize("form", ["table", "csv", "tsv", "json", "xml"])
def test_what_is_left_out_is_said_whatever_the_format(form: str) -> None:
    """And what an empty answer means."""
    result = run("query", "shared-bodies", "--actorA", "by", "--actorB", "ge", "--date", "1993-06-30", "--format", form)

    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "note: no rows: everything that matches was left out; memberships-of shows each of them",
        "note: left out: 1 claim of a status that the two only possibly had at the same time (icds-2016/9)",
    ]


def test_validate_finds_nothing_wrong_with_the_shipped_data() -> None:
    """There may be warnings, where a text is at odds with itself, but no error."""
    result = run("validate")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("0 errors")


def test_validate_ends_with_1_where_the_record_is_at_fault(mini: Path) -> None:
    """A script can rely on the exit status."""
    claims = mini / "sources/two/claims.ttl"
    claims.write_text(
        claims.read_text(encoding="utf-8").replace("    eg:evidence two-passage:2 ;\n", ""), encoding="utf-8"
    )

    result = run("validate", "--data", mini)

    assert result.exit_code == 1
    assert "claims.ttl:28:1: error: A claim needs at least one eg:Passage" in result.stdout


def test_fmt_leaves_a_file_in_its_canonical_form(mini: Path) -> None:
    """--check says so first, and changes nothing; a second run has nothing to do."""
    file = mini / "links.ttl"
    canonical = file.read_text(encoding="utf-8")
    file.write_text(canonical.replace("\n.\n", " .\n"), encoding="utf-8")

    check = run("fmt", "--check", file)
    untouched = file.read_text(encoding="utf-8")
    run("fmt", file)

    assert check.exit_code == 1
    assert "not in canonical form" in check.stdout
    assert untouched != canonical
    assert file.read_text(encoding="utf-8") == canonical
    assert run("fmt", "--check", file).exit_code == 0


def test_fmt_drops_no_comment(mini: Path) -> None:
    """A comment is no triple; the file stays as it is, and the line is named."""
    file = mini / "links.ttl"
    file.write_text(file.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")

    result = run("fmt", file)

    assert result.exit_code == 1
    assert "a comment would be lost" in result.stderr
    assert file.read_text(encoding="utf-8").endswith("# a remark\n")


def test_passages_keeps_the_numbers_that_are_there(mini: Path) -> None:
    """Run again on the same text, the command changes nothing."""
    file = mini / "sources/one/passages.ttl"
    before = file.read_text(encoding="utf-8")

    result = run("passages", "one", TEXT, "--data", mini)

    assert "9 passages, 0 new, 9 kept" in result.stdout
    assert file.read_text(encoding="utf-8") == before


def test_passages_prints_what_it_takes_for_a_heading_and_leaves_it_open(mini: Path) -> None:
    """A heading is accounted for when somebody accepts it by its number, and never before."""
    folder = mini / "sources/three"
    folder.mkdir()
    text = mini.parent / "three.txt"
    text.write_text("4 May 1994\n\nOn Trade\n\nIt grew.[1] It fell.[2]\n", encoding="utf-8")

    first = run("passages", "three", text, "--data", mini)
    written = (folder / "passages.ttl").read_text(encoding="utf-8")
    wrong = run("passages", "three", text, "--headings", "9", "--data", mini)
    second = run("passages", "three", text, "--headings", "2", "--data", mini)

    assert "three.txt:1:1: sentence 1 is taken for page furniture, which needs no claim: 4 May 1994" in first.stdout
    assert "three.txt:3:1: sentence 2 looks like a heading: On Trade" in first.stdout
    assert "headings proposed: 1; each counts as an open sentence" in first.stdout
    assert "reason:heading" not in written
    assert wrong.exit_code == 2
    assert "no sentence '9' for --headings; give numbers from 1 to 4" in wrong.stderr
    assert "heading" not in second.stdout
    assert "eg:notEncodedBecause reason:heading ;" in (folder / "passages.ttl").read_text(encoding="utf-8")


def test_passages_adds_a_clause_by_its_words(mini: Path) -> None:
    """Nobody types an offset."""
    result = run("passages", "one", TEXT, "--clause", "3", "it came into force on 1 January 1997", "--data", mini)

    assert "10 passages, 1 new" in result.stdout
    assert "eg:inSentence one-passage:3 ;" in (mini / "sources/one/passages.ttl").read_text(encoding="utf-8")
    assert run("validate", "--data", mini).exit_code == 0


def test_verify_says_where_a_lost_passage_should_stand(mini: Path, tmp_path: Path) -> None:
    """Found, moved, not found, and the neighbours of what is missing."""
    copy = tmp_path / "copy.txt"
    copy.write_text(TEXT.read_text(encoding="utf-8").replace("Tajikistan acceded in 1998. ", ""), encoding="utf-8")

    good = run("verify", "one", TEXT, "--data", mini)
    bad = run("verify", "one", copy, "--data", mini)

    assert (good.exit_code, good.stdout) == (0, "9 found, 0 moved, 0 not found of 9 (the very same text)\n")
    assert bad.exit_code == 1
    assert (
        "copy.txt: passage 4 (The Alpha Union) not found; it should stand after 3, which ends at 4:82, and before 5 at 5:1"
        in bad.stdout
    )


def test_coverage_counts_every_sentence_once(mini: Path) -> None:
    """Sentences are encoded, have a reason, or are unaccounted."""
    text = run("coverage", "one", "--data", mini)
    table = run("coverage", "one", "--data", mini, "--format", "csv")
    page = run("coverage", "one", "--data", mini, "--format", "html")

    assert table.stdout.splitlines() == [
        "source,section,sentences,claims,encoded,with a reason,unaccounted",
        "one,The Alpha Union,6,6,5,1,0",
        "one,Voices and figures,3,3,2,1,0",
    ]
    assert "The Alpha Union" in text.stdout
    assert "<td>Voices and figures</td><td>3</td>" in page.stdout


def test_explain_leads_from_a_claim_to_its_sentence(mini: Path) -> None:
    """Gist, source, passage, the sentence from the reader's copy, and what follows from it."""
    result = run("explain", "one/6", "--text", TEXT, "--data", mini)

    lines = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert lines["gist"].endswith("Kyrgyzstan left the Alpha Union.")
    assert lines["source"].endswith("one: On the Alpha Union, one. 2010.")
    assert lines["sentence"].endswith("Kyrgyzstan left the union on 5 May 2005.")
    assert lines["event"].endswith("kyrgyzstan-left")
    assert lines["begins"].endswith("one/KG-ALPHA-6")
    assert lines["ends"].endswith("one/KG-ALPHA-5")


def test_build_writes_canonical_quads_and_their_digests(mini: Path, tmp_path: Path) -> None:
    """Counts and digests are printed, and the folder holds what they are of."""
    result = run("build", "--data", mini, "--out", tmp_path / "out")

    described = json.loads((tmp_path / "out" / "release.json").read_text(encoding="utf-8"))
    quads = (tmp_path / "out" / "release.nq").read_text(encoding="utf-8").splitlines()
    assert described["content"] in result.stdout
    assert len(quads) == described["quads"]
    assert quads == sorted(quads)


def test_export_writes_to_stdout_or_to_a_file(mini: Path, tmp_path: Path) -> None:
    """The same bytes either way."""
    printed = run("export", "nquads", "--data", mini)
    run("export", "nquads", "--data", mini, "--out", tmp_path / "out.nq")

    assert (tmp_path / "out.nq").read_bytes() == printed.stdout_bytes


def test_a_closed_pipe_is_no_fault() -> None:
    """`| head` ends the command without a traceback."""
    command = shutil.which("eurasia-graph", path=str(Path(sys.executable).parent)) or "eurasia-graph"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{command}' export nquads | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1
