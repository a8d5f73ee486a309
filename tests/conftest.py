"""What the tests share: the shipped release, the mini data set, and a client of the web face."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import programs
from eurasia_graph.build import pipeline, sources
from eurasia_graph.build.release import Release
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import create_app

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
SHARED = CHECKOUT.parent / "shared"
# What browsers accept.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

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
def release() -> ReleaseStore:
    """The shipped graph, ready to be asked."""
    return pipeline.open_release()


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
