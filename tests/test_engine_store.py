"""A release is kept as a store of the engine, which opens read-only at once and answers as the one in memory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import Quad

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.build import engine_store, kept
from eurasia_graph.store import ReleaseStore

HEAVY = {"rdflib", "pyshacl", "owlrl", "email", "prometheus_client", "flask", "granian", "urllib3"}
OURS_UNUSED = {"eurasia_graph.sparql.tokens", "eurasia_graph.turtle.places", "eurasia_graph.build.pipeline"}


@pytest.fixture(scope="module")
def whole(release: ReleaseStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the shipped release as a store."""
    folder = tmp_path_factory.mktemp("engine") / "cache"
    engine_store.keep(release, folder)
    return folder


@pytest.fixture
def cache(release: ReleaseStore, tmp_path: Path) -> Path:
    """One that a test may damage."""
    folder = tmp_path / "cache"
    engine_store.keep(release, folder)
    return folder


def opened(cache: Path, release: ReleaseStore) -> ReleaseStore:
    """Open it."""
    assert release.inputs
    found = engine_store.open_kept(cache, release.inputs)
    assert found
    return found


def test_it_holds_what_the_release_holds(whole: Path, release: ReleaseStore) -> None:
    """The named graphs and the default graph, its description, and what queries look up first."""
    found = opened(whole, release)

    assert set(found.local) == set(release.local)
    assert (found.iri, found.content, found.inputs, found.warnings) == (
        release.iri,
        release.content,
        release.inputs,
        release.warnings,
    )
    assert found.known() == ReleaseStore(release.engine).known()


@pytest.mark.parametrize("name", ["members-on", "claims-about", "shared-bodies", "find"])
def test_it_answers_alike(whole: Path, release: ReleaseStore, name: str) -> None:
    """The same rows in the same order, and the same notes."""
    canned = queries.by_name(name)
    here, there = (canned.run(store, dict(canned.examples)) for store in (release, opened(whole, release)))

    assert (list(there), there.notes) == (list(here), here.notes)


def test_it_cannot_be_written(whole: Path, release: ReleaseStore) -> None:
    """Whoever has it opens it to read."""
    with pytest.raises(RuntimeError):
        opened(whole, release).local.add(Quad(ns.EG("a"), ns.EG("a"), ns.EG("a")))


def test_several_processes_open_it_at_once(whole: Path, release: ReleaseStore) -> None:
    """And none of them holds the data."""
    script = (
        "import sys, pathlib\nfrom eurasia_graph.build import engine_store\n"
        "store = engine_store.open_kept(pathlib.Path(sys.argv[1]), sys.argv[2])\nprint(len(store.engine), flush=True)\n"
        "sys.stdin.read()"
    )
    told = [sys.executable, "-c", script, str(whole), str(release.inputs)]
    running = [subprocess.Popen(told, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    sizes = []
    for process in running:
        assert process.stdout
        sizes.append(process.stdout.readline().strip())
    for process in running:
        process.communicate(b"")

    assert sizes == [str(len(release.local)).encode()] * 2


def test_a_small_one_is_taken_into_memory(whole: Path, release: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is asked again and again; a large one stays on the disk."""
    found = opened(whole, release)
    small = engine_store.in_memory(found)
    monkeypatch.setattr(engine_store, "MOST_IN_MEMORY", 10)

    assert small is not found
    assert set(small.local) == set(found.local)
    assert engine_store.in_memory(found) is found


def _first_table(engine: Path) -> Path:
    return min(engine.glob("*.sst"))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a table cut short": lambda folder: os.truncate(_first_table(folder / "engine"), 10),
    "a table gone": lambda folder: _first_table(folder / "engine").unlink(),
    "another description": lambda folder: (folder / "release.json").write_text("{}", encoding="utf-8"),
    "no description": lambda folder: (folder / "release.json").unlink(),
    "others may read": lambda folder: folder.chmod(0o755),
    "others may replace it": lambda folder: folder.parent.chmod(0o777),
    "others may write the description": lambda folder: (folder / "release.json").chmod(0o666),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_that_cannot_be_trusted_is_not_opened(cache: Path, release: ReleaseStore, damage: str) -> None:
    """The release is opened in another way, or built."""
    assert release.inputs
    DAMAGES[damage](cache / engine_store.FOLDER / release.inputs[:32])

    assert engine_store.open_kept(cache, release.inputs) is None


def test_it_is_private_and_forgotten_with_the_rest(cache: Path, release: ReleaseStore) -> None:
    """As a kept release."""
    assert release.inputs
    folder = cache / engine_store.FOLDER / release.inputs[:32]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cache, folder.parent, folder)] == [0o700] * 3

    kept.clean(cache)

    assert not folder.exists()


def test_a_query_imports_what_it_needs(whole: Path) -> None:
    """Nothing that builds, checks or serves, and nothing that reads foreign queries."""
    script = (
        "import sys\nfrom eurasia_graph.cli import main\n"
        "try:\n    main(['query', 'members-on', '--body', 'csto', '--date', '1993-06-30'])\n"
        "finally:\n    print(sorted(set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "EURASIA_GRAPH_CACHE": str(whole)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)

    assert "Kazakhstan" in done.stdout
    assert [name for name in HEAVY | OURS_UNUSED if f"'{name}'" in done.stderr] == []
