"""What an answer leaves out, in Python: random claims, and an oracle that says which of them each query omits and why."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import product

from pyoxigraph import Literal, NamedNode, Quad

from eurasia_graph import graphs
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.build.derive import derive
from eurasia_graph.dates import bounds
from eurasia_graph.store import ReleaseStore

EDTF = NamedNode(ns.EDTF + "EDTF")
DATES = [None, None, "1993", "1994-06-15", "1995~", "[1992-03-01..1996-02-10]", "1997"]
# How long a standing lasted, which other claims may cut short; and one that is stated for a day.
LASTED = ["1992/1994", "1993-05-01/1996", "1993-08/1998-03", "1996/..", "[..1995-07-01]"]
MODALITIES = ["asserted"] * 4 + ["hedged", "reported", "denied", "planned"]
KINDS = ["MembershipChange"] * 4 + ["Withdrawal", "Dissolution", "Transformation", "Meeting", "Meeting", "Signature"] + [
    "OrganCreation", "Proposal", "Foundation", "StatusHolding", "StatusHolding", "StatusHolding",
]  # fmt: skip
TREATY_ACTS = {"Signature"}
# Kinds that tell of a standing, and those of them that leave it open which.
LASTING = {"MembershipChange", "StatusHolding"}
STANDINGS = {*LASTING, "Withdrawal"}
CIRCLES = {"member", "associate", "signatory"}
NEVER = str(date.max)


@dataclass
class Claim:
    """A random claim, by the short names of what it says."""

    iri: str
    source: str
    kind: str | None
    modality: str
    date: str | None = None
    says: dict[str, str] = field(default_factory=dict)
    actors: list[str] = field(default_factory=list)
    carried: bool = False
    is_open: bool = False

    @property
    def way(self) -> str:
        """How the text tells it; what is said in a speech is reported."""
        return "reported" if self.carried else self.modality

    @property
    def first(self) -> str:
        """Its first day."""
        # None where it is only known by when.
        first: object = bounds(self.date).earliest if self.date else None
        return "" if first is None else str(first)


def random_claims(seed: int) -> list[Claim]:
    """Draw the claims of two sources."""
    chance = random.Random(seed)
    found: list[Claim] = []
    for source, number in product(("one", "two"), range(1, 61)):
        kind = chance.choice(KINDS)
        claim = Claim(f"{source}/{number}", source, kind, chance.choice(MODALITIES), chance.choice(DATES))
        if kind in LASTING and claim.date and chance.random() < 0.6:
            claim.date = chance.choice(LASTED)
        claim.carried = chance.random() < 0.08
        claim.is_open = chance.random() < 0.2
        claim.actors = chance.sample(["KZ", "UZ", "RU"], chance.randrange(3))
        if chance.random() < 0.3:
            claim.says["place"] = chance.choice(["almaty", "osh"])
        _fill(claim, chance)
        found.append(claim)
    return found


def _fill(claim: Claim, chance: random.Random) -> None:
    body = chance.choice(["ALPHA", "BETA", "GAMMA"])
    if claim.kind == "Transformation":
        old, new = chance.choice([("ALPHA", "BETA"), ("BETA", "GAMMA"), ("ALPHA", None), (None, "BETA")])
        claim.says |= {key: value for key, value in (("oldBody", old), ("newBody", new)) if value}
    elif claim.kind == "Dissolution":
        claim.says[chance.choice(["oldBody", "body"])] = body
    elif claim.kind == "OrganCreation":
        claim.says["body"] = body
        if chance.random() < 0.5:
            claim.says["organ"] = "ORGAN"
    else:
        claim.says["body"] = body
        if claim.kind == "Signature":
            claim.says["treaty"] = chance.choice(["pact", "charter"])
    if claim.kind in STANDINGS:
        status = chance.choice(["member", "member", "signatory", "observer", "outside"])
        # A denied claim gives nobody a status, and a text may tell of a joining without one.
        told = claim.modality != "denied" and (claim.kind == "Withdrawal" or chance.random() < 0.8)
        if told:
            claim.says["status"] = "outside" if claim.kind == "Withdrawal" else status


PREFIXES = {"place": "place/", "treaty": "treaty/", "status": "", "organ": "body/"}


def _node(term: str, value: str) -> NamedNode:
    if term == "status":
        return ns.SCHEME(f"status/{value}")
    return ns.ID(PREFIXES.get(term, "body/") + value)


def _quads(claims: list[Claim]) -> Iterator[Quad]:
    for source in ("one", "two"):
        node = ns.ID(f"source/{source}")
        yield Quad(node, ns.RDF("type"), ns.EG("Source"), graphs.ENTITIES)
        yield Quad(node, ns.SKOS("prefLabel"), Literal(source, language="en"), graphs.ENTITIES)
        yield Quad(node, ns.EG("issued"), Literal("2000-12-31", datatype=EDTF), graphs.ENTITIES)
    classes = {
        "body/ALPHA": "Organisation",
        "body/BETA": "Organisation",
        "body/GAMMA": "Organisation",
        "body/ORGAN": "Organ",
    }
    classes |= {f"state/{name}": "State" for name in ("KZ", "UZ", "RU")}
    classes |= {"treaty/pact": "Treaty", "treaty/charter": "Treaty", "place/almaty": "Place", "place/osh": "Place"}
    for name, kind in classes.items():
        yield Quad(ns.ID(name), ns.RDF("type"), ns.EG(kind), graphs.ENTITIES)
        yield Quad(ns.ID(name), ns.SKOS("prefLabel"), Literal(name, language="en"), graphs.ENTITIES)
    yield Quad(ns.ID("body/ORGAN"), ns.EG("organOf"), ns.ID("body/ALPHA"), graphs.ENTITIES)
    for claim in claims:
        graph, node = graphs.graph_of("claims", claim.source), ns.ID(f"claim/{claim.iri}")
        content: list[tuple[str, NamedNode | Literal]] = [
            ("statedIn", ns.ID(f"source/{claim.source}")),
            ("gist", Literal("x", language="en")),
            ("saysKind", ns.EG(str(claim.kind))),
            *((f"says{term[0].upper()}{term[1:]}", _node(term, value)) for term, value in claim.says.items()),
            *(("saysActor", ns.ID(f"state/{actor}")) for actor in claim.actors),
        ]
        if claim.date:
            content.append(("saysDate", Literal(claim.date, datatype=EDTF)))
        if claim.modality != "asserted":
            content.append(("modality", ns.SCHEME(f"modality/{claim.modality}")))
        if claim.is_open:
            content.append(("listIsComplete", Literal(False)))
        yield Quad(node, ns.RDF("type"), ns.EG("EventClaim"), graph)
        if claim.carried:
            yield Quad(node, ns.RDF("type"), ns.EG("ReportedClaim"), graph)
        yield from (Quad(node, ns.EG(term), value, graph) for term, value in content)


@cache
def world(seed: int) -> tuple[list[Claim], ReleaseStore]:
    """Derive everything from random claims."""
    claims = random_claims(seed)
    schema = [file for file in sources.find() if file.graph in graphs.SCHEMA_GRAPHS]
    dataset = sources.load(schema)
    dataset.store.extend(_quads(claims))
    derive(dataset)
    return claims, ReleaseStore(dataset.store)


# --- the oracle ----------------------------------------------------------------------------

Pairs = set[tuple[str, str]]
Given = dict[str, str | None]
Rows = list[dict[str, str]]


def not_asserted(claims: list[Claim], matches: Callable[[Claim], bool], given: Given) -> Pairs:
    """Of events: whatever its text does not assert is left out, unless any modality is asked for."""
    if given.get("modality") == "any":
        return set()
    return {(each.iri, each.way) for each in claims if matches(each) and each.way != "asserted"}


def shown(claim: Claim, given: Given) -> bool:
    """Tell whether a claim is told in the modality that is asked for."""
    return given.get("modality") == "any" or claim.way == "asserted"


def open_lists(claims: list[Claim], matches: Callable[[Claim], bool], given: Given) -> Pairs:
    """Of events that are shown and have actors, those that name only some."""
    return {
        (each.iri, "open list")
        for each in claims
        if matches(each) and shown(each, given) and each.is_open and each.actors and not lacks_date(each, given)
    }


def lacks_date(claim: Claim, given: Given) -> bool:
    """Tell whether a claim is undated where a span is asked about."""
    return not claim.date and bool(given["from"] or given["to"])


def in_span(claim: Claim, given: Given) -> bool:
    """Tell whether an event may lie in the span that is asked about; an undated one may lie anywhere."""
    if not claim.date:
        return True
    goes_on = claim.date.endswith("/..")
    after = not given["from"] or goes_on or str(bounds(str(given["from"])).earliest) <= own_days(claim)[1]
    before = not given["to"] or claim.first <= str(bounds(str(given["to"])).latest)
    return after and before


def events(claims: list[Claim], given: Given, matches: Callable[[Claim], bool]) -> Pairs:
    """Of the events that match, in the span: what is not asserted, what is undated, and what names only some."""

    def counts(each: Claim) -> bool:
        return matches(each) and in_span(each, given) and given["actor"] in {None, *each.actors}

    undated = {
        (each.iri, "no date") for each in claims if counts(each) and shown(each, given) and lacks_date(each, given)
    }
    return not_asserted(claims, counts, given) | open_lists(claims, counts, given) | undated


def timeline(claims: list[Claim], given: Given) -> Pairs:
    """Every event that concerns the body, at the place, of the kind."""

    def matches(each: Claim) -> bool:
        concerns = {None, *(each.says.get(term) for term in ("body", "oldBody", "newBody", "organ"))}
        at = given["place"] in {None, each.says.get("place")} and given["kind"] in {None, str(each.kind).lower()}
        return given["body"] in concerns and at and given["source"] in {None, each.source}

    return events(claims, given, matches)


def treaty_acts(claims: list[Claim], given: Given) -> Pairs:
    """Every act on the treaty."""
    return events(
        claims,
        given,
        lambda each: (
            each.kind in TREATY_ACTS and "treaty" in each.says and given["treaty"] in {None, each.says["treaty"]}
        ),
    )


def meetings(claims: list[Claim], given: Given) -> Pairs:
    """Every meeting of the body, in the place."""
    return not_asserted(
        claims,
        lambda each: (
            each.kind == "Meeting"
            and given["body"] in {None, each.says.get("body")}
            and given["place"] in {None, each.says.get("place")}
        ),
        given,
    )


def organs(claims: list[Claim], given: Given) -> Pairs:
    """Organs that are set up and not named, and of the others what is not asserted."""
    found: Pairs = set()
    for each in claims:
        nameless = each.kind == "OrganCreation" and each.says["body"] == given["body"] and "organ" not in each.says
        if nameless and shown(each, given):
            found.add((each.iri, "no organ"))
        elif (nameless or ("organ" in each.says and given["body"] == "ALPHA")) and not shown(each, given):
            found.add((each.iri, each.way))
    return found


def proposals(claims: list[Claim], given: Given) -> Pairs:
    """Those that are not asserted, of the actor or of anybody and nobody."""
    return not_asserted(claims, lambda each: each.kind == "Proposal" and given["actor"] in {None, *each.actors}, given)


def sizes(claims: list[Claim], given: Given) -> Pairs:
    """Standings in the body, and its ends."""

    def matches(each: Claim) -> bool:
        standing = stands(each) and given["body"] in {None, each.says["body"]}
        return given["source"] in {None, each.source} and (standing or ends(each, given["body"]))

    return reasons(filter(matches, claims), last_day(given["to"]), lists=True)


def kin(claims: list[Claim], source: str, body: str, *, later: bool) -> set[str]:
    """Follow the asserted changes of a source from a body, back or forward."""
    steps = {
        (each.says["newBody"], each.says["oldBody"])[:: -1 if later else 1]
        for each in claims
        if each.source == source and each.way == "asserted" and {"oldBody", "newBody"} <= each.says.keys()
    }
    found = {body}
    while more := {end for begin, end in steps if begin in found} - found:
        found |= more
    return found


def succession(claims: list[Claim], given: Given) -> Pairs:
    """Changes that made the body or one before it, and that ended it or one after it."""
    body = given["body"]
    return not_asserted(
        claims,
        lambda each: (
            bool(each.says.keys() & {"newBody", "oldBody"})
            if body is None
            else each.says.get("newBody") in kin(claims, each.source, body, later=False)
            or each.says.get("oldBody") in kin(claims, each.source, body, later=True)
        ),
        given,
    )


def stands(claim: Claim) -> bool:
    """Return whether a claim is of a standing: it gives one, denies one, or tells of a joining or leaving without one."""
    return "status" in claim.says or claim.kind in STANDINGS


def ends(claim: Claim, body: str | None = None) -> bool:
    """Return whether a claim tells of the end of a body, or of a certain one."""
    over = claim.says.get("oldBody") or (claim.says.get("body") if claim.kind == "Dissolution" else None)
    return over is not None and body in {None, over}


def reason(claim: Claim, last: str | None, *, lists: bool = False) -> str | None:
    """Say why a standing or an end does not count, if it may have been by a day."""
    if last and claim.first > last:
        return None
    if claim.way in {"reported", "denied", "planned"}:
        return claim.way
    if not claim.date:
        return "no date"
    if not ends(claim) and not claim.actors:
        return "no actor"
    if claim.kind in LASTING and "status" not in claim.says:
        return "no status"
    return "open list" if lists and claim.is_open and claim.says.get("status", "outside") != "outside" else None


def reasons(claims: Iterator[Claim], last: str | None, *, lists: bool = False) -> Pairs:
    """Keep the claims that have a reason."""
    return {(each.iri, why) for each in claims if (why := reason(each, last, lists=lists))}


def own_days(claim: Claim) -> tuple[str, str]:
    """The first and the last day of which a claim tells itself: one without a first day, of the day it is stated for."""
    assert claim.date
    last = str(bounds(claim.date).begun if claim.date.endswith("/..") else bounds(claim.date).latest)
    return claim.first if claim.first != "" else last, last


def told_otherwise(claims: Iterable[Claim], known: Rows, asked: str | None) -> dict[str, set[str]]:
    """
    Find the standings that are told of a time and stand in no row for it, since other claims end or date them.

    Args:
        claims: Those that match.
        known: The memberships that were derived.
        asked: A day, month or year; None for all times, of which only an end that comes earlier says less.
    Returns:
        Claims, each with those of its actors of whom that is so.
    """
    found: dict[str, set[str]] = {}
    for each in claims:
        counts = each.way in {"asserted", "hedged"} and each.says.get("status", "outside") != "outside"
        if not counts or not each.date or not tells_of(each, asked):
            continue
        for actor in each.actors:
            wanted = {
                "accordingTo": each.source,
                "holder": actor,
                "inBody": each.says["body"],
                "status": each.says["status"],
            }
            rows = [one for one in known if wanted.items() <= one.items()]
            if not any(is_on(one, asked) if asked else own_days(each)[1] < one["toLatest"] for one in rows):
                found.setdefault(each.iri, set()).add(actor)
    return found


def tells_of(claim: Claim, asked: str | None) -> bool:
    """Return whether a claim itself tells of a standing at a time, or of all times of its end."""
    if not asked:
        return bounds(str(claim.date)).held is not None
    begin, end = own_days(claim)
    return begin <= str(bounds(asked).latest) and str(bounds(asked).earliest) <= end


def is_on(membership: dict[str, str], asked: str) -> bool:
    """Return whether a membership is possible at some time of a day, month or year."""
    first, last = str(bounds(asked).earliest), str(bounds(asked).latest)
    return membership["fromEarliest"] <= last and first < membership["toLatest"]


def members_on(claims: list[Claim], given: Given, known: Rows) -> Pairs:
    """Standings in the body or its kin, or in any, and their ends."""
    asked = given["body"]

    def matches(each: Claim) -> bool:
        if asked is None:
            return given["source"] in {None, each.source} and (stands(each) or ends(each))
        bodies = {asked}
        if given["lineage"] != "false":
            bodies |= kin(claims, each.source, asked, later=True) | kin(claims, each.source, asked, later=False)
        standing = stands(each) and each.says["body"] in bodies
        return given["source"] in {None, each.source} and (standing or any(ends(each, body) for body in bodies))

    gone = told_otherwise(filter(matches, claims), known, given["date"])
    found = reasons(filter(matches, claims), last_day(given["date"]), lists=True)
    return found | {(claim, "told otherwise") for claim in gone}


def memberships_of(claims: list[Claim], given: Given, known: Rows) -> Pairs:
    """Standings of the actor, and the ends of the bodies in which the same text gives it one."""
    actor = given["actor"]
    circles = {(each.source, each.says["body"]) for each in claims if actor in each.actors and "status" in each.says}

    def matches(each: Claim) -> bool:
        standing = actor in each.actors and stands(each)
        ended = any(each.source == source and ends(each, body) for source, body in circles)
        return given["source"] in {None, each.source} and (standing or ended)

    gone = told_otherwise(filter(matches, claims), known, given["date"])
    why = "told otherwise" if given["date"] else "cut short"
    return reasons(filter(matches, claims), last_day(given["date"])) | {
        (claim, why) for claim, actors in gone.items() if actor in actors
    }


def last_day(text: str | None) -> str | None:
    """Return the last day of a day, month or year."""
    return str(bounds(text).latest) if text else None


def counts_in_circles(claim: Claim) -> bool:
    """Return whether a claim is of a standing that counts for who shares a body, or of its end, or denies one."""
    return stands(claim) and claim.says.get("status", "outside") in {*CIRCLES, "outside"}


def memberships(store: ReleaseStore) -> Rows:
    """Read the derived memberships, each with the claims that begin it."""
    found: dict[str, dict[str, str]] = {}
    engine = store.local
    for quad in engine.quads_for_pattern(None, ns.RDF("type"), ns.EG("Membership"), None):
        one = found.setdefault(str(quad.subject), {"fromLatest": NEVER, "toEarliest": NEVER, "toLatest": NEVER})
        begun: list[NamedNode] = []
        for each in engine.quads_for_pattern(quad.subject, None, None, quad.graph_name):
            one[ns.local_name(each.predicate.value)] = ns.local_name(ns.value(each.object))
            if each.predicate == ns.PROV("wasDerivedFrom") and isinstance(each.object, NamedNode):
                begun.append(each.object)
        status = ns.SCHEME(f"status/{one['status']}")
        one["claims"] = " ".join(
            ns.value(claim).rpartition("/claim/")[2]
            for claim in begun
            if any(engine.quads_for_pattern(claim, ns.EG("saysStatus"), status, None))
        )
    return list(found.values())


def perhaps_together(known: list[dict[str, str]], pair: tuple[str | None, str | None], asked: str | None) -> Pairs:
    """Pair the memberships of two in one body that may have met and did not surely."""
    found: Pairs = set()
    for one, other in product(known, repeat=2):
        same = one["inBody"] == other["inBody"] and one["accordingTo"] == other["accordingTo"]
        if (one["holder"], other["holder"]) != pair or not same or not {one["status"], other["status"]} <= CIRCLES:
            continue
        begin, end = max(one["fromEarliest"], other["fromEarliest"]), min(one["toLatest"], other["toLatest"])
        sure, over = max(one["fromLatest"], other["fromLatest"]), min(one["toEarliest"], other["toEarliest"])
        possible = one["fromEarliest"] < other["toLatest"] and other["fromEarliest"] < one["toLatest"]
        certain = sure < over and sure <= "2000-12-31"
        if asked:
            first, last = str(bounds(asked).earliest), str(bounds(asked).latest)
            possible = possible and begin <= last and first < end
            certain = certain and sure <= first and last < over
        if possible and not certain:
            found |= {(claim, "perhaps together") for each in (one, other) for claim in each["claims"].split()}
    return found
