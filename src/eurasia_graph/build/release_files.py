"""
The files of a release, with one writer and one reader: `release.nq`, `release.json` and `release.sha256`.

`release.nq` holds the named graphs as canonical N-Quads, sorted; the default graph, which is the visible part of
them, is filled on opening. `release.json` says which release it is and what the build warned of. `release.sha256`
has the digests of both, as sha256sum writes and checks them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
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
# What reading files that nobody can vouch for may raise.
FAULTS = (OSError, ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError)
WANTED = "give a folder that `eurasia-graph build --out DIR` has written"


def release_iri(content: str) -> NamedNode:
    """Name a release by the first sixteen digits of its content digest."""
    return ns.RELEASE(content[:16])


def write_files(folder: Path, lines: Iterable[bytes], described: dict[str, Any]) -> None:
    """
    Write the three files into a folder that is there.

    Args:
        folder: Where to.
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
    Make a store of the three files, with its default graph.

    Args:
        read: Returns the bytes of a file by its name, which are at most so many.
        is_ours: Whether this user's program has written them, and nobody else can have: then the IRIs need no
            second look, which would take half of the time, and the digests need not be made from the content.
    Raises:
        ValueError: If they are not what was written, or what else `FAULTS` lists.
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
    Open a release in a folder that a person names; nothing is built in its place.

    Raises:
        UsageError: If there is no such folder, or it holds no release.
        StoreError: If it holds one that is not as it was written.
    """
    if not folder.is_dir():
        raise UsageError(f"no release is opened: {named(folder)} is not a folder; {WANTED}")
    missing = sorted(name for name in FILES if not (folder / name).exists())
    if missing:
        raise UsageError(f"no release is opened: there is no {missing[0]} in {named(folder)}; {WANTED}")
    try:
        return read_files(lambda name, limit: read_bounded(folder / name, limit, WANTED), is_ours=False)
    except FAULTS as error:
        raise StoreError(
            f"the release in {named(folder)} cannot be opened: {reason(error)}; nothing is built in its place; "
            "fetch it again, or write it again with `eurasia-graph build --out DIR`"
        ) from None


def reason(error: BaseException) -> str:
    """Say in a line why files cannot be read."""
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(told).splitlines()[0][:200]


def _digest_line(line: str) -> tuple[str, str]:
    digest, _, name = line.partition("  ")
    if not SHA256.fullmatch(digest):
        raise ValueError(f"{DIGESTS} holds no digests")
    return name, digest


def _compare(name: str, raw: bytes, digests: dict[str, str]) -> None:
    if digests.get(name) != _sha256(raw):
        raise ValueError(f"{name} is not what was written")


def _compare_content(quads: bytes, described: dict[str, Any]) -> None:
    """Make the digest that gives a release its name: of all graphs but `meta`, in their order."""
    whole, meta = hashlib.sha256(), f" {META} .\n".encode()
    for line in quads.splitlines(keepends=True):
        if not line.endswith(meta):
            whole.update(line)
    if whole.hexdigest() != described["content"]:
        raise ValueError(f"the digest of the content is {whole.hexdigest()} instead of {described['content']}")
    if described["iri"] != release_iri(described["content"]).value:
        raise ValueError(f"its name, {described['iri']}, is not that of its content")


def _checked(described: Any) -> dict[str, Any]:
    """Refuse a description that another version of this program, or a person, wrote in another way."""
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
