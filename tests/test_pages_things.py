"""The pages of bodies and states, their figures, and the lists: what they show is what the memberships say."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from pyoxigraph import NamedNode

from conftest import BROWSER, TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.build import pipeline
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import bars, create_app, standings
from eurasia_graph.web.naming import Names
from eurasia_graph.web.standings import Standing

BODIES = ("SCO", "CST", "CSTO", "CIS", "CAEC", "SHANGHAI-FIVE", "EACU", "NATO")
SVG = "{http://www.w3.org/2000/svg}"


def html(client: FlaskClient, path: str) -> str:
    """Fetch a page as a browser does."""
    return client.get(path, headers={"Accept": BROWSER}, follow_redirects=True).text


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("day", ["1993", "1999-04-02", "2005-07-05", "2002-10", "2012", "2016-03-11", "2020"])
def test_a_standing_on_a_page_is_what_the_query_answers(release: ReleaseStore, body: str, day: str) -> None:
    """For days, months and years: the same members, standings, certainty and claims, by every text."""
    told = standings.told(standings.of_body(release, f"{ns.ID}body/{body}"), *standings.days_of(day))
    on_page = {
        (each.standing.source, each.standing.holder, each.standing.status, each.certainty, each.standing.claim)
        for each in told
        if each.standing.status != standings.OUTSIDE
    }
    rows = queries.by_name("members-on").run(release, {"body": body, "date": day, "lineage": "false"})

    assert on_page == {tuple(row[key] for key in ("source", "member", "status", "certainty", "claim")) for row in rows}


@pytest.mark.parametrize("state", ["KZ", "UZ", "RU", "GE"])
def test_a_state_belonged_to_what_the_query_answers(release: ReleaseStore, state: str) -> None:
    """On a day, in every body."""
    told = standings.told(standings.of_holder(release, f"{ns.ID}state/{state}"), *standings.days_of("2001-12-31"))
    on_page = {
        (each.standing.source, each.standing.body, each.standing.status, each.certainty)
        for each in told
        if each.standing.status != standings.OUTSIDE
    }
    rows = queries.by_name("memberships-of").run(release, {"actor": state, "date": "2001-12-31"})

    assert on_page == {tuple(row[key] for key in ("source", "body", "status", "certainty")) for row in rows}


@pytest.mark.parametrize("body", ["SCO", "CST", "CIS"])
def test_bars_begin_and_end_on_the_days_of_the_memberships(release: ReleaseStore, body: str) -> None:
    """Full from the first certain day to the last, hatched where it is only possible, and nothing elsewhere."""
    told = standings.of_body(release, f"{ns.ID}body/{body}")
    line = bars.scale(told, release.horizons)
    figure = bars.figure(told, release.horizons, Names(release), bars.Shown(lane=lambda each: each.holder))
    assert figure is not None
    drawn = {
        (bar.iri, lane.iri, mark.look.split()[0], mark.x, round(mark.x + mark.width, 1))
        for lane in figure.lanes
        for row in lane.rows
        for bar in row.bars
        for mark in bar.marks
    }

    assert {each[:2] for each in drawn} == {(each.claim, each.holder) for each in told}
    for each in told:
        mine = {mark[2:] for mark in drawn if mark[:2] == (each.claim, each.holder)}
        if each.sure and each.over and line.x(each.over) > line.x(each.sure):
            assert ("certain", line.x(each.sure), line.x(each.over)) in mine
        assert min(mark[1] for mark in mine) <= line.x(each.sure or each.begin)
        if each.end is None and line.x(line.last) > line.x(each.begin):
            assert max(mark[2] for mark in mine) == line.x(line.last)


def test_no_bar_lies_on_another(release: ReleaseStore) -> None:
    """Standings of one lane and text that overlap, as of a signatory perhaps outside, stand one below the other."""
    told = standings.of_body(release, f"{ns.ID}body/CST")
    figure = bars.figure(told, release.horizons, Names(release), bars.Shown(lane=lambda each: each.holder))
    assert figure is not None
    spans = sorted(
        (bar.y, bar.marks[0].x, round(bar.marks[-1].x + bar.marks[-1].width, 1))
        for lane in figure.lanes
        for row in lane.rows
        for bar in row.bars
    )

    for (y, _, end), (next_y, begin, _) in pairwise(spans):
        assert next_y > y or begin >= end


def standing(holder: str, number: int, **days: date | None) -> Standing:
    """Make a standing of the SCO for a drawing."""
    known = {"begin": date(2001, 1, 1), "end": None, "sure": date(2001, 12, 31), "over": date(2012, 6, 1), **days}
    return Standing(
        membership=f"{ns.ID}membership/text/{holder}-{number}",
        holder=f"{ns.ID}state/{holder}",
        body=f"{ns.ID}body/SCO",
        source=f"{ns.ID}source/icds-2016",
        status=f"{ns.SCHEME}status/member",
        claim=f"{ns.ID}claim/icds-2016/{number}",
        told_from="2001",
        told_to=None,
        held=None,
        latest=date(2001, 12, 31),
        **known,  # type: ignore[arg-type]
    )


def test_at_most_thirty_lanes_are_drawn_and_all_on_some_page(release: ReleaseStore) -> None:
    """Those with most claims are first."""
    told = [standing(f"S{lane:03}", 1000 * lane + claim) for lane in range(70) for claim in range(1 + lane // 35)]
    pages = []
    for page in (1, 2, 3):
        shown = bars.Shown(lane=lambda each: each.holder, page=page)
        figure = bars.figure(told, release.horizons, Names(release), shown)
        assert figure is not None
        pages.append({lane.iri for lane in figure.lanes})

    assert [len(page) for page in pages] == [30, 30, 10]
    assert len(set.union(*pages)) == 70
    assert all(int(iri[-3:]) >= 35 for iri in pages[0])


@pytest.mark.parametrize(
    "days",
    [
        {"begin": date(1, 1, 1), "sure": None, "over": None},
        {"begin": date(9999, 1, 1), "sure": date(9999, 12, 31), "over": None},
        {"begin": date(2001, 1, 1), "end": date(2001, 1, 2), "sure": None, "over": None},
    ],
)
def test_extreme_days_are_drawn_inside_the_figure(release: ReleaseStore, days: dict[str, date | None]) -> None:
    """The first and the last year there are, and a single day."""
    shown = bars.Shown(lane=lambda each: each.holder)
    figure = bars.figure([standing("KZ", 1, **days)], release.horizons, Names(release), shown)

    assert figure is not None
    for mark in figure.lanes[0].rows[0].bars[0].marks:
        assert bars.LEFT <= mark.x <= mark.x + mark.width <= bars.WIDTH
        assert mark.width > 0
    assert len(figure.ticks) <= bars.MOST_TICKS + 1


# --- pages ---------------------------------------------------------------------------------


def test_the_page_of_a_body_answers_at_a_glance(client: FlaskClient) -> None:
    """Members by each text side by side, each cell with its claim; silence is said to be silence."""
    page = html(client, "/page/body/SCO?date=2005-07-05")
    table = page.partition("Over time")[0]
    rows = dict(re.findall(r'<tr><th scope="row"><a href="[^"]*">([^<]*)</a></th>(.*?)</tr>', table, re.DOTALL))

    assert '<h2 id="as-of" tabindex="-1">Members on 5 July 2005</h2>' in page
    assert re.findall(r'href="([^"]*)">(member)</a>', rows["Uzbekistan"])[:2] == [
        ("/id/claim/eurasianism-central-asia/17", "member"),
        ("/id/claim/icds-2016/66", "member"),
    ]
    assert "says nothing" in rows["India"]
    assert "observer, possibly" in rows["India"]
    assert page.index("Members on") < page.index("Over time") < page.index("Where the texts differ")


def test_a_body_is_shown_on_a_day_on_which_it_had_members(client: FlaskClient) -> None:
    """The last of which all texts can know; of one that is over, its own last day."""
    assert "Members on 31 May 2012" in html(client, "/page/body/SCO")
    assert "Members on 6 October 2002" in html(client, "/page/body/CST")


def test_one_text_can_be_asked_alone(client: FlaskClient) -> None:
    """Its column, its bars."""
    page = html(client, "/page/body/SCO?date=2005&source=icds-2016")
    head = re.findall(r"<thead><tr>(.*?)</tr>", page)[0]

    assert re.findall(r'<th scope="col">([^<]+)</th>', head) == ["Who", "ICDS 2016"]
    assert not re.findall(r'class="source">Eurasianism', page)


def test_a_wrong_time_or_text_is_said_and_marked(client: FlaskClient) -> None:
    """With what to write instead, and the page for the usual day."""
    wrong_date = html(client, "/page/body/SCO?date=2005-13")
    wrong_text = html(client, "/page/body/SCO?source=icds-2061")

    assert "is not a date" in wrong_date
    assert 'aria-invalid="true"' in wrong_date
    assert "Members on 31 May 2012" in wrong_date
    assert "there are eurasianism-central-asia, icds-2016" in wrong_text


def test_after_its_end_a_text_is_said_not_to_know(client: FlaskClient) -> None:
    """And nothing is certain then."""
    page = html(client, "/page/body/SCO?date=2020")

    assert "icds-2016 was issued by 2016-03-11 and cannot know about 2020" in page
    assert 'class="standing certain' not in page


def test_where_texts_differ_both_sides_and_the_reason_are_told(client: FlaskClient) -> None:
    """In words: dates, names of states, the judgement of a curator."""
    page = html(client, "/page/body/SCO")
    cards = re.findall(r'<article class="card".*?</article>', page, re.DOTALL)
    rows = client.get("/queries/disagreements.json?body=sco").json

    assert len(cards) == len(rows or [])
    assert any("some day in 2001" in card and "some day in April 1996" in card for card in cards)
    assert any("China, Kyrgyzstan, Kazakhstan, Russia, Tajikistan, Uzbekistan" in card for card in cards)
    assert any("Within one text: the author has the SCO founded in April 1996" in card for card in cards)
    assert all("<b>Why:</b>" in card and len(re.findall(r"/id/claim/", card)) == 2 for card in cards)


def test_all_claims_about_a_body_are_on_its_pages(client: FlaskClient) -> None:
    """Fifty a page, each once, in the order of their texts."""
    wanted = {
        row["claim"].removeprefix(ns.BASE) for row in client.get("/queries/claims-about.json?entity=sco").json or []
    }
    found: list[str] = []
    for number in range(1, -(-len(wanted) // 50) + 1):
        page = html(client, f"/page/body/SCO?page={number}").partition("Claims about")[2].partition("</table>")[0]
        found += re.findall(r'<tr><td><a href="/(id/claim/[^"]+)"', page)

    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_every_triple_is_one_step_away(client: FlaskClient) -> None:
    """As on the page of anything else."""
    page = html(client, "/page/state/KZ")

    assert 'href="/page/state/KZ?view=triples"' in page
    assert "What the graph says" in html(client, "/page/state/KZ?view=triples")
    assert "What the graph says" in html(client, "/page/claim/icds-2016/53?view=triples")


@pytest.mark.parametrize("thing", ["body/SCO", "state/KZ"])
def test_a_figure_stands_alone(client: FlaskClient, thing: str) -> None:
    """An image that needs no style sheet, with title, source and licence, whose links are the names of the claims."""
    response = client.get(f"/page/{thing}.svg")
    image = ET.fromstring(response.data)  # noqa: S314  (our own)
    texts = " ".join("".join(each.itertext()) for each in image.iter(f"{SVG}text"))

    assert response.mimetype == "image/svg+xml"
    assert image.find(f"{SVG}title") is not None
    assert "CC BY 4.0" in texts
    assert "Eurasia Graph, release" in texts
    assert not [each for each in image.iter() if "class" in each.attrib or "style" in each.attrib]
    assert all("fill" in each.attrib or "stroke" in each.attrib for each in image.iter(f"{SVG}rect"))
    assert all(each.attrib["href"].startswith(ns.ID) for each in image.iter(f"{SVG}a"))


def test_the_numbers_of_a_figure_are_in_a_table_and_in_a_file(client: FlaskClient, release: ReleaseStore) -> None:
    """The same standings, with the same days."""
    told = standings.of_body(release, f"{ns.ID}body/SCO")
    rows = list(csv.DictReader(io.StringIO(client.get("/page/body/SCO.csv").text)))
    page = html(client, "/page/body/SCO").partition("Standings over time</caption>")[2].partition("</table>")[0]

    assert [(row["holder"], row["possibleFrom"], row["certainFrom"], row["claim"]) for row in rows] == [
        (each.holder, str(each.begin), str(each.sure or ""), each.claim) for each in told
    ]
    assert [row["certainUntil"] for row in rows] == [
        str(each.over - timedelta(days=1)) if each.over else "" for each in told
    ]
    assert page.count("<tr>") == len(told) + 1


@pytest.mark.parametrize("path", ["/page/treaty/csto-charter.svg", "/page/body/NATO.svg", "/page/body/NOWHERE.svg"])
def test_what_has_no_figure_says_so(client: FlaskClient, path: str) -> None:
    """404, with the reason."""
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("body", BODIES)
def test_pages_stay_small(client: FlaskClient, body: str) -> None:
    """At most 200 KB."""
    assert len(html(client, f"/page/body/{body}")) < 200_000


def test_all_disagreements_are_cards_by_what_they_are_about(client: FlaskClient) -> None:
    """Each once, with the passages of both sides; a kind or a body alone where the reader chooses one."""
    rows = client.get("/queries/disagreements.json").json or []
    page = html(client, "/disagreements")
    cards = re.findall(r'<article class="card".*?</article>', page, re.DOTALL)
    pairs = {tuple(re.findall(r'href="/id/(claim/[^"]+)"', card)) for card in cards}

    assert len(cards) == len(rows) == int(re.findall(r">all kinds</a> (\d+)", page)[0])
    assert pairs == {tuple(row[side].removeprefix(ns.ID) for side in ("claimA", "claimB")) for row in rows}
    assert all("/id/passage/" in card for card in cards)
    of_dates = [row for row in rows if row["kind"].endswith("/date")]
    assert html(client, "/disagreements?kind=date").count('<article class="card"') == len(of_dates)
    assert "<h1>Where the texts disagree about the SCO: date</h1>" in html(client, "/disagreements?about=SCO&kind=date")


@pytest.mark.parametrize("path", ["/disagreements?kind=dates", "/disagreements?about=NOTHING"])
def test_an_unknown_facet_leads_to_those_there_are(client: FlaskClient, path: str) -> None:
    """404, with links."""
    response = client.get(path, headers={"Accept": BROWSER})

    assert response.status_code == 404
    assert 'href="/disagreements?' in response.text


def test_a_claim_is_said_in_words(client: FlaskClient) -> None:
    """What it says, the sentences it rests on, what follows, what it is at odds with, and its neighbours."""
    page = html(client, "/page/claim/icds-2016/53")

    assert "<h1>The five states thereby founded the SCO.</h1>" in page
    assert '<data value="1996-04" title="1996-04">some day in April 1996</data>' in page
    assert re.findall(r">(sentence \d+)</a>, section “([^”]+)”", page) == [
        ("sentence 86", "Shanghai Cooperation Organisation"),
        ("sentence 87", "Shanghai Cooperation Organisation"),
    ]
    assert page.count("Begins:") == 5
    rows = client.get("/queries/disagreements.json").json or []
    mine = [row for row in rows if f"{ns.ID}claim/icds-2016/53" in (row["claimA"], row["claimB"])]
    assert page.count('<article class="card"') == len(mine) > 0
    assert 'rel="prev">Previous: claim 52</a>' in page
    assert 'rel="next">Next: claim 54</a>' in page


@pytest.mark.parametrize("state", ["UZ", "AZ", "GE"])
def test_who_left_is_told_on_the_page_of_the_claim(client: FlaskClient, release: ReleaseStore, state: str) -> None:
    """A claim that ends a standing says so, with the days."""
    ended = [each for each in standings.of_holder(release, f"{ns.ID}state/{state}") if each.told_to]
    claims = {
        ns.value(quad.object)
        for each in ended
        for quad in release.engine.quads_for_pattern(NamedNode(each.membership), ns.EG("endedBy"), None, None)
    }

    assert claims
    for claim in claims:
        assert "Ends: <a" in html(client, f"/page/{claim.removeprefix(ns.ID)}")


# --- lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "term"),
    [
        ("bodies", "Body"),
        ("states", "State"),
        ("treaties", "Treaty"),
        ("persons", "Person"),
        ("concepts", "Concept"),
        ("texts", "Source"),
    ],
)
def test_a_list_has_everything_of_its_kind(client: FlaskClient, release: ReleaseStore, kind: str, term: str) -> None:
    """Each once, linked by its name."""
    page = html(client, f"/{kind}")
    listed = re.findall(r'<tr><th scope="row"><a href="/id/([^"]+)">', page)

    assert len(listed) == len(set(listed))
    assert {ns.ID + name for name in listed} == {iri for iri, _ in release.entities[ns.EG + term]}


def test_a_list_counts_claims_and_members_by_text(client: FlaskClient, release: ReleaseStore) -> None:
    """As many members as the memberships have, as many claims as the query finds."""
    page = html(client, "/bodies")
    row = re.findall(r'<tr><th scope="row"><a href="/id/body/SCO">.*?</tr>', page)[0]
    numbers = re.findall(r'<td class="number">([^<]*)</td>', row)
    told = standings.of_body(release, f"{ns.ID}body/SCO")
    found = []
    for text in ("eurasianism-central-asia", "icds-2016"):
        found.append(len({each.holder for each in told if each.source.endswith(text)}))
        rows = client.get(f"/queries/claims-about.json?entity=sco&source={text}").json or []
        found.append(len({each["claim"] for each in rows}))

    assert [int(number) for number in numbers] == found


def test_facets_narrow_a_list(client: FlaskClient) -> None:
    """With their counts; an unknown one leads to those that are there."""
    page = html(client, "/bodies")
    number = re.findall(r'<a href="/bodies\?class=organ">organ</a> (\d+)', page)

    assert html(client, "/bodies?class=organ").count('<th scope="row">') == int(number[0])
    assert client.get("/bodies?class=organs", headers={"Accept": BROWSER}).status_code == 404
    assert 'href="/bodies?class=organ"' in html(client, "/bodies?class=organs")


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [("/id/body/", "/bodies"), ("/id/state", "/states"), ("/id/source/", "/texts"), ("/id/", "/bodies")],
)
def test_an_address_cut_at_a_slash_leads_to_a_list(client: FlaskClient, asked: str, leads_to: str) -> None:
    """303, since the folder is not a thing."""
    response = client.get(asked, headers={"Accept": BROWSER})

    assert (response.status_code, response.headers["Location"]) == (303, leads_to)


@pytest.fixture(scope="module")
def small() -> FlaskClient:
    """A client of the mini data set, in which most of what the shipped data have is missing."""
    return create_app(pipeline.open_release(TESTS / "mini")).test_client()


def test_other_data_have_the_same_pages(small: FlaskClient) -> None:
    """Every list and the page of everything on it."""
    for kind in ("bodies", "states", "texts"):
        for thing in re.findall(r'<th scope="row"><a href="/id/([^"]+)">', html(small, f"/{kind}")):
            assert small.get(f"/page/{thing}", headers={"Accept": BROWSER}).status_code == 200, thing
