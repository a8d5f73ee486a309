"""An export carries what it should, and other programs read the same from it."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, parse
from rdflib.compare import isomorphic

from eurasia_graph import export, pipeline
from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle import format_triples

TRIPLES = {"turtle": RdfFormat.TURTLE, "ntriples": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML}
QUADS = {"trig": RdfFormat.TRIG, "nquads": RdfFormat.N_QUADS, "jsonld": RdfFormat.JSON_LD}


def canonical(quads: list[Quad]) -> dict[str, list[bytes]]:
    """Canonical lines, to compare datasets with blank nodes."""
    store = Store()
    store.extend(quads)
    return pipeline.canonical_lines(store)


@pytest.mark.parametrize("name", TRIPLES)
def test_a_format_of_triples_carries_the_default_graph(release: ReleaseStore, name: str) -> None:
    """What is read back is what a query without GRAPH sees."""
    graph = NamedNode("http://example.org/g")
    read = [ns.quad(quad.triple, graph) for quad in parse(export.export(release, name), format=TRIPLES[name])]
    held = [ns.quad(quad.triple, graph) for quad in release.engine.quads_for_pattern(None, None, None, DefaultGraph())]

    assert canonical(read) == canonical(held)


@pytest.mark.parametrize("name", QUADS)
def test_a_format_of_quads_carries_all_named_graphs(release: ReleaseStore, name: str) -> None:
    """Read back, it has the same canonical lines, graph by graph."""
    read = list(parse(export.export(release, name), format=QUADS[name]))

    assert canonical(read) == pipeline.canonical_lines(release.local)


@pytest.mark.parametrize(("name", "parser"), [("turtle", "turtle"), ("rdfxml", "xml"), ("ntriples", "nt")])
def test_rdflib_reads_the_same_triples(release: ReleaseStore, name: str, parser: str) -> None:
    """A parser of another family agrees on every graph written by hand."""
    for graph in ("entities", "claims-icds-2016", "links"):
        wanted = rdflib.Graph().parse(data=export.export(release, "ntriples", graph), format="nt")
        read = rdflib.Graph().parse(data=export.export(release, name, graph), format=parser)
        assert isomorphic(read, wanted)


def test_two_exports_are_equal_byte_by_byte(release: ReleaseStore) -> None:
    """A diff of two exports shows a change of the release and nothing else."""
    for name in export.names():
        assert export.export(release, name) == export.export(release, name)


def test_turtle_is_canonical(release: ReleaseStore) -> None:
    """Formatting an export again changes nothing."""
    text = export.export(release, "turtle", "claims-icds-2016").decode()
    lines = "\n".join(f"{quad.triple} ." for quad in parse(text, format=RdfFormat.TURTLE))

    assert format_triples(lines) == text


def test_an_alias_names_the_same_format(release: ReleaseStore) -> None:
    """Ttl is turtle, and so on."""
    assert export.export(release, "TTL", "links") == export.export(release, "turtle", "links")


@pytest.mark.parametrize(
    ("name", "graph", "says"),
    [
        ("turtel", None, "no format 'turtel'; nearest: turtle"),
        ("turtle", "claims-icds", "no graph 'claims-icds'; nearest: claims-icds-2016"),
    ],
)
def test_an_unknown_format_or_graph_is_answered_with_the_nearest(
    release: ReleaseStore, name: str, graph: str | None, says: str
) -> None:
    """The message lists what there is."""
    with pytest.raises(UnknownNameError, match=says):
        export.export(release, name, graph)


def test_a_zip_of_tables_carries_no_single_graph(release: ReleaseStore) -> None:
    """An option that a format cannot honour is refused, not ignored."""
    with pytest.raises(UsageError, match="leave --graph out"):
        export.export(release, "csv", "links")


def test_the_tables_hold_a_row_for_everything(release: ReleaseStore) -> None:
    """Every claim, passage and membership of the release is in its table once."""
    with zipfile.ZipFile(io.BytesIO(export.export(release, "csv"))) as archive:
        tables = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8"))) for name in archive.namelist()
        }
    claims = {quad.subject for quad in release.engine.quads_for_pattern(None, ns.EG("madeBy"), None, None)}
    memberships = {quad.subject for quad in release.engine.quads_for_pattern(None, ns.EG("inBody"), None, None)}

    assert {row["claim"] for row in tables["claims.csv"]} == {ns.value(claim) for claim in claims}
    assert {row["membership"] for row in tables["memberships.csv"]} == {ns.value(each) for each in memberships}
    assert tables["claim-passages.csv"][0].keys() == {"claim", "passage"}


def test_rdf_12_has_every_fact_with_the_claim_as_its_reifier(release: ReleaseStore) -> None:
    """From a fact there is a way to who says so, in the syntax of RDF 1.2."""
    store = Store()
    store.load(export.export(release, "trig12"), format=RdfFormat.TRIG)
    answer = store.query(f"""
        PREFIX eg: <{ns.EG}> PREFIX rdf: <{ns.RDF}> PREFIX state: <{ns.ID}state/> PREFIX event: <{ns.ID}event/>
        SELECT ?claim ?passage {{ GRAPH ?g {{ ?claim rdf:reifies <<( event:sco-founded eg:actor state:UZ )>> ; eg:evidence ?passage }} }}""")

    rows = [[ns.shorten(ns.value(term)) for term in row] for row in answer]  # type: ignore[union-attr]
    assert rows == [["eurasianism-central-asia/17", "eurasianism-central-asia/90"]]


@pytest.mark.external
@pytest.mark.skipif(shutil.which("rapper") is None, reason="rapper is not installed (package raptor2-utils)")
@pytest.mark.parametrize(("name", "syntax"), [("turtle", "turtle"), ("ntriples", "ntriples"), ("rdfxml", "rdfxml")])
def test_rapper_counts_the_same_triples(release: ReleaseStore, tmp_path: Path, name: str, syntax: str) -> None:
    """A parser that is not written in Python or Rust reads the export whole."""
    file = tmp_path / f"export.{name}"
    file.write_bytes(export.export(release, name))

    done = subprocess.run(
        ["rapper", "-q", "-i", syntax, "-o", "ntriples", str(file), "http://example.org/"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert len(set(done.stdout.splitlines())) == len(
        list(release.engine.quads_for_pattern(None, None, None, DefaultGraph()))
    )
