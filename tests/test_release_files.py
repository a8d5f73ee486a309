"""A release in a folder: one form, written and read in one place, and never anything else in its stead."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyoxigraph import DefaultGraph

import eurasia_graph as eg
from conftest import TESTS
from eurasia_graph import store as stores
from eurasia_graph.build import kept, pipeline
from eurasia_graph.build.release import Release, as_store
from eurasia_graph.build.release import write as write_release
from eurasia_graph.build.release_files import FILES, META, open_folder
from eurasia_graph.cli import main
from eurasia_graph.errors import EurasiaGraphError, StoreError, UsageError
from eurasia_graph.web import server

ALL = "SELECT ?s ?p ?o { ?s ?p ?o }"


@pytest.fixture(scope="module")
def small() -> Release:
    """The mini data set, built once."""
    return pipeline.build(TESTS / "mini")


@pytest.fixture(scope="module")
def written(small: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It as a folder, which no test changes."""
    folder = tmp_path_factory.mktemp("releases") / "mini"
    write_release(small, folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """It as a folder that a test may damage."""
    return Path(shutil.copytree(written, tmp_path / "damaged"))


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch: pytest.MonkeyPatch, small: Release) -> None:
    """From here on, building is a failure."""
    assert small.content

    def build(*_: object) -> Release:
        raise AssertionError("built")

    monkeypatch.setattr(pipeline, "build", build)


def seal(folder: Path) -> None:
    """Write the digests that fit what stands in the folder now."""
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("release.nq", "release.json")
    ]
    (folder / "release.sha256").write_text("".join(sums), encoding="utf-8")


def describe(folder: Path, **changes: object) -> None:
    """Change the description, with digests that fit."""
    described = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    (folder / "release.json").write_text(json.dumps(described | changes), encoding="utf-8")
    seal(folder)


def append(folder: Path, line: str) -> None:
    """Add a quad, with digests that fit."""
    with (folder / "release.nq").open("a", encoding="utf-8") as file:
        file.write(line)
    seal(folder)


def test_what_is_opened_is_what_was_built(small: Release, written: Path) -> None:
    """Quads, default graph, name, digests and warnings; `release.nq` has no line of the default graph."""
    opened, built = open_folder(written), as_store(small)
    lines = (written / "release.nq").read_text(encoding="utf-8").splitlines()

    assert set(opened.engine) == set(built.engine)
    assert any(quad.graph_name == DefaultGraph() for quad in opened.engine)
    assert all(line.endswith("> .") for line in lines)
    assert len(lines) == sum(1 for quad in opened.engine if quad.graph_name != DefaultGraph())
    assert (opened.iri, opened.content, opened.inputs, opened.warnings) == (
        built.iri,
        built.content,
        built.inputs,
        built.warnings,
    )


def test_what_is_kept_is_what_is_written(small: Release, written: Path, tmp_path: Path) -> None:
    """Three files of the same bytes."""
    kept.keep(as_store(small), tmp_path / "cache" / ("0" * 32))

    found = {path.name: path.read_bytes() for path in (tmp_path / "cache" / ("0" * 32)).iterdir()}
    assert found == {path.name: path.read_bytes() for path in written.iterdir()}
    assert set(found) == FILES


def test_python_opens_a_release(written: Path) -> None:
    """Canned queries run on it; with a data folder given as well, nobody could tell which was meant."""
    assert eg.open_graph(release=written).query("find", text="alpha")
    with pytest.raises(UsageError, match="give data or release, not both"):
        eg.open_graph("data", release=written)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (lambda folder: os.truncate(folder / "release.nq", 9000), "release.nq does not match its digest"),
    "another description": (
        lambda folder: (folder / "release.json").write_text("{}", encoding="utf-8"),
        "release.json does not match its digest",
    ),
    "no digests in the file of digests": (
        lambda folder: (folder / "release.sha256").write_text("ok\n", encoding="utf-8"),
        "release.sha256 is not a list of digests",
    ),
    "a quad more, sealed again": (
        lambda folder: append(folder, "<http://a/s> <http://a/p> <http://a/o> <http://a/g> .\n"),
        "the digest of the content is ",
    ),
    "a quad more in meta, sealed again": (
        lambda folder: append(folder, f"<http://a/s> <http://a/p> <http://a/o> {META} .\n"),
        " quads instead of ",
    ),
    "what is not RDF, sealed again": (lambda folder: append(folder, f"<a b> <http://a/p> 5 {META} .\n"), "Invalid IRI"),
    "the name of another release": (
        lambda folder: describe(folder, iri="https://w3id.org/eurasia-graph/release/0000000000000000"),
        "its IRI, https://w3id.org/eurasia-graph/release/0000000000000000, does not match its content",
    ),
    "no number of quads": (lambda folder: describe(folder, quads="many"), "release.json does not describe a release"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_refused_and_not_built_again(folder: Path, damage: str) -> None:
    """In one line: which folder, what is wrong, what to do."""
    change, told = DAMAGES[damage]
    change(folder)

    with pytest.raises(StoreError) as caught:
        open_folder(folder)

    text = str(caught.value)
    assert text.startswith(f"the release in {folder} cannot be opened: ")
    assert told in text
    assert text.endswith("; download it again, or write it again with `eurasia-graph build --out DIR`")
    assert "\n" not in text


def test_a_folder_without_a_release_is_no_release(folder: Path, tmp_path: Path) -> None:
    """The message names what is missing, or says that there is no folder."""
    (folder / "release.sha256").unlink()

    with pytest.raises(
        UsageError, match=r"the release cannot be opened: there is no release\.sha256 in .*; give a folder"
    ):
        open_folder(folder)
    with pytest.raises(UsageError, match=r"the release cannot be opened: .*nowhere is not a folder; give a folder"):
        open_folder(tmp_path / "nowhere")
    (folder / "release.sha256").mkdir()
    with pytest.raises(EurasiaGraphError, match=r"release\.sha256"):
        open_folder(folder)


@pytest.mark.parametrize(
    "command",
    [
        ["query", "find", "--release", "DIR", "--text", "alpha"],
        ["query", "--release", "DIR", "find", "--text", "alpha"],
        ["query", "--release", "DIR", "--sparql", ALL],
    ],
)
def test_commands_open_a_release(written: Path, command: list[str]) -> None:
    """The answer is of the mini data set, which has an Alpha Union."""
    result = CliRunner().invoke(main, [str(written) if word == "DIR" else word for word in command])

    assert (result.exit_code, result.exception) == (0, None), result.output
    assert "ALPHA" in result.output


def test_a_release_is_what_is_pushed(written: Path) -> None:
    """As many triples as `release.nq` has lines."""
    address = ["http://127.0.0.1:9/x", "--kind", "gsp", "--dry-run"]
    result = CliRunner().invoke(main, ["push", *address, "--release", str(written)])

    lines = (written / "release.nq").read_bytes().count(b"\n")
    assert f"{lines} triples in " in result.stderr


def test_an_export_of_a_release_is_its_quads(written: Path) -> None:
    """Byte for byte."""
    result = CliRunner().invoke(main, ["export", "nquads", "--release", str(written)])

    assert result.stdout_bytes == (written / "release.nq").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["coverage", "one", "--format", "csv"],
        ["explain", "one/1", "--text", "ONE"],
        ["verify", "one", "ONE"],
    ],
)
def test_a_release_answers_as_its_data_folder_does(written: Path, command: list[str]) -> None:
    """What is said of a text is the same from either; the folder is not read for the release."""
    words = [str(TESTS / "mini" / "texts" / "one.txt") if word == "ONE" else word for word in command]
    opened = CliRunner().invoke(main, [*words, "--release", str(written)])
    folder = CliRunner().invoke(main, [*words, "--data", str(TESTS / "mini")]) if "verify" in command else None

    assert (opened.exit_code, opened.exception) == (0, None), opened.output
    if folder:
        assert (folder.exit_code, folder.output) == (0, opened.output)
    if "coverage" in command:
        assert opened.output.startswith("source,")
        assert "one," in opened.output
    if "explain" in command:
        assert "Alpha" in opened.output


def test_a_source_that_the_release_lacks_is_named_with_those_it_has(written: Path) -> None:
    """Not looked up in the shipped data."""
    text = str(TESTS / "mini" / "texts" / "one.txt")
    result = CliRunner().invoke(main, ["verify", "icds-2016", text, "--release", str(written)])

    assert result.exit_code == 2
    assert "no source 'icds-2016'; there are one, two" in result.output


def test_a_release_is_published_from_a_release(written: Path, tmp_path: Path) -> None:
    """Its quads are those of the folder that was opened."""
    result = CliRunner().invoke(main, ["release", str(tmp_path / "out"), "--release", str(written)])

    assert (result.exit_code, result.exception) == (0, None), result.output
    quads = next((tmp_path / "out").glob("*.nq*"))
    data = gzip.decompress(quads.read_bytes()) if quads.suffix == ".gz" else quads.read_bytes()
    assert sorted(data.splitlines()) == sorted((written / "release.nq").read_bytes().splitlines())


def test_a_release_is_served(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service that is started names it."""
    served: list[str] = []

    def run(make: Callable[[], object], *_: object, **__: object) -> None:
        app = make()
        answer = app.test_client().get("/queries/find.json?text=alpha")  # type: ignore[attr-defined]
        assert "ALPHA" in answer.text
        served.append(answer.headers["X-Release"])

    monkeypatch.setattr(server, "run", run)
    result = CliRunner().invoke(main, ["serve", "--release", str(written)])

    assert result.exit_code == 0, result.output
    assert served == [json.loads((written / "release.json").read_text(encoding="utf-8"))["iri"]]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["query", "find", "--data", "d"], "give --data or --release, not both"),
        (["query", "find", "--store", "http://127.0.0.1:9/"], "give --release or --store, not both"),
        (["export", "nquads", "--data", "d"], "give --data or --release, not both"),
        (["coverage", "--data", "d"], "give --data or --release, not both"),
        (["verify", "one", "README.md", "--data", "d"], "give --data or --release, not both"),
        (["serve", "a.ttl"], "give FILES or --release, not both"),
        (["serve", "--data", "d"], "give --data or --release, not both"),
        (["serve", "--store", "http://127.0.0.1:9/"], "give --release or --store, not both"),
        (["push", "http://127.0.0.1:9/", "--kind", "gsp", "--data", "d"], "give --data or --release, not both"),
        (["query", "--list"], "--list only shows the names of the queries; leave --release out"),
    ],
)
def test_two_things_to_open_are_refused(written: Path, command: list[str], told: str) -> None:
    """One of them would be silently ignored."""
    result = CliRunner().invoke(main, [*command, "--release", str(written)])

    assert result.exit_code == 2
    assert told in result.output


def test_the_default_graph_hides_what_it_hides_in_a_build(written: Path) -> None:
    """What curators judged stands in its own graph alone."""
    opened = open_folder(written)
    hidden = [graph for graph in opened.engine.named_graphs() if stores.HIDDEN_BY_DEFAULT.fullmatch(str(graph)[1:-1])]

    assert META in hidden
    assert not list(opened.engine.quads_for_pattern(opened.iri, None, None, DefaultGraph()))
