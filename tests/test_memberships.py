"""Memberships follow the definition, on random claims and on every day."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Store

from eurasia_graph import namespaces as ns
from eurasia_graph import pipeline, queries, sources, validation
from eurasia_graph.store import ReleaseStore, fill_default_graph

EDTF = NamedNode(ns.EDTF + "EDTF")
SOURCE = ns.ID("source/random")
CLAIMS = sources.graph_of("claims", "random")

# The definition: a status holds surely on a day if what begins it is over by then and nothing that
# may end it can lie between; possibly, if what begins it may have happened by then and nothing that
# surely ended it lies between. Hedged claims and dates with ~ or ? count as possible only.
DEFINITION = """
PREFIX eg: <https://w3id.org/eurasia-graph/ontology#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT DISTINCT ?actor ?status WHERE {{
  VALUES (?body ?day) {{ (<{body}> "{day}"^^xsd:date) }}
  ?claim eg:saysActor ?actor ; eg:saysBody ?body ; eg:saysStatus ?status ; eg:earliest ?lo ; eg:latest ?hi .
  {begins}
  FILTER NOT EXISTS {{
    ?later eg:saysActor ?actor ; eg:saysBody ?body ; eg:saysStatus ?other ; eg:earliest ?lo2 ; eg:latest ?hi2 .
    {counts2}
    FILTER(?other != ?status && {ends2})
  }}
  FILTER NOT EXISTS {{
    ?end eg:saysOldBody ?body ; eg:earliest ?lo3 ; eg:latest ?hi3 .
    {counts3}
    FILTER({ends3})
  }}
}}"""
ANY = "{{ ?{0} a eg:CountedClaim }} UNION {{ ?{0} a eg:DoubtfulClaim }}"
SURE = "?{0} a eg:CountedClaim . FILTER NOT EXISTS {{ ?{0} a eg:DoubtfulClaim }}"
CERTAIN = {
    "begins": SURE.format("claim") + " FILTER(?hi <= ?day)",
    "counts2": ANY.format("later"),
    "ends2": "?lo2 <= ?day && ?hi2 >= ?lo",
    "counts3": ANY.format("end"),
    "ends3": "?lo3 <= ?day && ?hi3 >= ?lo",
}
POSSIBLE = {
    "begins": ANY.format("claim") + " FILTER(?lo <= ?day)",
    "counts2": SURE.format("later"),
    "ends2": "?hi2 <= ?day && ?lo2 > ?hi",
    "counts3": SURE.format("end"),
    "ends3": "?hi3 <= ?day && ?lo3 > ?hi",
}

DATES = st.sampled_from(
    [
        "1992",
        "1993",
        "1993-06",
        "1993-06-15",
        "1994~",
        "1994",
        "1995-01",
        "1995?",
        "1995/..",
        "[1993-03-01..1995-02-10]",
    ]
)
CLAIM = st.fixed_dictionaries(
    {
        "actor": st.sampled_from(["KZ", "UZ"]),
        "body": st.sampled_from(["ALPHA", "BETA"]),
        "status": st.sampled_from(["member", "observer", "outside"]),
        "date": DATES,
        "modality": st.sampled_from(["asserted", "asserted", "asserted", "hedged", "reported"]),
        "ends": st.booleans(),
    }
)
DAYS = [date(1991, 12, 31) + timedelta(days=step) for step in range(0, 1600, 67)] + [
    date(1993, 6, 15),
    date(1993, 12, 31),
]


def dataset_of(claims: list[dict[str, str]]) -> sources.Dataset:
    """Write random claims of one source and derive their memberships."""
    schema = [file for file in sources.find() if file.graph == ns.GRAPH("ontology")]
    dataset = sources.load(schema)
    quads = [
        Quad(SOURCE, ns.RDF("type"), ns.EG("Source"), sources.ENTITIES),
        Quad(SOURCE, ns.EG("issued"), Literal("2000-12-31", datatype=EDTF), sources.ENTITIES),
    ]
    for body in ("ALPHA", "BETA"):
        quads.append(Quad(ns.ID(f"body/{body}"), ns.RDF("type"), ns.EG("Organisation"), sources.ENTITIES))
        quads.append(Quad(ns.ID(f"body/{body}"), ns.SKOS("prefLabel"), Literal(body, language="en"), sources.ENTITIES))
    for number, claim in enumerate(claims, start=1):
        node = ns.ID(f"claim/random/{number}")
        inside = ns.ID(f"body/{claim['body']}")
        content: list[tuple[NamedNode, NamedNode | Literal]] = [
            (ns.RDF("type"), ns.EG("EventClaim")),
            (ns.EG("madeBy"), SOURCE),
            (ns.EG("gist"), Literal("x", language="en")),
            (ns.EG("saysDate"), Literal(claim["date"], datatype=EDTF)),
            (ns.EG("saysKind"), ns.EG("MembershipChange")),
            (ns.EG("modality"), ns.SCHEME(f"modality/{claim['modality']}")),
        ]
        if claim["ends"] and number % 4 == 0:
            content.append((ns.EG("saysOldBody"), inside))
        else:
            content += [
                (ns.EG("saysActor"), ns.ID(f"state/{claim['actor']}")),
                (ns.EG("saysBody"), inside),
                (ns.EG("saysStatus"), ns.SCHEME(f"status/{claim['status']}")),
            ]
        quads += [Quad(node, predicate, obj, CLAIMS) for predicate, obj in content]
    dataset.store.extend(quads)
    pipeline.derive(dataset)
    return dataset


def by_definition(store: Store, body: str, day: date, parts: dict[str, str]) -> set[tuple[str, str]]:
    """Ask the definition who has which status on a day."""
    query = DEFINITION.format(body=ns.ID(f"body/{body}").value, day=day, **parts)
    answer = store.query(query, use_default_graph_as_union=True)
    assert isinstance(answer, QuerySolutions)
    return {(ns.value(row[0]), ns.value(row[1])) for row in answer}


@settings(max_examples=40, deadline=None)
@given(st.lists(CLAIM, min_size=1, max_size=7))
def test_the_range_filter_agrees_with_the_definition(claims: list[dict[str, str]]) -> None:
    """On every day, members-on gives exactly who is certain and who is possible by definition."""
    dataset = dataset_of(claims)
    fill_default_graph(dataset.store)
    store = ReleaseStore(dataset.store)
    ask = queries.by_name("members-on")

    for body, day in product(("ALPHA", "BETA"), DAYS):
        certain = by_definition(dataset.store, body, day, CERTAIN)
        possible = by_definition(dataset.store, body, day, POSSIBLE) - certain
        rows = ask.run(store, {"body": body, "date": day, "lineage": "false"})
        found = {(row["member"], row["status"]): row["certainty"] for row in rows}
        wanted = dict.fromkeys(certain, "certain") | dict.fromkeys(possible, "possible")
        assert found == {pair: how for pair, how in wanted.items() if not pair[1].endswith("/outside")}, (
            body,
            day,
            claims,
        )


def test_a_membership_without_a_claim_that_counts_is_reported(mini_dataset: sources.Dataset) -> None:
    """Constraint 49: whatever wrote it, a membership that rests on nothing is found."""
    dataset = sources.Dataset(Store(), {})
    dataset.store.extend(mini_dataset.store)
    pipeline.derive(dataset)
    graph = sources.graph_of("memberships", "one")
    dataset.store.add(Quad(ns.ID("membership/one/stray"), ns.RDF("type"), ns.EG("Membership"), graph))

    found = validation.check_world(dataset)

    assert [finding.rule for finding in found.findings] == ["Membership-claim"]


def test_two_sure_statuses_at_a_time_are_reported(mini_dataset: sources.Dataset) -> None:
    """Constraint 48: whatever wrote them, two memberships that surely overlap are found."""
    dataset = sources.Dataset(Store(), {})
    dataset.store.extend(mini_dataset.store)
    pipeline.derive(dataset)
    graph = sources.graph_of("memberships", "one")
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
