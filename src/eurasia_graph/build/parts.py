"""
What is derived from one source and what is found in it, from its files, the ontology and the entities that it uses.

A part is made in a separate store that contains nothing else, so that it cannot depend on anything else: a kept part
and a new one are the same. A source with errors has no part: then all sources are checked together, for their
messages.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import shape_check, sources, validation
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA, Closer
from eurasia_graph.build.derive import derive_source
from eurasia_graph.build.findings import Finding, Place, Severity
from eurasia_graph.build.lines import dump, lines_of, names_in, terms_of
from eurasia_graph.build.pieces import Pieces, key_of
from eurasia_graph.build.shared import CLAIM, PASSAGE, Origins, Shared
from eurasia_graph.build.sources import Dataset, TurtleFile
from eurasia_graph.build.toolkit import file_digest
from eurasia_graph.dates import DateError
from eurasia_graph.graphs import ENTITIES, LINKS, graph_of

WRITTEN = ("claims", "passages")
KINDS = (*WRITTEN, "bounds", "facts", "memberships", "closure")


@dataclass(frozen=True)
class Part:
    """
    A source: its graphs by kind, as sorted N-Triples, and the findings in its record and in its world.

    `is_apart` is true if its files contain no statements about records of another source.
    """

    source: str
    graphs: dict[str, bytes]
    record: list[Finding]
    world: list[Finding]
    is_apart: bool

    def write(self, base: Path) -> bytes:
        """Write the part; the paths in it are relative to the data folder."""
        head = {
            "source": self.source,
            "is_apart": self.is_apart,
            "sizes": [len(self.graphs[kind]) for kind in KINDS],
            "record": written(self.record, base),
            "world": written(self.world, base),
        }
        return json.dumps(head).encode() + b"\n" + b"".join(self.graphs[kind] for kind in KINDS)

    @classmethod
    def read(cls, raw: bytes, base: Path) -> Part:
        """Read what `write` wrote."""
        head, _, rest = raw.partition(b"\n")
        told = json.loads(head)
        graphs, begin = {}, 0
        for kind, size in zip(KINDS, told["sizes"], strict=True):
            graphs[kind] = rest[begin : begin + size]
            begin += size
        return cls(told["source"], graphs, read(told["record"], base), read(told["world"], base), told["is_apart"])


def part_of(shared: Shared, source: str, files: list[TurtleFile], base: Path, pieces: Pieces) -> Part | None:
    """
    Return the part of a source, reused or newly made.

    Args:
        shared: The files that belong to no source.
        source: Its name.
        files: Its passages and its claims.
        base: The data folder.
        pieces: The pieces kept between builds.
    Returns:
        None if a file cannot be read or there are errors in it.
    """
    digests = [f"{file.path.name} {file_digest(file.path)}" for file in files]
    dataset = None
    names_key = key_of("names", shared.toolkit, source, *digests)
    names = pieces.get(names_key)
    if names is None:
        dataset = sources.load(files)
        if dataset.errors:
            return None
        named = {name for kind in WRITTEN for name in names_in(dump(dataset.store, graph_of(kind, source)))}
        names = b"\n".join(sorted(named))
        pieces.put(names_key, names)
    entities, links = shared.touched(source, set(names.split(b"\n")))
    key = key_of("part", shared.toolkit, source, *digests, entities, links)
    kept = pieces.get(key)
    if kept is not None:
        return Part.read(kept, base)
    part = _make(shared, source, dataset or sources.load(files), {ENTITIES: entities, LINKS: links})
    if part is not None:
        pieces.put(key, part.write(base))
    return part


def _make(shared: Shared, source: str, loaded: Dataset, touched: dict[NamedNode, bytes]) -> Part | None:
    beside = shared.dataset.origins.get
    dataset = Dataset(
        loaded.store, Origins(loaded.origins, beside), {**shared.dataset.texts, **loaded.texts}, loaded.errors
    )
    if dataset.errors or any(isinstance(quad.object, Triple) for quad in dataset.origins):
        return None
    closed = {CLOSURE_OF_SCHEMA: shared.schema[CLOSURE_OF_SCHEMA]}
    _load(dataset, {graph: lines for graph, lines in shared.schema.items() if graph not in closed} | touched)
    node = ns.ID(f"source/{source}")
    record = validation.record_report(dataset, shape_check.check(dataset, "Violation", node))
    if record.errors:
        return None
    try:
        derive_source(dataset, source)
    except DateError:
        # A date of an entity is wrong, which the shapes that cross sources will find.
        return None
    world = validation.world_report(dataset, shape_check.check(dataset, "Warning", node))
    # Not before the checks: a store that holds nothing else but what they look at is asked as a whole.
    _load(dataset, closed)
    closer = Closer(dataset.store, shared.pieces)
    closer.close_entities()
    closer.close_source(source)
    graphs = {kind: b"".join(sorted(lines_of(dump(dataset.store, graph_of(kind, source))))) for kind in KINDS}
    return Part(source, graphs, record.findings, world.findings, _is_apart(source, graphs))


def _load(dataset: Dataset, graphs: dict[NamedNode, bytes]) -> None:
    for graph, lines in graphs.items():
        dataset.store.bulk_load(lines, format=RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)


def _is_apart(source: str, graphs: dict[str, bytes]) -> bool:
    own = tuple(each + source.encode() + b"/" for each in (CLAIM, PASSAGE))
    itself = f"<{ns.ID}source/{source}>".encode()
    for kind in WRITTEN:
        for line in lines_of(graphs[kind]):
            subject, _, value = terms_of(line)
            if not (subject.startswith(own) or subject == itself):
                return False
            if value.startswith((CLAIM, PASSAGE)) and not value.startswith(own):
                return False
    return True


# --- findings, with paths that do not depend on where the folder is ------------------------


def written(findings: list[Finding], base: Path) -> list[dict[str, Any]]:
    """Return findings as JSON, with paths relative to a folder."""
    return [_written(each, base) for each in findings]


def read(contents: list[dict[str, Any]], base: Path) -> list[Finding]:
    """Return the findings that `written` wrote, with paths in a folder."""
    return [_read(each, base) for each in contents]


def _written(finding: Finding, base: Path) -> dict[str, Any]:
    content = asdict(finding) | {"severity": finding.severity.value}
    for name, place in (("place", finding.place), ("related", finding.related)):
        if place:
            path = place.path.relative_to(base).as_posix() if place.path.is_relative_to(base) else str(place.path)
            content[name] = [path, place.line, place.column]
    return content


def _read(content: dict[str, Any], base: Path) -> Finding:
    place, related = (
        Place(base / told[0], told[1], told[2]) if told else None for told in (content["place"], content["related"])
    )
    statement = tuple(content["statement"]) if content["statement"] else None
    severity = Severity(content["severity"])
    return Finding(**{**content, "severity": severity, "statement": statement, "place": place, "related": related})
