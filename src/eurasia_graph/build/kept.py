"""
Keep a built release for the next start, and reuse it only if it is ours and byte for byte the same.

A kept release is a folder in the cache with the files of a release. Anyone who can write to it can change every
answer, so it must belong to the user alone. It is opened once and checked through the open descriptor, not by its
path, which could point elsewhere a moment later.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from eurasia_graph.build.release import canonical_lines, described
from eurasia_graph.build.release_files import FAULTS, FILES, read_files, reason, write_files
from eurasia_graph.errors import StoreError
from eurasia_graph.files import clear_leftovers, locked, new_folder, put, remove
from eurasia_graph.store import ReleaseStore

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
        _make_ours(folder.parent)
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
    Remove the kept releases and the leftovers of killed builds, and nothing else that may be in the cache.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    if not cache.is_dir():
        return
    try:
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


def _make_ours(cache: Path) -> None:
    """
    Ensure that no other user can replace our folder with one of theirs.

    A missing cache is created with access for the user alone, and one that belongs to the user and contains only
    kept releases is restricted likewise. In a folder like /tmp, the sticky bit keeps other users from moving it.
    """
    if not cache.is_dir():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            cache.mkdir(mode=0o700)
    status = cache.stat()
    ours, mode = status.st_uid == os.getuid(), stat.S_IMODE(status.st_mode)
    if ours and mode & 0o077 and all(_belongs(path.name) for path in cache.iterdir()):
        cache.chmod(0o700)
    elif _open_to_others(status):
        raise StoreError(f"the release could not be kept in {cache}: other users may write there")


def _open_to_others(status: os.stat_result) -> bool:
    return bool(status.st_mode & 0o022) and not status.st_mode & stat.S_ISVTX


def _belongs(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name.startswith(SCRATCH)


def _load(folder: Path) -> ReleaseStore:
    if _open_to_others(folder.parent.stat()):
        raise ValueError(f"other users may write to {folder.parent}")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _refuse_others(os.fstat(opened), "the folder", 0o077)
        return read_files(lambda name, limit: _read(opened, name, limit), is_ours=True)
    finally:
        os.close(opened)


def _refuse_others(status: os.stat_result, what: str, rights: int) -> None:
    if status.st_uid != os.getuid():
        raise ValueError(f"{what} belongs to another user")
    if status.st_mode & rights:
        raise ValueError(f"other users have access to {what}: mode {stat.S_IMODE(status.st_mode):o}")


def _read(folder: int, name: str, limit: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        _refuse_others(status, name, 0o022)
        if status.st_size > limit:
            raise ValueError(f"{name} is too long")
        return file.read()


def cache_folder() -> Path:
    """Return the folder for kept releases: `EURASIA_GRAPH_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get("EURASIA_GRAPH_CACHE")
    return Path(chosen) if chosen else Path(user_cache_path("eurasia-graph"))


def clean_cache() -> None:
    """
    Remove the kept releases, and nothing else that may be in the cache folder.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    clean(cache_folder())
