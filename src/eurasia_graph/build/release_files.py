"""
The files of a release, with one writer and one reader: `release.nq`, `release.json` and `release.sha256`.

`release.nq` contains the named graphs as canonical N-Quads, sorted; the default graph is filled from them when the
release is opened. `release.json` has the identity of the release and the warnings of the build. `release.sha256`
has the digests of both, in the format of sha256sum.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import StoreError, UsageError
from eurasia_graph.files import MIB, named, read_bounded
from eurasia_graph.store import ReleaseStore, from_quads

QUADS = "release.nq"
DESCRIPTION = "release.json"
DIGESTS = "release.sha256"
FILES = {QUADS, DESCRIPTION, DIGESTS}
META = ns.GRAPH("meta")

LARGEST = {QUADS: 1024 * MIB, DESCRIPTION: 64 * MIB, DIGESTS: 1 << 10}
SHA256 = re.compile(r"[0-9a-f]{64}")
# What reading untrusted files may raise.
FAULTS = (OSError, ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError)
WANTED = "give a folder that `eurasia-graph build --out DIR` has written"


def release_iri(content: str) -> NamedNode:
    """Return the IRI of a release, made of the first sixteen digits of its content digest."""
    return ns.RELEASE(content[:16])


def content_digest(digests: Mapping[str, str]) -> str:
    """Return the digest of a release, from those of its graphs by their IRIs; `meta` does not count."""
    lines = sorted(f"<{graph}> {digest}\n" for graph, digest in digests.items() if graph != META.value)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_files(folder: Path, lines: Iterable[bytes], described: dict[str, Any]) -> None:
    """
    Write the three files to an existing folder.

    Args:
        folder: The folder.
        lines: The canonical N-Quads of the named graphs, in any order.
        described: `iri`, `content`, `inputs` and `warnings`, as a `ReleaseStore` has them; nothing else.
    Raises:
        OSError: If they cannot be written.
    """
    in_order = sorted(lines)
    (folder / QUADS).write_bytes(b"".join(in_order))
    text = json.dumps({**described, "quads": len(in_order)}, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(f"{text}\n", encoding="utf-8")
    sums = [f"{_sha256((folder / name).read_bytes())}  {name}\n" for name in (QUADS, DESCRIPTION)]
    (folder / DIGESTS).write_text("".join(sums), encoding="utf-8")


def read_files(read: Callable[[str, int], bytes], *, is_ours: bool) -> ReleaseStore:
    """
    Make a store from the three files, and fill its default graph.

    Args:
        read: Takes the name of a file and the greatest length allowed, and returns its bytes.
        is_ours: Whether only this program, run by this user, can have written the files. The IRIs are then not
            checked again, which would take half of the time, and the digests are not recomputed from the content.
    Raises:
        ValueError: If they are not what was written; other exceptions are those in `FAULTS`.
    """
    digests = dict(_digest_line(line) for line in read(DIGESTS, LARGEST[DIGESTS]).decode().splitlines())
    raw = read(DESCRIPTION, LARGEST[DESCRIPTION])
    _compare(DESCRIPTION, raw, digests)
    described = _checked(json.loads(raw))
    quads = read(QUADS, LARGEST[QUADS])
    _compare(QUADS, quads, digests)
    if not is_ours:
        _compare_content(quads, described)
    engine = Store()
    engine.bulk_load(quads, format=RdfFormat.N_QUADS, lenient=is_ours)
    if len(engine) != described["quads"]:
        raise ValueError(f"{len(engine)} quads instead of {described['quads']}")
    iri, content, inputs, warnings = (described[key] for key in ("iri", "content", "inputs", "warnings"))
    return from_quads(engine, iri=NamedNode(iri), content=content, inputs=inputs, warnings=warnings)


def open_folder(folder: Path) -> ReleaseStore:
    """
    Open the release in a folder given by the user; nothing is built instead.

    Raises:
        UsageError: If there is no such folder, or no release in it.
        StoreError: If the files in it are not what was written.
    """
    if not folder.is_dir():
        raise UsageError(f"the release cannot be opened: {named(folder)} is not a folder; {WANTED}")
    missing = sorted(name for name in FILES if not (folder / name).exists())
    if missing:
        raise UsageError(f"the release cannot be opened: there is no {missing[0]} in {named(folder)}; {WANTED}")
    try:
        return read_files(lambda name, limit: read_bounded(folder / name, limit, WANTED), is_ours=False)
    except FAULTS as error:
        raise StoreError(
            f"the release in {named(folder)} cannot be opened: {reason(error)}; "
            "download it again, or write it again with `eurasia-graph build --out DIR`"
        ) from None


def reason(error: BaseException) -> str:
    """Return in one line why files cannot be read."""
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(told).splitlines()[0][:200]


def _digest_line(line: str) -> tuple[str, str]:
    digest, _, name = line.partition("  ")
    if not SHA256.fullmatch(digest):
        raise ValueError(f"{DIGESTS} is not a list of digests")
    return name, digest


def _compare(name: str, raw: bytes, digests: dict[str, str]) -> None:
    if digests.get(name) != _sha256(raw):
        raise ValueError(f"{name} does not match its digest")


def _compare_content(quads: bytes, described: dict[str, Any]) -> None:
    """Check the digest from which the IRI of a release is made; the lines of a graph are sorted as all lines are."""
    graphs: dict[bytes, Any] = defaultdict(hashlib.sha256)
    for line in quads.splitlines(keepends=True):
        graphs[line.rpartition(b" <")[2].partition(b">")[0]].update(line)
    whole = content_digest({graph.decode(): each.hexdigest() for graph, each in graphs.items()})
    if whole != described["content"]:
        raise ValueError(f"the digest of the content is {whole} instead of {described['content']}")
    if described["iri"] != release_iri(described["content"]).value:
        raise ValueError(f"its IRI, {described['iri']}, does not match its content")


def _checked(described: Any) -> dict[str, Any]:
    """Refuse a description that is not in the form that this version of the program writes."""
    if not (
        isinstance(described, dict)
        and isinstance(described.get("quads"), int)
        and all(isinstance(described.get(key), str) for key in ("iri", "content", "inputs"))
        and all(SHA256.fullmatch(described[key]) for key in ("content", "inputs"))
        and isinstance(described.get("warnings"), list)
        and all(isinstance(each, str) for each in described["warnings"])
    ):
        raise ValueError(f"{DESCRIPTION} does not describe a release")
    return described


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
