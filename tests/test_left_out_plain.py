"""What answers that derive nothing leave out or show in part: by an oracle in Python, for every combination of values."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph import graphs, queries
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.build.derive import derive
from eurasia_graph.store import ReleaseStore

SOURCES = ("one", "two")
CLASSES = {
    "body/ALPHA": "Organisation",
    "body/BETA": "ProposedBody",
    "state/KZ": "State",
    "state/UZ": "State",
    "person/ann": "Person",
    "person/bob": "Person",
    "concept/steppe": "Concept",
    "place/osh": "Place",
}
# What `definitions` shows; a state or a place is another kind of thing.
DEFINED = {"body/ALPHA", "body/BETA", "concept/steppe"}
MODALITIES = ["asserted"] * 3 + ["hedged", "reported", "denied", "planned"]
FACTORS, INDICATORS, NAMES = ("aid", "border-security"), ("aid-amount", "labour-migrants"), ("Union", "League", "Pact")
TRIED = {
    "eg:Entity": [*CLASSES],
    "eg:Agent": ["person/ann", "person/bob"],
    "eg:Body": ["body/ALPHA", "body/BETA"],
    "eg:Source": [f"source/{each}" for each in SOURCES],
    "eg:Factor": [f"factor/{each}" for each in FACTORS],
    "eg:Direction": ["direction/helps", "direction/hinders"],
    "eg:Indicator": [f"indicator/{each}" for each in INDICATORS],
    "eg:DifferenceKind": ["difference/date", "difference/figure"],
    "eg:Modality": ["any"],
    "eg:Actor": ["state/KZ"],
}
SCHEMES = {"factor", "direction", "indicator"}
Given = dict[str, str | None]
Pairs = set[tuple[str, str]]


@dataclass
class Claim:
    """A random claim: what it says by the terms that say it, and who carries it or is credited with it."""

    iri: str
    source: str
    kind: str
    modality: str
    says: dict[str, str] = field(default_factory=dict)
    carried_by: str | None = None
    credited: str | None = None
    event: str | None = None

    @property
    def way(self) -> str:
        """How the text tells it; what is said in a speech is reported."""
        return "reported" if self.carried_by else self.modality


def random_claims(seed: int) -> list[Claim]:
    """Draw the claims of two sources."""
    chance = random.Random(seed)
    found = []
    for source, number in product(SOURCES, range(1, 91)):
        kind = chance.choice(["figure", "factor", "name", "role", "definition", "view", "event"])
        claim = Claim(f"{source}/{number}", source, kind, chance.choice(MODALITIES))
        claim.carried_by = chance.choice([None, None, None, "person/ann", "person/bob"])
        claim.credited = chance.choice([None, None, "person/ann", "person/bob"])
        claim.says = {
            "figure": {"Area": chance.choice(["state/KZ", "state/UZ"]), "Indicator": chance.choice(INDICATORS)},
            "factor": {
                "Effect": chance.choice(FACTORS),
                "Direction": chance.choice(["helps", "hinders"]),
                "Factor": "aid",
                "Holder": "person/ann",
            },
            "name": {"Named": chance.choice([*CLASSES]), "Name": chance.choice(NAMES)},
            "role": {"Person": chance.choice(["person/ann", "person/bob"]), "Role": "envoy"},
            "definition": {"About": chance.choice([*CLASSES]), "Assessment": "definition", "Holder": "person/ann"},
            "view": {"About": chance.choice([*CLASSES]), "Assessment": "position", "Holder": "person/ann"},
            "event": {"Body": chance.choice(["body/ALPHA", "body/BETA"]), "Kind": "Meeting"},
        }[kind]
        if kind == "event" and chance.random() < 0.7:
            claim.event = chance.choice(["e1", "e2", "e3", "e4", f"alone-{claim.iri}"])
        found.append(claim)
    return found


def _value(term: str, value: str) -> NamedNode | Literal:
    if term in {"Name", "Role"}:
        return Literal(value, language="en")
    if term == "Kind":
        return ns.EG(value)
    scheme = {"Effect": "factor", "Assessment": "assessment"}.get(term, term.lower())
    return ns.ID(value) if "/" in value else ns.SCHEME(f"{scheme}/{value}")


def _quads(claims: list[Claim]) -> Iterator[Quad]:
    for name, kind in (*CLASSES.items(), *((f"source/{each}", "Source") for each in SOURCES)):
        yield Quad(ns.ID(name), ns.RDF("type"), ns.EG(kind), graphs.ENTITIES)
        yield Quad(ns.ID(name), ns.SKOS("prefLabel"), Literal(name, language="en"), graphs.ENTITIES)
    for claim in claims:
        graph, node = graphs.graph_of("claims", claim.source), ns.ID(f"claim/{claim.iri}")
        content: list[tuple[str, NamedNode | Literal]] = [
            ("statedIn", ns.ID(f"source/{claim.source}")),
            ("gist", Literal("x", language="en")),
            *((f"says{term}", _value(term, value)) for term, value in claim.says.items()),
        ]
        if claim.modality != "asserted":
            content.append(("modality", ns.SCHEME(f"modality/{claim.modality}")))
        if claim.kind == "figure":
            edtf = NamedNode(ns.EDTF + "EDTF")
            content += [("saysPeriod", Literal("1995", datatype=edtf)), ("saysValue", Literal(1))]
            content.append(("saysUnit", ns.SCHEME("unit/person")))
        if claim.credited:
            content.append(("attributedTo", ns.ID(claim.credited)))
        yield from (Quad(node, ns.EG(term), value, graph) for term, value in content)
        if claim.carried_by:
            speech = ns.ID(f"claim/{claim.iri}-speech")
            yield Quad(node, ns.RDF("type"), ns.EG("ReportedClaim"), graph)
            yield Quad(speech, ns.EG("carries"), node, graph)
            yield Quad(speech, ns.EG("saysSpeaker"), ns.ID(claim.carried_by), graph)
            yield Quad(speech, ns.EG("statedIn"), ns.ID(f"source/{claim.source}"), graph)
        if claim.event:
            yield Quad(node, ns.EG("reportsEvent"), ns.ID(f"event/{claim.event}"), graphs.LINKS)


@cache
def world(seed: int) -> tuple[list[Claim], ReleaseStore]:
    """Derive the classes of everything."""
    claims = random_claims(seed)
    dataset = sources.load([file for file in sources.find() if file.graph in graphs.SCHEMA_GRAPHS])
    dataset.store.extend(_quads(claims))
    derive(dataset)
    return claims, ReleaseStore(dataset.store)


def fits(claim: Claim, given: Given, **terms: str) -> bool:
    """Tell whether a claim is one of those asked for: `terms` are what it says, by the names of parameters."""
    said = {"source": f"source/{claim.source}"}
    said |= {name: claim.says[term] for name, term in terms.items()}
    asked = {name: value for name, value in given.items() if name != "modality" and value is not None}
    return all(value.rpartition("/")[2] == said[name].rpartition("/")[2] for name, value in asked.items())


def shown(claims: list[Claim], kind: str, given: Given, ways: set[str], **terms: str) -> Pairs:
    """Claims that stand in rows, and are not what a reader of a row takes them for."""
    return {
        (each.iri, f"shown, but {each.way}")
        for each in claims
        if each.kind == kind and each.way in ways and fits(each, given, **terms)
    }


def not_asserted(claims: list[Claim], kind: str, given: Given, **terms: str) -> Pairs:
    """Claims that are left out, unless any modality is asked for: those that their text does not assert."""
    if given["modality"] == "any":
        return set()
    return {
        (each.iri, each.way)
        for each in claims
        if each.kind == kind and each.way != "asserted" and fits(each, given, **terms)
    }


NOT_ASSERTED = {"hedged", "reported", "denied", "planned"}


def names(claims: list[Claim], given: Given) -> Pairs:
    """Whatever bears a name that the entity bears."""
    own = {each.says["Name"] for each in claims if each.kind == "name" and each.says["Named"] == given["entity"]}
    alike = [each for each in claims if each.kind == "name" and each.says["Name"] in own]
    return {(each.iri, f"shown, but {each.way}") for each in alike if each.way in NOT_ASSERTED}


def definitions(claims: list[Claim], given: Given) -> Pairs:
    """What is not asserted, and definitions of what is not defined there: where all are asked for, or that thing."""
    any_way = given["modality"] == "any"
    return not_asserted(claims, "definition", given, concept="About") | {
        (each.iri, "another kind of thing")
        for each in claims
        if each.kind == "definition" and each.says["About"] not in DEFINED and (any_way or each.way == "asserted")
        if given["concept"] in {None, each.says["About"]}
    }


def statements(claims: list[Claim], given: Given) -> Pairs:
    """What is credited to somebody who does not say it in a speech."""
    return {
        (each.iri, "no speech")
        for each in claims
        if each.credited and each.credited != each.carried_by and given["speaker"] in {None, each.credited}
        if given["source"] in {None, f"source/{each.source}"}
        if given["body"] is None or given["body"] in {each.says.get("About"), each.says.get("Body")}
    }


def disagreements(claims: list[Claim], given: Given) -> Pairs:
    """Claims on an event that another claim is on as well; figures are not of events."""
    if given["kind"] == "difference/figure" or given["actor"]:
        return set()  # none of them names an actor
    told = [each.event for each in claims]
    return {
        (each.iri, each.way)
        for each in claims
        if each.event and told.count(each.event) > 1 and each.way in {"hedged", "reported", "planned"}
        if given["source"] in {None, f"source/{each.source}"}
        if given["body"] in {None, each.says["Body"]}
    }


ORACLES: dict[str, Callable[[list[Claim], Given], Pairs]] = {
    "figures": lambda claims, given: not_asserted(claims, "figure", given, area="Area", indicator="Indicator"),
    "factors": lambda claims, given: not_asserted(claims, "factor", given, effect="Effect", direction="Direction"),
    "roles": lambda claims, given: shown(claims, "role", given, NOT_ASSERTED, person="Person"),
    "names": names,
    "definitions": definitions,
    "statements": statements,
    "disagreements": disagreements,
}


@pytest.mark.parametrize("name", sorted(ORACLES))
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_left_out_or_shown_in_part_is_what_the_oracle_says(name: str, seed: int) -> None:
    """With every value of every parameter, with those of the others and without."""
    claims, store = world(seed)
    canned = queries.by_name(name)
    tried = [[*TRIED[each.type.rpartition("|")[2]], *([] if each.required else [None])] for each in canned.parameters]
    seen = set()
    for row in product(*tried):
        given: Given = dict(zip((each.name for each in canned.parameters), row, strict=True))
        asked = {name: value and value.rpartition("/")[2] for name, value in given.items()}
        found = {(claim.rpartition("/claim/")[2], why) for claim, why in canned.ask_left_out(store, asked)}
        assert found == ORACLES[name](claims, given), given
        rows = {str(row["claim"]).rpartition("/claim/")[2] for row in canned.run(store, asked) if "claim" in row}
        assert {claim for claim, why in found if why.startswith("shown")} <= rows, given
        seen |= found
    assert seen, "the random claims try nothing"
