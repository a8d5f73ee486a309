"""What the tests share: the shipped release, the mini data set, and a client of the web face."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

import programs
import pushing
from eurasia_graph import namespaces as ns
from eurasia_graph import store
from eurasia_graph.build import pipeline, sources
from eurasia_graph.build.release import Release
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import create_app
from fake import Fake, running

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
SHARED = CHECKOUT.parent / "shared"
# What browsers accept.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

# The texts that the expected answers were read from.
READ = ("eurasianism-central-asia", "icds-2016")

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the source texts and tables in ../shared are not here")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep releases in a folder of the test run, not in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["EURASIA_GRAPH_CACHE"] = str(folder)
    yield folder
    del os.environ["EURASIA_GRAPH_CACHE"]


@pytest.fixture(scope="session")
def built() -> Release:
    """The shipped graph, built once."""
    return pipeline.build()


@pytest.fixture(scope="session")
def shipped() -> ReleaseStore:
    """The shipped graph, ready to be asked."""
    return pipeline.open_release()


@pytest.fixture(scope="session")
def release(shipped: ReleaseStore) -> ReleaseStore:
    """The same; tests whose expected answers were read from texts have that of `read_texts` under this name."""
    return shipped


@pytest.fixture(scope="session")
def read_texts(shipped: ReleaseStore) -> ReleaseStore:
    """The shipped graph without the sources that expected answers were not read from, so that a new one breaks none."""
    assert isinstance(shipped.engine, Store)
    graphs = {name.value for name in shipped.engine.named_graphs() if isinstance(name, NamedNode)}
    kept = {graph for graph in graphs if not graph.startswith(ns.GRAPH + "claims-")}
    others = {graph.rpartition("/claims-")[2] for graph in graphs - kept} - {*READ}
    if not others:
        return shipped
    engine = Store()
    engine.extend(quad for quad in shipped.engine if quad.graph_name != DefaultGraph() and not _is_of(quad, others))
    return store.from_quads(engine, iri=shipped.iri, inputs=shipped.inputs, content=shipped.content)


def _is_of(quad: Quad, sources_: set[str]) -> bool:
    """Return whether a quad was stated in a source, follows from it or is about its claims."""
    words = re.compile(rf"(?:[/-])(?:{'|'.join(map(re.escape, sources_))})(?=[/>-]|$)")
    return bool(words.search(str(quad)))


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A copy of the mini data set that a test may change."""
    return copy_mini(tmp_path / "data")


def copy_mini(target: Path) -> Path:
    """Copy the mini data set."""
    shutil.copytree(TESTS / "mini", target, ignore=shutil.ignore_patterns("texts"))
    return target


@pytest.fixture(scope="session")
def client(release: ReleaseStore) -> FlaskClient:
    """A client of the web face over the shipped graph."""
    return create_app(release).test_client()


@pytest.fixture(scope="session")
def mini_dataset() -> sources.Dataset:
    """The mini data set as it is read, nothing generated."""
    return sources.load(sources.find(TESTS / "mini"))


@pytest.fixture(scope="module", params=programs.STARTERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[programs.Running]:
    """Each store in turn, empty at the beginning."""
    reason = programs.missing(request.param)
    if reason:
        pytest.skip(reason)
    with programs.running(request.param, tmp_path_factory.mktemp(request.param)) as store:
        yield store


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Take the waiting out of the retries, and names and passwords out of the environment; return the seconds."""
    slept: list[float] = []
    monkeypatch.setattr("eurasia_graph.stores.transport.time.sleep", slept.append)
    for name in ("EURASIA_GRAPH_USER", "EURASIA_GRAPH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", os.devnull)
    return slept


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A store that holds a graph of another owner."""
    one = Fake()
    one.store.add(pushing.ALIEN)
    with running(one):
        yield one
