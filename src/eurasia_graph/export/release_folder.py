"""
Write a release as a folder that can be put on the web: all formats, checksums, VoID and DCAT.

The folder appears whole or not at all. Same release, same bytes.

Source: https://www.w3.org/TR/void/, https://www.w3.org/TR/vocab-dcat-3/
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build.release import silent
from eurasia_graph.errors import StoreError, UsageError
from eurasia_graph.export import write
from eurasia_graph.formats import FORMATS
from eurasia_graph.store import DESCRIPTION, LICENCE, PUBLISHER, TITLE, ReleaseStore
from eurasia_graph.turtle.writer import format_triples

VOID = ns.Namespace("http://rdfs.org/ns/void#")
DCAT = ns.Namespace("http://www.w3.org/ns/dcat#")
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
        folder: Must not be there yet, or be empty.
        progress: Told of every file as it begins.
    Returns:
        The files, sorted.
    Raises:
        UsageError: If the folder has something in it.
        StoreError: If it cannot be written, for instance since the disk is full; nothing is left.
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
    _write_turtle(folder / "void.ttl", _void(store))
    _write_turtle(folder / "dcat.ttl", _dcat(store, digests))
    sums = {path.name: _digest(path) for path in folder.iterdir()}
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / "SHA256SUMS").write_text(lines, encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_turtle(path: Path, triples: Iterator[Triple]) -> None:
    path.write_text(format_triples("\n".join(sorted(f"{each} ." for each in triples))), encoding="utf-8")


def _about(store: ReleaseStore, node: NamedNode) -> Iterator[Triple]:
    about = write.about(store)
    publisher = BlankNode("publisher")
    yield Triple(node, ns.DCTERMS("title"), Literal(TITLE, language="en"))
    yield Triple(node, ns.DCTERMS("description"), Literal(DESCRIPTION, language="en"))
    yield Triple(node, ns.DCTERMS("publisher"), publisher)
    yield Triple(publisher, ns.RDF("type"), NamedNode(f"{ns.PREFIXES['foaf']}Agent"))
    yield Triple(publisher, NamedNode(f"{ns.PREFIXES['foaf']}name"), Literal(PUBLISHER))
    yield Triple(node, ns.DCTERMS("license"), NamedNode(about["licence"]))
    yield Triple(node, ns.DCTERMS("bibliographicCitation"), Literal(about["citation"]))


def _dataset(store: ReleaseStore) -> NamedNode:
    return store.iri or NamedNode(ns.BASE)


def _void(store: ReleaseStore) -> Iterator[Triple]:
    """Describe what is inside: counts of the whole and of every graph, the vocabularies, how to look things up."""
    node = _dataset(store)
    yield Triple(node, ns.RDF("type"), VOID("Dataset"))
    yield from _about(store, node)
    yield Triple(node, VOID("uriSpace"), Literal(ns.ID))
    for vocabulary in (ns.EG, ns.SKOS, ns.PROV, ns.DCTERMS):
        yield Triple(node, VOID("vocabulary"), NamedNode(vocabulary))
    total = 0
    for graph in sorted(store.local.named_graphs(), key=str):
        quads = list(store.local.quads_for_pattern(None, None, None, graph))
        total += len(quads)
        assert isinstance(graph, NamedNode)
        yield Triple(node, VOID("subset"), graph)
        yield Triple(graph, ns.RDF("type"), VOID("Dataset"))
        yield Triple(graph, VOID("triples"), Literal(len(quads)))
        yield Triple(graph, VOID("distinctSubjects"), Literal(len({quad.subject for quad in quads})))
        yield Triple(graph, VOID("properties"), Literal(len({quad.predicate for quad in quads})))
    yield Triple(node, VOID("triples"), Literal(total))


def _dcat(store: ReleaseStore, files: dict[str, tuple[str, int]]) -> Iterator[Triple]:
    """Describe the files: media type, size in bytes and digest of each."""
    spdx = ns.Namespace("http://spdx.org/rdf/terms#")
    node = _dataset(store)
    yield Triple(node, ns.RDF("type"), DCAT("Dataset"))
    yield from _about(store, node)
    names = {file: name for name, file in FILES.items()}
    for file, (digest, size) in sorted(files.items()):
        one, checksum = NamedNode(f"{node.value}/{file}"), NamedNode(f"{node.value}/{file}#sha256")
        yield Triple(node, DCAT("distribution"), one)
        yield Triple(one, ns.RDF("type"), DCAT("Distribution"))
        yield Triple(one, ns.DCTERMS("title"), Literal(file))
        yield Triple(one, ns.DCTERMS("license"), NamedNode(LICENCE))
        iana = f"https://www.iana.org/assignments/media-types/{media_type(names[file])}"
        yield Triple(one, DCAT("mediaType"), NamedNode(iana))
        yield Triple(one, DCAT("byteSize"), Literal(size))
        yield Triple(one, spdx("checksum"), checksum)
        yield Triple(checksum, ns.RDF("type"), spdx("Checksum"))
        yield Triple(checksum, spdx("algorithm"), spdx("checksumAlgorithm_sha256"))
        yield Triple(checksum, spdx("checksumValue"), Literal(digest))
