"""What is cited can be read by programs that are not ours, and the same release gives the same bytes."""

from __future__ import annotations

import json
import warnings
from datetime import date

import pytest
from flask.testing import FlaskClient

from eurasia_graph import citing, queries
from eurasia_graph import namespaces as ns
from eurasia_graph.citing import Reference
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.store import ReleaseStore
from test_cli import run

NAMES = [
    ("release", {}),
    ("icds-2016", {}),
    ("eurasianism-central-asia", {}),
    ("icds-2016/8", {}),
    ("members-on", {"body": "csto", "date": "2003-12-31"}),
]
ODD = Reference(key="odd", kind="book", title=r"50 % of A&B_{x} \ #1 ~ $2^3", author="Ö. Ñame & Sons")


@pytest.fixture(scope="module")
def references(release: ReleaseStore) -> list[Reference]:
    """One of each kind."""
    return [citing.find(release, name, values) for name, values in NAMES]


def test_bibtexparser_reads_every_reference(references: list[Reference]) -> None:
    """Keys, titles and years come back; what TeX would take for an instruction is escaped."""
    bibtexparser = pytest.importorskip("bibtexparser", reason="bibtexparser is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = bibtexparser.loads(citing.write([*references, ODD], "bibtex")).entries

    assert [each["ID"] for each in found] == [each.key for each in [*references, ODD]]
    assert found[0]["title"].strip("{}") == "Eurasia Graph"
    assert found[1]["year"] == "2016"
    assert found[2]["year"] == "2011--2012"
    assert found[-1]["title"] == r"{50 \% of A\&B\_\{x\} \textbackslash{} \#1 \textasciitilde{} \$2\textasciicircum{}3}"


def test_citeproc_reads_every_reference(references: list[Reference]) -> None:
    """And writes them in a style of journals."""
    pytest.importorskip("citeproc", reason="citeproc-py is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
        from citeproc.source.json import CiteProcJSON

        source = CiteProcJSON(json.loads(citing.write(references, "csl")))
        shelf = CitationStylesBibliography(
            CitationStylesStyle("harvard-cite-them-right", validate=False), source, formatter.plain
        )
        for each in references:
            shelf.register(Citation([CitationItem(each.key)]))
        told = [str(each) for each in shelf.bibliography()]

    assert len(told) == len(references)
    assert any("The Nature of Integration Processes in Eurasia" in each and "2016" in each for each in told)


def test_a_claim_is_cited_with_its_passage_and_its_text(references: list[Reference]) -> None:
    """The treaty of Tashkent stands in one sentence of the section on the organisation."""
    told = citing.write([references[3]], "text")

    assert "claim icds-2016/8" in told
    assert "According to The Nature of Integration Processes in Eurasia (2016)" in told
    assert "section “Collective Security Treaty Organisation”, characters" in told
    assert "/release/" in told


def test_an_answer_is_cited_by_query_values_and_release(release: ReleaseStore) -> None:
    """The address asks the same again."""
    one = citing.of_answer(release, queries.by_name("members-on"), {"date": "2003-12-31", "body": "csto"})

    assert one.url == f"{ns.BASE}queries/members-on?body=csto&date=2003-12-31"
    assert release.iri
    assert release.iri.value in citing.write([one], "text")
    with pytest.raises(UsageError, match="members-on needs date"):
        citing.of_answer(release, queries.by_name("members-on"), {"body": "csto"})


def test_no_clock_is_in_it(release: ReleaseStore) -> None:
    """The day of access is named where it is given, in each form."""
    plain = citing.of_release(release)
    seen = Reference(**{**{name: getattr(plain, name) for name in plain.__slots__}, "accessed": date(2026, 12, 1)})

    for form in citing.FORMS:
        assert "2026-12" not in citing.write([plain], form)
        assert citing.write([plain], form) == citing.write([citing.of_release(release)], form)
    assert "Accessed 2026-12-01" in citing.write([seen], "text")
    assert "urldate = {2026-12-01}" in citing.write([seen], "bibtex")
    assert json.loads(citing.write([seen], "csl"))[0]["accessed"] == {"date-parts": [[2026, 12, 1]]}


def test_an_unknown_name_is_answered_with_the_nearest(release: ReleaseStore) -> None:
    """Whether it was to be a claim, a source or a query."""
    with pytest.raises(UnknownNameError, match="no claim, source or query 'icds-2015'; nearest: icds-2016"):
        citing.find(release, "icds-2015")


def test_the_command_writes_what_the_library_does(release: ReleaseStore) -> None:
    """Several at once; the values of a query follow its name."""
    words = ["icds-2016/8", "members-on", "body=csto", "date=2003-12-31"]
    wanted = [citing.find(release, name, values) for name, values in NAMES[3:]]

    for form in citing.FORMS:
        assert run("cite", *words, "--format", form).stdout == citing.write(wanted, form)
    assert run("cite", "body=csto").exit_code == 2
    assert "is a day, not 'today'" in run("cite", "--accessed", "today").stderr


@pytest.mark.parametrize(
    ("path", "accept", "name", "form"),
    [
        ("/cite", "*/*", 0, "text"),
        ("/cite.bib", "*/*", 0, "bibtex"),
        ("/cite", "application/x-bibtex", 0, "bibtex"),
        ("/cite/icds-2016.csl", "*/*", 1, "csl"),
        ("/cite/source/icds-2016", "application/vnd.citationstyles.csl+json", 1, "csl"),
        ("/cite/claim/icds-2016/8.txt", "*/*", 3, "text"),
        ("/id/claim/icds-2016/8.bib", "*/*", 3, "bibtex"),
        ("/id/claim/icds-2016/8", "application/x-bibtex", 3, "bibtex"),
        ("/queries/members-on.bib?body=csto&date=2003-12-31", "*/*", 4, "bibtex"),
        ("/queries/members-on?body=csto&date=2003-12-31", "text/x-bibliography", 4, "text"),
        ("/cite/queries/members-on?body=csto&date=2003-12-31&format=csl", "*/*", 4, "csl"),
    ],
)
def test_the_service_cites_by_suffix_and_by_accept(  # noqa: PLR0913, PLR0917  (one for each part of a case)
    client: FlaskClient, references: list[Reference], path: str, accept: str, name: int, form: str
) -> None:
    """The same bytes as the command writes."""
    response = client.get(path, headers={"Accept": accept}, follow_redirects=True)

    assert response.status_code == 200
    assert response.text == citing.write([references[name]], form)
    assert response.content_type.startswith({"bibtex": "application/x-bibtex", "text": "text/x-bib"}.get(form, "app"))


def test_what_cannot_be_cited_is_a_problem(client: FlaskClient) -> None:
    """A name that is not there is not found; a form that there is not is answered with those that there are."""
    assert client.get("/cite/claim/icds-2016/9999").status_code == 404
    assert client.get("/queries/members-on.bib?body=csto").status_code == 400
    assert "it is one of bibtex, csl, text" in client.get("/cite?format=ris").json["detail"]  # type: ignore[index]
    assert client.get("/cite?accessed=today").status_code == 400
