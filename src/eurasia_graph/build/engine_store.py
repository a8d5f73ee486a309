"""
Keep a release as an on-disk store of the engine, which is opened read-only in milliseconds, however large it is.

Processes that open it share its pages instead of loading the data. It is kept in the folder `stores` of the cache,
under the digest of the inputs, as private as a kept release: any user who could write there could change answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, Store

from eurasia_graph.build import ours
from eurasia_graph.errors import StoreError
from eurasia_graph.files import MIB, new_folder, put, remove
from eurasia_graph.store import ReleaseStore

FOLDER = "stores"
ENGINE, DESCRIPTION = "engine", "release.json"
SCRATCH = ".new-"
NAME = re.compile(r"[0-9a-f]{32}")
# How many stores are kept while a data folder is being edited.
MOST_KEPT = 4
LARGEST = 64 * MIB
# Up to this number of quads, memory is faster than disk, and loading takes less than a second.
MOST_IN_MEMORY = 300_000


def open_kept(cache: Path, inputs: str) -> ReleaseStore | None:
    """
    Open the release of some inputs, read-only; None if none is kept that can be trusted.

    Args:
        cache: The folder of the cache.
        inputs: The digest of what the release depends on.
    """
    folder = cache / FOLDER / inputs[:32]
    with suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
        opened = ours.open_ours(folder)
        try:
            told = json.loads(ours.read_ours(opened, DESCRIPTION, LARGEST))
        finally:
            os.close(opened)
        if told["inputs"] != inputs or told["tables"] != _tables(folder / ENGINE):
            return None
        os.utime(folder)
        store = ReleaseStore(
            Store.read_only(str(folder / ENGINE)),
            iri=NamedNode(told["iri"]),
            content=told["content"],
            inputs=told["inputs"],
            warnings=told["warnings"],
        )
        store.take(told["known"])
        return store
    return None


def keep(store: ReleaseStore, cache: Path) -> None:
    """
    Keep a release that is in memory, completely or not at all; a failure only makes the next start slower.

    Args:
        store: The release, with its default graph filled.
        cache: The folder of the cache.
    """
    assert store.iri and store.inputs
    described = {"iri": store.iri.value, "content": store.content, "inputs": store.inputs, "warnings": store.warnings}
    with suppress(OSError, StoreError, RuntimeError):
        ours.make_ours(cache, lambda _: False)
        ours.make_ours(cache / FOLDER, _belongs)
        with new_folder(cache / FOLDER, SCRATCH) as scratch:
            write(store.local, scratch / ENGINE)
            text = json.dumps({**described, "known": store.known(), "tables": _tables(scratch / ENGINE)})
            (scratch / DESCRIPTION).write_text(text, encoding="utf-8")
            put(scratch, cache / FOLDER / store.inputs[:32])
        _prune(cache / FOLDER)


def write(store: Store, folder: Path) -> None:
    """Write a store, with its default graph, as a store of the engine on disk."""
    dump = folder.with_suffix(".nq")
    try:
        with dump.open("wb") as file:
            store.dump(file, RdfFormat.N_QUADS)
        on_disk = Store(str(folder))
        on_disk.bulk_load(path=str(dump), format=RdfFormat.N_QUADS, lenient=True)
        on_disk.optimize()
        on_disk.flush()
        del on_disk
    finally:
        dump.unlink(missing_ok=True)


def in_memory(store: ReleaseStore) -> ReleaseStore:
    """Return a release for repeated queries: in memory if it is small, since that is faster."""
    if store.quads > MOST_IN_MEMORY:
        return store
    engine = Store()
    engine.bulk_load(store.local.dump(format=RdfFormat.N_QUADS) or b"", format=RdfFormat.N_QUADS, lenient=True)
    small = ReleaseStore(engine, iri=store.iri, content=store.content, inputs=store.inputs, warnings=store.warnings)
    small.take(store.known())
    return small


def clean(cache: Path) -> None:
    """
    Remove the kept stores, and nothing else.

    Raises:
        StoreError: If they cannot be removed.
    """
    ours.clear(cache / FOLDER, _belongs)


def _prune(folder: Path) -> None:
    """Remove all but the most recently used stores."""
    found = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    for path in sorted(found, key=lambda path: -path.stat().st_mtime)[MOST_KEPT:]:
        remove(path)


def _tables(folder: Path) -> dict[str, Any]:
    """Return the data files with their sizes, and the digest of the manifest."""
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.name.endswith(".sst"):
            found[path.name] = path.stat().st_size
        elif path.name.startswith("MANIFEST") or path.name == "CURRENT":
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _belongs(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name.startswith(SCRATCH)
