"""What stands around every page, its address, and how an answer is shown."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from conftest import BROWSER
from eurasia_graph import queries
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Settings, create_app
from eurasia_graph.web.addresses import file_name
from eurasia_graph.web.naming import Names
from eurasia_graph.web.questions import PART, PLACE, question

PAGES = (
    *("/", "/queries/", "/queries/members-on", "/queries/members-on?body=sco&date=2005", "/sparql", "/ontology"),
    *(
        "/bodies",
        "/texts",
        "/disagreements",
        "/graph/",
        "/page/body/SCO",
        "/page/state/KZ",
        "/page/claim/icds-2016/53",
        "/nonsense",
    ),
)


def html(client: FlaskClient, path: str) -> str:
    """Fetch a page as a browser does."""
    return client.get(path, headers={"Accept": BROWSER}, follow_redirects=True).text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_frame(client: FlaskClient, path: str) -> None:
    """A way past the header, a named navigation, a search box, a description, an icon, and no script or style."""
    page = html(client, path)

    assert page.index('<a class="skip" href="#main">') < page.index("<header>")
    assert '<nav aria-label="Main">' in page
    assert '<form class="search" role="search" action="/queries/find">' in page
    assert re.search(r'<meta name="description" content="[^"<]{10,}">', page)
    assert 'rel="icon"' in page
    assert page.count("<h1>") == 1
    assert not re.search(r"<script|<style| style=| on\w+=", page)
    assert all('type="submit"' in each for each in re.findall(r"<button[^>]*>", page))
    assert not re.search(r"<option value=\"\"[^>]*></option>", page)


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_refers_to_is_there(client: FlaskClient, path: str) -> None:
    """Every id once, and whatever describes or labels something."""
    page = html(client, path)
    ids = re.findall(r' id="([^"]+)"', page)

    assert len(ids) == len(set(ids))
    for named in re.findall(r' aria-(?:describedby|labelledby)="([^"]+)"', page):
        assert set(named.split()) <= set(ids), named


def test_the_style_sheet_has_a_name_that_changes_with_it(client: FlaskClient) -> None:
    """So that it is kept for a year; under its plain name it is not."""
    address = re.findall(r'<link rel="stylesheet" href="([^"]+)">', html(client, "/"))[0]
    named, plain = client.get(address), client.get("/static/style.css")

    assert re.fullmatch(r"/static/style\.[0-9a-f]{16}\.css", address)
    assert (named.status_code, named.mimetype) == (200, "text/css")
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.data == named.data
    assert "immutable" not in plain.headers["Cache-Control"]
    assert client.get(address.replace(".css", "0.css")).status_code == 404


def test_crawlers_and_browsers_find_what_they_look_for(client: FlaskClient) -> None:
    """The icon at its old place, and what need not be fetched."""
    icon = client.get("/favicon.ico", follow_redirects=True)

    assert icon.mimetype == "image/svg+xml"
    assert "Disallow: /sparql" in client.get("/robots.txt").text


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        (None, "/queries/members-on?body=sco&amp;date=2005"),
        ("https://example.org/eurasia/", "https://example.org/eurasia/queries/members-on?body=sco&amp;date=2005"),
    ],
)
def test_a_page_names_its_own_address(release: ReleaseStore, base_url: str | None, address: str) -> None:
    """With the public host if one is known, and never with the host that a request happens to name."""
    client = create_app(release, Settings(base_url=base_url)).test_client()
    page = client.get(
        "/queries/members-on?body=sco&date=2005", headers={"Accept": BROWSER, "Host": "evil.example"}
    ).text

    assert f'<link rel="canonical" href="{address}">' in page
    assert "evil.example" not in page


# --- addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("/queries/members-on?body=sco&date=2005&source=&lineage=true", "/queries/members-on?body=sco&date=2005"),
        ("/queries/members-on?body=&date=", "/queries/members-on"),
        ("/queries/members-on?lineage=TRUE&body=cst&date=1993", "/queries/members-on?body=cst&date=1993"),
        ("/queries/disagreements?body=sco&page=1&sort=", "/queries/disagreements?body=sco"),
        ("/queries/find?text=&format=html", "/queries/find?format=html"),
        ("/bodies?class=&page=1", "/bodies"),
    ],
)
def test_what_is_empty_or_the_default_is_not_in_the_address(client: FlaskClient, asked: str, kept: str) -> None:
    """A form sends every field; the reader is sent on to the address that all share."""
    response = client.get(asked, headers={"Accept": BROWSER})

    assert (response.status_code, response.headers["Location"]) == (302, kept)
    assert client.get(kept, headers={"Accept": BROWSER}).status_code == 200


def test_data_are_sent_as_they_are_asked_for(client: FlaskClient) -> None:
    """A program that names a default is not sent elsewhere, and one that asks for a page of rows is told that it errs."""
    assert client.get("/queries/members-on.json?body=sco&date=2005&lineage=true&source=").status_code == 200
    assert client.get("/queries/members-on.json?body=sco&date=2005&page=2").status_code == 400


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/id/body/sco", "/id/body/SCO"),
        ("/page/state/kz?date=2005", "/page/state/KZ?date=2005"),
        ("/data/body/csto?format=turtle", "/data/body/CSTO?format=turtle"),
        ("/id/claim/ICDS-2016/8", "/id/claim/icds-2016/8"),
        ("/scheme/status/Member", "/scheme/status/member"),
    ],
)
def test_the_wrong_case_leads_to_the_right_one(client: FlaskClient, asked: str, leads_to: str) -> None:
    """For good, with what stands behind the name."""
    response = client.get(asked, headers={"Accept": BROWSER})

    assert (response.status_code, response.headers["Location"]) == (301, leads_to)


def test_a_name_passes_the_question_on(client: FlaskClient) -> None:
    """To the page as to the data."""
    page = client.get("/id/body/SCO?date=2005&source=icds-2016", headers={"Accept": BROWSER})
    data = client.get("/id/body/SCO?date=2005&format=turtle")

    assert page.headers["Location"] == "/page/body/SCO?date=2005&source=icds-2016"
    assert data.headers["Location"] == "/data/body/SCO?format=turtle&date=2005"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/", "index.html"),
        ("/bodies", "bodies.html"),
        ("/queries/", "queries/index.html"),
        ("/page/body/SCO?date=2005&source=icds-2016", "page/body/SCO,date=2005,source=icds-2016.html"),
        ("/page/body/SCO.svg?source=icds-2016", "page/body/SCO,source=icds-2016.svg"),
        ("/queries/members-on.csv?body=sco&date=2005", "queries/members-on,body=sco,date=2005.csv"),
        ("/queries/find?text=a%2Fb%2C..", "queries/find,text=a%2Fb%2C...html"),
    ],
)
def test_a_view_has_a_name_as_a_file(address: str, name: str) -> None:
    """Nothing that a visitor types leads out of its folder."""
    assert file_name(address) == name


def test_long_addresses_have_short_names_that_differ() -> None:
    """Two that begin alike as well."""
    names = {file_name(f"/queries/find?text={'a' * 400}{end}") for end in "bc"}

    assert len(names) == 2
    assert max(map(len, names)) < 255


def test_nearest_names_are_links(client: FlaskClient) -> None:
    """On the page of an unknown thing, and beside a field with an unknown value, which is marked."""
    missing = client.get("/id/body/SOC", headers={"Accept": BROWSER})
    field = client.get("/queries/members-on?body=cso&date=2005", headers={"Accept": BROWSER})

    assert missing.status_code == 404
    assert '<a href="/id/body/SCO">Shanghai Cooperation Organisation (body/SCO)</a>' in missing.text
    assert field.status_code == 400
    assert '<a href="/queries/members-on?body=csto&amp;date=2005">csto</a>' in field.text
    assert re.findall(r'id="(\w+)"[^>]*aria-invalid="true"', field.text) == ["body"]
    assert re.findall(
        r'id="(\w+)"[^>]*aria-invalid="true"', html(client, "/queries/members-on?body=sco&date=soon")
    ) == ["date"]


# --- answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("members-on?body=csto&date=1995", "Who belonged to the CSTO in 1995?"),
        ("members-on?body=Shanghai+Five&date=1997-04", "Who belonged to the Shanghai Five in April 1997?"),
        ("members-on", "Who belonged to which body when?"),
        ("memberships-of?actor=su", "What did the Soviet Union belong to?"),
        ("shared-bodies?actorA=kz&actorB=uz", "Which bodies did Kazakhstan and Uzbekistan belong to together?"),
        ("find?text=shanghai", "What has “shanghai” in its name?"),
        ("treaty-acts?treaty=csto-charter", "Who did what with the Charter of the CSTO, and when?"),
    ],
)
def test_title_and_heading_say_what_was_asked(client: FlaskClient, path: str, said: str) -> None:
    """With the values, in words."""
    page = html(client, f"/queries/{path}")

    assert f"<title>{said} · Eurasia Graph</title>" in page
    assert f"<h1>{said}</h1>" in page


def test_every_question_reads_without_values_and_names_parameters_that_are_there(release: ReleaseStore) -> None:
    """No brackets are left, with values or without."""
    names = Names(release)
    for canned in queries.load().values():
        for template in queries.headers(canned.text).get("question", []):
            places = {place for part in PART.findall(template) for place in PLACE.findall(part[0])}
            assert places <= {parameter.name for parameter in canned.parameters}, canned.name
        for said in (question(canned), question(canned, canned.examples, names)):
            assert not re.search(r"[\[\]{}|]", said), said


def test_a_thing_and_its_label_are_one_cell_and_dates_are_words(client: FlaskClient) -> None:
    """The EDTF stands behind the words."""
    page = html(client, "/queries/members-on?body=cst&date=1993")
    heads = re.findall(r'<th scope="col"[^>]*><a [^>]*>([^<]+)</a>', page)

    assert "member" in heads
    assert not any("label" in head.lower() for head in heads)
    assert '<a href="/id/state/AZ">Azerbaijan</a>' in page
    assert '<data value="1993" title="1993">some day in 1993</data>' in page
    assert '<a href="/id/claim/icds-2016/9">claim 9</a>' in page


def test_a_long_answer_has_pages(client: FlaskClient) -> None:
    """A hundred rows each, all of them once; a page that is not there is the last."""
    total = len(client.get("/queries/claims-about.json?entity=sco").json or [])
    found: list[str] = []
    pages = -(-total // 100)
    for number in range(1, pages + 1):
        page = html(client, f"/queries/claims-about?entity=sco&page={number}")
        rows = re.findall(r"<tr>(<td.*?)</tr>", page, re.DOTALL)
        assert len(rows) == min(100, total - 100 * (number - 1))
        found += rows

    assert total > 100
    assert len(found) == total
    assert html(client, "/queries/claims-about?entity=sco&page=999").count("<tr><td") == total - 100 * (pages - 1)


def test_the_head_of_a_column_sorts(client: FlaskClient) -> None:
    """One way and then the other, by what is seen; the address keeps what was asked."""

    def first_column(path: str) -> list[str]:
        return re.findall(r"<tr><td[^>]*><a [^>]*>([^<]*)</a>", html(client, path))

    page = html(client, "/queries/organs?body=sco")
    up, down = (first_column(f"/queries/organs?body=sco&sort={sign}organ") for sign in ("", "-"))

    assert 'href="/queries/organs?body=sco&amp;sort=organ"' in page
    assert up == sorted(up, key=str.casefold)
    assert down == sorted(down, key=str.casefold, reverse=True)
    assert 'aria-sort="descending"' in html(client, "/queries/organs?body=sco&sort=-organ")
    assert first_column("/queries/organs?body=sco&sort=nonsense") == first_column("/queries/organs?body=sco")


def test_claims_are_sorted_by_their_numbers(client: FlaskClient) -> None:
    """Claim 9 before claim 110."""
    page = html(client, "/queries/claims-about?entity=sco&source=icds-2016&sort=claim")
    numbers = [int(each) for each in re.findall(r">claim (\d+)</a>", page)]

    assert numbers == sorted(numbers)
