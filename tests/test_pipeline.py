"""A release holds what follows from its inputs, the same each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, QuerySolutions, Triple

from conftest import TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph.build import closure, differences, pipeline, release, sources, validation
from eurasia_graph.build.closure import CLOSURE_OF_ENTITIES, CLOSURE_OF_SCHEMA
from eurasia_graph.build.properties import connections
from eurasia_graph.build.release import Release
from eurasia_graph.build.release_files import META
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS, graph_of

GENERATED = ("bounds-", "facts-", "memberships-", "closure-", "differences", "meta")


@pytest.fixture(scope="module")
def small() -> Release:
    """The mini data set, built once."""
    return pipeline.build(TESTS / "mini")


def triples_in(release: Release, graphs: list[NamedNode]) -> set[Triple]:
    """The triples of some graphs."""
    return {quad.triple for graph in graphs for quad in release.store.quads_for_pattern(None, None, None, graph)}


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same release."""
    script = (
        "import sys, pathlib\nfrom eurasia_graph.build import pipeline, release\n"
        "print(release.write(pipeline.build(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])).read_bytes().hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, str(TESTS / "mini"), str(tmp_path / seed)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(outputs) == 1


def test_a_moved_data_folder_is_the_same_release(mini: Path, small: Release) -> None:
    """No path goes into a release."""
    moved = pipeline.build(mini)

    assert (moved.inputs, moved.content) == (small.inputs, small.content)


def test_a_fact_leads_back_to_a_claim_of_its_own_source(built: Release) -> None:
    """Nothing crosses from one source to another."""
    for source in ("icds-2016", "eurasianism-central-asia"):
        events = {
            quad.object
            for quad in built.store.quads_for_pattern(None, ns.EG("reportsEvent"), None, graph_of("facts", source))
        }
        told = {
            quad.subject
            for quad in built.store.quads_for_pattern(None, ns.EG("actor"), None, graph_of("facts", source))
        }
        assert told <= events


def test_denied_reported_and_hedged_claims_give_no_facts(built: Release) -> None:
    """They are kept as claims; only what a text asserts becomes a fact."""
    kept = built.store.query(
        f"SELECT ?claim {{ GRAPH ?g {{ ?claim <{ns.EG}modality> ?m }} GRAPH ?f {{ ?claim <{ns.EG}reportsEvent> ?e }} FILTER(STRSTARTS(STR(?f), '{ns.GRAPH}facts')) }}"
    )
    assert isinstance(kept, QuerySolutions)
    assert list(kept) == []


def test_an_event_that_two_claims_tell_of_is_one(built: Release) -> None:
    """A curator's judgement makes one event of several claims; each source has its own facts of it."""
    event = ns.ID("event/sco-founded")
    dates = {
        source: {
            ns.value(quad.object)
            for quad in built.store.quads_for_pattern(event, ns.EG("date"), None, graph_of("facts", source))
        }
        for source in ("icds-2016", "eurasianism-central-asia")
    }

    assert dates == {"icds-2016": {"1996-04"}, "eurasianism-central-asia": {"2001"}}


@pytest.mark.parametrize("source", ["one", "two"])
def test_the_rules_close_a_source_exactly_as_owlrl_does(small: Release, source: str) -> None:
    """The generic rules, reading the closed schema, give what the reference reasoner gives, and no more."""
    given = triples_in(
        small,
        [
            *SCHEMA_GRAPHS,
            ENTITIES,
            *(graph_of(kind, source) for kind in ("claims", "passages", "facts", "memberships")),
        ],
    )
    by_rules = (
        triples_in(small, [CLOSURE_OF_SCHEMA, CLOSURE_OF_ENTITIES, graph_of("closure", source)])
        - set(connections())
        - given
    )
    by_owlrl = closure.close_by_owlrl(given) - given

    assert {triple for triple in by_rules - by_owlrl if not closure.is_noise(triple)} == set()
    assert by_owlrl - by_rules == set()
    # owlrl reports an inconsistency as a node of its own class.
    assert not any("ErrorMessage" in str(triple) for triple in by_owlrl)


def test_the_closure_merges_nothing_and_contradicts_nothing(built: Release) -> None:
    """No sameAs between two things, nothing in two disjoint classes."""
    same = [
        quad
        for quad in built.store.quads_for_pattern(None, ns.OWL("sameAs"), None, None)
        if quad.subject != quad.object
    ]
    clash = built.store.query(f"""
        PREFIX owl: <{ns.OWL}> SELECT ?x ?one ?other {{
          {{ GRAPH ?g {{ ?one owl:disjointWith ?other }} }} GRAPH ?a {{ ?x a ?one }} GRAPH ?b {{ ?x a ?other }} }}""")
    assert isinstance(clash, QuerySolutions)

    assert same == []
    assert list(clash) == []


def test_a_question_in_the_terms_of_org_is_answered(release: object) -> None:
    """The alignments allow queries in the terms of ORG instead of ours."""
    from eurasia_graph.store import ReleaseStore

    assert isinstance(release, ReleaseStore)
    answer = release.query("""
        PREFIX org: <http://www.w3.org/ns/org#>
        SELECT DISTINCT ?state { ?m a org:Membership ; org:member ?state ; org:organization <https://w3id.org/eurasia-graph/id/body/CSTO> ; org:role ?role }""")
    assert isinstance(answer, QuerySolutions)

    assert {ns.local_name(ns.value(row["state"])) for row in answer} == {"AM", "BY", "KZ", "KG", "RU", "TJ"}


def test_generated_graphs_are_not_in_any_file() -> None:
    """What the build writes, no hand has written."""
    graphs = {file.graph.value.removeprefix(ns.GRAPH) for file in sources.find()}

    assert not any(graph.startswith(GENERATED) for graph in graphs)


def test_every_graph_has_its_digest_in_meta(built: Release) -> None:
    """Provenance covers the whole release but itself, and says no clock time."""
    graphs = {graph.value for graph in built.store.named_graphs() if isinstance(graph, NamedNode)}
    described = {
        ns.value(quad.subject)
        for quad in built.store.quads_for_pattern(None, ns.EG("contentSha256"), None, META)
        if quad.subject != built.iri
    }

    assert described == graphs - {META.value}
    assert Quad(built.iri, ns.RDF("type"), ns.EG("Release"), META) in built.store


def test_the_digest_of_a_release_is_that_of_the_digests_of_its_graphs(small: Release, tmp_path: Path) -> None:
    """As the documentation tells it, from the file alone; the lines of a graph in the file are its canonical form."""
    import hashlib

    lines = release.write(small, tmp_path / "release").read_text(encoding="utf-8").splitlines(keepends=True)
    graphs: dict[str, list[str]] = {}
    for line in lines:
        graphs.setdefault(line.split(" ")[-2], []).append(line)
    told = [
        f"{graph} {hashlib.sha256(''.join(sorted(own)).encode()).hexdigest()}\n"
        for graph, own in graphs.items()
        if graph != str(META)
    ]

    assert hashlib.sha256("".join(sorted(told)).encode()).hexdigest() == small.content


def test_an_edit_changes_the_digests_of_the_graphs_made_from_it(small: Release, mini: Path) -> None:
    """And those of no others: what one source says is not in the closure of the entities."""
    claims = mini / "sources/two/claims.ttl"
    text = claims.read_text(encoding="utf-8")
    claims.write_text(text.replace('"2001"^^edtf:EDTF', '"2002"^^edtf:EDTF', 1), encoding="utf-8")

    before, after = (
        {
            ns.local_name(ns.value(quad.subject)): ns.value(quad.object)
            for quad in each.store.quads_for_pattern(None, ns.EG("contentSha256"), None, META)
            if quad.subject != each.iri
        }
        for each in (small, pipeline.build(mini))
    )

    assert {graph for graph in before | after if before.get(graph) != after.get(graph)} <= {
        *("claims-two", "bounds-two", "facts-two", "memberships-two", "closure-two", "differences", "years")
    }
    assert before["claims-two"] != after["claims-two"]


def test_a_blank_node_in_the_ontology_is_a_finding(tmp_path: Path) -> None:
    """As in any data file: a graph of a release has none."""
    path = tmp_path / "more.ttl"
    path.write_text(
        "<https://w3id.org/eurasia-graph/ontology> <http://purl.org/dc/terms/source> [] .", encoding="utf-8"
    )

    found = validation.check_record(
        sources.load([*sources.find(TESTS / "mini"), sources.TurtleFile(path, SCHEMA_GRAPHS[0])])
    )

    assert [(each.rule, each.place.path if each.place else None) for each in found.findings] == [("Blank-node", path)]


def test_silence_finer_dates_and_open_lists_are_no_difference(mini: Path) -> None:
    """Only what cannot both be right is reported."""
    claims = mini / "sources/two/claims.ttl"
    text = claims.read_text(encoding="utf-8")
    finer = text.replace('"2001"^^edtf:EDTF', '"2000-06"^^edtf:EDTF').replace(
        "eg:listIsComplete true", "eg:listIsComplete false"
    )
    claims.write_text(finer, encoding="utf-8")
    links = mini / "links.ttl"
    links.write_text(
        links.read_text(encoding="utf-8")
        + (
            '\nevent:founded a eg:Event ; skos:prefLabel "It is founded"@en ; eg:judgedBy agent:curator .\n'
            "<https://w3id.org/eurasia-graph/id/claim/two/1> eg:reportsEvent event:founded .\n"
            "one:5 eg:reportsEvent event:founded .\n"
        ),
        encoding="utf-8",
    )
    one = mini / "sources/one/claims.ttl"
    one.write_text(
        one.read_text(encoding="utf-8")
        .replace("eg:saysKind eg:Transformation ;", "eg:saysKind eg:Foundation ;")
        .replace("    eg:saysOldBody body:BETA ;\n", "")
        .replace("    eg:saysNewBody body:ALPHA ;\n", "")
        .replace('"2000-06"^^edtf:EDTF', '"2000"^^edtf:EDTF')
        .replace("eg:actorsResolved true ;\n    eg:evidence one-passage:5 ;", "eg:evidence one-passage:5 ;"),
        encoding="utf-8",
    )

    kinds = {
        ns.local_name(ns.value(quad.object))
        for quad in pipeline.build(mini).store.quads_for_pattern(None, ns.EG("differenceKind"), None, None)
    }

    # Source one presents its list as complete, and Uzbekistan of source two is not in it.
    assert kinds == {"participants"}


def test_a_fault_of_the_world_is_a_warning_and_a_difference(mini: Path) -> None:
    """What a text gets wrong about the world is kept, and shown."""
    claims = mini / "sources/one/claims.ttl"
    claims.write_text(
        claims.read_text(encoding="utf-8").replace('"1996"^^edtf:EDTF', '"1994"^^edtf:EDTF'), encoding="utf-8"
    )

    release = pipeline.build(mini)

    assert [finding.rule for finding in release.report.findings] == ["Ratified-before-signature"]
    found = {
        ns.local_name(ns.value(quad.object))
        for quad in release.store.quads_for_pattern(None, ns.EG("differenceKind"), None, None)
    }
    assert found == {"order"}


OTHER_FIGURE = """
one:90 a eg:IndicatorClaim ; eg:evidence one-passage:9 ; eg:gist "It was another share."@en ; eg:statedIn source:one ;
  eg:saysArea state:TJ ; eg:saysIndicator indicator:trade-share ; eg:saysPeriod "2004"^^edtf:EDTF ;
  eg:saysUnit <https://w3id.org/eurasia-graph/scheme/unit/percent> ; eg:saysValue {value} .
"""


@pytest.mark.parametrize(("value", "kinds"), [("12.9", set()), ("14.0", {"figure"})])
def test_figures_differ_by_more_than_rounding(mini: Path, value: str, kinds: set[str]) -> None:
    """A figure that is only about right leaves a twentieth of room."""
    claims = mini / "sources/one/claims.ttl"
    claims.write_text(claims.read_text(encoding="utf-8") + OTHER_FIGURE.format(value=value), encoding="utf-8")

    assert kinds_of_differences(pipeline.build(mini)) == kinds


def test_a_judgement_is_a_disagreement_with_what_both_claims_say(mini: Path) -> None:
    """What no program can see stands in links.ttl, with the reason."""
    links = mini / "links.ttl"
    judgement = (
        "\n<https://w3id.org/eurasia-graph/id/judgement/x> a eg:Judgement ;\n"
        "  eg:differenceKind <https://w3id.org/eurasia-graph/scheme/difference/tension> ;\n"
        "  eg:subject <https://w3id.org/eurasia-graph/id/body/ALPHA> ; eg:claimA one:1 ; eg:claimB one:2 ;\n"
        '  eg:judgedBy agent:curator ; eg:judgedBecause "The one sounds sure, the other does not."@en .\n'
    )
    links.write_text(links.read_text(encoding="utf-8") + judgement, encoding="utf-8")

    release = pipeline.build(mini)

    judged = ns.ID("judgement/x")
    about = {
        ns.local_name(quad.predicate.value): ns.value(quad.object)
        for quad in release.store.quads_for_pattern(judged, None, None, differences.DIFFERENCES)
    }
    assert about["type"] == ns.EG + "Disagreement"
    assert about["valueA"] == "Three states signed the Beta Treaty."
    assert {"concerns", "sourceA", "sourceB", "valueB"} <= set(about)
    assert not kinds_of_differences(release), "no rule copies the judgement into a difference"


def test_a_figure_is_an_observation_of_the_data_cube(small: Release) -> None:
    """Counted figures only, each derived from its claim."""
    (found,) = small.store.quads_for_pattern(
        None, ns.RDF("type"), NamedNode("http://purl.org/linked-data/cube#Observation"), graph_of("facts", "one")
    )
    observation = ns.ID("observation/one/9")
    (value,) = small.store.quads_for_pattern(
        observation, NamedNode("http://purl.org/linked-data/sdmx/2009/measure#obsValue"), None, None
    )

    assert found.subject == observation
    assert ns.value(value.object) == "12.5"


def kinds_of_differences(release: Release) -> set[str]:
    """The local names of the kinds of all differences."""
    return {
        ns.local_name(ns.value(quad.object))
        for quad in release.store.quads_for_pattern(None, ns.EG("differenceKind"), None, differences.DIFFERENCES)
    }


def test_a_release_says_the_same_wherever_it_is_built(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paths in warnings are relative to the data folder, not to the working directory."""
    file = mini / "entities" / "all.ttl"
    file.write_text(
        f'{file.read_text(encoding="utf-8")}\nbody:BETA skos:altLabel "Alpha Union"@en .\n', encoding="utf-8"
    )
    said = []
    for folder in (mini.parent, tmp_path):
        monkeypatch.chdir(folder)
        said.append(pipeline.build(mini).warnings)

    assert said[0] == said[1]
    assert [each.partition(":")[0] for each in said[0]] == ["entities/all.ttl"]
    assert "(entities/all.ttl:" in said[0][0]
