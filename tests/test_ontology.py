"""Every term explains itself, and the ontology keeps its own house in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from conftest import CHECKOUT
from eurasia_graph import graphs, paths
from eurasia_graph import namespaces as ns
from eurasia_graph.build import pipeline, sources
from eurasia_graph.build.release import Release

DATASET = sources.load(sources.find())
ONTOLOGY = ns.GRAPH("ontology")
TERMS = sorted(
    {
        quad.subject.value
        for quad in DATASET.store.quads_for_pattern(None, ns.RDF("type"), None, ONTOLOGY)
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(ns.EG)
    }
)


def literals(subject: str, predicate: NamedNode) -> list[Literal]:
    """The literals of a term."""
    quads = DATASET.store.quads_for_pattern(NamedNode(subject), predicate, None, ONTOLOGY)
    return [quad.object for quad in quads if isinstance(quad.object, Literal)]


@pytest.mark.parametrize("term", TERMS, ids=ns.local_name)
def test_a_term_has_one_label_one_definition_and_a_question(term: str) -> None:
    """In English, without blanks at the ends; the question is why the term is there. A class has a Russian label too."""
    languages = {label.language: label.value for label in literals(term, ns.RDFS("label"))}
    assert set(languages) == ({"en", "ru"} if term[len(ns.EG)].isupper() else {"en"})
    defined_by = DATASET.store.quads_for_pattern(NamedNode(term), ns.RDFS("isDefinedBy"), None, ONTOLOGY)
    assert [ns.value(quad.object) for quad in defined_by] == [ns.BASE + "ontology"]
    for predicate in (ns.RDFS("label"), ns.SKOS("definition"), ns.EG("competencyQuestion")):
        found = [literal for literal in literals(term, predicate) if literal.language != "ru"]
        assert len(found) == 1, predicate
        assert found[0].language == "en"
        assert found[0].value == found[0].value.strip()
    assert literals(term, ns.SKOS("definition"))[0].value.endswith(".")
    assert literals(term, ns.EG("competencyQuestion"))[0].value.endswith("?")


def test_no_two_terms_share_a_label_within_their_kind() -> None:
    """A class and a property may share a word, such as actor; two classes may not."""
    labels = Counter(
        (term[len(ns.EG)].isupper(), label.value) for term in TERMS for label in literals(term, ns.RDFS("label"))
    )

    assert [label for label, count in labels.items() if count > 1] == []


@pytest.mark.parametrize("term", TERMS, ids=ns.local_name)
def test_names_follow_the_style(term: str) -> None:
    """Classes are UpperCamel, properties lowerCamel."""
    kinds = {
        ns.value(quad.object)
        for quad in DATASET.store.quads_for_pattern(NamedNode(term), ns.RDF("type"), None, ONTOLOGY)
    }
    pattern = r"[A-Z][A-Za-z0-9]*" if ns.OWL + "Class" in kinds else r"[a-z][A-Za-z0-9]*"

    assert re.fullmatch(pattern, term[len(ns.EG) :])


def test_the_header_names_version_licence_and_prefix() -> None:
    """Tools find what they need to cite and to abbreviate."""
    header = ns.BASE + "ontology"
    predicates = {quad.predicate for quad in DATASET.store.quads_for_pattern(NamedNode(header), None, None, ONTOLOGY)}

    assert {
        ns.OWL("versionIRI"),
        ns.OWL("versionInfo"),
        ns.DCTERMS("license"),
        ns.VANN("preferredNamespacePrefix"),
    } <= predicates


def test_nothing_is_declared_in_a_foreign_namespace() -> None:
    """The ontology describes only its own terms; alignments are in a separate file and import nothing."""
    subjects = {
        ns.value(quad.subject)
        for quad in DATASET.store.quads_for_pattern(None, None, None, ONTOLOGY)
        if isinstance(quad.subject, NamedNode)
    }
    imports = list(DATASET.store.quads_for_pattern(None, ns.OWL("imports"), None, None))

    assert {each for each in subjects if not each.startswith(ns.BASE)} == set()
    assert imports == []


def test_no_property_that_a_source_fills_is_functional() -> None:
    """One functional property would let a reasoner merge two states."""
    assert list(DATASET.store.quads_for_pattern(None, ns.RDF("type"), ns.OWL("FunctionalProperty"), None)) == []
    assert list(DATASET.store.quads_for_pattern(None, ns.OWL("sameAs"), None, None)) == []


def test_every_kind_of_event_of_the_rules_is_a_class() -> None:
    """The closed list of kinds stands below eg:Event, and the shape allows exactly its leaves."""
    below = {
        ns.value(quad.subject): ns.value(quad.object)
        for quad in DATASET.store.quads_for_pattern(None, ns.RDFS("subClassOf"), None, ONTOLOGY)
    }
    events = {term for term in below if below[term] == ns.EG + "Event" or below.get(below[term]) == ns.EG + "Event"}
    leaves = {term.removeprefix(ns.EG) for term in events if term not in set(below.values())}
    shape = (paths.root() / "ontology/shapes/event-claim.ttl").read_text(encoding="utf-8")
    allowed = set(re.findall(r"eg:(\w+)\n", shape.partition("sh:in (")[2].partition(")")[0]))

    assert leaves and allowed == leaves


def test_a_kind_bounds_its_status_as_the_rules_say() -> None:
    """What leaves is outside; who founds, joins, signs or is granted never is; a meeting gives no status."""
    every = {"member", "associate", "observer", "partner", "signatory", "suspended", "outside"}

    assert bounded("impliesStatus") == {"Withdrawal": {"outside"}}
    assert bounded("excludesStatus") == {
        **{
            kind: {"outside"}
            for kind in ("Foundation", "FoundationBegun", "Accession", "StatusGrant", "Signature", "Ratification")
        },
        "Dissolution": every - {"outside"},
        **dict.fromkeys(("Meeting", "Declaration"), every),
    }
    assert set(bounded("givesOnlyPossibleStatus")) == {"FoundationBegun"}
    assert set(bounded("endsItsBody")) == {"Dissolution"}
    assert set(bounded("foundsItsBody")) == {"Foundation"}
    assert set(bounded("tellsStanding")) == {"StatusHolding", "StatusGrant", "MembershipChange"}


def bounded(term: str) -> dict[str, set[str]]:
    """What the ontology says of the kinds of event by one of its properties."""
    found: dict[str, set[str]] = {}
    for quad in DATASET.store.quads_for_pattern(None, ns.EG(term), None, ONTOLOGY):
        found.setdefault(ns.local_name(ns.value(quad.subject)), set()).add(ns.local_name(ns.value(quad.object)))
    return found


GENERATED_GRAPHS = ("bounds", "facts", "memberships", "closure", "differences", "meta", "names", "years")
MARKED = {
    ns.value(quad.subject): ns.value(quad.object)
    for quad in DATASET.store.quads_for_pattern(None, ns.EG("isGenerated"), None, ONTOLOGY)
}


def terms_in(quads: Iterable[Quad]) -> set[str]:
    """The classes and properties of ours that quads use."""
    used = {ns.value(quad.predicate) for quad in quads} | {
        ns.value(quad.object) for quad in quads if quad.predicate == ns.RDF("type")
    }
    return {term for term in used if term.startswith(ns.EG)}


def events() -> set[str]:
    """The classes at and below eg:Event."""
    found, waiting = set(), [ns.EG("Event")]
    while waiting:
        cls = waiting.pop()
        found.add(cls.value)
        below = DATASET.store.quads_for_pattern(None, ns.RDFS("subClassOf"), cls, ONTOLOGY)
        waiting += [quad.subject for quad in below if isinstance(quad.subject, NamedNode)]
    return found


# Standings of the kinds that give bounds of their own: one that lasted within a year, one without a first day.
STANDINGS = """
two:3 a eg:EventClaim ; eg:statedIn source:two ; eg:evidence two-passage:2 ; eg:gist "It belonged in 2003."@en ;
  eg:saysKind eg:StatusHolding ; eg:saysActor state:KG ; eg:saysBody body:ALPHA ; eg:saysStatus status:partner ;
  eg:saysDate "2003/2003"^^edtf:EDTF .
two:4 a eg:EventClaim ; eg:statedIn source:two ; eg:evidence two-passage:2 ; eg:gist "It belongs by now."@en ;
  eg:saysKind eg:StatusHolding ; eg:saysActor state:UZ ; eg:saysBody body:ALPHA ; eg:saysStatus status:partner ;
  eg:saysDate "[..2009-05-01]"^^edtf:EDTF .
"""


def with_standings(mini: Path) -> Path:
    """Let the mini data tell of such standings, and of when the body began, which they need."""
    claims, entities = mini / "sources/two/claims.ttl", mini / "entities/all.ttl"
    claims.write_text(claims.read_text(encoding="utf-8") + STANDINGS, encoding="utf-8")
    began = 'body:ALPHA eg:existence "1999/.."^^edtf:EDTF . state:UZ eg:existence "1991/.."^^edtf:EDTF .\n'
    entities.write_text(entities.read_text(encoding="utf-8") + began, encoding="utf-8")
    return mini


def test_marked_as_generated_is_what_a_build_writes(built: Release, mini: Path) -> None:
    """In both directions; kinds of events are marked whether or not a text reports one."""
    quads = [quad for store in (built.store, pipeline.build(with_standings(mini)).store) for quad in store]
    names = {quad.graph_name: ns.local_name(ns.value(quad.graph_name)).partition("-")[0] for quad in quads}
    written = terms_in([quad for quad in quads if names[quad.graph_name] in GENERATED_GRAPHS])

    assert written - set(MARKED) == set()
    assert set(MARKED) - written - events() == set()
    assert events() - set(MARKED) == set()


def test_a_generated_term_is_in_files_only_where_a_shape_lists_it() -> None:
    """What is marked "sometimes" is listed by a shape; what is marked true is in no list and in no file."""
    from rdflib import SH, URIRef

    from eurasia_graph.build.judge import shapes_graph
    from eurasia_graph.build.shapes import folder

    shapes = shapes_graph(folder(), "Violation")
    lists = [shapes.items(head) for term in (SH["in"], SH.ignoredProperties) for head in shapes.objects(None, term)]
    listed = {str(each) for items in lists for each in items} | {str(each) for each in shapes.objects(None, SH.path)}
    in_files = terms_in([quad for quad in DATASET.origins if quad.graph_name not in graphs.SCHEMA_GRAPHS])

    assert set(MARKED.values()) == {"true", "sometimes"}
    assert {term for term in MARKED if MARKED[term] == "sometimes"} == set(MARKED) & listed
    assert {term for term in in_files & set(MARKED) if MARKED[term] == "true"} == set()
    assert URIRef(ns.EG + "CountedClaim") not in listed


def test_every_record_has_a_closed_shape() -> None:
    """What a shape does not list is refused, whichever vocabulary it is of."""
    from rdflib import SH, URIRef

    from eurasia_graph.build.findings import MANUAL
    from eurasia_graph.build.judge import shapes_graph
    from eurasia_graph.build.shapes import folder

    shapes = shapes_graph(folder(), "Violation")
    closed = list(shapes.subjects(SH.closed, None))
    targets = {str(target) for shape in closed for target in shapes.objects(shape, SH.targetClass)}

    assert targets == {ns.EG + name for name in ("Claim", "Event", "Judgement", "Match", "Note", "Passage")}
    assert {str(each) for shape in closed for each in shapes.objects(shape, SH.targetNode)} == {ns.GRAPH + "links"}
    assert (URIRef(MANUAL + "Entity-closed"), SH.target, URIRef(MANUAL + "Entity-files")) in shapes


def test_the_rules_use_terms_of_the_ontology_and_scratch_terms_of_their_own(built: Release) -> None:
    """Scratch terms of rules are in a separate namespace, which occurs in no release."""
    rules = sorted((CHECKOUT / "ontology" / "rules").rglob("*.rq"))
    texts = [path.read_text(encoding="utf-8") for path in rules]
    used = {name for text in texts for name in re.findall(r"\beg:([A-Za-z]\w*)", text)}
    scratch = ns.BASE + "rules#"
    nodes = {
        node.value
        for quad in built.store
        for node in (quad.subject, quad.predicate, quad.object)
        if isinstance(node, NamedNode)
    }

    assert any(f"PREFIX step: <{scratch}>" in text for text in texts)
    assert {name for name in used if not described(ns.EG(name))} == set()
    assert not {each for each in nodes if each.startswith(scratch)}


def described(term: NamedNode) -> bool:
    """Return whether the ontology describes a term."""
    return any(DATASET.store.quads_for_pattern(term, None, None, ONTOLOGY))


def test_every_unit_is_matched_to_qudt_or_to_a_currency() -> None:
    """Other data are found by the unit that the whole world uses."""
    graph = ns.GRAPH("schemes")
    units = {quad.subject for quad in DATASET.store.quads_for_pattern(None, ns.RDF("type"), ns.EG("Unit"), graph)}
    spaces = ("http://qudt.org/vocab/unit/", "http://publications.europa.eu/resource/authority/currency/")

    matched = {
        quad.subject
        for term in ("exactMatch", "closeMatch")
        for quad in DATASET.store.quads_for_pattern(None, ns.SKOS(term), None, graph)
        if ns.value(quad.object).startswith(spaces)
    }
    used = {quad.object for quad in DATASET.store.quads_for_pattern(None, ns.EG("saysUnit"), None, None)}
    assert matched == units
    assert used <= units


def test_every_concept_of_a_scheme_is_defined() -> None:
    """Statuses, modalities, reasons and kinds of difference are in one scheme each, labelled and defined."""
    graph = ns.GRAPH("schemes")
    concepts = {
        quad.subject for quad in DATASET.store.quads_for_pattern(None, ns.RDF("type"), ns.SKOS("Concept"), graph)
    }

    for concept in concepts:
        labels = [quad.object for quad in DATASET.store.quads_for_pattern(concept, ns.SKOS("prefLabel"), None, graph)]
        languages = [label.language for label in labels if isinstance(label, Literal)]
        assert languages.count("en") == 1, concept
        assert len(languages) == len(set(languages)) == len(labels), concept
        for predicate in (ns.SKOS("definition"), ns.SKOS("inScheme")):
            assert len(list(DATASET.store.quads_for_pattern(concept, predicate, None, graph))) == 1, (
                concept,
                predicate,
            )
