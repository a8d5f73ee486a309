"""Whatever file is given to be served, what comes of it is its statements or a message."""

from __future__ import annotations

import gzip
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyoxigraph import Store

from conftest import TESTS
from eurasia_graph.cli import asking, main
from eurasia_graph.errors import EurasiaGraphError, QueryError, StoreError, UsageError
from eurasia_graph.load import sandbox
from eurasia_graph.store import ReleaseStore, load_files

CASES = tomllib.loads((TESTS / "cases" / "files.toml").read_text(encoding="utf-8"))["file"]


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the limits that bound honest files be met by small ones."""
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    monkeypatch.setattr(sandbox, "MEMORY", 400 << 20)
    monkeypatch.setattr(sandbox, "FREE", 4 << 20)


def written(folder: Path, case: dict[str, Any]) -> Path:
    """Write the file of a case."""
    file = folder / str(case["name"])
    text = case.get("before", "") + case["content"] * case.get("times", 1) + case.get("after", "")
    file.write_bytes(gzip.compress(text.encode()) if case.get("packed") else text.encode())
    return file


@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}-{case.get('format', '')}")
def test_a_file_gives_its_statements_or_a_message(tmp_path: Path, case: dict[str, Any]) -> None:
    """Each case is one kind of file, honest, mistaken or made to do harm."""
    file = written(tmp_path, case)

    if "statements" in case:
        assert len(set(sandbox.quads(file, case.get("format")))) == case["statements"]
    else:
        with pytest.raises(EurasiaGraphError) as caught:
            load_files([file], case.get("format"))
        assert re.search(case["says"], str(caught.value)), str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to would hold the program for good, and a device would never end."""
    pipe, folder, device, circle = (tmp_path / f"{name}.ttl" for name in ("pipe", "folder", "device", "circle"))
    os.mkfifo(pipe)
    folder.mkdir()
    device.symlink_to("/dev/zero")
    circle.symlink_to(circle)

    for path, seen in ((pipe, "a pipe"), (folder, "a folder"), (device, "a device"), (circle, "Too many levels")):
        with pytest.raises(UsageError, match=f"cannot read .*{path.name}: (it is )?{seen}.*; give the path"):
            load_files([path])
        for command in (["fmt"], ["validate"], ["verify", "icds-2016"], ["passages", "icds-2016"], ["query", "--file"]):
            result = CliRunner().invoke(main, [*command, str(path)])
            assert result.exit_code == 2, result.output
            assert seen in result.stderr


def test_a_name_that_is_not_utf8_is_read_and_shown(tmp_path: Path) -> None:
    """Names are bytes; the message writes those that are not text as numbers."""
    good, bad = (Path(os.fsdecode(os.fsencode(tmp_path) + name)) for name in (b"/caf\xe9.nt", b"/na\xefve.nt"))
    good.write_text("<http://a/s> <http://a/p> <o> .".replace("<o>", "<http://a/o>"), encoding="utf-8")
    bad.write_text("<s>", encoding="utf-8")

    assert len(list(sandbox.quads(good))) == 1
    with pytest.raises(StoreError, match=r"/na\\xefve\.nt:1:\d+: this is not ntriples"):
        load_files([bad])
    text = good.with_suffix(".txt")
    text.write_text("Nothing of it.", encoding="utf-8")
    result = CliRunner().invoke(main, ["verify", "icds-2016", str(text)])
    assert result.exit_code == 1
    assert "xe9.txt: passage 1 not found" in result.stdout.replace("udce9", "xe9")


def test_a_format_is_for_the_files_that_say_none(tmp_path: Path) -> None:
    """Those that say theirs are read by it, so that both can be given at once."""
    (tmp_path / "a.ttl").write_text("PREFIX a: <http://a/> a:s a:p 1 .", encoding="utf-8")
    (tmp_path / "dump").write_text("<http://a/s> <http://a/q> <http://a/o> <http://a/g> .", encoding="utf-8")

    store = load_files([tmp_path / "a.ttl", tmp_path / "dump"], "nq")

    assert store.query("ASK { <http://a/s> <http://a/p> 1 ; <http://a/q> <http://a/o> }")


def test_no_module_of_the_folder_one_stands_in_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of downloads may hold a json.py."""
    (tmp_path / "json.py").write_text("raise SystemExit('run')", encoding="utf-8")
    (tmp_path / "a.nt").write_text("<http://a/s> <http://a/p> <http://a/o> .", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert len(list(sandbox.quads(Path("a.nt")))) == 1


@pytest.mark.parametrize("deep", ["(" * 20_000 + "1" + ")" * 20_000, "!" * 20_000 + "true"])
def test_a_query_that_would_end_the_engine_is_refused(deep: str) -> None:
    """It ends a process that was started for it, and the message says what to do."""
    with pytest.raises(QueryError, match=r"more than 64 (deep|times in a row); split the query"):
        asking.print_answer(ReleaseStore(Store()), f"ASK {{ FILTER({deep}) }}", "table")


def test_a_long_query_that_is_sound_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Trying it first changes nothing."""
    asking.print_answer(ReleaseStore(Store()), "ASK { VALUES ?x { " + "1 " * 3000 + "} }", "table")

    assert capsys.readouterr().out == "true\n"
