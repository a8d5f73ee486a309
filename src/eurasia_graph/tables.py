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

    @classmethod
    def of(cls, query: str) -> Table:
        """Take a query apart."""
        select, _, order = query.rpartition(" ORDER BY ")
        return cls(select, tuple(word[1:] for word in order.split()))

    def columns(self) -> list[str]:
        """List its columns."""
        return [word[1:] for word in self.select.partition("{")[0].split()]


QUERIES = {
    "memberships": """?membership ?holder ?body ?status ?from ?to ?fromEarliest ?fromLatest ?toEarliest ?toLatest
      ?source ?claim {
        GRAPH ?g {
          ?membership a eg:Membership ; eg:holder ?holder ; eg:inBody ?body ; eg:status ?status ;
            eg:accordingTo ?source ; eg:leadClaim ?claim ; eg:from ?from ; eg:fromEarliest ?fromEarliest
          OPTIONAL { ?membership eg:to ?to } OPTIONAL { ?membership eg:fromLatest ?fromLatest }
          OPTIONAL { ?membership eg:toEarliest ?toEarliest } OPTIONAL { ?membership eg:toLatest ?toLatest }
        }
      } ORDER BY ?membership""",
    "events": """?event ?kind ?label ?claim ?source ?date ?earliest ?latest {
        GRAPH ?f { ?claim eg:reportsEvent ?event . ?event skos:prefLabel ?label }
        GRAPH ?g { ?claim eg:madeBy ?source
          OPTIONAL { ?claim eg:saysKind ?kind } OPTIONAL { ?claim eg:saysDate ?date } }
        OPTIONAL { GRAPH ?b { ?claim eg:latest ?latest OPTIONAL { ?claim eg:earliest ?earliest } } }
      } ORDER BY ?event ?claim ?label""",
    "claims": """?claim ?source ?type ?gist ?kind ?assessment ?date ?dateInferred ?status ?treaty ?modality ?counted {
        GRAPH ?g {
          ?claim eg:madeBy ?source ; eg:gist ?gist ; a ?type FILTER(?type != eg:ReportedClaim)
          FILTER NOT EXISTS { ?claim a ?other FILTER(?other != eg:ReportedClaim && STR(?other) < STR(?type)) }
          OPTIONAL { ?claim eg:saysKind ?kind } OPTIONAL { ?claim eg:saysAssessment ?assessment }
          OPTIONAL { ?claim eg:saysDate ?date } OPTIONAL { ?claim eg:dateInferred ?dateInferred }
          OPTIONAL { ?claim eg:saysStatus ?status } OPTIONAL { ?claim eg:saysTreaty ?treaty }
          OPTIONAL { ?claim eg:modality ?modality }
        }
        BIND(EXISTS { GRAPH ?b { ?claim a eg:CountedClaim } } AS ?counted)
      } ORDER BY ?claim""",
    "claim-actors": """?claim ?actor {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:saysActor ?actor } } ORDER BY ?claim ?actor""",
    "claim-bodies": """?claim ?body {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:saysBody ?body } } ORDER BY ?claim ?body""",
    "claim-attributions": """?claim ?attributedTo {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:attributedTo ?attributedTo } } ORDER BY ?claim ?attributedTo""",
    "claim-passages": """?claim ?passage {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:evidence ?passage } } ORDER BY ?claim ?passage""",
    "figures": """?claim ?source ?indicator ?area ?period ?value ?unit ?approximate {
        GRAPH ?g {
          ?claim eg:madeBy ?source ; eg:saysIndicator ?indicator ; eg:saysArea ?area ; eg:saysPeriod ?period ;
            eg:saysValue ?value ; eg:saysUnit ?unit
          OPTIONAL { ?claim eg:approximate ?approximate }
        }
      } ORDER BY ?claim""",
    "passages": """?passage ?source ?number ?section ?start ?end ?foldedSha256 ?foldedLength {
        GRAPH ?g {
          ?passage a eg:Sentence ; eg:passageOf ?source ; eg:number ?number ; eg:start ?start ; eg:end ?end ;
            eg:foldedSha256 ?foldedSha256 ; eg:foldedLength ?foldedLength
          OPTIONAL { ?passage eg:section ?section }
        }
      } ORDER BY ?source ?number""",
    "bodies": """?body ?type ?label ?labelRu ?organOf ?cowIgo ?cowIgoNumber {
        GRAPH graph:ontology { ?type rdfs:subClassOf* eg:Body }
        GRAPH graph:entities { ?body a ?type ; skos:prefLabel ?label FILTER(LANG(?label) = "en")
          OPTIONAL { ?body skos:prefLabel ?labelRu FILTER(LANG(?labelRu) = "ru") }
          OPTIONAL { ?body eg:organOf ?organOf } OPTIONAL { ?body eg:cowIgoName ?cowIgo }
          OPTIONAL { ?body eg:cowIgoNumber ?cowIgoNumber } }
      } ORDER BY ?body""",
    "states": """?state ?label ?labelRu ?isoAlpha3 ?cowState ?cowCode ?existence {
        GRAPH graph:entities { ?state a eg:State ; skos:prefLabel ?label FILTER(LANG(?label) = "en")
          OPTIONAL { ?state skos:prefLabel ?labelRu FILTER(LANG(?labelRu) = "ru") }
          OPTIONAL { ?state eg:isoAlpha3 ?isoAlpha3 } OPTIONAL { ?state eg:cowAbbreviation ?cowState }
          OPTIONAL { ?state eg:cowCode ?cowCode } OPTIONAL { ?state eg:existence ?existence } }
      } ORDER BY ?state""",
    "actors": """?actor ?type ?label {
        GRAPH graph:ontology { ?type rdfs:subClassOf* eg:Actor }
        GRAPH graph:entities { ?actor a ?type ; skos:prefLabel ?label } FILTER(LANG(?label) = "en")
      } ORDER BY ?actor ?type""",
    "entities": """?entity ?type ?label {
        GRAPH graph:ontology { ?type rdfs:subClassOf* eg:Entity }
        GRAPH graph:entities { ?entity a ?type ; skos:prefLabel ?label } FILTER(LANG(?label) = "en")
      } ORDER BY ?entity ?type""",
}
# Not a column: it is rare, and a reader of the table has the bounds.
SURELY_HELD = "?membership { GRAPH ?g { ?membership eg:surelyHeld true } }"
TABLES = {name: Table.of(text) for name, text in QUERIES.items()}
PANEL = (
    *("state", "cowCode", "cowState", "year", "body", "cowIgo"),
    *("source", "status", "cow", "certainty", "membership"),
)
# As in the state-year data of the Correlates of War project; other standings have no code there.
COW = {"member": "1", "associate": "2", "observer": "3", "outside": "0"}
END_OF_TIME = "9999-12-31"
SUMMARIES = {
    "memberships": "who belonged to what, from when to when, according to one text; states and other actors",
    "events": "one row an event and a claim that tells of it",
    "claims": "what the texts say, one row a claim of any kind, in our words",
    "claim-actors": "who takes part in the event that a claim tells of",
    "claim-bodies": "of which bodies a claim says what it says",
    "claim-attributions": "whom the text credits with a claim",
    "claim-passages": "the sentences and clauses that a claim rests on",
    "figures": "numbers that the texts give",
    "passages": "the sentences of the texts by place and digest, without their words",
    "bodies": "organisations, organs, treaty regimes and proposed bodies",
    "states": "states and the codes of others for them",
    "actors": "all who can act or belong: states, organisations, organs",
    "entities": "everything that has a name",
    "state-years": "one row a state, year, body, text and standing, up to the year in which the text was issued; "
    "no row means that the text says nothing, and never that it says no",
    "dictionary": "what every column holds",
}
# What tells the rows of a table apart.
KEYS = {
    "memberships": ("membership",),
    "events": ("event", "claim"),
    "claims": ("claim",),
    "claim-actors": ("claim", "actor"),
    "claim-bodies": ("claim", "body"),
    "claim-attributions": ("claim", "attributedTo"),
    "claim-passages": ("claim", "passage"),
    "figures": ("claim",),
    "passages": ("passage",),
    "bodies": ("body",),
    "states": ("state",),
    "actors": ("actor",),
    "entities": ("entity",),
    "state-years": ("state", "year", "membership"),
    "dictionary": ("table", "column"),
}
# In which table a column of any other table is looked up. Not so `passage`, which can be a clause and has no row then,
# and what can be blank, which readers of CSVW take for a reference to nothing.
HOMES = {
    "claim": "claims",
    "membership": "memberships",
    "body": "bodies",
    "state": "states",
    **dict.fromkeys(("actor", "holder", "source", "attributedTo", "area"), "entities"),
}
# Of every column: its datatype in CSVW, and what it holds.
COLUMNS = {
    "actor": ("anyURI", "who"),
    "approximate": ("boolean", "true where the text says about, more than or the like"),
    "area": ("anyURI", "of which state, body or place the number tells"),
    "assessment": ("anyURI", "what kind of assessment; blank for other claims"),
    "attributedTo": ("anyURI", "whom the text credits"),
    "body": ("anyURI", "the organisation or treaty regime"),
    "certainty": ("string", "certain: throughout the year; part: surely at some time in it; possible: perhaps"),
    "claim": ("anyURI", "the statement of a text that this rests on"),
    "counted": ("boolean", "whether facts follow from it: the text asserts it, and nothing speaks against it"),
    "column": ("string", "the name of the column; blank in the row that describes the table"),
    "cow": ("string", "1 full member, 2 associate, 3 observer, 0 expressly outside; blank for other standings"),
    "cowCode": ("string", "number of the state in the Correlates of War system"),
    "cowIgo": ("string", "name of the body in the IGO data of the Correlates of War project; blank if not there"),
    "cowIgoNumber": ("string", "number of the body in the IGO data of the Correlates of War project"),
    "cowState": ("string", "abbreviation of the state in the Correlates of War system"),
    "datatype": ("string", "by CSV on the Web: anyURI for an IRI, date for a day of ISO 8601"),
    "date": ("string", "when, as the text has it; EDTF"),
    "dateInferred": ("boolean", "true where the date follows from the context"),
    "earliest": ("date", "the first day that the date can mean; blank where it names none"),
    "end": ("integer", "where the sentence ends; code points from 0, excluded"),
    "entity": ("anyURI", "what is named"),
    "event": ("anyURI", "what happened"),
    "existence": ("string", "from when to when it was a state, where that is not plain; EDTF"),
    "foldedLength": ("integer", "letters and digits of the sentence; a count"),
    "foldedSha256": ("string", "digest of the folded sentence; hexadecimal"),
    "from": ("string", "from when, as the text has it; EDTF"),
    "fromEarliest": ("date", "the first day on which it can have begun"),
    "fromLatest": ("date", "the last day on which it can have begun"),
    "gist": ("string", "what is said, in our words"),
    "holder": ("anyURI", "who belongs"),
    "holds": ("string", "what it means"),
    "indicator": ("anyURI", "what is counted or measured"),
    "isoAlpha3": ("string", "three letters of ISO 3166-1"),
    "kind": ("anyURI", "the class of the event that is told of; blank for other claims"),
    "label": ("string", "the name in English"),
    "labelRu": ("string", "the name in Russian"),
    "latest": ("date", "the last day that the date can mean; of a standing that lasted, of its beginning"),
    "membership": ("anyURI", "the membership"),
    "modality": ("anyURI", "hedged, reported or denied; blank where the text asserts it"),
    "number": ("integer", "of the sentence in its text, from 1"),
    "organOf": ("anyURI", "the body whose organ it is"),
    "passage": ("anyURI", "the sentence or clause"),
    "period": ("string", "for when; EDTF"),
    "section": ("string", "the heading above the sentence"),
    "source": ("anyURI", "the text"),
    "start": ("integer", "where the sentence begins; code points from 0"),
    "state": ("anyURI", "the state"),
    "status": ("anyURI", "in which standing"),
    "table": ("string", "the name of the file without .csv"),
    "to": ("string", "until when, as the text has it; EDTF; blank where no text tells of an end"),
    "toEarliest": ("date", "the first day on which it can have ended"),
    "toLatest": ("date", "the last day on which it can have ended"),
    "treaty": ("anyURI", "the treaty"),
    "type": ("anyURI", "its class; of a claim of two kinds, such as a judgement with a figure, the first by name"),
    "unit": ("anyURI", "the unit of the number, mostly of QUDT"),
    "value": ("decimal", "the number"),
    "year": ("integer", "of the Gregorian calendar"),
}
OPTIONAL = {
    *("approximate", "assessment", "column", "cow", "cowCode", "cowIgo", "cowIgoNumber", "cowState"),
    *("datatype", "date", "dateInferred", "earliest", "existence", "fromLatest", "isoAlpha3", "kind"),
    *("labelRu", "latest", "modality", "organOf", "section", "status", "to", "toEarliest", "toLatest", "treaty"),
}


def write(store: ReleaseStore, about: dict[str, str], out: IO[bytes]) -> None:
    """
    Write the zip; memory holds some rows of one table.

    Args:
        store: The release.
        about: What is said of the release itself, such as `licence` and `citation`.
        out: Where to.
    """
    heads = {**{name: table.columns() for name, table in TABLES.items()}, "state-years": list(PANEL)}
    heads["dictionary"] = ["table", "column", "datatype", "holds"]
    # Beside `out` first: a zip of a file that can be searched has other bytes than one of a pipe.
    with tempfile.TemporaryFile() as whole:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, table in TABLES.items():
                _add(archive, name, heads[name], _rows(store, table))
            _add(archive, "state-years", heads["state-years"], panel(store))
            _add(archive, "dictionary", heads["dictionary"], _dictionary(heads))
            metadata = json.dumps(_metadata(heads, about), indent=1, ensure_ascii=False)
            archive.writestr(zipfile.ZipInfo("csv-metadata.json", FIXED_TIME), metadata, zipfile.ZIP_DEFLATED)
        whole.seek(0)
        shutil.copyfileobj(whole, out)


def _dictionary(heads: dict[str, list[str]]) -> Iterator[list[str]]:
    for name, head in heads.items():
        yield [name, "", "", SUMMARIES[name]]
        yield from ([name, column, *COLUMNS[column]] for column in head)


def panel(store: ReleaseStore) -> Iterator[list[str]]:
    """Spread memberships of states over the years in which they can have been, until their text was issued."""
    return _sorted(_years(store), PANEL, PANEL)


def _years(store: ReleaseStore) -> Iterator[list[str]]:
    states = {row["state"]: row for row in _named(store, "states")}
    bodies = {row["body"]: row for row in _named(store, "bodies")}
    held = {membership for (membership,) in _asked(store, SURELY_HELD)}
    for one in _named(store, "memberships"):
        if one["holder"] not in states:
            continue
        state, igo = states[one["holder"]], bodies.get(one["body"], {}).get("cowIgo", "")
        horizon = store.horizons.get(one["source"], END_OF_TIME)
        first = int(one["fromEarliest"][:4])
        last = min(int((one["toLatest"] or END_OF_TIME)[:4]), int(horizon[:4]), date.max.year)
        for year in range(first, last + 1):
            certainty = _certainty(one, horizon, f"{year}-01-01", f"{year}-12-31", held=one["membership"] in held)
            if certainty:
                who = [one["holder"], state["cowCode"], state["cowState"], str(year)]
                code = COW.get(ns.local_name(one["status"]), "")
                yield [*who, one["body"], igo, one["source"], one["status"], code, certainty, one["membership"]]


def _named(store: ReleaseStore, name: str) -> Iterator[dict[str, str]]:
    """Return the rows of a table by the names of their columns."""
    table = TABLES[name]
    return (dict(zip(table.columns(), row, strict=True)) for row in _rows(store, table))


def _certainty(one: dict[str, str], horizon: str, first: str, last: str, *, held: bool) -> str:
    """
    Say how sure a membership is in a span of days; days of ISO 8601 sort as texts.

    `held` tells that it was surely there at some time, though on no day for certain.
    """
    sure_until, begun = one["toEarliest"] or END_OF_TIME, one["fromLatest"]
    if begun and begun <= first and last < sure_until and last <= horizon:
        return "certain"
    if (
        begun
        and (held or begun < sure_until)
        and begun <= min(last, horizon)
        and first < sure_until
        and first <= horizon
    ):
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
    places = [(columns.index(column), natural_key if COLUMNS[column][0] == "integer" else str) for column in order]
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
                "dc:description": SUMMARIES[name],
                "tableSchema": {
                    "columns": [_column(column) for column in head],
                    "primaryKey": list(KEYS[name]),
                    "foreignKeys": [
                        {
                            "columnReference": [column],
                            "reference": {"resource": f"{home}.csv", "columnReference": list(KEYS[home])},
                        }
                        for column, home in HOMES.items()
                        if column in head and home != name
                    ],
                },
            }
            for name, head in heads.items()
        ],
    }


def _column(name: str) -> dict[str, object]:
    datatype, holds = COLUMNS[name]
    return {
        "name": name,
        "titles": name,
        "dc:description": holds,
        "datatype": datatype,
        "required": name not in OPTIONAL,
    }
