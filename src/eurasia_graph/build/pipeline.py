"""
Build a release from the files: the data flow of the project, one call per line.

Every stage reads the graphs of the stages before it and writes its own. The same inputs give the same
bytes: a release contains no clock time, no host name and no random label.
"""

from __future__ import annotations

import json
from pathlib import Path

from eurasia_graph.build import sources, validation
from eurasia_graph.build.assembly import assemble
from eurasia_graph.build.closure import close
from eurasia_graph.build.derive import derive
from eurasia_graph.build.differences import find_differences
from eurasia_graph.build.findings import Report
from eurasia_graph.build.indexes import add_indexes
from eurasia_graph.build.kept import UnfitError, cache_folder, keep, load_kept
from eurasia_graph.build.parts import read, written
from eurasia_graph.build.pieces import Pieces, key_of
from eurasia_graph.build.progress import NOTE, Progress, silent
from eurasia_graph.build.properties import describe_properties
from eurasia_graph.build.release import Release, as_store, describe_release, inputs_digest
from eurasia_graph.build.sources import Dataset, TurtleFile
from eurasia_graph.errors import InvalidDataError, StoreError, UnknownNameError
from eurasia_graph.paths import root
from eurasia_graph.store import ReleaseStore


def build(data: Path | None = None, progress: Progress = silent, pieces: Pieces | None = None) -> Release:
    """
    Build a release.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        progress: Called with the name of each stage as it begins.
        pieces: The pieces kept between builds; by default none. The release is the same either way.
    Raises:
        UsageError: If the folder is not a data folder.
        InvalidDataError: If a file cannot be read or the record breaks a rule; nothing is built.
    """
    files = sources.find(data)
    made = assemble(files, data or root() / "data", progress, pieces)
    dataset, report, world, digests = (
        (made.dataset, made.report, made.world, made.digests) if made else _at_once(files, progress)
    )
    progress("closure")
    if made:
        made.close()
    else:
        close(dataset, pieces)
    describe_properties(dataset.store)
    progress("differences")
    find_differences(dataset, world, pieces)
    add_indexes(dataset)
    progress("digests")
    inputs = inputs_digest(data)
    content = describe_release(dataset, inputs, digests)
    return Release(store=dataset.store, inputs=inputs, content=content, report=report, data=data or root() / "data")


def _at_once(files: list[TurtleFile], progress: Progress) -> tuple[Dataset, Report, Report, dict[str, str]]:
    """Check and derive all sources together, for data that cannot be split by source."""
    progress("load")
    dataset = sources.load(files)
    progress("check the record")
    record = validation.check_record(dataset)
    _refuse_errors(record)
    derive(dataset, progress)
    progress("check the world")
    world = validation.check_world(dataset)
    return dataset, Report([*record.findings, *world.findings]), world, {}


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
    opened = as_store(build(data, progress, Pieces(cache_folder())))
    try:
        keep(opened, folder)
    except StoreError as error:
        progress(
            f"{NOTE}{error}; it will be built again at every start; "
            "set EURASIA_GRAPH_CACHE to a folder that you own and can write to"
        )
    return opened


def validate(data: Path | None = None, extra: list[Path] | None = None, pieces: Pieces | None = None) -> Report:
    """
    Check a data folder, and additional Turtle files, without building a release.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
        extra: Turtle files; their statements go to the graphs where they belong. If there are any,
            only findings in them are reported.
        pieces: The pieces kept between builds.
    """
    files, base, kept = sources.find(data), data or root() / "data", pieces or Pieces()
    key = key_of("report", inputs_digest(data))
    told = None if extra else kept.get(key)
    if told is not None:
        return Report(read(json.loads(told), base))
    made = None if extra else assemble(files, base, silent, kept)
    if made:
        kept.put(key, json.dumps(written(made.report.findings, base)).encode())
        return made.report
    dataset = sources.load(files)
    for path in extra or []:
        sources.add_by_content(dataset, path)
    record = validation.check_record(dataset)
    found = record
    if not record.errors:
        derive(dataset)
        world = validation.check_world(dataset)
        found = Report(record.findings + world.findings, record.unreadable)
    return found.only(extra) if extra else found


def validate_source(source: str, data: Path | None = None, pieces: Pieces | None = None) -> Report:
    """
    Check a data folder, and return the findings in the files of one source.

    Args:
        source: Its name, which is that of its folder.
        data: A folder laid out like the shipped `data/`, which is the default.
        pieces: What is kept between builds.
    Raises:
        UnknownNameError: If there is no such source.
    """
    folders = {path.name: path for path in ((data or root() / "data") / "sources").glob("*/")}
    if source not in folders:
        raise UnknownNameError("source", source, folders)
    return validate(data, pieces=pieces).only(sorted(folders[source].glob("*.ttl")))


def _refuse_errors(report: Report) -> None:
    if report.errors:
        raise InvalidDataError(report)
