"""
Generate a graph of the shape of the shipped one, at any size, always the same for a seed.

Sources tell of bodies, each with its founding, later entrants, a few who leave, meetings, treaties,
an organ, a speech, opinions, a figure, names and a cited work; every tenth claim has only a year.
The derivation is the project's own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import sqrt

from pyoxigraph import Literal, NamedNode, Quad, Triple

from eurasia_graph import graphs, store
from eurasia_graph import namespaces as ns
from eurasia_graph.build import closure, differences, indexes, sources
from eurasia_graph.build.derive import derive

BODIES_PER_SOURCE = 12
# Every body is described by about this many sources, and every state belongs to about as many bodies,
# however many there are: a look-up finds as much in a large graph as in a small one.
SOURCES_PER_BODY = 2
STATES_PER_BODY = 5
STATES_PER_STORY = 12
FEWEST_SOURCES = 2
# Counted in built graphs: what the schema takes, what each story (a source on a body) adds, and what is
# inferred for each source about every body that any source describes.
QUADS_OF_SCHEMA = 3_000
QUADS_PER_STORY = 1_140
INFERRED_PER_SOURCE_AND_BODY = 66
YEARS_ONLY = 0.1
BODIES_PER_SUCCESSION = 4
EDTF = NamedNode(ns.EDTF + "EDTF")
NEXT_CLAIM = ns.ID("claim/next")


def release_of(quads: int, seed: int = 1) -> store.ReleaseStore:
    """
    Build a synthetic release.

    Args:
        quads: How many quads the named graphs shall hold, within about a tenth; 8 thousand at the least.
        seed: Of the random choices.
    """
    stories = _stories(quads)
    tellers = max(FEWEST_SOURCES, round(stories / BODIES_PER_SOURCE))
    bodies = max(-(-stories // tellers), stories // SOURCES_PER_BODY, -(-STATES_PER_STORY // STATES_PER_BODY))
    schema = [file for file in sources.find() if file.graph in graphs.SCHEMA_GRAPHS]
    dataset = sources.load(schema)
    chance = random.Random(seed)
    dataset.store.extend(ns.quad(triple, graphs.ENTITIES) for triple in _entities(bodies))
    for number in range(1, tellers + 1):
        told = chance.sample(range(bodies), stories * number // tellers - stories * (number - 1) // tellers)
        _write_source(dataset, number, told, bodies * STATES_PER_BODY, chance)
    derive(dataset)
    closure.close(dataset)
    differences.find_differences(dataset)
    indexes.add_indexes(dataset)
    return store.from_quads(dataset.store)


def _stories(quads: int) -> int:
    """Solve for how many stories make a graph of a size; what is inferred grows with their square."""
    square = INFERRED_PER_SOURCE_AND_BODY / BODIES_PER_SOURCE / SOURCES_PER_BODY
    rest = max(0, quads - QUADS_OF_SCHEMA)
    return max(FEWEST_SOURCES, round((sqrt(QUADS_PER_STORY**2 + 4 * square * rest) - QUADS_PER_STORY) / (2 * square)))


def _entities(bodies: int) -> Iterator[Triple]:
    for number in range(bodies * STATES_PER_BODY):
        yield from _entity("state", f"S{number}", "State")
    for number in range(bodies):
        yield from _entity("body", f"B{number}", "Organisation")
        yield from _entity("treaty", f"T{number}", "Treaty")
        yield from _entity("person", f"P{number}", "Person")
        yield from _entity("place", f"L{number}", "Place")
        yield from _entity("concept", f"C{number}", "Concept")
        yield from _entity("concept", f"F{number}", "Factor")
        yield from _entity("body", f"O{number}", "Organ")
        yield Triple(ns.ID(f"body/O{number}"), ns.EG("organOf"), ns.ID(f"body/B{number}"))


def _entity(kind: str, name: str, cls: str) -> Iterator[Triple]:
    node = ns.ID(f"{kind}/{name}")
    yield Triple(node, ns.RDF("type"), ns.EG(cls))
    yield Triple(node, ns.SKOS("prefLabel"), Literal(f"{kind} {name}", language="en"))


def _write_source(dataset: sources.Dataset, number: int, told: list[int], states: int, chance: random.Random) -> None:
    name = f"source-{number}"
    node = ns.ID(f"source/{name}")
    dataset.store.extend(
        Quad(node, predicate, obj, graphs.ENTITIES)
        for predicate, obj in (
            (ns.RDF("type"), ns.EG("Source")),
            (ns.SKOS("prefLabel"), Literal(name, language="en")),
            (ns.EG("issued"), Literal("2016-03-11", datatype=EDTF)),
        )
    )
    claims = list(_claims(told, states, chance))
    passages = [
        ns.quad(triple, graphs.graph_of("passages", name))
        for claim in range(1, len(claims) + 1)
        for triple in _passage(name, claim)
    ]
    quads: list[Quad] = []
    for claim, content in enumerate(claims, start=1):
        types: Content = [(ns.RDF("type"), ns.EG("EventClaim"))] if content[0][0] == ns.EG("saysKind") else []
        following = ns.ID(f"claim/{name}/{claim + 1}")
        record: Content = [
            *types,
            (ns.EG("statedIn"), node),
            (ns.EG("evidence"), ns.ID(f"passage/{name}/{claim}")),
            (ns.EG("gist"), Literal(f"Claim {claim}", language="en")),
            *((predicate, following if obj == NEXT_CLAIM else obj) for predicate, obj in content),
        ]
        subject, graph = ns.ID(f"claim/{name}/{claim}"), graphs.graph_of("claims", name)
        quads += [Quad(subject, predicate, obj, graph) for predicate, obj in record]
    dataset.store.extend(passages + quads)


def _passage(source: str, number: int) -> Iterator[Triple]:
    node = ns.ID(f"passage/{source}/{number}")
    yield Triple(node, ns.RDF("type"), ns.EG("Sentence"))
    yield Triple(node, ns.EG("passageOf"), ns.ID(f"source/{source}"))
    yield Triple(node, ns.EG("number"), Literal(number))
    yield Triple(node, ns.EG("start"), Literal(number * 100))
    yield Triple(node, ns.EG("end"), Literal(number * 100 + 90))


Content = list[tuple[NamedNode, NamedNode | Literal]]


def _claims(chosen: list[int], all_states: int, chance: random.Random) -> Iterator[Content]:
    for index, body in enumerate(chosen):
        states = chance.sample(range(all_states), STATES_PER_STORY)
        year = 1991 + chance.randrange(10)
        yield _content("Foundation", body, states[:6], _date(year, chance), "member")
        yield _content("Signature", body, states[:6], _date(year, chance), None, treaty=body)
        for state in states[6:10]:
            yield _content("MembershipChange", body, [state], _date(year + 1 + chance.randrange(6), chance), "member")
        for state in states[4:7]:
            yield _content("Withdrawal", body, [state], _date(year + 8 + chance.randrange(3), chance), "outside")
        for _ in range(4):
            yield [
                *_content("Meeting", body, states[:5], _date(year + chance.randrange(12), chance), None),
                (ns.EG("saysPlace"), ns.ID(f"place/L{body}")),
            ]
        yield [*_content("OrganCreation", body, [], str(year), None), (ns.EG("saysOrgan"), ns.ID(f"body/O{body}"))]
        yield [*_content("Proposal", body, [], str(year - 1), None), (ns.EG("saysActor"), ns.ID(f"person/P{body}"))]
        yield from _other_claims(body, states[0], year)
        if index % BODIES_PER_SUCCESSION == BODIES_PER_SUCCESSION - 1:
            yield [
                *_content("Succession", body, [], _date(year + 13, chance), None),
                (ns.EG("saysOldBody"), ns.ID(f"body/B{chosen[index - 1]}")),
                (ns.EG("saysNewBody"), ns.ID(f"body/B{body}")),
            ]


def _other_claims(number: int, state: int, year: int) -> Iterator[Content]:
    """Claims other than events: statements, assessments, a figure, names, a role and a cited work."""
    body, person = ns.ID(f"body/B{number}"), ns.ID(f"person/P{number}")
    date = Literal(str(year), datatype=EDTF)
    yield _typed(["SpeechClaim"], saysSpeaker=person, saysDate=date, saysBody=body, carries=NEXT_CLAIM)
    position = ns.SCHEME("assessment/position")
    yield _typed(["ReportedClaim", "AssessmentClaim"], saysAssessment=position, saysHolder=person, saysAbout=body)
    cause: dict[str, NamedNode | Literal] = {
        "saysFactor": ns.ID(f"concept/F{number}"),
        "saysEffect": ns.ID(f"concept/F{number}"),
    }
    helps = ns.SCHEME("direction/helps")
    kind = ns.SCHEME("assessment/cause")
    yield _typed(
        ["AssessmentClaim"], saysAssessment=kind, saysHolder=person, saysAbout=body, saysDirection=helps, **cause
    )
    mandate: dict[str, NamedNode | Literal] = {
        "saysAssessment": ns.SCHEME("assessment/mandate"),
        "saysPurpose": ns.SCHEME("purpose/dialogue"),
    }
    yield _typed(["AssessmentClaim"], saysHolder=person, saysAbout=body, **mandate)
    definition: dict[str, NamedNode | Literal] = {
        "saysAssessment": ns.SCHEME("assessment/definition"),
        "saysAbout": ns.ID(f"concept/C{number}"),
    }
    yield _typed(["AssessmentClaim"], saysHolder=person, **definition)
    yield _typed(
        ["IndicatorClaim"],
        saysIndicator=ns.SCHEME("indicator/participants"),
        saysArea=ns.ID(f"state/S{state}"),
        saysPeriod=date,
        saysValue=Literal("12.5", datatype=NamedNode(ns.XSD + "decimal")),
        saysUnit=ns.SCHEME("unit/number"),
    )
    yield _typed(["NameClaim"], saysNamed=body, saysName=Literal(f"Name of {number}", language="en"))
    yield _typed(["RoleClaim"], saysPerson=person, saysRole=Literal("president", language="en"), saysRoleOf=body)
    work: dict[str, NamedNode | Literal] = {
        "saysWork": ns.ID(f"work/W{number}"),
        "saysTitle": Literal(f"Work {number}"),
    }
    yield _typed(["CitationClaim"], saysNote=Literal("1"), saysAuthor=Literal("A. Author"), **work)


def _typed(classes: list[str], **content: NamedNode | Literal) -> Content:
    types: Content = [(ns.RDF("type"), ns.EG(name)) for name in classes]
    return types + [(ns.EG(term), value) for term, value in content.items()]


def _content(  # noqa: PLR0913  (one for each part of a claim)
    kind: str, body: int, states: list[int], date: str, status: str | None, *, treaty: int | None = None
) -> Content:
    found: Content = [
        (ns.EG("saysKind"), ns.EG(kind)),
        (ns.EG("saysBody"), ns.ID(f"body/B{body}")),
        (ns.EG("saysDate"), Literal(date, datatype=EDTF)),
        *((ns.EG("saysActor"), ns.ID(f"state/S{state}")) for state in states),
    ]
    if status:
        found.append((ns.EG("saysStatus"), ns.SCHEME(f"status/{status}")))
    if treaty is not None:
        found.append((ns.EG("saysTreaty"), ns.ID(f"treaty/T{treaty}")))
    return found


def _date(year: int, chance: random.Random) -> str:
    if chance.random() < YEARS_ONLY:
        return str(year)
    return f"{year}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
