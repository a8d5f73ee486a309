"""An export carries what it should, and other programs read the same from it."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import rdflib
from click.testing import CliRunner
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse
from rdflib.compare import isomorphic

from eurasia_graph import namespaces as ns
from eurasia_graph.build.release import canonical_lines
from eurasia_graph.cli import main
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.export import rdf12, release_folder, sorting, write
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.turtle import writer
from eurasia_graph.turtle.writer import format_triples

TRIPLES = {"turtle": RdfFormat.TURTLE, "ntriples": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML}
QUADS = {"trig": RdfFormat.TRIG, "nquads": RdfFormat.N_QUADS, "jsonld": RdfFormat.JSON_LD}


def canonical(quads: list[Quad]) -> dict[str, list[bytes]]:
    """Canonical lines, to compare datasets with blank nodes."""
    store = Store()
    store.extend(quads)
    return canonical_lines(store)


def held(release: ReleaseStore) -> dict[str, list[bytes]]:
    """Canonical lines of all named graphs."""
    return canonical_lines(release.local)


@pytest.mark.parametrize("name", TRIPLES)
def test_a_format_of_triples_carries_the_default_graph(release: ReleaseStore, name: str) -> None:
    """What is read back is what a query without GRAPH sees."""
    graph = NamedNode("http://example.org/g")
    read = [ns.quad(quad.triple, graph) for quad in parse(write.export(release, name), format=TRIPLES[name])]
    held = [ns.quad(quad.triple, graph) for quad in release.engine.quads_for_pattern(None, None, None, DefaultGraph())]

    assert canonical(read) == canonical(held)


@pytest.mark.parametrize("name", QUADS)
def test_a_format_of_quads_carries_all_named_graphs(release: ReleaseStore, name: str) -> None:
    """Read back, it has the same canonical lines, graph by graph."""
    read = list(parse(write.export(release, name), format=QUADS[name]))

    assert canonical(read) == held(release)


@pytest.mark.parametrize(("name", "parser"), [("turtle", "turtle"), ("rdfxml", "xml"), ("ntriples", "nt")])
def test_rdflib_reads_the_same_triples(release: ReleaseStore, name: str, parser: str) -> None:
    """A parser of another family agrees on every graph written by hand."""
    for graph in ("entities", "claims-icds-2016", "links"):
        wanted = rdflib.Graph().parse(data=write.export(release, "ntriples", graph), format="nt")
        read = rdflib.Graph().parse(data=write.export(release, name, graph), format=parser)
        assert isomorphic(read, wanted)


def test_n_quads_are_canonical(release: ReleaseStore) -> None:
    """The very bytes of RDFC-1.0, from which the digests of the graphs can be computed."""
    lines = sorted(line for own in canonical_lines(release.local).values() for line in own)

    assert write.export(release, "nquads") == b"".join(lines)


def test_lines_are_sorted_in_runs_as_they_are_at_once(release: ReleaseStore) -> None:
    """Memory holds one run; the file is the same."""
    graphs = [NamedNode(ns.value(graph)) for graph in release.local.named_graphs()]
    at_once = list(sorting.sorted_lines(release.local, graphs, quads=True))

    assert list(sorting.sorted_lines(release.local, graphs, quads=True, run_bytes=50_000)) == at_once
    assert at_once == sorted(at_once)


def test_many_runs_are_merged_into_fewer_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems let a process open 256 files."""
    monkeypatch.setattr(sorting, "MOST_FILES", 3)
    lines = [b"%d\n" % (number * 7919 % 1000) for number in range(2000)]

    assert list(sorting.sort(lines, run_bytes=50)) == sorted(set(lines))


def test_turtle_in_blocks_is_the_same_as_at_once(release: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds one subject, however many there are."""
    lines = write.export(release, "ntriples", "claims-icds-2016").decode()
    text = "".join(line for line in lines.splitlines(keepends=True) if not line.startswith("#"))
    monkeypatch.setattr(writer, "SUBJECTS_KEPT", 10)

    assert write.export(release, "turtle", "claims-icds-2016").decode().endswith(format_triples(text))
    assert write.export(ReleaseStore(Store()), "turtle") == b""


@pytest.mark.parametrize("digits", ["2 10", "1 01", "9 0010", "1 1a", "b2 b10", "a a1"])
def test_numbers_sort_in_their_natural_order(digits: str) -> None:
    """However long they are written; a text goes before what it begins."""
    first, second = digits.split()

    assert sorted([second, first], key=lambda each: (writer.natural_key(each), len(each))) == [first, second]


def test_a_prefix_that_two_could_have_goes_to_the_first_in_the_alphabet() -> None:
    """In whatever order they are met, so that the bytes depend on the graph alone."""
    claim, concept = f"<{ns.ID}claim/status/1>", f"<{ns.SCHEME}status/member>"

    assert writer.prefixes_of(claim + concept) == writer.prefixes_of(concept + claim)
    assert writer.prefixes_of(claim + concept)["status"] == f"{ns.ID}claim/status/"


@pytest.mark.parametrize("name", ["9th", "-x", "x-", "0"])
def test_what_cannot_be_a_prefix_is_put_behind_a_letter(name: str) -> None:
    """A scheme or a source may be called as no prefix may."""
    line = f"<{ns.SCHEME}{name}/a> <{ns.ID}claim/{name}/1> <{ns.ID}passage/{name}/2>"

    assert [str(quad) for quad in parse(format_triples(f"{line} ."), format=RdfFormat.TURTLE)] == [line]


def many(number: int) -> ReleaseStore:
    """A release with claims, as many as asked for."""
    engine = Store()
    for claim in (ns.ID(f"claim/source/{each}") for each in range(number)):
        engine.add(Quad(claim, ns.EG("statedIn"), ns.ID("source/source"), ns.GRAPH("claims-source")))
        engine.add(Quad(claim, ns.EG("gist"), Literal(f"What {claim.value} says"), ns.GRAPH("claims-source")))
    return from_quads(engine, iri=ns.RELEASE("many"))


@pytest.mark.parametrize("name", ["turtle", "ntriples", "rdfxml", "trig", "nquads", "trig12", "csv"])
def test_memory_does_not_grow_with_the_graph(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ten times as much is written with as little."""
    monkeypatch.setattr(sorting, "RUN_BYTES", 50_000)
    monkeypatch.setattr(sorting, "MOST_FILES", 4)
    monkeypatch.setattr(write, "BLOCK_LINES", 100)
    monkeypatch.setattr(writer, "SUBJECTS_KEPT", 100)
    peaks = []
    for number in (500, 5000):
        store = many(number)
        tracemalloc.start()
        with (tmp_path / "out").open("wb") as out:
            write.write(store, name, out)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 2 * peaks[0], peaks


@pytest.mark.parametrize("name", [*TRIPLES, *QUADS])
def test_blank_nodes_of_served_files_are_kept_apart_and_together(name: str) -> None:
    """They are in no release; files that are served can have them."""
    engine = Store()
    for graph in (ns.GRAPH("one"), ns.GRAPH("two"), DefaultGraph()):
        engine.extend(
            Quad(BlankNode(subject), ns.EG("part"), BlankNode(part), graph) for subject, part in ("ab", "bc", "ac")
        )
        engine.add(Quad(BlankNode("a"), ns.EG("gist"), Literal("a"), graph))
    kept = [quad for quad in engine if (quad.graph_name == DefaultGraph()) == (name in TRIPLES)]
    read = parse(write.export(ReleaseStore(engine), name), format=FORMATS[name].rdf)

    assert in_one(read) == in_one(kept)


def in_one(quads: Iterable[Quad]) -> dict[str, list[bytes]]:
    """Canonical lines; those of the default graph in a graph of their own, since there are none of it."""
    default = NamedNode("urn:graph")
    return canonical([ns.quad(quad.triple, default) if quad.graph_name == DefaultGraph() else quad for quad in quads])


def test_two_exports_are_equal_byte_by_byte(release: ReleaseStore) -> None:
    """A diff of two exports shows a change of the release and nothing else."""
    for name in write.names():
        assert write.export(release, name) == write.export(release, name)


def test_turtle_is_canonical(release: ReleaseStore) -> None:
    """Formatting an export again changes nothing."""
    text = write.export(release, "turtle", "claims-icds-2016").decode()
    lines = "\n".join(f"{quad.triple} ." for quad in parse(text, format=RdfFormat.TURTLE))

    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert format_triples(lines) == body


def test_an_alias_names_the_same_format(release: ReleaseStore) -> None:
    """Ttl is turtle, and so on."""
    assert write.export(release, "TTL", "links") == write.export(release, "turtle", "links")


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
        write.export(release, name, graph)


def test_a_zip_of_tables_carries_no_single_graph(release: ReleaseStore) -> None:
    """An option that a format cannot honour is refused, not ignored."""
    with pytest.raises(UsageError, match="leave out --graph"):
        write.export(release, "csv", "links")


def test_a_body_holds_its_claims_in_json_ld(release: ReleaseStore) -> None:
    """Plain names, numbers as numbers, and one context."""
    document = json.loads(write.export(release, "jsonld", source="icds-2016", only="hand-written"))
    claims = next(each for each in document["@graph"] if each["id"].endswith("claims-icds-2016"))
    sco = next(each for each in claims["@graph"] if each["id"] == "body:SCO")
    meeting = next(each for each in sco["claims"] if each["id"] == "claim:icds-2016/51")

    assert meeting["statedIn"] == "source:icds-2016"
    assert meeting["saysCount"] == 5
    assert meeting["listIsComplete"] is True
    assert document["@context"]["claims"] == {"@reverse": ns.EG + "saysBody"}


def test_parts_of_the_release_are_disjoint_and_make_the_whole(release: ReleaseStore) -> None:
    """Hand-written and generated; and the graphs of one text."""

    def graphs(**options: str) -> set[str]:
        read = parse(write.export(release, "nquads", **options), format=RdfFormat.N_QUADS)
        return {ns.value(quad.graph_name).removeprefix(ns.GRAPH) for quad in read}

    written, generated = graphs(only="hand-written"), graphs(only="generated")

    assert not written & generated
    assert written | generated == graphs()
    assert graphs(source="icds-2016", only="hand-written") == {"claims-icds-2016", "passages-icds-2016"}
    with pytest.raises(UnknownNameError, match="no source 'icds'; nearest: icds-2016"):
        write.select(release, source="icds")


@pytest.mark.parametrize("name", write.names())
def test_every_file_carries_the_release_and_the_licence(release: ReleaseStore, name: str) -> None:
    """In a comment, in the graph `meta` or in the metadata of the tables."""
    content = write.export(release, name)
    if name == "csv":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("csv-metadata.json")
    text = content.decode()

    assert release.iri
    assert release.iri.value in text or f"release/{ns.local_name(release.iri.value)}" in text
    assert "creativecommons.org/licenses/by/4.0" in text


def test_a_release_is_a_folder_of_all_formats_with_checksums(release: ReleaseStore, tmp_path: Path) -> None:
    """VoID and DCAT say what is inside and what the files are; and the same again gives the same bytes."""
    files = {path.name: path.read_bytes() for path in release_folder.publish(release, tmp_path / "one")}
    again = {path.name: path.read_bytes() for path in release_folder.publish(release, tmp_path / "two")}
    sums = {line[66:]: line[:64] for line in files["SHA256SUMS"].decode().splitlines()}
    void = Store()
    void.load(files["void.ttl"], format=RdfFormat.TURTLE)
    void.load(files["dcat.ttl"], format=RdfFormat.TURTLE)
    triples = next(void.quads_for_pattern(release.iri, ns.VOID("triples"), None, None)).object
    distributions = list(void.quads_for_pattern(None, ns.DCAT("distribution"), None, None))

    assert files == again
    assert sums == {name: hashlib.sha256(body).hexdigest() for name, body in files.items() if name != "SHA256SUMS"}
    assert int(ns.value(triples)) == len(files["eurasia-graph.nq"].splitlines())
    assert len(distributions) == len(write.names())


@pytest.mark.usefixtures("release")
def test_a_full_disk_leaves_no_half_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says why; the folder is not there."""
    really = write.write

    def full(store: ReleaseStore, name: str, out: io.BufferedWriter, graph: str | None = None, **part: str) -> None:
        really(store, name, out, graph, **part)
        if name == "jsonld":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write, "write", full)
    alone = CliRunner().invoke(main, ["export", "jsonld", "--out", str(tmp_path / "one.jsonld")])
    result = CliRunner().invoke(main, ["release", str(tmp_path / "release")])

    assert (result.exit_code, alone.exit_code) == (1, 2)
    assert "No space left on device" in result.stderr
    assert "No space left on device" in alone.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_release_does_not_mix_with_what_is_there(release: ReleaseStore, tmp_path: Path) -> None:
    """Another folder is asked for."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not empty; give a new folder"):
        release_folder.publish(release, tmp_path)


def test_rdf_12_loses_nothing(release: ReleaseStore) -> None:
    """Without what only RDF 1.2 can say, the quads are those of every other format."""
    read = list(parse(write.export(release, "trig12"), format=RdfFormat.TRIG))

    assert canonical([quad for quad in read if not isinstance(quad.object, Triple)]) == held(release)


def test_rdf_12_ties_only_facts_that_stand_in_the_graph(release: ReleaseStore) -> None:
    """Every triple term is asserted in the same graph, and every participant of an event has a claim that says so."""
    read = list(parse(write.export(release, "trig12"), format=RdfFormat.TRIG))
    tied = {ns.quad(quad.object, quad.graph_name) for quad in read if isinstance(quad.object, Triple)}
    took_part = {quad for quad in read if quad.predicate == ns.EG("actor") and "/facts-" in str(quad.graph_name)}

    assert tied <= set(read)
    assert took_part and took_part <= tied


def test_a_part_in_rdf_12_has_the_reifiers_of_its_facts(release: ReleaseStore) -> None:
    """The options for a part work as for the other formats of quads."""
    facts = write.export(release, "trig12", "facts-icds-2016")
    written = write.export(release, "trig12", only="hand-written", source="icds-2016")

    assert b"rdf:reifies" in facts
    assert b"rdf:reifies" not in written
    assert set(parse(written, format=RdfFormat.TRIG)) == set(
        parse(write.export(release, "trig", only="hand-written", source="icds-2016"), format=RdfFormat.TRIG)
    )


# What a fact of an event or an observation has besides what a claim says: its name and its origin.
NOT_SAID = {
    *(ns.SKOS("prefLabel"), ns.PROV("wasDerivedFrom"), ns.EG("accordingTo"), ns.EG("approximate")),
    NamedNode("http://purl.org/linked-data/cube#dataSet"),
}


def test_every_fact_that_a_claim_says_is_tied_to_it_by_the_pairs_of_the_ontology(release: ReleaseStore) -> None:
    """The rules make facts by the pairs by which the export ties them: none is left over on either side."""
    engine = release.local
    pairs = {quad.object for quad in engine.quads_for_pattern(None, ns.EG("states"), None, ns.GRAPH("ontology"))}
    for source in ("icds-2016", "eurasianism-central-asia"):
        graph = ns.GRAPH(f"facts-{source}")
        facts = {
            quad.triple
            for quad in engine.quads_for_pattern(None, None, None, graph)
            if re.search("/id/(event|observation)/", str(quad.subject))
            and quad.predicate not in NOT_SAID
            and not str(quad.object).endswith("cube#Observation>")
        }
        tied = {quad.object for quad in rdf12.reifiers(engine, graph)}

        assert facts and facts == tied
        assert {triple.predicate for triple in facts} <= pairs


def test_rdf_12_has_every_fact_with_the_claim_as_its_reifier(release: ReleaseStore) -> None:
    """From a fact there is a way to who says so, in the syntax of RDF 1.2."""
    store = Store()
    store.load(write.export(release, "trig12"), format=RdfFormat.TRIG)
    answer = store.query(f"""
        PREFIX eg: <{ns.EG}> PREFIX rdf: <{ns.RDF}> PREFIX state: <{ns.ID}state/> PREFIX event: <{ns.ID}event/>
        SELECT ?claim ?passage {{ GRAPH ?facts {{ ?claim rdf:reifies <<( event:sco-founded eg:actor state:UZ )>> }} GRAPH ?claims {{ ?claim eg:evidence ?passage }} }}""")

    rows = [[ns.shorten(ns.value(term)) for term in row] for row in answer]  # type: ignore[union-attr]
    assert rows == [["eurasianism-central-asia/17", "eurasianism-central-asia/90"]]
