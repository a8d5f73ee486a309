"""
Build a release from the files: the data flow of the project, one call per line.

Every stage reads the graphs of the stages before it and writes its own. The same inputs give the same
bytes: a release contains no clock time, no host name and no random label.
"""

from __future__ import annotations

from pathlib import Path

from eurasia_graph.build import rules, sources, validation
from eurasia_graph.build.bounds import ONTOLOGY, add_bounds, add_calendar
from eurasia_graph.build.closure import close
from eurasia_graph.build.differences import find_differences
from eurasia_graph.build.findings import Report
from eurasia_graph.build.indexes import add_indexes
from eurasia_graph.build.kept import UnfitError, cache_folder, keep, load_kept
from eurasia_graph.build.release import NOTE, Progress, Release, as_store, describe_release, inputs_digest, silent
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.errors import InvalidDataError, StoreError
from eurasia_graph.graphs import LINKS, SCHEMA_GRAPHS, graph_of
from eurasia_graph.store import ReleaseStore

# What of the claims bears on standings, when each began and ended, and which of them are one.
SPANS = ["telling", "dating", "beginnings", "first-days", "spans", "groups"]


def build(data: Path | None = None, progress: Progress = silent) -> Release:
    """
    Build a release.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        progress: Called with the name of each stage as it begins.
    Raises:
        UsageError: If the folder is not a data folder.
        InvalidDataError: If a file cannot be read or the record breaks a rule; nothing is built.
    """
    progress("load")
    files = sources.find(data)
    dataset = sources.load(files)
    progress("check the record")
    record = validation.check_record(dataset)
    _refuse_errors(record)
    derive(dataset, progress)
    progress("check the world")
    report = Report([*record.findings, *validation.check_world(dataset).findings])
    progress("closure")
    close(dataset)
    progress("differences")
    find_differences(dataset, report)
    add_indexes(dataset)
    progress("digests")
    inputs = inputs_digest(data)
    content = describe_release(dataset, inputs)
    return Release(dataset.store, inputs, content, report)


def open_release(data: Path | None = None, progress: Progress = silent) -> ReleaseStore:
    """
    Return the release of a data folder: the kept one if its inputs are the same, otherwise a new one.

    A new release is kept for the next time. If that fails, or if the kept one cannot be used, `progress` gets a
    line that begins with `note: `, and the release is returned all the same.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        progress: Called with the name of each stage as it begins.
    Raises:
        UsageError: If the folder is not a data folder.
        InvalidDataError: If a file cannot be read or the record breaks a rule.
    """
    inputs = inputs_digest(data)
    folder = cache_folder() / inputs[:32]
    try:
        kept = load_kept(folder)
        if kept and kept.inputs == inputs:
            return kept
        if kept:
            progress(f"{NOTE}the release kept in {folder} was built from other inputs; it is built again")
    except UnfitError as error:
        progress(f"{NOTE}{error}; it is built again")
    opened = as_store(build(data, progress))
    try:
        keep(opened, folder)
    except StoreError as error:
        progress(
            f"{NOTE}{error}; it will be built again at every start; "
            "set EURASIA_GRAPH_CACHE to a folder that you own and can write to"
        )
    return opened


def validate(data: Path | None = None, extra: list[Path] | None = None) -> Report:
    """
    Check a data folder, and additional Turtle files, without building a release.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        extra: Turtle files; their statements go to the graphs where they belong. If there are any,
            only findings in them are reported.
    """
    dataset = sources.load(sources.find(data))
    for path in extra or []:
        sources.add_by_content(dataset, path)
    record = validation.check_record(dataset)
    found = record
    if not record.errors:
        derive(dataset)
        world = validation.check_world(dataset)
        found = Report(record.findings + world.findings, record.unreadable)
    return found.only(extra) if extra else found


def derive(dataset: Dataset, progress: Progress = silent) -> None:
    """Generate bounds, facts and memberships of every source, each from its own claims."""
    progress("bounds")
    add_bounds(dataset)
    for source in map(source_name, dataset.sources()):
        progress(f"facts of {source}")
        claims, bounds_, facts, spans = (graph_of(kind, source) for kind in ("claims", "bounds", "facts", "spans"))
        reads = [ONTOLOGY, claims, bounds_]
        rules.run(dataset.store, ["facts"], [*reads, SCHEMA_GRAPHS[-1]], facts, files=[claims, LINKS])
        progress(f"memberships of {source}")
        add_calendar(dataset, spans)
        rules.run(dataset.store, SPANS, [*reads, facts], spans)
        rules.run(dataset.store, ["memberships"], [claims, bounds_, facts, spans], graph_of("memberships", source))
        dataset.store.remove_graph(spans)


def _refuse_errors(report: Report) -> None:
    if report.errors:
        raise InvalidDataError(report)
