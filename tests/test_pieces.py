"""What a build keeps for the next one is ours alone and as it was written, or it is made again."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import TESTS
from eurasia_graph.build import closure, kept, pieces, sources
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA
from eurasia_graph.build.derive import derive
from eurasia_graph.build.pieces import Pieces, key_of

NAME = key_of("what it depends on")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with one piece in it."""
    folder = tmp_path / "cache"
    Pieces(folder).put(NAME, b"a\npiece")
    return folder


def test_a_piece_is_found_again(cache: Path) -> None:
    """By the digest of what it depends on, in a folder that is the user's alone."""
    assert Pieces(cache).get(NAME) == b"a\npiece"
    assert Pieces(cache).get(key_of("something else")) is None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cache, cache / pieces.FOLDER)] == [0o700, 0o700]


def test_without_a_folder_nothing_is_kept() -> None:
    """But within one build."""
    here = Pieces()
    here.put(NAME, b"x")

    assert here.get(NAME) == b"x"
    assert Pieces().get(NAME) is None


def _as_a_link(piece: Path) -> None:
    aside = piece.parent.parent / "aside"
    piece.rename(aside)
    piece.symlink_to(aside)


def _as_a_folder(piece: Path) -> None:
    piece.unlink()
    piece.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda piece: piece.write_bytes(piece.read_bytes().replace(b"piece", b"peace")),
    "cut short": lambda piece: os.truncate(piece, 70),
    "empty": lambda piece: os.truncate(piece, 0),
    "for others to write": lambda piece: piece.chmod(0o666),
    "a link": _as_a_link,
    "in a folder for others to write": lambda piece: piece.parent.chmod(0o777),
    "in a folder for others to read": lambda piece: piece.parent.chmod(0o755),
    "a folder": _as_a_folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_piece_that_cannot_be_trusted_is_not_used(cache: Path, damage: str) -> None:
    """It is made again."""
    DAMAGES[damage](cache / pieces.FOLDER / NAME)

    assert Pieces(cache).get(NAME) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    """And nothing fails."""
    (tmp_path / "file").touch()
    here = Pieces(tmp_path / "file")
    here.put(NAME, b"x")

    assert here.get(NAME) is None


def test_what_was_used_least_recently_goes_first(cache: Path) -> None:
    """As far as all pieces together are too large."""
    here = Pieces(cache)
    here.put(key_of("new"), b"x" * 1000)
    os.utime(cache / pieces.FOLDER / NAME, (1, 1))

    here.prune(1100)

    assert (here.get(NAME), here.get(key_of("new"))) == (None, b"x" * 1000)


def test_cleaning_forgets_the_pieces(cache: Path) -> None:
    """And leaves a folder of that name alone that has other files in it."""
    kept.clean(cache)
    assert not (cache / pieces.FOLDER).exists()

    (cache / pieces.FOLDER).mkdir()
    (cache / pieces.FOLDER / "letter.txt").touch()
    kept.clean(cache)

    assert (cache / pieces.FOLDER / "letter.txt").exists()


def test_the_closure_of_the_ontology_is_that_of_owlrl_the_second_time_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reasoner runs once for an ontology; what is kept is the same."""
    first, second = (sources.load(sources.find(TESTS / "mini")) for _ in range(2))
    for dataset in (first, second):
        derive(dataset)
    closure.close(first, Pieces(tmp_path / "cache"))
    monkeypatch.setattr(closure, "close_by_owlrl", None)
    closure.close(second, Pieces(tmp_path / "cache"))

    assert set(second.store) == set(first.store)
    assert any(second.store.quads_for_pattern(None, None, None, CLOSURE_OF_SCHEMA))
