"""A name is found by its British and by its American spelling."""

from __future__ import annotations

import pytest

from eurasia_graph import namespaces as ns
from eurasia_graph import resolving
from eurasia_graph.store import ReleaseStore
from eurasia_graph.variants import fold

PAIRS = """
organisation organization, organisations organizations, organisational organizational, organisers organizers
globalisation globalization, recognised recognized, analysing analyzing, labour labor, neighbours neighbors
neighbourhood neighborhood, favourable favorable, honouring honoring, centre center, centres centers
theatre theater, defence defense, licence license, offence offense, programme program, programmes programs
dialogue dialog, catalogue catalog, travelled traveled, signalling signaling, counsellor counselor
fulfil fulfill, enrolment enrollment, judgement judgment, paediatric pediatric, archaeology archeology
encyclopaedia encyclopedia, manoeuvre maneuver, ageing aging, plough plow, sceptic skeptic, artefact artifact
practise practice, metres meters, centred centered, grey gray, cheque check, sulphur sulfur, towards toward
co-operation cooperation, co-ordinator coordinator, Co-operative cooperative
fulfils fulfills, enrol enroll, distil distill, afterwards afterward
"""


@pytest.mark.parametrize("pair", [pair.split() for pair in PAIRS.replace("\n", ",").split(",") if pair.strip()])
def test_two_spellings_of_one_word_are_one(pair: list[str]) -> None:
    """Within a name of several words, and in capitals, as well as alone."""
    british, american = pair

    assert fold(british) == fold(american)
    assert fold(f"The {british.title()} of States") == fold(f"THE {american.upper()} OF STATES")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sense", "since"),
        ("four", "for"),
        ("Iran", "Iraq"),
        ("CIS", "CIZ"),
        ("hour", "hor"),
        ("course", "corse"),
        ("Marshall", "Marshal"),
        ("Edwards", "Edward"),
        ("Hall", "Hal"),
        ("Wards", "Ward"),
    ],
)
def test_two_words_stay_two(one: str, other: str) -> None:
    """Letters are exchanged where the two spellings differ, and nowhere else."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("eg:Body", "Collective Security Treaty Organization", "id/body/CSTO"),
        ("eg:Body", "shanghai cooperation ORGANIZATION", "id/body/SCO"),
        ("eg:Entity", "Central Asian Cooperation Organization", "id/body/CACO"),
        ("eg:Actor", "Collective Security Treaty Organization", "id/body/CSTO"),
        ("eg:Factor", "division of labor", "scheme/factor/division-of-labour"),
        ("eg:Indicator", "labor-migrants", "scheme/indicator/labour-migrants"),
    ],
)
def test_an_entity_goes_by_either_spelling(release: ReleaseStore, kind: str, name: str, found: str) -> None:
    """Whatever the type of the parameter."""
    assert resolving.resolve(release, kind, name).value == ns.BASE + found
