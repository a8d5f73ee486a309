"""
Write a release as tidy tables in a zip: one row a thing, one column a property.

`state-years` is the panel that students of organisations know from the Correlates of War project: who was
in what in which year. `dictionary` says what every column holds, and `csv-metadata.json` says it to
programs (CSV on the Web).

Rows are asked for graph by graph, sorted outside of memory and written as they come.

Source: https://www.w3.org/TR/tabular-metadata/; https://correlatesofwar.org/data-sets/igos/
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO

from pyoxigraph import Literal, QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph.queries import cell
from eurasia_graph.sorting import sort
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle import natural_key

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
PREFIXES = (
    f"PREFIX eg: <{ns.EG}> PREFIX skos: <{ns.SKOS}> PREFIX rdfs: <{ns.RDFS}> PREFIX graph: <{ns.GRAPH}>"
    " SELECT DISTINCT "
)


@dataclass(frozen=True, slots=True)
class Table:
    """A query for each graph (`GRAPH ?g`), or for none of them in particular, and the columns that sort its rows."""

    select: str
    order: tuple[str, ...]

    def columns(self) -> list[str]:
        """List its columns."""
        return [word[1:] for word in self.select.partition("{")[0].split()]


TABLES = {
    "memberships": Table(
        """?membership ?holder ?body ?status ?from ?to ?fromEarliest ?fromLatest ?toEarliest ?toLatest
      ?source ?claim {
        GRAPH ?g {
          ?membership a eg:Membership ; eg:holder ?holder ; eg:inBody ?body ; eg:status ?status ;
            eg:accordingTo ?source ; eg:begunBy ?claim ; eg:from ?from ; eg:fromEarliest ?fromEarliest
          OPTIONAL { ?membership eg:to ?to } OPTIONAL { ?membership eg:fromLatest ?fromLatest }
          OPTIONAL { ?membership eg:toEarliest ?toEarliest } OPTIONAL { ?membership eg:toLatest ?toLatest }
        }
      }""",
        ("membership",),
    ),
    "events": Table(
        """?event ?kind ?label ?claim ?source ?date ?earliest ?latest {
        GRAPH ?f { ?claim eg:reportsEvent ?event . ?event skos:prefLabel ?label }
        GRAPH ?g { ?claim eg:madeBy ?source
          OPTIONAL { ?claim eg:saysKind ?kind } OPTIONAL { ?claim eg:saysDate ?date } }
        OPTIONAL { GRAPH ?b { ?claim eg:earliest ?earliest ; eg:latest ?latest } }
      }""",
        ("event", "claim", "label"),
    ),
    "claims": Table(
        """?claim ?source ?kind ?gist ?date ?dateInferred ?status ?body ?treaty ?modality ?attributedTo {
        GRAPH ?g {
          ?claim eg:madeBy ?source ; eg:gist ?gist
          OPTIONAL { ?claim eg:saysKind ?kind } OPTIONAL { ?claim eg:saysDate ?date }
          OPTIONAL { ?claim eg:dateInferred ?dateInferred } OPTIONAL { ?claim eg:saysStatus ?status }
          OPTIONAL { ?claim eg:saysBody ?body } OPTIONAL { ?claim eg:saysTreaty ?treaty }
          OPTIONAL { ?claim eg:modality ?modality } OPTIONAL { ?claim eg:attributedTo ?attributedTo }
        }
      }""",
        ("claim", "body"),
    ),
    "claim-actors": Table(
        """?claim ?actor {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:saysActor ?actor } }""",
        ("claim", "actor"),
    ),
    "claim-passages": Table(
        """?claim ?passage {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:evidence ?passage } }""",
        ("claim", "passage"),
    ),
    "passages": Table(
        """?passage ?source ?number ?section ?start ?end ?foldedSha256 ?foldedLength {
        GRAPH ?g {
          ?passage a eg:Sentence ; eg:passageOf ?source ; eg:number ?number ; eg:start ?start ; eg:end ?end ;
            eg:foldedSha256 ?foldedSha256 ; eg:foldedLength ?foldedLength
          OPTIONAL { ?passage eg:section ?section }
        }
      }""",
        ("source", "number"),
    ),
    "bodies": Table(
        """?body ?label ?existence {
        GRAPH graph:ontology { ?type rdfs:subClassOf* eg:Body }
        GRAPH graph:entities { ?body a ?type ; skos:prefLabel ?label OPTIONAL { ?body eg:existence ?existence } }
        FILTER(LANG(?label) = "en")
      }""",
        ("body",),
    ),
    "actors": Table(
        """?actor ?type ?label {
        GRAPH graph:ontology { ?type rdfs:subClassOf* eg:Actor }
        GRAPH graph:entities { ?actor a ?type ; skos:prefLabel ?label } FILTER(LANG(?label) = "en")
      }""",
        ("actor", "type"),
    ),
    "entities": Table(
        """?entity ?type ?label {
        GRAPH graph:entities { ?entity a ?type ; skos:prefLabel ?label } FILTER(LANG(?label) = "en")
      }""",
        ("entity", "type"),
    ),
}
PANEL = ("state", "year", "body", "source", "status", "cow", "certainty", "membership")
# As in the state-year data of the Correlates of War project: 1 full, 2 associate, 3 observer, 0 outside.
COW = {"member": "1", "signatory": "1", "associate": "2", "observer": "3", "outside": "0"}
END_OF_TIME = "9999-12-31"
DESCRIPTIONS = {
    "actor": "who; IRI",
    "attributedTo": "whom the text credits; IRI",
    "body": "the organisation or treaty regime; IRI",
    "certainty": "certain: throughout the year; part: surely at some time in it; possible: perhaps",
    "claim": "the statement of a text that this rests on; IRI",
    "cow": "1 full member or signatory, 2 associate, 3 observer, 0 outside; blank for other standings",
    "date": "when, as the text has it; EDTF",
    "dateInferred": "true where the date follows from the context",
    "earliest": "the first day that the date can mean; ISO 8601",
    "end": "where the sentence ends; code points from 0, excluded",
    "entity": "what is named; IRI",
    "event": "what happened; IRI",
    "existence": "from when to when; EDTF",
    "foldedLength": "letters and digits of the sentence; a count",
    "foldedSha256": "digest of the folded sentence; hexadecimal",
    "from": "from when, as the text has it; EDTF",
    "fromEarliest": "the first day on which it can have begun; ISO 8601",
    "fromLatest": "the last day on which it can have begun; ISO 8601",
    "gist": "what is said, in our words",
    "holder": "who belongs; IRI",
    "kind": "what kind of event; IRI of the class",
    "label": "the name in English",
    "latest": "the last day that the date can mean; ISO 8601",
    "membership": "the membership; IRI",
    "modality": "asserted where blank; hedged, reported or denied; IRI",
    "number": "of the sentence in its text, from 1",
    "passage": "the sentence or clause; IRI",
    "section": "the heading above the sentence",
    "source": "the text; IRI",
    "start": "where the sentence begins; code points from 0",
    "state": "who; IRI",
    "status": "in which standing; IRI",
    "to": "until when, as the text has it; EDTF; blank where no text tells of an end",
    "toEarliest": "the first day on which it can have ended; ISO 8601",
    "toLatest": "the last day on which it can have ended; ISO 8601",
    "treaty": "the treaty; IRI",
    "type": "IRI of the class",
    "year": "of the Gregorian calendar",
}
INTEGERS = {"year", "number", "start", "end", "foldedLength"}


def write(store: ReleaseStore, about: dict[str, str], out: IO[bytes]) -> None:
    """
    Write the zip; memory holds some rows of one table.

    Args:
        store: The release.
        about: What is said of the release itself, such as `licence` and `citation`.
        out: Where to.
    """
    heads = {**{name: table.columns() for name, table in TABLES.items()}, "state-years": list(PANEL)}
    described = [[name, column, DESCRIPTIONS[column]] for name, head in heads.items() for column in head]
    heads["dictionary"] = ["table", "column", "holds"]
    # Beside `out` first: a zip of a file that can be searched has other bytes than one of a pipe.
    with tempfile.TemporaryFile() as whole:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, table in TABLES.items():
                _add(archive, name, heads[name], _rows(store, table))
            memberships = _rows(store, TABLES["memberships"])
            _add(archive, "state-years", heads["state-years"], panel(memberships, store.horizons))
            _add(archive, "dictionary", heads["dictionary"], described)
            metadata = json.dumps(_metadata(heads, about), indent=1, ensure_ascii=False)
            archive.writestr(zipfile.ZipInfo("csv-metadata.json", FIXED_TIME), metadata, zipfile.ZIP_DEFLATED)
        whole.seek(0)
        shutil.copyfileobj(whole, out)


def panel(memberships: Iterable[Sequence[str]], horizons: dict[str, str]) -> Iterator[list[str]]:
    """
    Spread memberships over the years in which they can have been, up to the year in which their text was issued.

    Args:
        memberships: The rows of the table of that name.
        horizons: The last day of every source, ISO 8601.
    """
    return _sorted(_years(memberships, horizons), PANEL, PANEL)


def _years(memberships: Iterable[Sequence[str]], horizons: dict[str, str]) -> Iterator[list[str]]:
    head = TABLES["memberships"].columns()
    for row in memberships:
        one = dict(zip(head, row, strict=True))
        horizon = horizons.get(one["source"], END_OF_TIME)
        first = int(one["fromEarliest"][:4])
        last = min(int((one["toLatest"] or END_OF_TIME)[:4]), int(horizon[:4]), date.max.year)
        for year in range(first, last + 1):
            certainty = _certainty(one, horizon, f"{year}-01-01", f"{year}-12-31")
            if certainty:
                short = ns.local_name(one["status"])
                cells = [one["holder"], str(year), one["body"], one["source"], one["status"], COW.get(short, "")]
                yield [*cells, certainty, one["membership"]]


def _certainty(one: dict[str, str], horizon: str, first: str, last: str) -> str:
    """Say how sure a membership is in a span of days; days of ISO 8601 sort as texts."""
    sure_until, begun = one["toEarliest"] or END_OF_TIME, one["fromLatest"]
    if begun and begun <= first and last < sure_until and last <= horizon:
        return "certain"
    if begun and begun < sure_until and begun <= min(last, horizon) and first < sure_until and first <= horizon:
        return "part"
    return "possible" if one["fromEarliest"] <= last and first < (one["toLatest"] or END_OF_TIME) else ""


def _rows(store: ReleaseStore, table: Table) -> Iterator[list[str]]:
    """Return the rows of a table, sorted."""
    return _sorted(_asked(store, table.select), table.columns(), table.order)


def _asked(store: ReleaseStore, select: str) -> Iterator[list[str]]:
    # Graph by graph: the engine holds an answer to the end, to give no row twice.
    graphs = sorted(map(str, store.engine.named_graphs())) if "GRAPH ?g" in select else [""]
    for graph in graphs:
        answer = store.query(PREFIXES + select.replace("GRAPH ?g", f"GRAPH {graph}"))
        assert isinstance(answer, QuerySolutions)
        for row in answer:
            yield [_cell(term) for term in row]


def _sorted(rows: Iterable[Sequence[str]], columns: Sequence[str], order: Sequence[str]) -> Iterator[list[str]]:
    """Sort rows by some of their columns, then by the others."""
    places = [(columns.index(column), natural_key if column in INTEGERS else str) for column in order]
    lines = (json.dumps([*(key(row[place]) for place, key in places), *row]).encode() + b"\n" for row in rows)
    return (json.loads(line)[len(order) :] for line in sort(lines))


def _cell(term: object) -> str:
    if isinstance(term, Literal):
        return term.value
    value = cell(term)
    return "" if value is None else str(value)


def _add(archive: zipfile.ZipFile, name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    described = zipfile.ZipInfo(f"{name}.csv", FIXED_TIME)
    described.compress_type = zipfile.ZIP_DEFLATED
    with tempfile.TemporaryFile() as table:
        text = io.TextIOWrapper(table, "utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(rows)
        text.flush()
        described.file_size = table.tell()  # what is too large for the old kind of zip gets the new one
        table.seek(0)
        with archive.open(described, "w") as content:
            shutil.copyfileobj(table, content)


def _metadata(heads: dict[str, list[str]], about: dict[str, str]) -> dict[str, object]:
    """Describe the tables to programs: https://www.w3.org/TR/tabular-metadata/."""
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": "Eurasia Graph",
        "dc:identifier": about.get("release", ""),
        "dc:license": {"@id": about["licence"]},
        "dc:bibliographicCitation": about["citation"],
        "tables": [
            {
                "url": f"{name}.csv",
                "tableSchema": {
                    "columns": [
                        {
                            "name": column,
                            "titles": column,
                            "dc:description": DESCRIPTIONS.get(column, column),
                            "datatype": "integer" if column in INTEGERS else "string",
                        }
                        for column in head
                    ]
                },
            }
            for name, head in heads.items()
        ],
    }
