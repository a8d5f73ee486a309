"""What is compiled of the shapes finds what pySHACL finds; what is not compiled goes to pySHACL."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad

import faults
from conftest import CHECKOUT, TESTS, needs_shared
from eurasia_graph import namespaces as ns
from eurasia_graph.build import judge, shape_check, shapes, sources, validation
from eurasia_graph.build.derive import derive
from eurasia_graph.build.shape_queries import runs_at_once
from eurasia_graph.errors import EurasiaGraphError
from judging import differences, judged, judged_world

MINI = TESTS / "mini"
FAULTS = 25
PREFIXES = """
PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX shape: <https://w3id.org/eurasia-graph/shape/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""


def mini_with(*quads: Quad) -> sources.Dataset:
    """Return the mini data set with some statements added."""
    dataset = sources.load(sources.find(MINI))
    dataset.store.extend(quads)
    return dataset


def broken(data: Path | None, seed: int, number: int) -> sources.Dataset:
    """Return data with random faults: by every other seed such that each file still speaks of its own records only."""
    dataset = sources.load(sources.find(data))
    faults.break_at_random(dataset, seed, number, apart=seed % 2 == 1)
    return dataset


# --- pySHACL as the judge ------------------------------------------------------------------


def test_all_shapes_are_compiled() -> None:
    """None of the shapes that are shipped needs pySHACL."""
    found = shapes.read_shapes(shapes.folder())

    assert found.others == {}
    assert len(found.known) > 70


@pytest.mark.parametrize("seed", range(20))
def test_random_faults_are_found_as_pyshacl_finds_them(seed: int) -> None:
    """The same findings at the same places, whatever is wrong with the mini data set."""
    assert judged(broken(MINI, seed, FAULTS)).errors


@pytest.mark.parametrize("seed", [100])
def test_random_faults_in_the_shipped_data_are_found_as_pyshacl_finds_them(seed: int) -> None:
    """The same with the two shipped sources."""
    assert judged(broken(None, seed, 150)).errors


@pytest.mark.long
@pytest.mark.parametrize("seed", range(101, 126))
def test_more_random_faults_in_the_shipped_data(seed: int) -> None:
    """The same with more seeds, of which each takes seconds."""
    assert judged(broken(None, seed, 150)).errors


@pytest.mark.parametrize("seed", [0, pytest.param(range(1, 20), marks=pytest.mark.long)])
def test_a_shuffled_world_is_found_as_pyshacl_finds_it(seed: int | range) -> None:
    """Dates, bodies, statuses and links that were exchanged give the same warnings, each with its place."""
    found = 0
    for each in [seed] if isinstance(seed, int) else seed:
        dataset = sources.load(sources.find())
        faults.shuffle(dataset, each, 60)
        derive(dataset)
        found += len(judged_world(dataset).findings)

    assert found


@pytest.mark.long
@needs_shared
def test_the_cow_table_is_found_as_pyshacl_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same warnings in a table of 534 bodies, and no error."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "benchmarks"))
    cow = importlib.import_module("cow")
    cow.write(tmp_path, cow.TABLE, only_ours=False)

    found = judged(sources.load(sources.find(tmp_path)))

    assert (found.errors, found.warnings > 0) == (0, True)


# --- where the two differ ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "datatype", "rule"),
    [
        # A pair that cannot be compared breaks sh:lessThan; rdflib orders any two terms.
        ("twelve", "integer", "Passage-order"),
        ("NaN", "double", "Passage-order"),
        # What Python reads as a number and XML Schema does not.
        (" 5 ", "integer", "Passage-end"),
        ("1_000", "integer", "Passage-end"),
        ("٥", "integer", "Passage-end"),
    ],
)
def test_what_pyshacl_lets_pass_is_found(value: str, datatype: str, rule: str) -> None:
    """A second, ill-typed end of a passage: SHACL refuses it, and so do the compiled shapes; pySHACL finds no more."""
    passage, graph = ns.ID("passage/two/2"), ns.GRAPH("passages-two")
    second = Literal(value, datatype=NamedNode(ns.XSD + datatype))

    ours, judges = differences(mini_with(Quad(passage, ns.EG("end"), second, graph)), "Violation")

    assert rule in {ns.local_name(each.shape.value) for each in ours}
    assert {ns.local_name(each.shape.value) for each in ours} <= {"Passage-order", "Passage-end"}
    assert judges == set()


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        ("999", "integer"),
        ("99999999999999999999999", "integer"),
        ("-99999999999999999999999", "integer"),
        ("007", "integer"),
        ("12.5", "decimal"),
        ("1e5", "double"),
        ("true", "boolean"),
        ("500", "string"),
        ("2001-01-01", "date"),
    ],
)
@pytest.mark.parametrize("term", ["end", "number"])
def test_a_second_value_is_compared_as_pyshacl_does(term: str, value: str, datatype: str) -> None:
    """Numbers of any type and length, and what is not a number."""
    second = Literal(value, datatype=NamedNode(ns.XSD + datatype))
    dataset = mini_with(Quad(ns.ID("passage/two/2"), ns.EG(term), second, ns.GRAPH("passages-two")))

    assert differences(dataset, "Violation") == (set(), set())


@pytest.mark.parametrize(
    ("text", "wrong"), [("KAZ", False), ("KAZ\n", True), ("KAZ\u2028", True), ("ΚΑΖ", True), ("kaz", True)]
)
def test_a_pattern_ends_where_the_text_ends(text: str, wrong: bool) -> None:
    """A line feed at the end is part of the text; Python's `$` would overlook it."""
    dataset = mini_with()
    state, code, graph = ns.ID("state/UZ"), ns.EG("isoAlpha3"), ns.GRAPH("entities")
    for quad in list(dataset.store.quads_for_pattern(state, code, None, None)):
        dataset.store.remove(quad)
    dataset.store.add(Quad(state, code, Literal(text), graph))

    found = {each.shape for each in shape_check.check(dataset, "Violation")}
    assert (ns.SHAPE("Identifier-isoAlpha3") in found) is wrong
    assert differences(dataset, "Violation") == (set(), set())


@pytest.mark.parametrize(
    ("subject", "term", "value", "rule"),
    [
        # pySHACL raises TypeError at a class that is a literal, and refuses a blank node under sh:lessThan.
        ("state/KZ", ns.RDF("type"), Literal("state"), "Entity-class-own"),
        ("claim/one/1", ns.RDF("type"), Literal("claim"), "Claim-type"),
        ("passage/two/2", ns.EG("start"), BlankNode(), "Passage-order"),
        ("passage/two/2", ns.EG("end"), BlankNode(), "Passage-order"),
        ("passage/two/2", ns.EG("end"), Literal("abc", datatype=NamedNode(ns.XSD + "integer")), "Passage-end"),
    ],
)
def test_data_on_which_pyshacl_stops_get_a_finding(
    capfd: pytest.CaptureFixture[str], subject: str, term: NamedNode, value: Literal | BlankNode, rule: str
) -> None:
    """A finding of the shape that is broken, and no traceback."""
    home = sources.home_of(ns.ID(subject))

    report = validation.check_record(mini_with(Quad(ns.ID(subject), term, value, home)))

    assert rule in {each.rule for each in report.findings}
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_literal_in_place_of_the_source_is_found() -> None:
    """The name of the source was once part of a pattern, which a bracket in it made void."""
    claim, graph = ns.ID("claim/one/1"), ns.GRAPH("claims-one")
    dataset = mini_with(Quad(claim, ns.EG("statedIn"), Literal("x[y"), graph))

    assert "Claim-iri" in {each.rule for each in validation.check_record(dataset).findings}
    assert differences(dataset, "Violation") == (set(), set())


# --- what is not compiled ------------------------------------------------------------------

CLAIM = "a sh:NodeShape ; sh:targetClass eg:EventClaim"
MESSAGE = 'sh:message "Do it. Write it."'
# A construct, the shape that has it, and who breaks it in the mini data set.
UNKNOWN = {
    "a path of two steps": f"{CLAIM} ; sh:property shape:New-p . "
    f"shape:New-p sh:path ( eg:evidence eg:passageOf ) ; sh:maxCount 0 ; {MESSAGE}",
    "sh:not": f"{CLAIM} ; sh:not [ sh:class eg:Claim ] ; {MESSAGE}",
    "sh:hasValue": f"{CLAIM} ; sh:property shape:New-p . "
    f"shape:New-p sh:path eg:saysKind ; sh:hasValue eg:Visit ; {MESSAGE}",
    "sh:maxInclusive": "a sh:NodeShape ; sh:targetClass eg:Passage ; sh:property shape:New-p . "
    f"shape:New-p sh:path eg:start ; sh:maxInclusive 50 ; {MESSAGE}",
    "a pattern with a class of letters": f"{CLAIM} ; sh:property shape:New-p . "
    f'shape:New-p sh:path eg:gist ; sh:pattern "^\\\\d" ; {MESSAGE}',
    "a message of the library": f"{CLAIM} ; sh:property shape:New-p . shape:New-p sh:path eg:gist ; sh:maxLength 1",
    "a property shape without a name": f"{CLAIM} ; sh:property [ sh:path eg:saysKind ; sh:hasValue eg:Visit ; {MESSAGE} ]",
    "a target of objects": f"a sh:NodeShape ; sh:targetObjectsOf eg:saysKind ; sh:nodeKind sh:Literal ; {MESSAGE}",
    "a query over subjects": f'{CLAIM} ; sh:sparql [ sh:select "SELECT ?value ?this WHERE {{ ?this ?path ?value }}" ; '
    f"{MESSAGE} ]",
}


@pytest.fixture
def more_shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shapes to which a test may add."""
    place = tmp_path / "shapes"
    shutil.copytree(shapes.folder(), place)
    for module in (shape_check, judge):
        monkeypatch.setattr(module, "folder", lambda: place)
    return place


@pytest.mark.parametrize("construct", UNKNOWN)
def test_a_shape_with_another_construct_goes_to_pyshacl(construct: str, more_shapes: Path) -> None:
    """It is named as not compiled, its faults are found with their places, and all others are found as before."""
    (more_shapes / "new.ttl").write_text(f"{PREFIXES} shape:New {UNKNOWN[construct]} .", encoding="utf-8")

    assert list(shapes.read_shapes(more_shapes).others) == [ns.SHAPE("New")]
    found = judged(sources.load(sources.find(MINI))).findings
    assert found
    assert all(each.place and each.rule.startswith("New") for each in found)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (f"[] {CLAIM} ; {MESSAGE}", "shape/anonymous"),
        ("eg:EventClaim a sh:NodeShape , rdfs:Class", "ontology#EventClaim"),
        (f"shape:New sh:targetClass eg:EventClaim ; {MESSAGE}", "shape/New"),
    ],
)
def test_a_shape_of_another_kind_goes_to_pyshacl(head: str, name: str, more_shapes: Path) -> None:
    """One without a name, one that is its own target, and one that does not say that it is a shape."""
    text = f"{PREFIXES} {head} ; sh:property [ sh:path eg:saysKind ; sh:hasValue eg:Visit ; {MESSAGE} ] ."
    (more_shapes / "new.ttl").write_text(text, encoding="utf-8")

    assert list(shapes.read_shapes(more_shapes).others) == [ns.BASE(name)]
    assert judged(sources.load(sources.find(MINI))).findings


def test_a_property_shape_without_a_name_is_compiled(more_shapes: Path) -> None:
    """Its findings go by the name of the shape that has it."""
    text = f"{PREFIXES} shape:New {CLAIM} ; sh:property [ sh:path eg:gist ; sh:maxLength 1 ; {MESSAGE} ] ."
    (more_shapes / "new.ttl").write_text(text, encoding="utf-8")

    assert shapes.read_shapes(more_shapes).others == {}
    assert {each.rule for each in judged(sources.load(sources.find(MINI))).findings} == {"New"}


def test_a_shape_that_is_switched_off_is_not_checked(more_shapes: Path) -> None:
    """Neither here nor by pySHACL."""
    text = (
        f"{PREFIXES} shape:New {CLAIM} ; sh:deactivated true ; sh:property shape:New-p . shape:New-p sh:path eg:gist ; \
        sh:maxLength 1 ; {MESSAGE} ."
    )
    (more_shapes / "new.ttl").write_text(text, encoding="utf-8")

    assert shapes.read_shapes(more_shapes).others == {}
    assert judged(sources.load(sources.find(MINI))).findings == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'shape:New {CLAIM} ; sh:sparql [ sh:select "SELECT $this WHERE {{ $this a }}" ; {MESSAGE} ] .', "not SPARQL"),
        ("shape:New a sh:NodeShape", "new.ttl"),
    ],
)
def test_a_shape_that_cannot_be_read_is_said_so(text: str, told: str, more_shapes: Path) -> None:
    """With what is wrong, and no traceback."""
    (more_shapes / "new.ttl").write_text(PREFIXES + text, encoding="utf-8")

    with pytest.raises(EurasiaGraphError, match=told):
        list(shape_check.check(mini_with(), "Violation"))


def test_a_shape_that_stops_pyshacl_is_a_finding(more_shapes: Path) -> None:
    """Of several shapes that it checks, those which stop it are named; the others are checked."""
    one = f"shape:New {UNKNOWN['sh:hasValue']} ."
    other = f"shape:Other a sh:NodeShape ; sh:targetClass eg:Passage ; sh:property shape:Other-p . shape:Other-p \
        sh:path eg:start ; sh:lessThan eg:end ; sh:maxInclusive 10 ; {MESSAGE} ."
    (more_shapes / "new.ttl").write_text(PREFIXES + one + other, encoding="utf-8")
    dataset = mini_with(Quad(ns.ID("passage/two/2"), ns.EG("end"), BlankNode(), ns.GRAPH("passages-two")))

    found = {each.rule: each for each in validation.check_record(dataset).findings}

    assert "stops" in found["Other"].message
    assert "New-p" in found


def test_a_shape_that_is_wrong_is_an_error(more_shapes: Path) -> None:
    """What is wrong with a shape, whatever the data, is said as such."""
    text = f'{PREFIXES} shape:New {CLAIM} ; sh:property shape:New-p . shape:New-p sh:path eg:gist ; sh:minLength "x" ; \
        sh:maxInclusive 3 ; {MESSAGE} .'
    (more_shapes / "new.ttl").write_text(text, encoding="utf-8")

    with pytest.raises(EurasiaGraphError, match="minLength"):
        list(shape_check.check(mini_with(), "Violation"))


def test_a_check_imports_neither_rdflib_nor_pyshacl() -> None:
    """They are read in only for a shape that is not compiled."""
    code = (
        "import sys; from pathlib import Path; from eurasia_graph.build import derive, sources, validation; "
        f"dataset = sources.load(sources.find(Path({str(MINI)!r}))); found = validation.check_record(dataset); "
        "derive.derive(dataset); found.findings.extend(validation.check_world(dataset).findings); "
        "print(found.text(), {'rdflib', 'pyshacl', 'owlrl'} & set(sys.modules))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "0 errors, 0 warnings set()\n"


@pytest.mark.parametrize(
    ("text", "at_once"),
    [
        ("SELECT $this ?value WHERE { $this eg:p ?value }", True),
        ("SELECT $this WHERE { $this eg:p ?x OPTIONAL { $this eg:q ?y } FILTER(?x != ?y) }", True),
        ("SELECT $this WHERE { $this eg:p ?x FILTER NOT EXISTS { $this eg:q ?x } }", True),
        ("SELECT $this WHERE { ?x eg:p $this }", False),
        ("SELECT $this WHERE { { $this eg:p ?x } UNION { $this eg:q ?x } }", False),
        ("SELECT $this WHERE { $this eg:p ?x { ?x eg:q ?y FILTER(?y = $this) } }", False),
        ("SELECT $this WHERE { $this eg:p ?x OPTIONAL { ?y eg:q ?x OPTIONAL { ?z eg:r $this } } }", False),
        ("SELECT $this WHERE { $this eg:p ?x { SELECT ?x WHERE { ?x eg:q ?y } } }", False),
        ("SELECT $this (COUNT(*) AS ?n) WHERE { $this eg:p ?x } GROUP BY $this", False),
        ("SELECT $this WHERE { $this eg:p ?x } LIMIT 1", False),
    ],
)
def test_a_query_runs_for_all_nodes_at_once_only_where_that_is_the_same(text: str, at_once: bool) -> None:
    """Where a group would see `$this` without a value, the query runs for each node."""
    assert runs_at_once(text) is at_once


# --- within a source, and across sources ---------------------------------------------------


def test_what_is_found_of_each_source_and_across_them_is_all() -> None:
    """The parts of a check that can be kept by themselves are the whole of it."""
    dataset = broken(None, 1, 150)
    assert shape_check.is_apart(dataset)

    for severity in ("Violation", "Warning"):
        parts = [set(shape_check.check(dataset, severity, each)) for each in dataset.sources()]
        parts.append(set(shape_check.across(dataset, severity)))
        assert set().union(*parts) == set(shape_check.check(dataset, severity))


def test_a_source_is_checked_alone() -> None:
    """Faults of another source, of entities and of links are none of its own."""
    dataset = sources.load(sources.find(MINI))
    for name in ("one", "two"):
        dataset.store.add(Quad(ns.ID(f"claim/{name}/1"), ns.EG("modality"), Literal("?"), ns.GRAPH(f"claims-{name}")))
    dataset.store.add(Quad(ns.ID("state/KZ"), ns.EG("isoAlpha2"), Literal("KZK"), ns.GRAPH("entities")))

    found = list(shape_check.check(dataset, "Violation", ns.ID("source/two")))

    assert [(each.shape, each.focus) for each in found] == [(ns.SHAPE("Claim-modality"), ns.ID("claim/two/1"))]


@pytest.mark.parametrize("shape", ["Dates-far-apart", "Linked-kind", "Predecessor-cycle"])
def test_a_marked_shape_sees_all_sources(shape: str) -> None:
    """It is found across sources what no source shows alone."""
    dataset = sources.load(sources.find(MINI))
    derive(dataset)
    one, two = ns.ID("claim/one/50"), ns.ID("claim/two/50")
    own = {each: ns.GRAPH(f"claims-{name}") for each, name in ((one, "one"), (two, "two"))}
    day = NamedNode(ns.XSD + "date")
    event, bodies = ns.ID("event/e"), (ns.ID("body/A"), ns.ID("body/B"))
    for claim, kind, date in ((one, "Meeting", "1999-01-01"), (two, "Visit", "2009-01-01")):
        dataset.store.extend(
            [
                Quad(claim, ns.EG("reportsEvent"), event, ns.GRAPH("links")),
                Quad(claim, ns.EG("saysKind"), ns.EG(kind), own[claim]),
                Quad(claim, ns.EG("earliest"), Literal(date, datatype=day), own[claim]),
                Quad(claim, ns.EG("latest"), Literal(date, datatype=day), own[claim]),
            ]
        )
    for claim, (new, old) in ((one, bodies), (two, bodies[::-1])):
        dataset.store.extend(
            [
                Quad(new, ns.EG("directPredecessor"), old, own[claim]),
                Quad(claim, ns.EG("saysNewBody"), new, own[claim]),
                Quad(claim, ns.EG("saysOldBody"), old, own[claim]),
            ]
        )

    across = {each.shape for each in shape_check.across(dataset, "Warning")}
    alone = {
        each.shape for name in ("one", "two") for each in shape_check.check(dataset, "Warning", ns.ID(f"source/{name}"))
    }

    assert ns.SHAPE(shape) in across
    assert ns.SHAPE(shape) not in alone
    assert differences(dataset, "Warning") == (set(), set())


def test_a_file_that_speaks_of_records_of_another_is_checked_with_all() -> None:
    """A second gist that stands in a wrong file is one too many for its claim."""
    gist = Quad(ns.ID("claim/one/1"), ns.EG("gist"), Literal("Another.", language="en"), ns.GRAPH("claims-two"))
    dataset = mini_with(gist)

    assert not shape_check.is_apart(dataset)
    assert "Claim-gist" in {each.rule for each in judged(dataset).findings}


def test_claims_of_a_source_that_is_not_described_are_checked() -> None:
    """They belong to no source, and are checked with all."""
    dataset = mini_with()
    number, graph = ns.ID("claim/three/1"), ns.GRAPH("claims-three")
    dataset.store.extend(
        [
            Quad(number, ns.RDF("type"), ns.EG("EventClaim"), graph),
            Quad(number, ns.EG("statedIn"), ns.ID("source/three"), graph),
            Quad(number, ns.EG("saysKind"), ns.EG("Signature"), graph),
        ]
    )

    assert not shape_check.is_apart(dataset)
    assert {"EventClaim-treaty", "Claim-evidence"} <= {each.rule for each in judged(dataset).findings}


def test_the_mark_is_defined_and_used() -> None:
    """Whoever meets the mark in a shape finds what it means, in the shapes' own namespace."""
    text = (shapes.folder() / "prefixes.ttl").read_text(encoding="utf-8")
    known = shapes.read_shapes(shapes.folder()).known
    marked = {ns.local_name(each.iri.value) for each in known if each.crosses}

    assert re.search(r"shape:crossesSources\n    a owl:DatatypeProperty ;", text)
    assert {"Dates-far-apart", "Linked-kind", "Predecessor-cycle", "Source", "State"} <= marked
    assert not {each for each in marked if each.startswith(("Claim", "Passage", "Membership", "EventClaim"))}
