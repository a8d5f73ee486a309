"""Readers of other families find in every export what the release holds: rapper, riot, N3.js, jsonld.js, csvw."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Quad, RdfFormat, parse

import programs
from eurasia_graph.export import rdf12, release_folder, write
from eurasia_graph.store import ReleaseStore

pytestmark = pytest.mark.external

JAVASCRIPT = Path(__file__).parent / "javascript"
TRIPLES = ("turtle", "ntriples", "rdfxml")
QUADS = ("trig", "nquads")

needs_rapper = pytest.mark.skipif(
    shutil.which("rapper") is None, reason="rapper is not installed (package raptor2-utils)"
)
needs_riot = pytest.mark.skipif(
    bool(programs.missing("fuseki")), reason="riot, which is in the jar of Fuseki, is not installed; run make stores"
)
needs_node = pytest.mark.skipif(
    programs.node_module("jsonld") is None or programs.node_module("n3") is None,
    reason="node, N3.js or jsonld.js is not installed; run make stores",
)
needs_csvw = pytest.mark.skipif(
    importlib.util.find_spec("csvw") is None, reason="csvw is not installed; see requirements/external.txt"
)

Exported = Callable[[str], bytes]


@pytest.fixture(scope="module")
def exported(release: ReleaseStore) -> Exported:
    """Every export, made once."""
    return cache(lambda name: write.export(release, name))


@pytest.fixture
def file(exported: Exported, tmp_path: Path, name: str) -> Path:
    """An export as a file with the name that it has in a release."""
    path = tmp_path / release_folder.FILES[name]
    path.write_bytes(exported(name))
    return path


def run(*command: object) -> bytes:
    """Run a reader, which must not complain."""
    environment = {**os.environ, "NODE_PATH": str(programs.FOLDER / "node_modules")}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, check=False, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert b"ERROR" not in done.stderr, done.stderr.decode()
    return done.stdout


def read_back(text: bytes) -> set[Quad]:
    """What a reader has found; equal sets are isomorphic, since the release has no blank nodes."""
    return set(parse(text, format=RdfFormat.N_QUADS))


def held(release: ReleaseStore, name: str) -> set[Quad]:
    """What a format should hold: the default graph, or all named graphs, with reifiers in RDF 1.2."""
    if name in TRIPLES:
        return set(release.local.quads_for_pattern(None, None, None, DefaultGraph()))
    graphs = write.select(release, only="hand-written") or []
    graphs += write.select(release, only="generated") or []
    quads = {quad for graph in graphs for quad in release.local.quads_for_pattern(None, None, None, graph)}
    if name == "trig12":
        quads |= {quad for graph in graphs for quad in rdf12.reifiers(release.local, graph)}
    return quads


def test_the_release_has_no_blank_nodes(release: ReleaseStore) -> None:
    """The comparisons below rest on it."""
    assert not any(isinstance(term, BlankNode) for quad in held(release, "nquads") for term in quad.triple)


@needs_rapper
@pytest.mark.parametrize("name", [*TRIPLES, *QUADS])
def test_rapper_reads_the_same(release: ReleaseStore, file: Path, name: str) -> None:
    """Raptor, which is written in C."""
    read = run("rapper", "-q", "-i", name, "-o", "nquads", file, "http://example.org/")

    assert read_back(read) == held(release, name)


@needs_riot
@pytest.mark.parametrize("name", [*TRIPLES, *QUADS, "jsonld", "trig12"])
def test_riot_reads_the_same(release: ReleaseStore, file: Path, name: str) -> None:
    """Apache Jena, which is written in Java; of RDF 1.2 the reifiers as well."""
    read = run("java", "-cp", programs.jar("jena-fuseki-server"), "riotcmd.riot", "--output=nquads", file)

    assert read_back(read) == held(release, name)


@needs_node
@pytest.mark.parametrize("name", ["turtle", "ntriples", *QUADS, "trig12"])
def test_n3_js_reads_the_same(release: ReleaseStore, file: Path, name: str) -> None:
    """N3.js, which browsers use; of RDF 1.2 the reifiers as well."""
    media_type = release_folder.media_type(name)

    assert read_back(run("node", JAVASCRIPT / "read.js", "n3", media_type, file)) == held(release, name)


@needs_node
@pytest.mark.parametrize("name", ["jsonld"])
def test_jsonld_js_reads_the_canonical_n_quads(exported: Exported, file: Path, name: str) -> None:
    """In its safe mode, where what it would drop is an error; byte by byte."""
    assert run("node", JAVASCRIPT / "read.js", name, file) == exported("nquads")


@needs_node
@pytest.mark.parametrize("name", ["nquads"])
def test_rdf_canonize_finds_nothing_to_change(exported: Exported, file: Path, name: str) -> None:
    """Another implementation of RDFC-1.0 writes the very bytes."""
    assert run("node", JAVASCRIPT / "read.js", "canonize", file) == exported(name)


# --- tables --------------------------------------------------------------------------------


def validate(exported: Exported, folder: Path, change: Callable[[Path], object] = lambda _folder: None) -> str:
    """Unpack the tables, change them, and return what csvw finds."""
    with zipfile.ZipFile(io.BytesIO(exported("csv"))) as archive:
        archive.extractall(folder)
    change(folder)
    command = [Path(sys.executable).parent / "csvwvalidate", folder / "csv-metadata.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout + done.stderr


@needs_csvw
def test_csvw_validates_the_tables(exported: Exported, tmp_path: Path) -> None:
    """Metadata, datatypes, required cells, keys and references."""
    assert validate(exported, tmp_path).split() == ["OK"]


@needs_csvw
@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("claims.csv", b"/id/source/icds-2016,", b"/id/source/nobody,"),
        ("memberships.csv", b",1991-12-01,", b",in 1991,"),
        ("state-years.csv", b",1992,", b",,"),
    ],
)
def test_csvw_finds_a_planted_fault(exported: Exported, tmp_path: Path, table: str, old: bytes, new: bytes) -> None:
    """A check that cannot fail is none: a claim of no known text, a date that is none, a row without a year."""

    def spoil(folder: Path) -> None:
        content = (folder / table).read_bytes()
        assert old in content
        (folder / table).write_bytes(content.replace(old, new, 1))

    assert "FAIL" in validate(exported, tmp_path, spoil)
