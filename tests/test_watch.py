"""Who edits a file sees at once what is wrong with it, and what follows from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import TESTS
from eurasia_graph.build import pipeline, watching
from eurasia_graph.build.release import as_store
from eurasia_graph.errors import InvalidDataError, UnknownNameError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Settings, create_app
from eurasia_graph.web.renewing import Renewing

ALPHA = "id/body/ALPHA"


def edit(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def rename(data: Path) -> None:
    """Give a body another name."""
    edit(data / "entities" / "all.ttl", '"Alpha Union"@en', '"Alpha League"@en')


def break_it(data: Path) -> None:
    """Make an error."""
    edit(data / "sources/one/claims.ttl", "eg:saysKind eg:Signature", "eg:saysKind eg:Signatur")


def repair(data: Path) -> None:
    """Take the error out."""
    edit(data / "sources/one/claims.ttl", "eg:saysKind eg:Signatur", "eg:saysKind eg:Signature")


def test_a_change_is_told_once_and_other_files_are_none(mini: Path) -> None:
    """What an editor leaves beside a file changes nothing."""
    stop = threading.Event()
    waiting = watching.changes(mini, watching.stamp(mini), stop)
    (mini / "entities" / "all.ttl~").touch()
    timer = threading.Timer(0.5, rename, [mini])
    timer.start()

    next(waiting)
    stop.set()

    assert list(waiting) == []


def test_a_change_between_reading_and_waiting_is_not_missed(mini: Path) -> None:
    """It is told as soon as the waiting begins."""
    before = watching.stamp(mini)
    rename(mini)

    assert next(watching.changes(mini, before)) is None


@pytest.fixture(scope="module")
def small() -> ReleaseStore:
    """The mini data set."""
    return as_store(pipeline.build(TESTS / "mini"))


def test_the_next_request_is_answered_from_the_new_release(small: ReleaseStore, mini: Path) -> None:
    """While the files have errors, from the one before, with what is wrong on its pages."""
    app = create_app(small)
    client = app.test_client()
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        page = client.get(f"/{ALPHA}", headers={"Accept": "text/html"}, follow_redirects=True).text
        seen.append(("Alpha League" in page, "eg:Signatur" in page))

    def changes() -> Iterator[None]:
        yield
        look()
        for change in (break_it, rename, repair):
            change(mini)
            yield
            look()

    Renewing(app, small, Settings(), lambda: as_store(pipeline.build(mini))).follow(changes())

    assert seen == [(False, False), (False, True), (False, True), (True, False)]


def test_findings_of_one_source_are_those_in_its_files(mini: Path) -> None:
    """Of the whole check, so that nothing is missed; a name that is none is refused."""
    break_it(mini)

    one, two = (pipeline.validate_source(name, mini) for name in ("one", "two"))

    assert (one.errors > 0, two.errors) == (True, 0)
    assert {each.place.path.parent.name for each in one.findings if each.place} == {"one"}
    with pytest.raises(UnknownNameError, match="three"):
        pipeline.validate_source("three", mini)


@pytest.mark.parametrize("command", [["validate", "--source", "one"], ["build"]])
def test_a_command_watches(mini: Path, tmp_path: Path, command: list[str]) -> None:
    """It says what is wrong after an edit, and ends with Ctrl-C and the status of the last look."""
    running = subprocess.Popen(
        [sys.executable, "-m", "eurasia_graph.cli", *command, "--watch", "--data", str(mini)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "EURASIA_GRAPH_CACHE": str(tmp_path / "cache")},
    )
    assert running.stdout
    lines = iter(running.stdout.readline, "")
    before = [line for line in _until(lines, "watching for changes")]  # noqa: C416
    break_it(mini)
    after = _until(lines, "warning")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)

    assert "eg:Signatur " not in "".join(before)
    assert "eg:Signatur " in "".join(after)
    assert running.returncode == 1


def _until(lines: Iterator[str], word: str) -> list[str]:
    found = []
    for line in lines:
        found.append(line)
        if word in line and ("error" in line or "watching" in line):
            break
    return found


def test_errors_at_the_start_are_errors(mini: Path) -> None:
    """A release is built of files that have none."""
    break_it(mini)

    with pytest.raises(InvalidDataError):
        pipeline.build(mini)
