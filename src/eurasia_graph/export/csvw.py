"""
Write the tables of a release as a zip of CSV files.

`dictionary` says what every column holds, and `csv-metadata.json` says it to programs (CSV on the Web). Rows are
written as they come.

Source: https://www.w3.org/TR/tabular-metadata/
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from eurasia_graph.export import tables
from eurasia_graph.export.tables import Column, Table
from eurasia_graph.store import ReleaseStore

FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def _plain(name: str, note: str, *, required: bool = True) -> Column:
    return Column(name=name, datatype="string", required=required, term=None, note=note)


# The one table without a query, since it is about the tables.
DICTIONARY = Table(
    name="dictionary",
    summary="What every column holds",
    columns=(
        _plain("table", "The name of the file without .csv."),
        _plain("column", "The name of the column. Blank in the row that describes the table.", required=False),
        _plain("datatype", "By CSV on the Web: anyURI for an IRI, date for a day of ISO 8601.", required=False),
        _plain("holds", "What it means."),
    ),
    key=("table", "column"),
    order=(),
    references=(),
    is_spread=False,
    text="",
)


def write(store: ReleaseStore, about: dict[str, str], out: IO[bytes]) -> None:
    """
    Write the zip; memory holds some rows of one table.

    Args:
        store: The release.
        about: The description of the release, such as `licence` and `citation`.
        out: The file to write to.
    """
    # Beside `out` first: a zip of a file that can be searched has other bytes than one of a pipe.
    with tempfile.TemporaryFile() as whole:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for table in tables.load().values():
                _add(archive, table, tables.rows(store, table))
            _add(archive, DICTIONARY, _dictionary(store))
            metadata = json.dumps(_metadata(store, about), indent=1, ensure_ascii=False)
            archive.writestr(zipfile.ZipInfo("csv-metadata.json", FIXED_TIME), metadata, zipfile.ZIP_DEFLATED)
        whole.seek(0)
        shutil.copyfileobj(whole, out)


def _dictionary(store: ReleaseStore) -> Iterator[list[str]]:
    for table in _all():
        yield [table.name, "", "", table.summary]
        yield from ([table.name, column.name, column.datatype, column.meaning(store)] for column in table.columns)


def _all() -> list[Table]:
    return [*tables.load().values(), DICTIONARY]


def _add(archive: zipfile.ZipFile, table: Table, rows: Iterable[Sequence[str]]) -> None:
    described = zipfile.ZipInfo(f"{table.name}.csv", FIXED_TIME)
    described.compress_type = zipfile.ZIP_DEFLATED
    with tempfile.TemporaryFile() as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(table.head)
        writer.writerows(rows)
        text.flush()
        described.file_size = file.tell()  # what is too large for the old kind of zip gets the new one
        file.seek(0)
        with archive.open(described, "w") as content:
            shutil.copyfileobj(file, content)


def _metadata(store: ReleaseStore, about: dict[str, str]) -> dict[str, object]:
    """Describe the tables to programs: https://www.w3.org/TR/tabular-metadata/."""
    homes = tables.load()
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": "Eurasia Graph",
        "dc:identifier": about.get("release", ""),
        "dc:license": {"@id": about["licence"]},
        "dc:bibliographicCitation": about["citation"],
        "tables": [
            {
                "url": f"{table.name}.csv",
                "dc:description": table.summary,
                "tableSchema": {
                    "columns": [
                        {
                            "name": column.name,
                            "titles": column.name,
                            "dc:description": column.meaning(store),
                            "datatype": column.datatype,
                            "required": column.required,
                        }
                        for column in table.columns
                    ],
                    "primaryKey": list(table.key),
                    "foreignKeys": [
                        {
                            "columnReference": [column],
                            "reference": {"resource": f"{home}.csv", "columnReference": list(homes[home].key)},
                        }
                        for column, home in table.references
                    ],
                },
            }
            for table in _all()
        ],
    }
