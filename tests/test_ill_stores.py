"""Pushes to real stores that go wrong: a clear word, a status, and what was there stays whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

import programs
from conftest import TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph.build import pipeline
from eurasia_graph.cli import main
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores import push, send, verify
from eurasia_graph.stores.remote import META
from eurasia_graph.stores.swap import STAGING
from fake import WELL, Fake, Fault, running
from pushing import toy

pytestmark = pytest.mark.external

# The command as it is, but with small requests, so that there is a middle, and without long waits.
COMMAND = """
import dataclasses
from eurasia_graph.stores import products, send
send.PAUSES_S = (0.01,)
send.BULK_BYTES = 20_000
for name, row in products.PRODUCTS.items():
    products.PRODUCTS[name] = dataclasses.replace(row, largest_request=20_000)
from eurasia_graph.cli import main
main()
"""


@pytest.fixture(scope="module")
def old() -> ReleaseStore:
    """What the store holds."""
    return toy("old", "claims", "entities", "of-old", size=50)


@pytest.fixture(scope="module")
def new() -> ReleaseStore:
    """What is pushed: the mini data set."""
    return pipeline.open_release(TESTS / "mini")


def target_of(store: programs.Running) -> send.Target:
    """The store itself, without anything between."""
    return send.open_target(store.url, store.kind, user=store.user, password=store.password)


def graphs_of(target: send.Target) -> set[str]:
    """The names of all graphs of ours, staged ones too."""
    assert target.engine is not None
    return {ns.value(row[0]) for row in target.engine.rows(push.OURS)}


def holds(target: send.Target, release: ReleaseStore) -> bool:
    """Whether every graph of a release is there, by digest, and no other that is not staged."""
    parts = push.plan(release)
    found = [each.text() for part in parts for each in verify._compare_graph(release, target, part)]
    assert found == []
    return {name for name in graphs_of(target) if not name.startswith(STAGING)} == {part.name.value for part in parts}


@dataclass
class Pushing:
    """The command in a separate process."""

    process: subprocess.Popen[str] | None = None

    def run(self, url: str, store: programs.Running, *options: str) -> tuple[int, str]:
        """Push the mini data set; return the exit status and what stands on stderr."""
        login = {"EURASIA_GRAPH_USER": store.user, "EURASIA_GRAPH_PASSWORD": store.password} if store.user else {}
        words = ["push", url, "--kind", store.kind, "--data", str(TESTS / "mini"), *options]
        command = [sys.executable, "-c", COMMAND, *words]
        environment = {**os.environ, **{name: str(value) for name, value in login.items()}}
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as self.process:  # type: ignore[call-overload]
            _, said = self.process.communicate(timeout=100)
            return self.process.returncode, said


@contextmanager
def between(store: programs.Running, happens: Callable[[], Fault], number: int) -> Iterator[str]:
    """Stand before a store; from the n-th request that writes, something happens to each. Yield the address."""
    root = "http://{0.hostname}:{0.port}".format(urlsplit(store.url))
    asking = urlsplit(store.url + target_of(store).product.query).path
    writes = 0

    def fault(method: str, path: str) -> Fault:
        nonlocal writes
        writes += method != "GET" and urlsplit(path).path != asking
        return happens() if writes >= number and method != "GET" and urlsplit(path).path != asking else WELL

    with running(Fake(fault=fault, behind=root)) as fake:
        yield store.url.replace(root, f"http://127.0.0.1:{fake.port}")


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("what", ["answers 500", "breaks the connection", "kill -9", "Ctrl-C"])
def test_a_swap_that_is_cut_short_leaves_the_old_release_and_the_next_heals(
    program: programs.Running, old: ReleaseStore, new: ReleaseStore, what: str, number: int
) -> None:
    """In the real store, by digest, at the beginning and in the middle."""
    target = target_of(program)
    push.push(old, target, replace=True)
    pushing = Pushing()

    def happens() -> Fault:
        assert pushing.process
        if what == "answers 500":
            return 500, {}
        if what == "breaks the connection":
            return None
        if pushing.process.poll() is None:
            pushing.process.send_signal(signal.SIGKILL if what == "kill -9" else signal.SIGINT)
            time.sleep(0.3)
        return WELL if what == "Ctrl-C" else None

    with between(program, happens, number) as url:
        status, said = pushing.run(url, program, "--replace")

    assert "Traceback" not in said
    assert program.password is None or f" {program.password} " not in said
    if what == "kill -9":
        assert status == -signal.SIGKILL
    else:
        assert status == (130 if what == "Ctrl-C" else 1), said
        assert "push again" in said
    assert holds(target, old)

    assert pushing.run(program.url, program, "--replace") == (0, "")
    assert holds(target, new)
    assert not any(name.startswith(STAGING) for name in graphs_of(target))


def test_a_push_of_the_same_release_that_is_cut_short_leaves_it_whole(
    program: programs.Running, new: ReleaseStore
) -> None:
    """Its graphs go in several requests, so that one could be left with the first alone."""
    target = target_of(program)
    push.push(new, target, replace=True)
    for number in (2, 4, 6):
        with between(program, lambda: (500, {}), number) as url:
            status, said = Pushing().run(url, program)

        assert status == 1, said
        assert holds(target, new)


def test_a_first_push_that_is_killed_is_no_release_and_the_next_heals(
    program: programs.Running, new: ReleaseStore
) -> None:
    """Readers are told that there is none; the graph `meta` comes last."""
    target = target_of(program)
    if there := sorted(graphs_of(target)):
        target.update(send.drop(there), "begin with nothing")
    pushing = Pushing()

    def happens() -> Fault:
        assert pushing.process
        pushing.process.kill()
        return None

    # Virtuoso is sent four graphs at once, each of which it asks for the password first.
    with between(program, happens, 14) as url:
        pushing.run(url, program)
    left = graphs_of(target)

    assert left and META.value not in left
    assert pushing.run(program.url, program) == (0, "")
    assert holds(target, new)


@pytest.mark.parametrize("kind", ["oxigraph", "fuseki", "virtuoso"])
def test_a_store_that_dies_during_a_swap_has_the_old_release_when_it_is_back(
    kind: str, old: ReleaseStore, new: ReleaseStore, tmp_path: Path
) -> None:
    """As if the power had gone; RDF4J is started with its memory alone, so it has none to come back with."""
    reason = programs.missing(kind)
    if reason:
        pytest.skip(reason)
    store = programs.start(kind, tmp_path / "store")
    push.push(old, target_of(store))
    if kind == "virtuoso":
        time.sleep(1)

    def happens() -> Fault:
        store.kill()
        return WELL

    with between(store, happens, 5) as url:
        status, said = Pushing().run(url, store, "--replace")
    for lock in tmp_path.rglob("*.lock"):
        lock.unlink()
    store.again()
    try:
        assert status == 1, said
        assert "push again" in said and "Traceback" not in said
        assert holds(target_of(store), old)
        assert Pushing().run(store.url, store, "--replace") == (0, "")
        assert holds(target_of(store), new)
    finally:
        store.stop()


@pytest.mark.parametrize(("kind", "size"), [("oxigraph", "3m"), ("fuseki", "3m")])
def test_a_full_disk_leaves_the_old_release(
    kind: str, size: str, old: ReleaseStore, release: ReleaseStore, tmp_path: Path
) -> None:
    """The store says so, the push says it on; with room made, pushing again puts the new one in."""
    reason = programs.missing(kind) or cannot_mount(tmp_path / "disk", size)
    if reason:
        pytest.skip(reason)
    store = programs.start(kind, tmp_path / "disk" / "store")
    try:
        push.push(old, target_of(store))
        result = CliRunner().invoke(main, ["push", store.url, "--kind", kind, "--replace"])

        assert result.exit_code == 1
        assert "its disk seems to be full: free some space" in result.stderr
        assert holds(target_of(store), old)

        # Both stores take no more until they are started again.
        store.stop()
        mount("-o", "remount,size=500m", str(tmp_path / "disk"))
        store.again()
        assert holds(target_of(store), old)
        push.push(release, target_of(store), replace=True)
        assert holds(target_of(store), release)
    finally:
        store.stop()
        subprocess.run(["umount", "--lazy", str(tmp_path / "disk")], check=True)


def mount(*words: str) -> subprocess.CompletedProcess[str]:
    """Mount a file system."""
    return subprocess.run(["mount", *words], capture_output=True, text=True, check=False)


def cannot_mount(folder: Path, size: str) -> str | None:
    """Make a small disk of a folder, or say why that cannot be."""
    folder.mkdir()
    if os.geteuid() or shutil.which("mount") is None:
        return "only root can mount a small disk"
    done = mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    return f"a small disk cannot be mounted: {done.stderr.strip()}" if done.returncode else None


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_fuseki_lets_in_who_knows_the_password(
    scheme: str, old: ReleaseStore, new: ReleaseStore, tmp_path: Path
) -> None:
    """A wrong one changes nothing and is shown nowhere; the right one serves, too."""
    reason = programs.missing("fuseki")
    if reason:
        pytest.skip(reason)
    store = programs.fuseki_with_passwords(tmp_path / "fuseki", scheme)
    try:
        push.push(old, target_of(store))
        wrong = replace(store, password="wr0ng")
        for options in ([], ["--replace"], ["--replace", "--verify"]):
            status, said = Pushing().run(store.url, wrong, *options)
            assert status == 1
            assert "the name or the password is wrong or missing" in said
            assert "wr0ng" not in said and "Traceback" not in said
        assert holds(target_of(store), old)
        assert Pushing().run(store.url, store, "--replace") == (0, "")
        assert holds(target_of(store), new)
    finally:
        store.stop()
