"""Assemble the parts of the sources, and check and compare what spans several of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat

from eurasia_graph.build import shape_check, sources, validation
from eurasia_graph.build.bounds import existence
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA, Closer
from eurasia_graph.build.findings import Report
from eurasia_graph.build.lines import lines_of
from eurasia_graph.build.parts import WRITTEN, Part, part_of
from eurasia_graph.build.pieces import Pieces
from eurasia_graph.build.progress import Progress, silent
from eurasia_graph.build.shared import Origins, Shared
from eurasia_graph.build.sources import Dataset, TurtleFile, source_name
from eurasia_graph.graphs import graph_of


@dataclass
class Assembly:
    """
    A dataset assembled from parts: the record and the world of all sources, before closure and comparison.

    `digests` are the graph digests already known from the parts.
    """

    shared: Shared
    parts: list[Part]
    dataset: Dataset
    report: Report = field(default_factory=Report)
    world: Report = field(default_factory=Report)
    digests: dict[str, str] = field(default_factory=dict)

    def load(self, kinds: Iterable[str]) -> None:
        """Load some kinds of graphs of all parts."""
        for kind in kinds:
            known = lines_of(self._existence) if kind == "bounds" else []
            for part in self.parts:
                lines = b"".join(sorted({*lines_of(part.graphs[kind]), *known})) if known else part.graphs[kind]
                graph = graph_of(kind, part.source)
                if lines:
                    self.dataset.store.bulk_load(lines, format=RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)
                    quads = lines.replace(b" .\n", f" {graph} .\n".encode())
                    self.digests[graph.value] = hashlib.sha256(quads).hexdigest()

    @property
    def _existence(self) -> bytes:
        return b"".join(f"{triple} .\n".encode() for triple in existence(self.shared.dataset.store))

    def close(self) -> None:
        """Add the closures: of the ontology, of the entities, of each source."""
        schema = self.shared.schema[CLOSURE_OF_SCHEMA]
        store = self.dataset.store
        store.bulk_load(schema, format=RdfFormat.N_TRIPLES, to_graph=CLOSURE_OF_SCHEMA, lenient=True)
        Closer(store, self.shared.pieces).close_entities()
        self.load(["closure"])


def assemble(
    files: list[TurtleFile], base: Path, progress: Progress = silent, pieces: Pieces | None = None
) -> Assembly | None:
    """
    Check and derive every source separately, then all of them together.

    Args:
        files: All files of a data folder and of the ontology.
        base: The data folder.
        progress: Called with the name of each stage as it begins.
        pieces: The pieces kept between builds.
    Returns:
        None if there are errors, or if a file makes statements about records of another source: such data are checked
        as a whole.
    """
    progress("load")
    shared = Shared(files, pieces or Pieces())
    if shared.dataset.errors or not shared.is_apart():
        return None
    parts = []
    for source in map(source_name, shared.dataset.sources()):
        progress(f"source {source}")
        own = [file for file in files if file.graph in {graph_of(kind, source) for kind in WRITTEN}]
        part = part_of(shared, source, own, base, shared.pieces)
        if part is None or not part.is_apart:
            return None
        parts.append(part)
    if {file.path for file in files} != {file.path for file in shared.files} | _own_files(files, parts):
        return None
    shared.pieces.prune()
    made = Assembly(shared, parts, _together(shared, files))
    return made if _check(made, progress) else None


def _own_files(files: list[TurtleFile], parts: list[Part]) -> set[Path]:
    graphs = {graph_of(kind, part.source) for kind in WRITTEN for part in parts}
    return {file.path for file in files if file.graph in graphs}


def _check(made: Assembly, progress: Progress) -> bool:
    """Check what spans several sources; returns whether there are no errors."""
    progress("check the record")
    made.load(WRITTEN)
    record = validation.record_report(made.dataset, shape_check.across(made.dataset, "Violation"))
    if record.errors:
        return False
    progress("check the world")
    made.load(["bounds", "facts", "memberships"])
    world = validation.world_report(made.dataset, shape_check.across(made.dataset, "Warning"))
    of_records = [finding for part in made.parts for finding in part.record]
    of_worlds = [finding for part in made.parts for finding in part.world]
    made.world = Report(validation.in_order([*of_worlds, *world.findings]))
    made.report = Report(validation.in_order([*of_records, *record.findings]) + made.world.findings)
    return True


def _together(shared: Shared, files: list[TurtleFile]) -> Dataset:
    """Make a dataset of the shared files; the locations of statements of sources are looked up on demand."""
    of_sources: dict[NamedNode, list[TurtleFile]] = {}
    for file in files:
        if file not in shared.files:
            of_sources.setdefault(file.graph, []).append(file)
    texts = dict(shared.dataset.texts)
    read: dict[NamedNode, Dataset] = {}

    def beside(quad: Quad) -> tuple[Path, int] | None:
        graph = quad.graph_name
        if not isinstance(graph, NamedNode) or graph not in of_sources:
            return None
        if graph not in read:
            read[graph] = sources.load(of_sources[graph])
            texts.update(read[graph].texts)
        return read[graph].origins.get(quad)

    return Dataset(shared.dataset.store, Origins(shared.dataset.origins, beside), texts)
