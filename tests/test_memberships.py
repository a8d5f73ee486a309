"""Memberships follow the definition, on random claims and on every day."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from conftest import TESTS
from definition import DATES, DAWN, DAY, Claim, World
from eurasia_graph import graphs, queries
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources, validation
from eurasia_graph.build.derive import derive
from eurasia_graph.build.differences import DIFFERENCES, find_differences
from eurasia_graph.store import ReleaseStore, fill_default_graph

EDTF = NamedNode(ns.EDTF + "EDTF")
SOURCE = ns.ID("source/random")
CLAIMS = graphs.graph_of("claims", "random")
MEMBERSHIPS = graphs.graph_of("memberships", "random")
ACTORS, BODIES = ("KZ", "UZ"), ("ALPHA", "BETA")
HOLDERS = (*ACTORS, "BETA")  # a body may belong to another one
CASES = tomllib.loads((TESTS / "cases" / "standings.toml").read_text(encoding="utf-8"))["case"]
KINDS = [
    *("MembershipChange", "MembershipChange", "StatusHolding", "StatusHolding", "Accession", "Foundation"),
    *("FoundationBegun", "Withdrawal", "Dissolution", "Transformation"),
]
NOBODY: dict[str, list[tuple[str, ...]]] = {kind: [()] for kind in ("Foundation", "Dissolution", "Transformation")}
EXISTENCE = {"KZ": "1991-12-25/..", "ALPHA": "1993-02/1996"}
EXISTS = {"KZ": date(1991, 12, 25), "ALPHA": date(1993, 2, 1)}

_JOINED = Claim("Accession", "1992-03-04", ("KZ",), "ALPHA", "member")
_LEFT = Claim("Withdrawal", "1993", ("KZ",), "ALPHA")
_HELD = Claim("StatusHolding", "1994/1994", ("KZ",), "ALPHA", "member")


@st.composite
def random_claims(draw: st.DrawFn) -> Claim:
    """Draw a claim of any kind that bears on standings."""
    kind = draw(st.sampled_from(KINDS))
    some: list[tuple[str, ...]] = [("KZ",), ("KZ",), ("UZ",), ("KZ", "UZ"), ("BETA",)]
    claim = Claim(
        kind=kind,
        when=draw(st.sampled_from(sorted(DATES))),
        actors=draw(st.sampled_from(some + NOBODY.get(kind, []))),
        body=draw(st.sampled_from(BODIES)),
        modality=draw(st.sampled_from(["asserted", "asserted", "asserted", "asserted", "hedged", "reported"])),
        event=draw(st.sampled_from([None, None, None, "e1", "e2"])),
    )
    statuses: dict[str, list[str | None]] = {
        "Withdrawal": [None, "outside"],
        "Dissolution": [None],
        "MembershipChange": ["member", "observer", "outside"],
        "StatusHolding": ["member", "observer", "outside"],
    }
    status = draw(st.sampled_from(statuses.get(kind, ["member", "observer"]))) if claim.actors else None
    claim = replace(claim, status=status, complete=draw(st.sampled_from([None, True, False])) if claim.actors else None)
    if kind == "Dissolution" and draw(st.booleans()):
        return replace(claim, old=claim.body, body="GAMMA")
    if kind == "Transformation":
        old = next(each for each in BODIES if each != claim.body)
        return replace(claim, old=old, new=claim.body)
    return claim


def dataset_of(claims: list[Claim], issued: str = "2000-12-31") -> sources.Dataset:
    """Write claims of one source and derive their memberships."""
    dataset = told_by(claims, issued)
    derive(dataset)
    return dataset


def told_by(claims: list[Claim], issued: str = "2000-12-31") -> sources.Dataset:
    """Write claims of one source."""
    dataset = sources.Dataset(Store(), {})
    dataset.store.extend(ontology())
    quads = [
        Quad(SOURCE, ns.RDF("type"), ns.EG("Source"), graphs.ENTITIES),
        Quad(SOURCE, ns.EG("issued"), Literal(issued, datatype=EDTF), graphs.ENTITIES),
    ]
    for name in ("GAMMA", *BODIES, *ACTORS):
        thing = _thing(name)
        kind = ns.EG("State") if name in ACTORS else ns.EG("Organisation")
        quads.append(Quad(thing, ns.RDF("type"), kind, graphs.ENTITIES))
        quads.append(Quad(thing, ns.SKOS("prefLabel"), Literal(name, language="en"), graphs.ENTITIES))
        if name in EXISTENCE:
            quads.append(Quad(thing, ns.EG("existence"), Literal(EXISTENCE[name], datatype=EDTF), graphs.ENTITIES))
    for number, claim in enumerate(claims, start=1):
        quads += _written(ns.ID(f"claim/random/{number}"), claim)
    dataset.store.extend(quads)
    return dataset


@lru_cache(maxsize=1)
def ontology() -> list[Quad]:
    """The ontology and the components of the cube, of which rules tell what they make; read once."""
    schema = [file for file in sources.find() if file.graph == ns.GRAPH("ontology") or file.path.name == "cube.ttl"]
    return list(sources.load(schema).store)


def _thing(name: str) -> NamedNode:
    return ns.ID(f"{'state' if name in ACTORS else 'body'}/{name}")


def _written(node: NamedNode, claim: Claim) -> list[Quad]:
    content: list[tuple[NamedNode, NamedNode | Literal]] = [
        (ns.RDF("type"), ns.EG("EventClaim")),
        (ns.EG("statedIn"), SOURCE),
        (ns.EG("gist"), Literal("x", language="en")),
        (ns.EG("saysDate"), Literal(claim.when, datatype=EDTF)),
        (ns.EG("saysKind"), ns.EG(claim.kind)),
        (ns.EG("modality"), ns.SCHEME(f"modality/{claim.modality}")),
        (ns.EG("saysBody"), _thing(claim.body)),
        *((ns.EG("saysActor"), _thing(actor)) for actor in claim.actors),
    ]
    for term, name in (("saysOldBody", claim.old), ("saysNewBody", claim.new)):
        if name:
            content.append((ns.EG(term), _thing(name)))
    if claim.status:
        content.append((ns.EG("saysStatus"), ns.SCHEME(f"status/{claim.status}")))
    if claim.complete is not None:
        content.append((ns.EG("listIsComplete"), Literal(claim.complete)))
    quads = [Quad(node, predicate, obj, CLAIMS) for predicate, obj in content]
    if claim.event:
        event = ns.ID(f"event/{claim.event}")
        quads.append(Quad(node, ns.EG("reportsEvent"), event, graphs.LINKS))
        quads.append(Quad(event, ns.SKOS("prefLabel"), Literal(claim.event, language="en"), graphs.LINKS))
    return quads


def derived(store: Store) -> list[dict[str, str]]:
    """The memberships that were derived, one property a key."""
    found: dict[str, dict[str, str]] = {}
    for quad in store.quads_for_pattern(None, None, None, MEMBERSHIPS):
        found.setdefault(ns.value(quad.subject), {})[ns.local_name(ns.value(quad.predicate))] = ns.value(quad.object)
    return [each for each in found.values() if "holder" in each]


def on(memberships: list[dict[str, str]], body: str, actor: str, day: date) -> dict[str, str]:
    """Who has which standing on a day, by the days that the derivation writes; days of ISO 8601 sort as texts."""
    answer: dict[str, str] = {}
    for each in memberships:
        if (each["inBody"], each["holder"]) == (_thing(body).value, _thing(actor).value):
            status = ns.local_name(each["status"])
            if each.get("certainFrom", "A") <= str(day) < each.get("certainUntil", "A"):
                answer[status] = "certain"
            elif each["fromEarliest"] <= str(day) < each.get("toLatest", "A"):
                answer.setdefault(status, "possible")
    return answer


def borders(claims: list[Claim]) -> list[date]:
    """The day before, on and after every first and last day of anything that is claimed, and some others."""
    spans = [span for claim in claims for span in (claim.date.began, claim.date.whole, claim.date.ended) if span]
    edges = {edge for span in spans for edge in (min(span), max(span))} | set(EXISTS.values()) | {date(1996, 7, 1)}
    return sorted({edge + step * DAY for edge in edges for step in (-1, 0, 1, 2)} - {DAWN - DAY})


def compare(claims: list[Claim]) -> sources.Dataset:
    """Compare the derivation with the definition for everybody, everywhere and on every day that matters."""
    dataset = dataset_of(claims)
    memberships = derived(dataset.store)
    for body, actor in product(BODIES, HOLDERS):
        world = World(claims, actor, body, EXISTS)
        for day in borders(claims):
            certain = dict.fromkeys(world.certain(day), "certain")
            wanted = dict.fromkeys(world.possible(day), "possible") | certain
            assert on(memberships, body, actor, day) == wanted, (body, actor, day, claims)
    return dataset


@settings(max_examples=60, deadline=None)
@given(st.lists(random_claims(), min_size=1, max_size=6))
def test_memberships_agree_with_the_definition(claims: list[Claim]) -> None:
    """On every day at which something changes, the bounds give who is certain and who is possible by definition."""
    compare(claims)


@settings(max_examples=8, deadline=None)
@given(st.lists(random_claims(), min_size=2, max_size=6))
def test_members_on_agrees_with_the_bounds(claims: list[Claim]) -> None:
    """The shipped query gives what the bounds give, but for who is outside."""
    dataset = dataset_of(claims)
    memberships = derived(dataset.store)
    fill_default_graph(dataset.store)
    store = ReleaseStore(dataset.store)
    ask = queries.by_name("members-on")

    for body, day in product(BODIES, borders(claims)[::3]):
        rows = ask.run(store, {"body": body, "date": day, "lineage": "false"})
        found = {
            (ns.local_name(str(row["member"])), ns.local_name(str(row["status"]))): row["certainty"] for row in rows
        }
        wanted = {
            (actor, status): how
            for actor in HOLDERS
            for status, how in on(memberships, body, actor, day).items()
            if status != "outside"
        }
        assert found == wanted, (body, day, claims)


@pytest.mark.parametrize(
    ("claims", "issued", "written"),
    [
        ([_JOINED], "1994-06-30", {"certainFrom": "1992-03-04", "certainUntil": "1994-07-01"}),
        ([_JOINED], "9999-12-31", {"certainFrom": "1992-03-04", "certainUntil": "9999-12-31"}),
        ([_JOINED, _LEFT], "1994-06-30", {"certainFrom": "1992-03-04", "certainUntil": "1993-01-01"}),
        ([_JOINED, _LEFT], "1992-06", {"certainFrom": "1992-03-04", "certainUntil": "1992-07-01"}),
        ([_JOINED], "1992-03-03", {}),
        ([replace(_JOINED, when="1992~")], "1994-06-30", {}),
        ([_HELD], "1996", {"surelyHeld": "true", "surelyHeldFrom": "1994-01-01", "surelyHeldTo": "1994-12-31"}),
        ([_HELD], "1994-06-30", {"surelyHeld": "true"}),
    ],
)
def test_the_days_written_are_those_of_which_the_text_can_know(
    claims: list[Claim], issued: str, written: dict[str, str]
) -> None:
    """They end with the earliest end or with the horizon; where no day is certain, none is written."""
    found = next(each for each in derived(dataset_of(claims, issued).store) if each["status"].endswith("member"))

    assert {name: day for name, day in found.items() if name.startswith(("certain", "surely"))} == written


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["text"]))
def test_a_case_comes_out_as_thought_out(case: dict[str, Any]) -> None:
    """On every day and in every period that it names, and with these dates in its rows."""
    claims = [_told(**each) for each in case["claims"]]
    dataset = dataset_of(claims, case.get("issued", "2016-03-11"))
    written = [each for each in derived(dataset.store) if each["holder"].endswith("/KZ") and each["inBody"].endswith("/ALPHA")]  # fmt: skip
    fill_default_graph(dataset.store)
    store = ReleaseStore(dataset.store)

    found = {when: asked(store, when) for when in case["on"]}

    assert found == case["on"]
    rows = [f"{ns.local_name(each['status'])} from {each['from']} to {each.get('to', '-')}" for each in written]
    assert sorted(rows) == case["rows"]


def _told(actors: Sequence[str] = ("KZ",), body: str = "ALPHA", **said: Any) -> Claim:
    return Claim(actors=tuple(actors), body=body, **said)


def asked(store: ReleaseStore, when: str) -> str:
    """What members-on says of KZ in ALPHA on a day or in a period."""
    rows = queries.by_name("members-on").run(store, {"body": "ALPHA", "date": when, "lineage": "false"})
    own = [row for row in rows if str(row["member"]).endswith("/KZ")]
    return ", ".join(sorted(f"{ns.local_name(str(row['status']))} {row['certainty']}" for row in own)) or "nothing"


def test_a_body_belongs_nowhere_before_the_text_has_it_founded() -> None:
    """An observer "by now" that is a body itself was none before its founding, which two claims date together."""
    founded = Claim("Foundation", "2003", (), "BETA", event="founded")
    observer = Claim("StatusHolding", "[..2010-05-05]", ("BETA",), "ALPHA", "observer")

    memberships = derived(dataset_of([founded, replace(founded, when="2003-04"), observer], "2016-03-11").store)

    wanted = {
        date(2003, 3, 31): {},
        date(2003, 4, 1): {"observer": "possible"},
        date(2010, 5, 5): {"observer": "certain"},
    }
    assert {day: on(memberships, "ALPHA", "BETA", day) for day in wanted} == wanted


@pytest.mark.parametrize(
    ("actor", "body", "first"),
    [("KZ", "BETA", "1991-12-25"), ("UZ", "ALPHA", "1993-02-01"), ("KZ", "ALPHA", "1993-02-01")],
)
def test_a_standing_without_a_first_day_begins_with_its_actor_and_its_body(actor: str, body: str, first: str) -> None:
    """Whichever of the two began later, as far as that is known."""
    dataset = dataset_of([Claim("StatusHolding", "[..1995-01-20]", (actor,), body, "member")])

    assert [each["fromEarliest"] for each in derived(dataset.store)] == [first]


def test_all_claims_that_date_an_event_are_named() -> None:
    """What began or ended by several claims on one event names each of them; an answer shows the one that is over first."""
    joined = Claim("Accession", "1995", ("KZ",), "ALPHA", "member")
    left = Claim("Withdrawal", "2006", ("KZ",), "ALPHA", event="left")
    dataset = dataset_of([joined, left, replace(left, when="2003")])
    member, outside = (_claims_of(dataset.store, number) for number in (1, 3))

    assert member == {
        "begunBy": {"1"},
        "givenBy": {"1"},
        "leadClaim": {"1"},
        "endedBy": {"2", "3"},
        "wasDerivedFrom": {"1", "2", "3"},
    }
    assert outside == {"begunBy": {"2", "3"}, "givenBy": {"2", "3"}, "leadClaim": {"3"}, "wasDerivedFrom": {"2", "3"}}


def _claims_of(store: Store, number: int) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for quad in store.quads_for_pattern(ns.ID(f"membership/random/KZ-ALPHA-{number}"), None, None, MEMBERSHIPS):
        if "/claim/" in ns.value(quad.object):
            name = ns.local_name(ns.value(quad.predicate))
            found.setdefault(name, set()).add(ns.local_name(ns.value(quad.object)))
    return found


@pytest.mark.parametrize(
    ("kind", "dates", "differ"),
    [
        ("StatusHolding", ("1998/2005", "2003"), False),
        ("StatusHolding", ("1998/2005", "2006"), True),
        ("StatusHolding", ("1998/2005", "1997"), True),
        ("Exercise", ("1998-05/1998-07", "1998-06-04"), False),
        ("Exercise", ("[..2003-05-01]", "1999"), False),
        ("Exercise", ("[..2003-05-01]", "2003-05-02"), True),
    ],
)
def test_dates_of_an_event_differ_where_their_whole_days_do_not_meet(
    kind: str, dates: tuple[str, str], differ: bool
) -> None:
    """An interval is compared as a whole, and a date without a first day meets all that is earlier."""
    told = [Claim(kind, when, ("KZ",), "ALPHA", "member" if kind == "StatusHolding" else None, event="e") for when in dates]  # fmt: skip

    assert differences(told) == ({"date"} if differ else set())


@pytest.mark.parametrize(
    ("between", "differ"),
    [
        ([], True),
        ([Claim("Withdrawal", "1996", ("KZ",), "ALPHA")], False),
        ([Claim("StatusHolding", "1992/1996", ("KZ",), "ALPHA", "member")], False),
    ],
)
def test_a_founder_who_had_left_may_join_again(between: list[Claim], differ: bool) -> None:
    """However the text says that it left."""
    told = [
        Claim("Foundation", "1992", ("KZ",), "ALPHA", "member"),
        Claim("Accession", "1999", ("KZ",), "ALPHA", "member"),
    ]

    assert differences([*told, *between]) == ({"founder-or-entrant"} if differ else set())


def differences(claims: list[Claim]) -> set[str]:
    """The kinds of differences between some claims of one text."""
    dataset = dataset_of(claims)
    find_differences(dataset)
    found = dataset.store.quads_for_pattern(None, ns.EG("differenceKind"), None, DIFFERENCES)
    return {ns.local_name(ns.value(quad.object)) for quad in found}


def test_a_membership_without_a_claim_that_counts_is_reported(mini_dataset: sources.Dataset) -> None:
    """Constraint 49: whatever wrote it, a membership that rests on nothing is found."""
    dataset = sources.Dataset(Store(), {})
    dataset.store.extend(mini_dataset.store)
    derive(dataset)
    graph = graphs.graph_of("memberships", "one")
    dataset.store.add(Quad(ns.ID("membership/one/stray"), ns.RDF("type"), ns.EG("Membership"), graph))

    found = validation.check_world(dataset)

    assert [finding.rule for finding in found.findings] == ["Membership-claim"]


def test_two_sure_statuses_at_a_time_are_reported(mini_dataset: sources.Dataset) -> None:
    """Constraint 48: whatever wrote them, two memberships that surely overlap are found."""
    dataset = sources.Dataset(Store(), {})
    dataset.store.extend(mini_dataset.store)
    derive(dataset)
    graph = graphs.graph_of("memberships", "one")
    first = ns.ID("membership/one/KZ-ALPHA-5")
    copies = [
        Quad(ns.ID("membership/one/stray"), quad.predicate, quad.object, graph)
        for quad in dataset.store.quads_for_pattern(first, None, None, graph)
        if quad.predicate != ns.EG("status")
    ]
    dataset.store.extend(copies)
    dataset.store.add(Quad(ns.ID("membership/one/stray"), ns.EG("status"), ns.SCHEME("status/observer"), graph))

    found = validation.check_world(dataset)

    assert {finding.rule for finding in found.findings} == {"Membership-overlap"}
