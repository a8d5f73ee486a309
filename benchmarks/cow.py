"""
The Correlates of War table of intergovernmental organisations, version 3, as a source of its own.

Every change of a cell becomes a claim; the build derives memberships from them; and members-on must
give back every cell of our organisations. The table is read from ../shared or from --table and never
committed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from eurasia_graph import namespaces as ns
from eurasia_graph import pipeline, queries, sources
from eurasia_graph.passages import Passage, digest, to_triples
from eurasia_graph.splitting import Span
from eurasia_graph.store import ReleaseStore
from measure import Stages, peak_mib, seconds, show

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
STATE_YEARS = 1091
LAST_YEAR = 2014

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
    shutil.copytree(sources.root() / "data" / "entities", folder / "entities")
    place = folder / "sources" / SOURCE
    place.mkdir(parents=True)
    (place / "source.ttl").write_bytes(_turtle(_description()))
    _turtle_file(folder / "entities" / "cow.ttl", list(_entities(by_name, states)))
    passages: dict[Span, str] = {}
    triples = list(_claims(by_name, states, passages))
    _turtle_file(place / "claims.ttl", triples)
    known = [Passage(name, span, digest(text[span.start : span.end])) for span, name in passages.items()]
    _turtle_file(place / "passages.ttl", list(to_triples(SOURCE, text, known)))
    return by_name, sum(1 for triple in triples if triple.predicate == ns.EG("madeBy"))


def _turtle(triples: list[Triple]) -> bytes:
    return serialize(triples, format=RdfFormat.TURTLE, prefixes=dict(ns.PREFIXES)) or b""


def _turtle_file(path: Path, triples: list[Triple]) -> None:
    path.write_bytes(_turtle(triples))


def _description() -> list[Triple]:
    node = ns.ID(f"source/{SOURCE}")
    return [
        Triple(node, ns.RDF("type"), ns.EG("Source")),
        Triple(node, ns.RDF("type"), NamedNode("http://purl.org/spar/fabio/Dataset")),
        Triple(node, ns.DCTERMS("title"), Literal("Correlates of War, intergovernmental organisations, version 3")),
        Triple(node, ns.DCTERMS("language"), NamedNode("http://id.loc.gov/vocabulary/iso639-1/en")),
        Triple(node, ns.EG("issued"), Literal("2019", datatype=EDTF)),
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


def _claims(
    by_name: dict[str, list[tuple[Row, Span]]], states: list[str], passages: dict[Span, str]
) -> Iterator[Triple]:
    """One claim for each organisation, year and new status, with all states that take it on; one for the end."""
    number = 0
    for name, rows in by_name.items():
        before: dict[str, str | None] = dict.fromkeys(states)
        for row, span in rows:
            changes: dict[str, list[str]] = defaultdict(list)
            for state in states:
                status = STATUS.get(row.get(state, "0"), "outside")
                if status != (before[state] or "outside"):
                    # A missing cell is no answer: what it ends becomes doubtful, not over.
                    changes["unknown" if row.get(state) == "-9" else status].append(state)
                before[state] = status
            for status, changed in changes.items():
                number += 1
                yield from _claim(number, name, row["year"], span, passages)
                yield from _change(number, name, status, changed)
        last, span = rows[-1]
        if int(last["year"]) < LAST_YEAR:
            number += 1
            yield from _claim(number, name, str(int(last["year"]) + 1), span, passages)
            node = ns.ID(f"claim/{SOURCE}/{number}")
            yield Triple(node, ns.EG("saysKind"), ns.EG("Dissolution"))
            yield Triple(node, ns.EG("saysOldBody"), _body(name))


def _claim(number: int, name: str, year: str, span: Span, passages: dict[Span, str]) -> Iterator[Triple]:
    node = ns.ID(f"claim/{SOURCE}/{number}")
    passage = passages.setdefault(span, str(len(passages) + 1))
    yield Triple(node, ns.RDF("type"), ns.EG("EventClaim"))
    yield Triple(node, ns.EG("madeBy"), ns.ID(f"source/{SOURCE}"))
    yield Triple(node, ns.EG("evidence"), ns.ID(f"passage/{SOURCE}/{passage}"))
    yield Triple(node, ns.EG("gist"), Literal(f"A change in {name} in {year}.", language="en"))
    yield Triple(node, ns.EG("saysDate"), Literal(year, datatype=EDTF))


def _change(number: int, name: str, status: str, states: list[str]) -> Iterator[Triple]:
    node = ns.ID(f"claim/{SOURCE}/{number}")
    yield Triple(node, ns.EG("saysKind"), ns.EG("MembershipChange"))
    yield Triple(node, ns.EG("saysBody"), _body(name))
    yield Triple(node, ns.EG("saysStatus"), ns.SCHEME(f"status/{'outside' if status == 'unknown' else status}"))
    yield Triple(node, ns.EG("listIsComplete"), Literal(True))
    if status == "unknown":
        yield Triple(node, ns.EG("modality"), ns.SCHEME("modality/hedged"))
    for state in states:
        yield Triple(node, ns.EG("saysActor"), _state(state))


def compare(store: ReleaseStore, by_name: dict[str, list[tuple[Row, Span]]]) -> tuple[int, int, int]:
    """Ask for each of our organisations on the last day of each year: cells right, missing and too many."""
    right = missing = extra = 0
    for name, body in OURS.items():
        for row, _ in by_name[name]:
            wanted = {
                (_state(state).value, STATUS[code])
                for state, code in row.items()
                if code in STATUS and _is_state(state)
            }
            asked = {"body": body, "date": f"{row['year']}-12-31", "lineage": "false"}
            found = {
                (str(each["member"]), ns.local_name(str(each["status"])))
                for each in queries.by_name("members-on").run(store, asked)
                if each["certainty"] == "certain"
            }
            right += len(wanted & found)
            missing += len(wanted - found)
            extra += len(found - wanted)
    return right, missing, extra


def _is_state(column: str) -> bool:
    return column not in {"year", "sdate", "deaddate", "dead", "integrated", "replaced", "ionum", "igocode", "version",
                          "accuracyofpre1965membershipdates", "imputed", "political", "social", "economic"}  # fmt: skip


def run(table: Path, only_ours: bool) -> tuple[list[tuple[object, ...]], bool]:
    """Build one selection of the table; return rows of the printed table and whether all cells came back."""
    label = "our seven bodies" if only_ours else "the whole table"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        by_name, claims = write(folder, table, only_ours)
        stages = Stages()
        built: list[pipeline.Release] = []
        whole = seconds(lambda: built.append(pipeline.build(folder, stages)))
        stages("")
    quads = len(built[0].store)
    store = pipeline.as_store(built[0])
    answers: list[tuple[int, int, int]] = []
    asking = seconds(lambda: answers.append(compare(store, by_name)))
    right, missing, extra = answers[0]
    rows: list[tuple[object, ...]] = [(f"{label}: {stage}", took, peak) for stage, took, peak in stages.rows]
    rows += [
        (f"{label}: {len(by_name)} bodies, {claims} claims, {quads} quads, built", whole, peak_mib()),
        (
            f"{label}: {right} of {STATE_YEARS} state-years right, {missing} missing, {extra} too many, asked",
            asking,
            peak_mib(),
        ),
    ]
    return rows, (right, missing, extra) == (STATE_YEARS, 0, 0)


def main() -> int:
    """Measure, print, and end with 1 if a cell did not come back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE, help="igo_year_formatv3.csv.gz")
    parser.add_argument("--ours", action="store_true", help="leave the whole table out")
    chosen = parser.parse_args()
    if not chosen.table.is_file():
        print(f"skipped: no table {chosen.table}; give --table igo_year_formatv3.csv.gz")
        return 0
    rows, good = run(chosen.table, only_ours=True)
    if not chosen.ours:
        more, whole_good = run(chosen.table, only_ours=False)
        rows, good = rows + more, good and whole_good
    show("cow", ["what", "s", "peak MiB so far"], rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
