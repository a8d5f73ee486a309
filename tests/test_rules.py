"""Rules run once each, in an order read from them, and make what running all of them again and again makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, QueryTriples, Store, Triple

from conftest import TESTS
from definition import Claim
from eurasia_graph import namespaces as ns
from eurasia_graph.build import closure, differences, rules, sources
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA
from eurasia_graph.build.derive import derive
from eurasia_graph.build.rule_order import ANYTHING, Rule, in_order
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS, graph_of
from test_memberships import random_claims, told_by

PREFIX = "PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>\nPREFIX step: <https://w3id.org/eurasia-graph/rules#>\n"


def again_and_again(
    store: Store, stages: Sequence[str], reads: Sequence[NamedNode], writes: NamedNode, files: Sequence[NamedNode] = ()
) -> None:
    """Run the rules of each stage by name until none of them finds anything: slow, plain, and in no order of ours."""
    for stage in stages:
        known: set[Triple] = {quad.triple for quad in store.quads_for_pattern(None, None, None, writes)}
        before = -1
        while before != len(known):
            before = len(known)
            for rule in rules.of_stages(stage):
                found = store.query(rule.text, default_graph=[*reads, writes], named_graphs=list(files))
                assert isinstance(found, QueryTriples)
                new = set(found) - known
                known |= new
                store.extend(ns.quad(triple, writes) for triple in new)


def derived(dataset: sources.Dataset) -> dict[str, set[Quad]]:
    """Derive all that rules derive of a dataset but the closure; the quads by graph."""
    derive(dataset)
    differences.find_differences(dataset)
    return {
        str(graph): set(dataset.store.quads_for_pattern(None, None, None, graph))
        for graph in dataset.store.named_graphs()
    }


def agree(one: sources.Dataset, other: sources.Dataset) -> None:
    """Compare both ways on two copies of a dataset."""
    once = derived(one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "run", again_and_again)
        often = derived(other)

    assert once == {graph: quads for graph, quads in often.items() if quads}


@pytest.mark.parametrize("data", [TESTS / "mini", None], ids=["mini", "shipped"])
def test_once_in_order_makes_what_again_and_again_makes(data: Path | None) -> None:
    """On what is shipped, and on the mini data."""
    files = sources.find(data)

    agree(sources.load(files), sources.load(files))


@settings(max_examples=25, deadline=None)
@given(st.lists(random_claims(), min_size=1, max_size=8))
def test_once_in_order_is_enough_for_random_claims(claims: list[Claim]) -> None:
    """Of all kinds, linked to one another and not."""
    agree(told_by(claims), told_by(claims))


def test_the_closure_by_effects_is_that_of_the_rules() -> None:
    """The rules of the closure are recursive; what they make of samples, applied to all, is what they make of all."""
    dataset = sources.load(sources.find(TESTS / "mini"))
    derive(dataset)
    closure.close(dataset)
    own = [graph_of(kind, "one") for kind in ("claims", "passages", "facts", "memberships")]
    reads = [*SCHEMA_GRAPHS, CLOSURE_OF_SCHEMA, ENTITIES, *own]
    given_ = {quad.triple for graph in reads for quad in dataset.store.quads_for_pattern(None, None, None, graph)}
    found = {
        quad.triple
        for graph in (closure.CLOSURE_OF_ENTITIES, graph_of("closure", "one"))
        for quad in dataset.store.quads_for_pattern(None, None, None, graph)
    } - given_
    scratch = ns.GRAPH("scratch")

    again_and_again(dataset.store, ["closure"], reads, scratch)

    assert {quad.triple for quad in dataset.store.quads_for_pattern(None, None, None, scratch)} - given_ == found


def rule(name: str, construct: str, where: str, *headers: str) -> Rule:
    """Write a rule."""
    return Rule(
        name,
        "".join(f"#+ {each}\n" for each in headers) + f"{PREFIX}CONSTRUCT {{ {construct} }}\nWHERE {{ {where} }}\n",
    )


def nothing(_predicate: str) -> frozenset[tuple[str, str]]:
    """An ontology that says nothing."""
    return frozenset()


def names(groups: list[list[Rule]]) -> list[list[str]]:
    """The names of rules in their order."""
    return [[each.name for each in group] for group in groups]


def test_a_rule_runs_after_those_that_make_what_it_reads() -> None:
    """By predicate, in a path, in a subquery and under NOT EXISTS, and by class."""
    told = [
        rule("a", "?x step:five ?y", "?x step:four/step:none ?y"),
        rule("b", "?x step:four ?y", "{ SELECT ?x (MAX(?z) AS ?y) WHERE { ?x step:three ?z } GROUP BY ?x }"),
        rule("c", "?x step:three ?y", "?x eg:gist ?y FILTER NOT EXISTS { ?x a step:Two }"),
        rule("d", "?x a step:Two , step:Other", "?x eg:gist ?y ; eg:approximate true ; step:one ?z"),
        rule("e", "?x step:one 1.5 ; step:none 'eg:gist'", "?x ?any ?y FILTER(?any IN (eg:gist, eg:saysName))"),
    ]

    assert names(in_order(told, nothing)) == [["e"], ["d"], ["c"], ["b"], ["a"]]


def test_what_a_rule_reads_of_the_files_is_not_what_rules_make() -> None:
    """In a GRAPH it reads what stands in the files, so that it may make more of the kind."""
    told = [rule("a", "?x eg:gist ?z", "?x step:one ?z OPTIONAL { GRAPH ?file { ?x eg:gist ?y } }")]

    assert names(in_order(told, nothing)) == [["a"]]


def test_rules_in_a_circle_are_named() -> None:
    """Those that do not say that they are recursive, and what leads round."""
    told = [
        rule("stage/one", "?x step:a ?y", "?x step:b ?y"),
        rule("stage/two", "?x step:b ?y", "?x step:a ?y", "recursive: true"),
        rule("stage/apart", "?x step:c ?y", "?x step:b ?y"),
    ]

    with pytest.raises(EurasiaGraphError, match="in a circle: stage/one, stage/two ") as refused:
        in_order(told, nothing)

    assert "rules#a" in str(refused.value)
    assert "stage/apart" not in str(refused.value)


def test_recursive_rules_go_on_together() -> None:
    """In one group, and others before or after them."""
    told = [
        rule("a", "?x step:b ?y", "?x step:c ?y"),
        rule("b", "?x step:c ?z", "?x step:d ?y . ?y step:c ?z", "recursive: true"),
        rule("c", "?x step:d ?y", "?y step:d ?x", "recursive: true"),
    ]

    assert names(in_order(told, nothing)) == [["c"], ["b"], ["a"]]


def test_a_variable_stands_for_what_the_ontology_says() -> None:
    """Or else for anything, so that the rule comes after all others and before none."""
    states = frozenset({(ns.EG("saysPlace").value, ns.EG("place").value)})
    told = rule(
        "a",
        "?event ?property ?value",
        "GRAPH ?f { ?claim ?says ?value } ?claim step:of ?event . ?says eg:states ?property",
    )

    assert told.makes(lambda predicate: states if predicate == ns.EG("states").value else frozenset()) == {
        ns.EG("place").value
    }
    assert told.makes(nothing) == {ANYTHING}
