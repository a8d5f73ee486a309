"""The tables are queries that any engine answers, and the zip of them describes itself."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import QuerySolutions

from conftest import CHECKOUT, TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.build import pipeline
from eurasia_graph.errors import UsageError
from eurasia_graph.export import csvw, tables, write
from eurasia_graph.store import ReleaseStore

FILES = sorted((CHECKOUT / "queries" / "tables").glob("*.rq"))


@pytest.fixture(scope="module")
def small() -> tuple[ReleaseStore, rdflib.Dataset]:
    """The mini data set as a release, and the same quads in rdflib."""
    store = pipeline.open_release(TESTS / "mini")
    dataset = rdflib.Dataset()
    dataset.parse(data=write.export(store, "nquads"), format="nquads")
    return store, dataset


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_another_engine_answers_a_table_with_the_same_rows(
    small: tuple[ReleaseStore, rdflib.Dataset], path: Path
) -> None:
    """The file as it stands, from nothing but the named graphs."""
    store, dataset = small
    text = path.read_text(encoding="utf-8")
    own = store.query(text)
    assert isinstance(own, QuerySolutions)

    here = {tuple(getattr(term, "value", "") for term in row) for row in own}
    there = {tuple("" if term is None else str(term) for term in row) for row in dataset.query(text)}  # type: ignore[union-attr]
    assert here == there
    assert here or path.stem == "claim-attributions", "the mini data set credits nobody"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_headers_of_a_table_describe_what_its_query_selects(release: ReleaseStore, path: Path) -> None:
    """Its columns in order; its key and its order name some of them, and its references tables with a key of one."""
    table = tables.load()[path.stem]
    answer = release.query(table.text)
    assert isinstance(answer, QuerySolutions)
    selected = [variable.value for variable in answer.variables]

    if table.is_spread:
        # Those of the membership alone go, and those of the year come.
        assert [name for name in table.head if name in selected] == selected[: len(table.head) - 3]
        assert set(table.head) - set(selected) == {"year", "certainty", "complete"}
    else:
        assert table.head == selected
    assert {*table.key, *table.order} <= set(table.head)
    for column, home in table.references:
        assert column in table.head and len(tables.load()[home].key) == 1


def test_tables_are_not_canned_queries() -> None:
    """Nobody is offered them as questions."""
    assert [each.parent.name for each in FILES] == ["tables"] * len(tables.load())
    assert "state-years" in tables.load() and "state-years" not in queries.load()


def test_a_column_that_is_a_term_is_described_by_its_definition(release: ReleaseStore) -> None:
    """What the ontology says, without the mark of what is generated, and with what the table adds."""
    columns = {column.name: column for column in tables.load()["memberships"].columns}
    text = columns["to"].meaning(release)
    term = release.local.quads_for_pattern(ns.EG("to"), ns.SKOS("definition"), None, ns.GRAPH("ontology"))

    assert (
        text.removesuffix(" Blank where no text tells of an end.").casefold() in ns.value(next(term).object).casefold()
    )
    assert text[0].isupper() and text.endswith(" Blank where no text tells of an end.")
    for table in tables.load().values():
        for column in table.columns:
            assert not column.meaning(release).startswith("<"), f"{column.name} of {table.name} is no term"


@pytest.mark.parametrize("line", ["holder", "holder anyURI eg:holder", "holder anyURI needed eg:holder"])
def test_a_column_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    """With the file, and with what to write."""
    path = tmp_path / "broken.rq"
    path.write_text(f"#+ summary: x\n#+ position: 1\n#+ key: holder\n#+ column: {line}\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"broken\.rq: cannot read the column 'holder.*write: name datatype"):
        tables._load(tmp_path)


@pytest.mark.parametrize(
    ("membership", "expected"),
    [
        (
            {
                "fromEarliest": "1992-05-15",
                "certainFrom": "1992-05-15",
                "certainUntil": "1994-07-01",
                "horizon": "1994-06-30",
            },
            "1992 part 1993 certain 1994 part",
        ),
        ({"fromEarliest": "1992-01-01", "horizon": "1993-12-31"}, "1992 possible 1993 possible"),
        (
            {
                "fromEarliest": "1990-01-01",
                "certainFrom": "1990-01-01",
                "certainUntil": "1991-07-01",
                "toLatest": "1992-01-01",
                "horizon": "2000-01-01",
            },
            "1990 certain 1991 part",
        ),
        (
            {
                "fromEarliest": "1994-01-01",
                "heldFrom": "1994-01-01",
                "heldTo": "1994-12-31",
                "toLatest": "1995-01-01",
                "horizon": "2000-01-01",
            },
            "1994 part",
        ),
        (
            {
                "fromEarliest": "0988-06-01",
                "certainFrom": "0988-06-01",
                "certainUntil": "0990-01-01",
                "horizon": "0990-12-31",
            },
            "988 part 989 certain 990 possible",
        ),
    ],
)
def test_a_membership_is_spread_over_its_years(membership: dict[str, str], expected: str) -> None:
    """Until its text was issued, or until it had surely ended."""
    blank = dict.fromkeys(
        ("certainFrom", "certainUntil", "heldFrom", "heldTo", "toLatest", "openFrom", "completeFrom"), ""
    )

    assert " ".join(f"{row['year']} {row['certainty']}" for row in tables.years({**blank, **membership})) == expected


# --- the zip -------------------------------------------------------------------------------


def test_the_tables_hold_a_row_for_everything(release: ReleaseStore) -> None:
    """Every claim, passage and membership of the release is in its table once."""
    with zipfile.ZipFile(io.BytesIO(write.export(release, "csv"))) as archive:
        rows = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8"))) for name in archive.namelist()
        }
    claims = {quad.subject for quad in release.engine.quads_for_pattern(None, ns.EG("statedIn"), None, None)}
    memberships = {quad.subject for quad in release.engine.quads_for_pattern(None, ns.EG("inBody"), None, None)}

    assert {row["claim"] for row in rows["claims.csv"]} == {ns.value(claim) for claim in claims}
    assert {row["membership"] for row in rows["memberships.csv"]} == {ns.value(each) for each in memberships}
    assert rows["claim-passages.csv"][0].keys() == {"claim", "passage"}


def rows_of(release: ReleaseStore, name: str) -> list[dict[str, str]]:
    """One table of the zip."""
    with zipfile.ZipFile(io.BytesIO(write.export(release, "csv"))) as archive:
        return list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))


def test_the_panel_of_state_years_agrees_with_the_query_for_every_year(release: ReleaseStore) -> None:
    """One row for a state, a year, a body and a text, with the certainty that members-on gives."""
    panel = rows_of(release, "state-years.csv")
    for body, year in (("CST", 1993), ("SCO", 2001), ("EURASEC", 2006)):
        asked = queries.by_name("members-on").run(release, {"body": body, "date": year, "lineage": "false"})
        wanted = {(row["member"], row["status"], row["source"], row["certainty"]) for row in asked}
        found = {
            (row["state"], row["status"], row["source"], row["certainty"])
            for row in panel
            if row["body"] == ns.ID + f"body/{body}" and row["year"] == str(year) and row["cow"] != "0"
        }
        assert wanted and wanted <= found, (body, year)


def test_the_dictionary_and_the_metadata_describe_every_column(release: ReleaseStore) -> None:
    """For people and for programs, with the licence and how to cite."""
    with zipfile.ZipFile(io.BytesIO(write.export(release, "csv"))) as archive:
        heads = {
            name: next(csv.reader(io.TextIOWrapper(archive.open(name), "utf-8")))
            for name in archive.namelist()
            if name.endswith(".csv")
        }
        metadata = json.loads(archive.read("csv-metadata.json"))
    described = {(row["table"] + ".csv", row["column"]) for row in rows_of(release, "dictionary.csv") if row["holds"]}
    columns = {(name, column) for name, head in heads.items() for column in ["", *head]}

    assert described == columns
    assert {
        each["url"]: [one["name"] for one in each["tableSchema"]["columns"]] for each in metadata["tables"]
    } == heads
    assert release.iri and release.iri.value in metadata["dc:bibliographicCitation"]


def test_the_rows_of_a_table_are_told_apart_by_its_key(release: ReleaseStore) -> None:
    """A claim about two bodies has one row, and two in the table of its bodies."""
    for table in [*tables.load().values(), csvw.DICTIONARY]:
        found = [tuple(row[column] for column in table.key) for row in rows_of(release, f"{table.name}.csv")]
        assert len(found) == len(set(found)) > 0, table.name


def test_no_column_is_empty_but_those_that_may_be(release: ReleaseStore) -> None:
    """And none is empty from top to bottom, which would promise what is not there."""
    for table in [*tables.load().values(), csvw.DICTIONARY]:
        rows = rows_of(release, f"{table.name}.csv")
        for column in table.columns:
            filled = sum(bool(row[column.name]) for row in rows)
            assert filled == len(rows) or (filled and not column.required), (table.name, column.name)


def test_the_panel_has_states_alone_with_the_codes_that_others_know(release: ReleaseStore) -> None:
    """Of the Correlates of War project: of the state, of the body and of the standing."""
    panel = rows_of(release, "state-years.csv")
    notations = {
        ns.value(quad.subject): ns.value(quad.object)
        for quad in release.engine.quads_for_pattern(None, ns.SKOS("notation"), None, ns.GRAPH("schemes"))
    }
    kazakhstan = next(row for row in panel if row["cowState"] == "KZK" and row["cowIgo"] == "SCO")

    assert all("/id/state/" in row["state"] for row in panel)
    assert all(row["cow"] == notations.get(row["status"], "") for row in panel)
    assert kazakhstan["cowCode"] == "705"
