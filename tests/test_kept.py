"""A kept release is ours, is what was written, and is kept whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import copy_mini
from eurasia_graph import files
from eurasia_graph.build import kept, pipeline
from eurasia_graph.build.pieces import FOLDER
from eurasia_graph.build.progress import NOTE, Progress
from eurasia_graph.build.release import Release, inputs_digest
from eurasia_graph.build.release import write as write_release
from eurasia_graph.errors import StoreError

OPEN = """
import pathlib, sys
from eurasia_graph.build import pipeline
store = pipeline.open_release(pathlib.Path(sys.argv[1]), lambda stage: print(stage, file=sys.stderr))
print(store.content, len(store.engine))
"""


@pytest.fixture(scope="module")
def small() -> Release:
    """The mini data set, built once."""
    return pipeline.build(Path(__file__).parent / "mini")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Release) -> Path:
    """The mini data set, next to a separate cache; building again returns the release that was built once."""
    monkeypatch.setenv("EURASIA_GRAPH_CACHE", str(tmp_path / "cache"))

    def build(_data: Path, progress: Progress, _pieces: object) -> Release:
        progress("load")
        return small

    monkeypatch.setattr(pipeline, "build", build)
    return copy_mini(tmp_path / "data")


def kept_in(cache: Path) -> Path:
    """The folder of the one release that a cache holds."""
    (folder,) = (path for path in cache.iterdir() if path.name != FOLDER)
    return folder


def mode_of(path: Path) -> int:
    """The rights of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def open_told(data: Path) -> tuple[int, list[str], list[str]]:
    """Open a release; return its size, the notes and the stages of a build."""
    told: list[str] = []
    size = len(pipeline.open_release(data, told.append).engine)
    return size, [line for line in told if line.startswith(NOTE)], [line for line in told if " " not in line]


def test_a_second_start_loads_what_the_first_one_kept(data: Path) -> None:
    """Nothing is checked or derived again while the inputs are the same."""
    told: list[str] = []
    first = pipeline.open_release(data, told.append)
    told.clear()
    second = pipeline.open_release(data, told.append)

    assert told == []
    assert (second.iri, second.content, len(second.engine)) == (first.iri, first.content, len(first.engine))


def test_a_change_of_one_file_makes_a_new_release(data: Path) -> None:
    """The key of a kept release is what it was built from."""
    before = inputs_digest(data)
    claims = data / "sources/two/claims.ttl"
    claims.write_text(claims.read_text(encoding="utf-8").replace('"2001"', '"2002"'), encoding="utf-8")

    assert inputs_digest(data) != before


def test_what_is_kept_belongs_to_the_user_alone(data: Path, tmp_path: Path) -> None:
    """Whoever could write there could change every answer."""
    pipeline.open_release(data)

    cache = tmp_path / "cache"
    assert (mode_of(cache), mode_of(kept_in(cache))) == (0o700, 0o700)


def flip(name: str, at: int) -> Callable[[Path], None]:
    """Turn one bit of a file, so many bytes from its beginning or end."""

    def damage(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[at] ^= 1
        (folder / name).write_bytes(raw)

    return damage


def write(name: str, content: str) -> Callable[[Path], None]:
    """Put other words in the place of a file."""

    def damage(folder: Path) -> None:
        (folder / name).write_text(content, encoding="utf-8")

    return damage


def elsewhere(name: str) -> Callable[[Path], None]:
    """Put a link in the place of a file."""

    def damage(folder: Path) -> None:
        moved = folder.parent.parent / name
        (folder / name).rename(moved)
        (folder / name).symlink_to(moved)

    return damage


def whole_elsewhere(folder: Path) -> None:
    """Put a link in the place of the folder."""
    moved = folder.parent.parent / "moved"
    folder.rename(moved)
    folder.symlink_to(moved)


def pipe(folder: Path) -> None:
    """Put a pipe in the place of a file, which nobody writes to."""
    (folder / "release.nq").unlink()
    os.mkfifo(folder / "release.nq")


def empty(folder: Path) -> None:
    """Take all files out."""
    for path in folder.iterdir():
        path.unlink()


def no_folder(folder: Path) -> None:
    """Put a file in the place of the folder."""
    files.remove(folder)
    folder.touch()


def of_another_kind(folder: Path) -> None:
    """Write a description of other types, with digests that fit it."""
    description = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    (folder / "release.json").write_text(json.dumps(description | {"warnings": 5, "quads": "9"}), encoding="utf-8")
    done = subprocess.run(
        ["sha256sum", "release.nq", "release.json"], cwd=folder, capture_output=True, text=True, check=True
    )
    (folder / "release.sha256").write_text(done.stdout, encoding="utf-8")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the quads": flip("release.nq", 4000),
    "the last bit of the quads": flip("release.nq", -1),
    "a bit of the description": flip("release.json", -3),
    "a bit of the digests": flip("release.sha256", 5),
    "quads cut short": lambda folder: os.truncate(folder / "release.nq", 9000),
    "no quads": lambda folder: (folder / "release.nq").unlink(),
    "no digests": lambda folder: (folder / "release.sha256").unlink(),
    "no file at all": empty,
    "an empty description": write("release.json", ""),
    "deep JSON": write("release.json", "[" * 100_000),
    "JSON of other types": of_another_kind,
    "digests of nothing": write("release.sha256", "\0\n\n"),
    "quads elsewhere": elsewhere("release.nq"),
    "a link for the folder": whole_elsewhere,
    "a file for the folder": no_folder,
    "a pipe": pipe,
    "a folder that others may write": lambda folder: folder.chmod(0o777),
    "a folder that others may read": lambda folder: folder.chmod(0o750),
    "a file that others may write": lambda folder: (folder / "release.nq").chmod(0o666),
    "a cache that others may write": lambda folder: folder.parent.chmod(0o777),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_built_again_and_said_in_one_line(data: Path, tmp_path: Path, damage: str) -> None:
    """Half a file, or one that others may have written, is never served; the next start finds all in order."""
    whole = len(pipeline.open_release(data).engine)
    DAMAGES[damage](kept_in(tmp_path / "cache"))

    size, notes, _ = open_told(data)

    assert size == whole
    assert [note.count("\n") for note in notes] == [0]
    assert notes[0].startswith("note: the release kept in ")
    assert notes[0].endswith("; it is built again")
    assert open_told(data) == (whole, [], [])
    assert (mode_of(tmp_path / "cache"), mode_of(kept_in(tmp_path / "cache"))) == (0o700, 0o700)


def test_a_release_of_another_owner_is_not_taken_up(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a shared folder, another user may have created a folder with our name."""
    whole = len(pipeline.open_release(data).engine)
    monkeypatch.setattr(os, "getuid", lambda: 4242)

    size, notes, _ = open_told(data)

    assert size == whole
    assert "the folder belongs to another user" in notes[0]


def test_nothing_is_kept_where_others_may_write(data: Path, tmp_path: Path) -> None:
    """They could put a link where we are about to write; what else stands there keeps its rights."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "photos").mkdir()
    cache.chmod(0o777)

    _, notes, _ = open_told(data)

    assert len(notes) == 1
    assert "other users may write there; it will be built again at every start; set EURASIA_GRAPH_CACHE" in notes[0]
    assert [path.name for path in cache.iterdir()] == ["photos"]


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(data: Path, tmp_path: Path) -> None:
    """The release is used all the same, and a note says what would help."""
    (tmp_path / "cache").write_text("a file, not a folder", encoding="utf-8")

    size, notes, _ = open_told(data)

    assert size > 0
    assert ["could not be kept" in note and "EURASIA_GRAPH_CACHE" in note for note in notes] == [True]


def test_cleaning_takes_releases_and_nothing_else(data: Path, tmp_path: Path) -> None:
    """Other folders in the same place stay, whatever their names."""
    cache = tmp_path / "cache"
    pipeline.open_release(data)
    (cache / "photos").mkdir()
    (cache / ("0" * 32)).mkdir()
    (cache / ("0" * 32) / "letter.txt").touch()
    (cache / ".new-killed").mkdir()

    kept.clean_cache()

    assert sorted(path.name for path in cache.iterdir()) == ["0" * 32, "photos"]


def test_what_a_killed_build_left_is_cleared_and_what_a_live_one_makes_is_not(data: Path, tmp_path: Path) -> None:
    """A live one holds the lock of its folder."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    for name in (".new-dead", ".new-live"):
        (cache / name).mkdir()
        (cache / name / "release.nq").touch()
    descriptor = os.open(cache / ".new-live", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    pipeline.open_release(data)

    os.close(descriptor)
    assert not (cache / ".new-dead").exists()
    assert (cache / ".new-live").exists()


def test_two_processes_that_build_at_once_both_answer(data: Path, tmp_path: Path) -> None:
    """One of them is first; nothing is left over, and the third takes up what was kept."""
    pairs = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in pairs]

    assert len({out for out, _ in answers}) == 1
    assert [line for _, err in answers for line in err.splitlines() if line.startswith(b"note")] == []
    assert open_told(data)[1:] == ([], [])
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {kept_in(tmp_path / "cache").name, FOLDER}


# --- build --out ---------------------------------------------------------------------------

WRITE = """
import os, pathlib, sys, time
from eurasia_graph import files
from eurasia_graph.build import pipeline, release as writing
release = pipeline.build(pathlib.Path(sys.argv[1]))
waiting = files.put
def put(folder, target):
    print("ready", flush=True)
    time.sleep(60)
    waiting(folder, target)
writing.put = put
writing.write(release, pathlib.Path(sys.argv[2]))
"""


def test_a_release_that_is_written_again_takes_the_place_of_the_old_one(small: Release, tmp_path: Path) -> None:
    """Old files are removed with the old release, and nothing else is left there."""
    out = tmp_path / "deep" / "out"
    first = write_release(small, out).read_bytes()
    (out / "release.nq").write_text("old", encoding="utf-8")
    (out / "release.json").unlink()

    assert write_release(small, out).read_bytes() == first
    assert sorted(path.name for path in out.iterdir()) == ["release.json", "release.nq", "release.sha256"]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_folder_with_other_things_in_it_is_left_alone(small: Release, tmp_path: Path) -> None:
    """The message names the first of them."""
    (tmp_path / "thesis.docx").touch()

    with pytest.raises(
        StoreError, match=r"contains 'thesis\.docx', which is not part of a release and would be lost; give"
    ):
        write_release(small, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_full_disk_leaves_the_old_release(small: Release, tmp_path: Path) -> None:
    """The message says so; the limit on the size of files stands for the disk."""
    out = tmp_path / "out"
    before = write_release(small, out).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(
            StoreError, match=r"could not be written .*; nothing there was changed; give another folder"
        ):
            write_release(small, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert (out / "release.nq").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_that_is_killed_leaves_the_old_release_and_the_next_one_clears_up(
    small: Release, tmp_path: Path
) -> None:
    """Killed when all is written and nothing yet in its place."""
    out = tmp_path / "out"
    before = write_release(small, out).read_bytes()
    killed = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(Path(__file__).parent / "mini"), str(out)], stdout=subprocess.PIPE
    )
    assert killed.stdout
    assert killed.stdout.readline() == b"ready\n"
    left = len(list(tmp_path.iterdir()))
    write_release(small, out)
    beside_a_live_one = len(list(tmp_path.iterdir()))
    killed.kill()
    killed.communicate()
    after = (out / "release.nq").read_bytes()
    write_release(small, out)

    assert (left, beside_a_live_one) == (2, 2)
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
