"""
The formats that the project reads and writes, one row each; this is the only table of them.

The command line, the pages, the endpoint and the exports all look up names, media
types and file extensions here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pyoxigraph import QueryResultsFormat, RdfFormat


class Content(Enum):
    """What a format can carry."""

    ROWS = "rows"
    GRAPH = "graph"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Format:
    """One format; `engine` is the engine's own name for it."""

    name: str
    media_type: str
    extension: str
    content: Content
    engine: RdfFormat | QueryResultsFormat

    @property
    def rows(self) -> QueryResultsFormat:
        """The engine's name for a format of rows."""
        assert isinstance(self.engine, QueryResultsFormat)
        return self.engine

    @property
    def rdf(self) -> RdfFormat:
        """The engine's name for a format of triples or quads."""
        assert isinstance(self.engine, RdfFormat)
        return self.engine


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/sparql-results+json", "srj", Content.ROWS, QueryResultsFormat.JSON),
        Format("xml", "application/sparql-results+xml", "srx", Content.ROWS, QueryResultsFormat.XML),
        Format("csv", "text/csv", "csv", Content.ROWS, QueryResultsFormat.CSV),
        Format("tsv", "text/tab-separated-values", "tsv", Content.ROWS, QueryResultsFormat.TSV),
        Format("turtle", "text/turtle", "ttl", Content.GRAPH, RdfFormat.TURTLE),
        Format("ntriples", "application/n-triples", "nt", Content.GRAPH, RdfFormat.N_TRIPLES),
        Format("rdfxml", "application/rdf+xml", "rdf", Content.GRAPH, RdfFormat.RDF_XML),
        Format("jsonld", "application/ld+json", "jsonld", Content.DATASET, RdfFormat.JSON_LD),
        Format("trig", "application/trig", "trig", Content.DATASET, RdfFormat.TRIG),
        Format("nquads", "application/n-quads", "nq", Content.DATASET, RdfFormat.N_QUADS),
    )
}

ALIASES = {
    "ttl": "turtle",
    "nt": "ntriples",
    "n-triples": "ntriples",
    "nq": "nquads",
    "n-quads": "nquads",
    "rdf": "rdfxml",
    "rdf+xml": "rdfxml",
    "rdf/xml": "rdfxml",
    "json-ld": "jsonld",
    "ld+json": "jsonld",
}


# Extensions that other programs use; for `xml` and `owl`, the content decides.
EXTENSIONS_READ = {
    **{each.extension: each.name for each in FORMATS.values() if isinstance(each.engine, RdfFormat)},
    "turtle": "turtle",
    "n3": "n3",
    "owl": "rdfxml",
    "rdfs": "rdfxml",
    "xml": "rdfxml",
    "json": "jsonld",
}
# Read but never written.
N3 = Format("n3", "text/n3", "n3", Content.GRAPH, RdfFormat.N3)
NAMES_READ = [each.name for each in FORMATS.values() if isinstance(each.engine, RdfFormat)] + [N3.name]


def readable(name: str) -> Format | None:
    """Look up a format for reading files, by its name, its alias or the extension of such files."""
    folded = name.casefold().lstrip(".")
    found = N3 if folded == N3.name else by_name(EXTENSIONS_READ.get(folded, folded))
    return found if found and isinstance(found.engine, RdfFormat) else None


def by_name(name: str) -> Format | None:
    """Look a format up by its name or alias, ignoring case."""
    folded = name.casefold()
    return FORMATS.get(ALIASES.get(folded, folded))


def by_extension(extension: str) -> Format | None:
    """Look a format up by its file extension, with or without the dot."""
    folded = extension.casefold().lstrip(".")
    return next((each for each in FORMATS.values() if each.extension == folded), None)


def by_media_type(media_type: str) -> Format | None:
    """Look a format up by its media type, without parameters."""
    return next((each for each in FORMATS.values() if each.media_type == media_type), None)


def carrying(*contents: Content) -> list[Format]:
    """List the formats that carry one of these contents, the preferred one first."""
    return [each for each in FORMATS.values() if each.content in contents]


def separated(head: Iterable[str], rows: Iterable[Iterable[object]], delimiter: str = ",", end: str = "\n") -> str:
    """
    Write a table as CSV or, with a tab, as TSV.

    Args:
        head: The names of the columns.
        rows: The cells of each row; None is written as an empty cell.
        delimiter: What separates the cells of a row.
        end: What ends a row.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
