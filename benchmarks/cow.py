"""
The Correlates of War table of intergovernmental organisations, version 3, as a source.

Every change of a cell becomes a claim; the build derives memberships from them; and members-on must
give back every cell, and nothing certain after the last year. The table is read from ../shared or
from --table and never committed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from eurasia_graph import namespaces as ns
from eurasia_graph import paths, queries
from eurasia_graph.build import pipeline
from eurasia_graph.build.release import Release, as_store
from eurasia_graph.store import ReleaseStore
from eurasia_graph.text.passages import Passage, digest, to_triples
from eurasia_graph.text.splitting import Span
from measure import Stages, cpu_seconds, peak_mib, show, unit, with_ratio

TABLE = Path(__file__).parents[2] / "shared/data/cow-igo/igo_year_formatv3.csv.gz"
SOURCE = "cow-igo-3"
OURS = {"CIS": "CIS", "CSTO": "CSTO", "SCO": "SCO", "CICA": "CICA", "EAEC": "EURASEC", "CAECC": "CACO", "ECO": "ECO"}
STATES = {
    "armenia": "AM", "azerbaijan": "AZ", "belarus": "BY", "georgia": "GE", "kazakhstan": "KZ", "kyrgyzstan": "KG",
    "moldova": "MD", "russia": "RU", "tajikistan": "TJ", "turkmenistan": "TM", "ukraine": "UA", "uzbekistan": "UZ",
    "china": "CN", "mongolia": "MN", "iran": "IR", "turkey": "TR", "pakistan": "PK", "afghanistan": "AF",
    "india": "IN",
}  # fmt: skip
FIRST_STATE, LAST_STATE = "afghanistan", "zimbabwe"
STATUS = {"1": "member", "2": "associate", "3": "observer"}
EDTF = NamedNode(ns.EDTF + "EDTF")
MISSING = "-9"
LAST_YEAR = 2014
PAST_THE_END = ("2015-01-01", "2015", "2017-12-31")
# Of the 1,091 state-years of our bodies, all but the five in the last row of CAECC, which ended in 2006.
CERTAIN, PART = 1086, 5

Row = dict[str, str]


def read(table: Path, only_ours: bool) -> tuple[str, dict[str, list[tuple[Row, Span]]], list[str]]:
    """Return the text of the table, its rows by organisation with their place in it, and the states."""
    text = gzip.decompress(table.read_bytes()).decode("utf-8", errors="replace").replace("\r\n", "\n")
    lines = text.splitlines(keepends=True)
    header = next(csv.reader([lines[0]]))
    by_name: dict[str, list[tuple[Row, Span]]] = defaultdict(list)
    offset = len(lines[0])
    for line in lines[1:]:
        row = dict(zip(header, next(csv.reader([line])), strict=False))
        if not only_ours or row["ioname"] in OURS:
            by_name[row["ioname"]].append((row, Span(offset, offset + len(line.rstrip("\n")))))
        offset += len(line)
    states = header[header.index(FIRST_STATE) : header.index(LAST_STATE) + 1]
    for rows in by_name.values():
        rows.sort(key=lambda pair: int(pair[0]["year"]))
    return text, by_name, states


def write(folder: Path, table: Path, only_ours: bool) -> tuple[dict[str, list[tuple[Row, Span]]], int]:
    """Write a data folder with the table as its only source; return the rows and the number of claims."""
    text, by_name, states = read(table, only_ours)
    shutil.copytree(paths.root() / "data" / "entities", folder / "entities")
    place = folder / "sources" / SOURCE
    place.mkdir(parents=True)
    (place / "source.ttl").write_bytes(_turtle(_description()))
    _turtle_file(folder / "entities" / "cow.ttl", list(_entities(by_name, states)))
    passages: dict[Span, str] = {}
    triples = list(_claims(by_name, states, passages))
    _turtle_file(place / "claims.ttl", triples)
    known = [Passage(name, span, digest(text[span.start : span.end])) for span, name in passages.items()]
    _turtle_file(place / "passages.ttl", list(to_triples(SOURCE, text, known)))
    return by_name, sum(1 for triple in triples if triple.predicate == ns.EG("statedIn"))


def _turtle(triples: list[Triple]) -> bytes:
    return serialize(triples, format=RdfFormat.TURTLE, prefixes=dict(ns.PREFIXES)) or b""


def _turtle_file(path: Path, triples: list[Triple]) -> None:
    path.write_bytes(_turtle(triples))


def _description() -> list[Triple]:
    node = ns.ID(f"source/{SOURCE}")
    return [
        Triple(node, ns.RDF("type"), ns.EG("Source")),
        Triple(node, ns.DCTERMS("creator"), ns.ID("agent/curator")),
        Triple(node, ns.DCTERMS("created"), Literal("2026-11-21", datatype=NamedNode(ns.XSD + "date"))),
        Triple(node, ns.RDF("type"), NamedNode("http://purl.org/spar/fabio/Dataset")),
        Triple(node, ns.DCTERMS("title"), Literal("Correlates of War, intergovernmental organisations, version 3")),
        Triple(node, ns.DCTERMS("language"), NamedNode("http://id.loc.gov/vocabulary/iso639-1/en")),
        Triple(node, ns.EG("issued"), Literal("2019", datatype=EDTF)),
        Triple(node, ns.EG("coversUntil"), Literal(str(LAST_YEAR), datatype=EDTF)),
        Triple(node, ns.SKOS("prefLabel"), Literal("COW IGO 3", language="en")),
    ]


def _entities(by_name: dict[str, list[tuple[Row, Span]]], states: list[str]) -> Iterator[Triple]:
    for name, rows in by_name.items():
        if name not in OURS:
            yield from _entity(_body(name), "Organisation", rows[0][0]["orgname"] or name)
    for state in states:
        if state not in STATES:
            # No ISO code is known for states of the nineteenth century, so these are actors and no more.
            yield from _entity(_state(state), "Actor", state)


def _entity(node: NamedNode, cls: str, label: str) -> Iterator[Triple]:
    yield Triple(node, ns.RDF("type"), ns.EG(cls))
    yield Triple(node, ns.SKOS("prefLabel"), Literal(label, language="en"))


def _body(name: str) -> NamedNode:
    slug = "".join(character if character.isalnum() else "-" for character in name)
    return ns.ID(f"body/{OURS.get(name, f'COW-{slug}')}")


def _state(name: str) -> NamedNode:
    return ns.ID(f"state/{STATES.get(name, f'cow-{name}')}")


@dataclass(frozen=True, slots=True)
class Change:
    """
    What a state's cells say at a row: that a status begins, or may have ended.

    `year` is that of the row, `date` EDTF; `hedged` where the status is only what may be.
    """

    year: int
    status: str
    date: str
    hedged: bool = False


def changes(cells: Iterable[tuple[int, str]], since: int) -> Iterator[Change]:
    """
    Turn the cells of a state into changes; a cell describes 31 December.

    A status after missing cells began on some day from the first missing year on. If it is the same before and after
    them, it may have lapsed: it is not certain in between, and begins again.

    Args:
        cells: Year and code, in order; a year without a row is missing.
        since: The first year in which the body may have lived.
    """
    status, known, missing = "outside", since - 1, 0
    for year, code in cells:
        if code == MISSING:
            missing = missing or year
            continue
        new = STATUS.get(code, "outside")
        first = known + 1
        if missing and new == status != "outside":
            yield Change(missing, "outside", f"{first}-01-01", hedged=True)
            yield Change(year, new, f"[{first}-01-02..{year}-12-31]")
        elif new != status:
            yield Change(year, new, str(year) if first == year else f"[{first}-01-01..{year}-12-31]")
        status, known, missing = new, year, 0
    if missing and status != "outside":
        yield Change(missing, "outside", f"{known + 1}-01-01", hedged=True)


def _claims(
    by_name: dict[str, list[tuple[Row, Span]]], states: list[str], passages: dict[Span, str]
) -> Iterator[Triple]:
    """One claim for each organisation and change, with all states that it is of; one for the end."""
    number = 0
    for name, rows in by_name.items():
        spans = {int(row["year"]): span for row, span in rows}
        first, last = min(spans), max(spans)
        told: dict[Change, list[str]] = defaultdict(list)
        late: list[str] = []
        for state in states:
            codes = {int(row["year"]): row.get(state, "") for row, _ in rows}
            cells = ((year, codes.get(year, MISSING)) for year in range(first, last + 1))
            for change in changes(cells, min(first, int(rows[0][0]["sdate"] or first))):
                told[change].append(state)
                if change.year == last and change.status != "outside":
                    late.append(state)
        if last < LAST_YEAR:
            # A row says that its body lived in that year, so that it ended after the first day of the last.
            dead = max(last, int(rows[-1][0]["deaddate"] or last))
            if late:
                # They may have joined after that day: the certain end is that there is no next year.
                told[Change(last, "outside", f"{dead + 1}-01-01")] += late
            number += 1
            yield from _claim(number, name, f"[{last}-01-02..{dead}-12-31]", spans[last], passages)
            node = ns.ID(f"claim/{SOURCE}/{number}")
            yield Triple(node, ns.EG("saysKind"), ns.EG("Dissolution"))
            yield Triple(node, ns.EG("saysOldBody"), _body(name))
        for change, changed in sorted(told.items(), key=lambda item: (item[0].year, item[0].date, item[0].status)):
            number += 1
            # Where a row is missing, the one before it shows that it is.
            row = max(year for year in spans if year <= change.year)
            yield from _claim(number, name, change.date, spans[row], passages)
            yield from _change(number, name, change, changed)


def _claim(number: int, name: str, date: str, span: Span, passages: dict[Span, str]) -> Iterator[Triple]:
    node = ns.ID(f"claim/{SOURCE}/{number}")
    passage = passages.setdefault(span, str(len(passages) + 1))
    yield Triple(node, ns.RDF("type"), ns.EG("EventClaim"))
    yield Triple(node, ns.EG("statedIn"), ns.ID(f"source/{SOURCE}"))
    yield Triple(node, ns.EG("evidence"), ns.ID(f"passage/{SOURCE}/{passage}"))
    yield Triple(node, ns.EG("gist"), Literal(f"A change in {name}, {date}.", language="en"))
    yield Triple(node, ns.EG("saysDate"), Literal(date, datatype=EDTF))


def _change(number: int, name: str, change: Change, states: list[str]) -> Iterator[Triple]:
    node = ns.ID(f"claim/{SOURCE}/{number}")
    kind = "Withdrawal" if change.status == "outside" else "MembershipChange"
    yield Triple(node, ns.EG("saysKind"), ns.EG(kind))
    yield Triple(node, ns.EG("saysBody"), _body(name))
    yield Triple(node, ns.EG("saysStatus"), ns.SCHEME(f"status/{change.status}"))
    yield Triple(node, ns.EG("listIsComplete"), Literal(True))
    if change.hedged:
        yield Triple(node, ns.EG("modality"), ns.SCHEME("modality/hedged"))
    for state in states:
        yield Triple(node, ns.EG("saysActor"), _state(state))


@dataclass
class Compared:
    """
    Cells that came back.

    `certain` on 31 December; `part` of the last year of a body that ended in it; `missing` as they should
    be; `extra`, surely in and not in the table; `late`, surely in after the last year that it covers.
    """

    certain: int = 0
    part: int = 0
    missing: int = 0
    extra: int = 0
    late: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing and nothing too much."""
        return (self.missing, self.extra, self.late) == (0, 0, 0)

    def text(self) -> str:
        """Write the counts in one line."""
        return (
            f"{self.certain} state-years certain, {self.part} part, {self.missing} missing, {self.extra} too many, "
            f"{self.late} past the end"
        )


def compare(store: ReleaseStore, by_name: dict[str, list[tuple[Row, Span]]]) -> Compared:
    """Ask for each organisation on the last day of each year, and for days past the end of the table."""
    found = Compared()
    for name, rows in by_name.items():
        body = ns.local_name(_body(name).value)
        last = int(rows[-1][0]["year"])
        for row, _ in rows:
            wanted = {
                (_state(key).value, STATUS[code]) for key, code in row.items() if code in STATUS and _is_state(key)
            }
            year = int(row["year"])
            certain = _asked(store, body, f"{year}-12-31", "certain")
            found.extra += len(certain - wanted)
            if year == last < LAST_YEAR:
                # It ended in the course of that year; those who came in that year may have come too late.
                wanted -= {each for each in wanted if not _was_in(rows, each)}
                part = _asked(store, body, str(year), "part")
                found.part += len(wanted & part)
                found.missing += len(wanted - part)
            else:
                found.certain += len(wanted & certain)
                found.missing += len(wanted - certain)
        for date in PAST_THE_END:
            found.late += len(_asked(store, body, date, "certain") | _asked(store, body, date, "part"))
    return found


def _was_in(rows: list[tuple[Row, Span]], who: tuple[str, str]) -> bool:
    """Return whether a state had the same status in the year before the last."""
    return len(rows) > 1 and any(
        (_state(key).value, STATUS[code]) == who
        for key, code in rows[-2][0].items()
        if code in STATUS and _is_state(key)
    )


def _asked(store: ReleaseStore, body: str, date: str, certainty: str) -> set[tuple[str, str]]:
    rows = queries.by_name("members-on").run(store, {"body": body, "date": date, "lineage": "false"})
    return {
        (str(each["member"]), ns.local_name(str(each["status"]))) for each in rows if each["certainty"] == certainty
    }


def _is_state(column: str) -> bool:
    return column not in {"year", "sdate", "deaddate", "dead", "integrated", "replaced", "ionum", "igocode", "version",
                          "accuracyofpre1965membershipdates", "imputed", "political", "social", "economic"}  # fmt: skip


def run(table: Path, *, only_ours: bool, every: bool = False) -> tuple[list[tuple[object, ...]], bool]:
    """Build one selection of the table; return rows of the printed table and whether all cells came back."""
    label = "our seven bodies" if only_ours else "the whole table"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        by_name, claims = write(folder, table, only_ours)
        stages = Stages()
        built: list[Release] = []
        whole = cpu_seconds(lambda: built.append(pipeline.build(folder, stages)))
        stages("")
    quads, peak, one = len(built[0].store), peak_mib(), unit(built[0].store)
    store = as_store(built[0])
    answers: list[Compared] = []
    asked = {name: rows for name, rows in by_name.items() if every or name in OURS}
    asking = cpu_seconds(lambda: answers.append(compare(store, asked)))
    cells = answers[0]
    rows = [(f"{label}: {stage}", took, mib) for stage, took, mib in stages.rows]
    rows += [
        (f"{label}: {len(by_name)} bodies, {claims} claims, {quads} quads, built", whole, peak),
        (f"{label}: {cells.text()}, asked", asking, peak_mib()),
    ]
    rows.append((f"{label}: unit, loading the release", one, peak_mib()))
    known = every or (cells.certain, cells.part) == (CERTAIN, PART)
    return with_ratio(rows, one), cells.is_good and known


def main() -> int:
    """Measure, print, and end with 1 if a cell did not come back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE, help="igo_year_formatv3.csv.gz")
    parser.add_argument("--ours", action="store_true", help="leave the whole table out")
    parser.add_argument("--every", action="store_true", help="ask for every body of the whole table, for minutes")
    chosen = parser.parse_args()
    if not chosen.table.is_file():
        print(f"skipped: no table {chosen.table}; give --table igo_year_formatv3.csv.gz")
        return 0
    rows, good = run(chosen.table, only_ours=True)
    if not chosen.ours:
        more, whole_good = run(chosen.table, only_ours=False, every=chosen.every)
        rows, good = rows + more, good and whole_good
    show("cow", ["what", "CPU s", "units", "peak MiB so far"], rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
