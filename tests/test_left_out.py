"""What an answer leaves out is counted, named and given a reason: by an oracle in Python, on random claims."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from pyoxigraph import Store
from rdflib.plugins.sparql import prepareQuery

from conftest import CHECKOUT
from eurasia_graph import namespaces as ns
from eurasia_graph import notes, queries
from eurasia_graph.dates import bounds
from eurasia_graph.queries import VALUES, CannedQuery
from eurasia_graph.store import ReleaseStore
from left_out_oracle import (
    CIRCLES,
    Claim,
    Given,
    Pairs,
    Rows,
    counts_in_circles,
    ends,
    last_day,
    meetings,
    members_on,
    memberships,
    memberships_of,
    organs,
    perhaps_together,
    proposals,
    reasons,
    sizes,
    succession,
    timeline,
    told_otherwise,
    treaty_acts,
    world,
)

# Which of the queries leave claims out, or show claims in part.
WITH_A_FILE = {
    "assessments", "co-members", "compare-sources", "definitions", "disagreements", "factors", "figures", "mandates",
    "meetings", "members-on", "memberships-of", "names", "organs", "overlap", "proposals", "roles", "shared-bodies",
    "sizes", "statements", "succession", "timeline", "treaty-acts",
}  # fmt: skip
# The others answer with every claim that matches, or with no claims at all.
WITHOUT = {"claims-about", "find", "sentence", "works-cited"}
MOST_TRIED = 300

ORACLES: dict[str, Callable[[list[Claim], Given], Pairs]] = {
    "timeline": timeline,
    "treaty-acts": treaty_acts,
    "meetings": meetings,
    "organs": organs,
    "proposals": proposals,
    "succession": succession,
    "sizes": sizes,
}
RESTING: dict[str, Callable[[list[Claim], Given, Rows], Pairs]] = {
    "members-on": members_on,
    "memberships-of": memberships_of,
}
TRIED: dict[str, list[str]] = {
    "eg:Body": ["ALPHA", "BETA", "GAMMA"],
    "eg:Actor": ["KZ", "UZ", "RU"],
    "eg:Source": ["one", "two"],
    "eg:Place": ["almaty"],
    "eg:Location": ["almaty"],
    "eg:EventKind": ["meeting"],
    "eg:Modality": ["any"],
    "eg:Treaty": ["pact", "charter"],
    "xsd:date": ["1992", "1994", "1994-06-30", "1996-01-01", "1998-01-31"],
    "xsd:boolean": ["false"],
}


def values(canned: CannedQuery) -> Iterator[Given]:
    """Try every value of every parameter with those of the others, and without it; of very many, some."""
    tried = [[*TRIED[each.type], *([] if each.required else [None])] for each in canned.parameters]
    every = list(product(*tried))
    for row in every if len(every) <= MOST_TRIED else random.Random(1).sample(every, MOST_TRIED):
        given = dict(zip((each.name for each in canned.parameters), row, strict=True))
        if _goes_together(canned, given):
            yield given


def _goes_together(canned: CannedQuery, given: Given) -> bool:
    """Tell whether one of the parameters is given that are needed, and no span ends before it begins."""
    needed = not canned.needs or any(given[name] for name in canned.needs)
    begin, end = given.get("from"), given.get("to")
    return needed and not (begin and end and str(bounds(begin).earliest) > str(bounds(end).latest))


def short(found: notes.LeftOut) -> Pairs:
    """Write claims as the oracle does."""
    return {(claim.rpartition("/claim/")[2], why) for claim, why in found}


@pytest.mark.parametrize("name", [*ORACLES, *RESTING])
@pytest.mark.parametrize("seed", [1, 4])
def test_every_claim_that_matches_is_in_a_row_or_left_out_with_a_reason(name: str, seed: int) -> None:
    """For every combination of parameters, the query beside it gives what the oracle gives."""
    claims, store = world(seed)
    canned = queries.by_name(name)
    known = memberships(store)

    seen: set[str] = set()
    for given in values(canned):
        found = short(canned.ask_left_out(store, given))
        wanted = RESTING[name](claims, given, known) if name in RESTING else ORACLES[name](claims, given)
        assert found == wanted, given
        seen |= {why for _, why in found}
        rows = canned.run(store, given)
        shown = {str(row["claim"]).rpartition("/claim/")[2] for row in rows if "claim" in row}
        # Of one of its actors a claim may be told otherwise, and stand in the row of another.
        gone = {claim for claim, why in found if why in notes.LEFT_OUT and why != "told otherwise"}
        assert not shown & gone, given
    assert seen, "the random claims try nothing"
    assert name not in RESTING or "told otherwise" in seen


@pytest.mark.parametrize("seed", [1, 4])
def test_overlap_leaves_out_what_is_not_certain_throughout(seed: int) -> None:
    """Beside the standings and ends that count nowhere."""
    claims, store = world(seed)
    canned = queries.by_name("overlap")
    known = memberships(store)

    for given in values(canned):
        first, last = str(bounds(str(given["date"])).earliest), str(bounds(str(given["date"])).latest)
        wanted = reasons(
            (
                each
                for each in claims
                if given["source"] in {None, each.source} and (counts_in_circles(each) or ends(each))
            ),
            last,
            lists=True,
        )
        for one in known:
            possible = one["fromEarliest"] <= last and first < one["toLatest"]
            certain = one["fromLatest"] <= first and last < one["toEarliest"]
            if one["status"] in CIRCLES and possible and not certain and given["source"] in {None, one["accordingTo"]}:
                wanted |= {(claim, "not certain") for claim in one["claims"].split()}
        gone = told_otherwise(filter(counts_in_circles, claims), known, given["date"])
        wanted |= {(claim, "told otherwise") for claim in gone if given["source"] in {None, claim.partition("/")[0]}}
        assert short(canned.ask_left_out(store, given)) == wanted, given
        assert short(queries.by_name("co-members").ask_left_out(store, given)) == wanted, given


@pytest.mark.parametrize("seed", [1, 4])
def test_co_members_in_a_span_leaves_out_who_is_certain_on_no_day_of_it(seed: int) -> None:
    """A standing that is certain on one day of the span counts."""
    claims, store = world(seed)
    known = memberships(store)

    for begin, end in (("1992", "1994-06"), ("1994-06-15", "1996"), ("1998", "1999")):
        first, last = str(bounds(begin).earliest), str(bounds(end).latest)
        found = short(queries.by_name("co-members").ask_left_out(store, {"from": begin, "to": end}))
        wanted = {
            claim
            for one in known
            if one["status"] in CIRCLES and one["fromEarliest"] <= last and first < one["toLatest"]
            if not max(one["fromLatest"], first) <= min(last, "2000-12-31")
            or not max(one["fromLatest"], first) < one["toEarliest"]
            for claim in one["claims"].split()
        }

        assert {claim for claim, why in found if why == "not certain"} == wanted
        assert {each for each in found if each[1] in {"denied", "reported", "no date"}} == {
            each
            for each in reasons((each for each in claims if counts_in_circles(each) or ends(each)), last)
            if each[1] in {"denied", "reported", "no date"}
        }


@pytest.mark.parametrize("seed", [1, 4])
def test_shared_bodies_leaves_out_what_the_two_only_perhaps_had_together(seed: int) -> None:
    """Beside the standings in bodies in which the same text has the other, and the ends of such bodies."""
    claims, store = world(seed)
    canned = queries.by_name("shared-bodies")
    known = memberships(store)

    for given in values(canned):
        pair = (given["actorA"], given["actorB"])
        last = last_day(given["date"])
        in_body = {
            (each.source, each.says["body"], actor) for each in claims if "status" in each.says for actor in each.actors
        }

        def matches(each: Claim, pair: tuple[str | None, str | None] = pair, told: object = in_body) -> bool:
            assert isinstance(told, set)
            standing = counts_in_circles(each) and any(
                mine in each.actors and (each.source, each.says["body"], other) in told
                for mine, other in (pair, pair[::-1])
            )
            bodies = (each.says.get("oldBody"), each.says.get("body"))
            ended = any(
                ends(each, body) and all((each.source, body, one) in told for one in pair) for body in bodies if body
            )
            return standing or ended

        wanted = reasons(filter(matches, claims), last)
        wanted |= perhaps_together(known, pair, given["date"])
        gone = told_otherwise(filter(counts_in_circles, claims), known, given["date"])
        by_iri = {each.iri: each for each in claims}
        why = "told otherwise" if given["date"] else "cut short"
        wanted |= {
            (claim, why)
            for claim, actors in gone.items()
            for mine, other in (pair, pair[::-1])
            if mine in actors and (by_iri[claim].source, by_iri[claim].says["body"], other) in in_body
        }
        assert short(canned.ask_left_out(store, given)) == wanted, given


# --- the files and their words -------------------------------------------------------------


def test_it_is_known_which_queries_leave_something_out() -> None:
    """A new query is judged once: either it has a file beside it, or it answers with every claim that matches."""
    found = {name for name, canned in queries.load().items() if canned.left_out}

    assert found == WITH_A_FILE
    assert set(queries.load()) - found == WITHOUT
    assert {path.name.removesuffix(".left-out.rq") for path in (CHECKOUT / "queries").glob("*.left-out.rq")} == found


@pytest.mark.parametrize("name", sorted(WITH_A_FILE))
def test_a_query_beside_another_is_plain_sparql_with_the_same_parameters(name: str) -> None:
    """It runs as it stands in any engine, has the columns claim and why, and only reasons that have words."""
    text = str(queries.by_name(name).left_out)
    blocks = {match.group() for match in VALUES.finditer(text)}
    of_rows = VALUES.search(queries.by_name(name).text)

    prepareQuery(text)
    assert of_rows
    assert len(blocks) == 1
    assert blocks == {of_rows.group()} or name == "definitions"
    assert re.search(r"^WHERE \{\n  VALUES \(", text, re.MULTILINE)
    assert "NOT EXISTS" not in text
    assert text.rstrip().endswith("ORDER BY ?why ?claim")
    assert [variable.value for variable in Store().query(text).variables] == ["claim", "why"]  # type: ignore[union-attr]
    for literal in re.findall(r'BIND\("([^"]+)" AS \?(?:why|nameless)\)', text):
        assert literal in notes.REASONS


@pytest.mark.parametrize(("name", "kind"), [("members-on", "eg:Body"), ("memberships-of", "eg:Actor")])
def test_what_is_settled_leaves_nothing_out(release: ReleaseStore, name: str, kind: str) -> None:
    """Of most bodies and actors it is not asked; asked, the query gives nothing either."""
    canned = queries.by_name(name)
    named = {iri for iri, _ in release.entities[ns.EG + kind.removeprefix("eg:")]}
    settled = named - release.unsettled

    assert settled
    assert named & release.unsettled
    for iri in sorted(settled):
        text = canned.bind_left_out(release, {str(canned.settled_by): iri, "date": "2010"})
        assert list(release.query(str(text))) == [], iri  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(name for name, canned in queries.load().items() if canned.asked_once))
def test_what_is_asked_once_says_of_every_value_whether_anything_is_left_out(release: ReleaseStore, name: str) -> None:
    """What is picked for a value, or for none, is what the query itself gives."""
    canned = queries.by_name(name)
    for store, parameter in product((release, world(1)[1]), canned.parameters):
        variables = {parameter.name, f"asked{parameter.name[0].upper()}{parameter.name[1:]}"}
        is_enough = not canned.needs or parameter.name in canned.needs
        if variables.isdisjoint(canned.asked_once) or not is_enough:
            continue
        named = {iri for kind in parameter.classes for iri, _ in store.entities.get(kind, [])}
        is_needed = canned.needs or any(each.required for each in canned.parameters)
        for iri in [*sorted(named), *([] if is_needed else [None])]:
            text = canned.bind_left_out(store, {parameter.name: iri})
            wanted = [(ns.value(claim), ns.value(why)) for claim, why in store.query(str(text))]  # type: ignore[union-attr]
            assert canned.ask_left_out(store, {parameter.name: iri}) == wanted, iri


@pytest.mark.parametrize("date", [None, "1993", "1994-06-15", "2003-12-31", "2015", "2017"])
def test_of_a_pair_that_is_passed_over_nothing_would_be_left_out(release: ReleaseStore, date: str | None) -> None:
    """Whether two may have been together only perhaps is known before the query is asked."""
    canned = queries.by_name("shared-bodies")
    seen = set()
    for one, other in product(("kz", "uz", "ru", "tm", "su"), repeat=2):
        given = {"actorA": one, "actorB": other, "date": date}
        found = list(release.query(str(canned.bind_left_out(release, given))))  # type: ignore[arg-type]
        assert len(canned.ask_left_out(release, given)) == len(found), given
        seen.add(bool(found))
    assert False in seen
