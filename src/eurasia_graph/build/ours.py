"""Whether what is in a cache can be trusted: it belongs to the user, and no other user can replace it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from eurasia_graph.errors import StoreError
from eurasia_graph.files import remove


def make_ours(cache: Path, belongs: Callable[[str], bool], what: str = "release") -> None:
    """
    Ensure that no other user can replace a folder of ours in a cache with one of theirs.

    A missing cache is created with access for the user alone, and one that belongs to the user and contains only
    what we keep is restricted likewise. In a folder like /tmp, the sticky bit keeps other users from moving it.

    Args:
        cache: The folder.
        belongs: Whether a file of this name is one of those that we keep.
        what: What is to be kept there, for the message.
    Raises:
        StoreError: If other users may write there.
        OSError: If it cannot be created.
    """
    if not cache.is_dir():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            cache.mkdir(mode=0o700)
    status = cache.stat()
    ours, mode = status.st_uid == os.getuid(), stat.S_IMODE(status.st_mode)
    if ours and mode & 0o077 and all(belongs(path.name) for path in cache.iterdir()):
        cache.chmod(0o700)
    elif is_open_to_others(status):
        raise StoreError(f"the {what} could not be kept in {cache}: other users may write there")


def is_open_to_others(status: os.stat_result) -> bool:
    """Return whether other users can replace what is in a folder."""
    return bool(status.st_mode & 0o022) and not status.st_mode & stat.S_ISVTX


def open_ours(folder: Path) -> int:
    """
    Open a folder that only the user can have written; return its descriptor, which the caller closes.

    Raises:
        OSError: If it cannot be opened, or is a link.
        ValueError: If other users have access to it.
    """
    if is_open_to_others(folder.parent.stat()):
        raise ValueError(f"other users may write to {folder.parent}")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        refuse_others(os.fstat(opened), "the folder", 0o077)
    except ValueError:
        os.close(opened)
        raise
    return opened


def refuse_others(status: os.stat_result, what: str, rights: int) -> None:
    """
    Refuse what belongs to another user, or to which others have rights.

    Raises:
        ValueError: If that is so.
    """
    if status.st_uid != os.getuid():
        raise ValueError(f"{what} belongs to another user")
    if status.st_mode & rights:
        raise ValueError(f"other users have access to {what}: mode {stat.S_IMODE(status.st_mode):o}")


def read_ours(folder: int, name: str, limit: int) -> bytes:
    """
    Read a file in an open folder, if it is a file that only the user can have written.

    Raises:
        OSError: If it cannot be read, or is a link.
        ValueError: If it is too long, not a file, or other users can write to it.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        refuse_others(status, name, 0o022)
        if status.st_size > limit:
            raise ValueError(f"{name} is too long")
        return file.read()


def cache_folder() -> Path:
    """Return the folder for kept releases: `EURASIA_GRAPH_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get("EURASIA_GRAPH_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return Path(user_cache_path("eurasia-graph"))


def clear(folder: Path, belongs: Callable[[str], bool]) -> None:
    """
    Remove a folder of the cache, unless it holds anything that does not belong there.

    Args:
        folder: The folder; one that is missing, or a link, is left alone.
        belongs: Whether a name in it is one of ours.
    Raises:
        StoreError: If it cannot be removed.
    """
    if folder.is_symlink() or not folder.is_dir() or not all(belongs(path.name) for path in folder.iterdir()):
        return
    remove(folder)
    if folder.exists():
        raise StoreError(f"{folder} cannot be removed; remove it by hand or as its owner")
