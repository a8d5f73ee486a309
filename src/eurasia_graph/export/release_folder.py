"""
Write a release as a folder that can be put on the web: all formats, checksums, VoID and DCAT.

The folder is written completely or not at all. The same release gives the same bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pyoxigraph import NamedNode

from eurasia_graph import description
from eurasia_graph import namespaces as ns
from eurasia_graph.build.progress import silent
from eurasia_graph.errors import StoreError, UsageError
from eurasia_graph.export import write
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle.writer import format_triples

MEDIA_TYPES = {"trig12": "application/trig", "csv": "application/zip"}
FILES = {
    name: f"eurasia-graph.{FORMATS[name].extension}"
    for name in ("turtle", "ntriples", "rdfxml", "trig", "nquads", "jsonld")
} | {"trig12": "eurasia-graph-rdf12.trig", "csv": "eurasia-graph-csv.zip"}


def media_type(name: str) -> str:
    """Return the media type of a format of `export.names()`."""
    return MEDIA_TYPES.get(name) or FORMATS[name].media_type


def publish(store: ReleaseStore, folder: Path, progress: Callable[[str], None] = silent) -> list[Path]:
    """
    Write the release folder.

    Args:
        store: The release.
        folder: A new or empty folder.
        progress: Called with the name of every file as it begins.
    Returns:
        The files, sorted.
    Raises:
        UsageError: If the folder has something in it.
        StoreError: If it cannot be written, for instance because the disk is full; nothing is left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; give a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".release-", dir=folder.parent))
    except OSError as error:
        raise StoreError(f"cannot write into {folder.parent}: {error.strerror}; give another folder") from None
    try:
        _write_all(store, scratch, progress)
        if folder.exists():
            folder.rmdir()
        scratch.chmod(0o755)
        scratch.rename(folder)
    except OSError as error:
        raise StoreError(f"the release cannot be written to {folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return sorted(folder.iterdir())


def _write_all(store: ReleaseStore, folder: Path, progress: Callable[[str], None]) -> None:
    for name, file in FILES.items():
        progress(name)
        with (folder / file).open("wb") as out:
            write.write(store, name, out)
    digests = {path.name: (_digest(path), path.stat().st_size) for path in folder.iterdir()}
    node = store.iri or NamedNode(ns.BASE)
    said = [*description.release(node, store.iri)]
    _write_turtle(folder / "void.ttl", [*said, *description.contents(node, store.local)])
    _write_turtle(folder / "dcat.ttl", [*said, *description.files(node, _files(node, digests))])
    sums = {path.name: _digest(path) for path in folder.iterdir()}
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / "SHA256SUMS").write_text(lines, encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_turtle(path: Path, lines: Iterable[str]) -> None:
    triples = sorted(f"{each} ." for each in description.read(lines))
    path.write_text(format_triples("\n".join(triples)), encoding="utf-8")


def _files(node: NamedNode, digests: dict[str, tuple[str, int]]) -> Iterator[description.File]:
    names = {file: name for name, file in FILES.items()}
    for file, (digest, size) in sorted(digests.items()):
        yield description.File(
            iri=f"{node.value}/{file}", media_type=media_type(names[file]), title=file, size=size, sha256=digest
        )
