"""
Keep a built release for the next start, and reuse it only if it is ours and byte for byte the same.

A kept release is a folder in the cache with the files of a release. Anyone who can write to it can change every
answer, so it must belong to the user alone. It is opened once and checked through the open descriptor, not by its
path, which could point elsewhere a moment later.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from eurasia_graph.build import engine_store, ours, pieces
from eurasia_graph.build.release import canonical_lines, described
from eurasia_graph.build.release_files import FAULTS, FILES, read_files, reason, write_files
from eurasia_graph.errors import StoreError
from eurasia_graph.files import clear_leftovers, locked, new_folder, put, remove
from eurasia_graph.store import ReleaseStore

cache_folder = ours.cache_folder
SCRATCH = ".new-"
NAME = re.compile(r"[0-9a-f]{32}")


class UnfitError(StoreError):
    """The kept release cannot be reused; the message says why."""


def keep(store: ReleaseStore, folder: Path) -> None:
    """
    Keep a release in its own folder, completely or not at all.

    Raises:
        StoreError: If the folder cannot be written, or other users could write to it.
    """
    assert store.iri and store.content and store.inputs
    try:
        ours.make_ours(folder.parent, _belongs)
        with new_folder(folder.parent, SCRATCH) as scratch:
            lines = (line for own in canonical_lines(store.local).values() for line in own)
            write_files(scratch, lines, described(store))
            put(scratch, folder)
    except OSError as error:
        raise StoreError(f"the release could not be kept in {folder}: {error.strerror or error}") from None


def load_kept(folder: Path) -> ReleaseStore | None:
    """
    Load a kept release, or return None if there is none.

    Raises:
        UnfitError: If other users have access to it, or if it is not what was written.
    """
    if not os.path.lexists(folder):
        return None
    try:
        return _load(folder)
    except FAULTS as error:
        raise UnfitError(f"the release kept in {folder} cannot be reused ({reason(error)})") from None


def clean(cache: Path) -> None:
    """
    Remove the kept releases and parts and the leftovers of killed builds, and nothing else that may be in the cache.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    if not cache.is_dir():
        return
    try:
        pieces.clean(cache)
        engine_store.clean(cache)
        with locked(cache) as held:
            if held:
                clear_leftovers(cache, SCRATCH)
            for folder in cache.iterdir():
                if NAME.fullmatch(folder.name) and not folder.is_symlink() and _is_kept(folder):
                    remove(folder)
                    if folder.exists():
                        raise StoreError(f"{folder} cannot be removed; remove it by hand or as its owner")
    except OSError as error:
        raise StoreError(f"the cache {cache} cannot be cleared: {error.strerror}; check its owner") from None


def _is_kept(folder: Path) -> bool:
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= FILES


def _belongs(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name.startswith(SCRATCH) or name in {pieces.FOLDER, engine_store.FOLDER}


def _load(folder: Path) -> ReleaseStore:
    opened = ours.open_ours(folder)
    try:
        return read_files(lambda name, limit: ours.read_ours(opened, name, limit), is_ours=True)
    finally:
        os.close(opened)


def clean_cache() -> None:
    """
    Remove the kept releases and parts, and nothing else that may be in the cache folder.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    clean(cache_folder())
