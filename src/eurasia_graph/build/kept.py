"""
Keep a built release for the next start, and take it up again only if it is ours and byte for byte the same.

A kept release is a folder of the cache: the quads, a description, and the digests of both. Whoever can write
into it can change every answer, so that it belongs to the user alone. It is opened once and checked by what
was opened, not by its name, which could lead elsewhere a moment later.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from pyoxigraph import NamedNode, RdfFormat, Store

from eurasia_graph.errors import StoreError
from eurasia_graph.files import clear_leftovers, locked, new_folder, put, remove
from eurasia_graph.store import ReleaseStore

QUADS = "release.nq"
DESCRIPTION = "release.json"
DIGESTS = "release.sha256"
FILES = {QUADS, DESCRIPTION, DIGESTS}
SCRATCH = ".new-"
NAME = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST_DESCRIPTION = 64 << 20


class UnfitError(StoreError):
    """What is kept is not a release that can be taken up; the text says why."""


def keep(store: ReleaseStore, folder: Path) -> None:
    """
    Keep a release in a folder of its own, whole or not at all.

    Raises:
        StoreError: If the folder cannot be written, or others could write into it.
    """
    assert store.iri and store.content and store.inputs
    try:
        _make_ours(folder.parent)
        with new_folder(folder.parent, SCRATCH) as scratch:
            store.local.dump(str(scratch / QUADS), RdfFormat.N_QUADS)
            description = {
                "quads": len(store.engine),
                "content": store.content,
                "inputs": store.inputs,
                "iri": store.iri.value,
                "warnings": store.warnings,
            }
            (scratch / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
            # As sha256sum writes and checks them.
            lines = [f"{_sha256((scratch / name).read_bytes())}  {name}\n" for name in (QUADS, DESCRIPTION)]
            (scratch / DIGESTS).write_text("".join(lines), encoding="utf-8")
            put(scratch, folder)
    except OSError as error:
        raise StoreError(f"the release cannot be kept in {folder}: {error.strerror or error}") from None


def load_kept(folder: Path) -> ReleaseStore | None:
    """
    Take up a release that was kept, or return None where there is none.

    Raises:
        UnfitError: If there is one that is not ours alone, or not what was written.
    """
    if not os.path.lexists(folder):
        return None
    try:
        return _load(folder)
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or (str(error) or type(error).__name__).splitlines()[0][:200]
        raise UnfitError(f"the release kept in {folder} cannot be taken up ({reason})") from None


def clean(cache: Path) -> None:
    """
    Throw away the kept releases and what killed builds left, and nothing else that may stand in the cache.

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
        raise StoreError(f"the cache {cache} cannot be cleared: {error.strerror}; check who owns it") from None


def _is_kept(folder: Path) -> bool:
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= FILES


def _make_ours(cache: Path) -> None:
    """
    See to it that nobody else can put a folder of theirs in the place of ours.

    A cache that is not there is made for the user alone, and one that is the user's and holds nothing else
    becomes so. In a place like /tmp, the system keeps others from moving what is not theirs.
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
        raise StoreError(f"the release cannot be kept in {cache}: others may write there")


def _open_to_others(status: os.stat_result) -> bool:
    return bool(status.st_mode & 0o022) and not status.st_mode & stat.S_ISVTX


def _belongs(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name.startswith(SCRATCH)


def _load(folder: Path) -> ReleaseStore:
    if _open_to_others(folder.parent.stat()):
        raise ValueError(f"others may write into {folder.parent}")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _refuse_others(os.fstat(opened), "the folder", 0o077)
        digests = dict(_digest_line(line) for line in _read(opened, DIGESTS, 1 << 10).decode().splitlines())
        raw = _read(opened, DESCRIPTION, LONGEST_DESCRIPTION)
        _compare(DESCRIPTION, raw, digests)
        description = _checked(json.loads(raw))
        quads = _read(opened, QUADS)
    finally:
        os.close(opened)
    _compare(QUADS, quads, digests)
    engine = Store()
    # Written by `keep`, so that its IRIs need no second look, which would take half of the time.
    engine.bulk_load(quads, format=RdfFormat.N_QUADS, lenient=True)
    if len(engine) != description["quads"]:
        raise ValueError(f"{len(engine)} quads instead of {description['quads']}")
    iri, content, inputs, warnings = (description[key] for key in ("iri", "content", "inputs", "warnings"))
    return ReleaseStore(engine, NamedNode(iri), content, inputs, warnings)


def _refuse_others(status: os.stat_result, what: str, rights: int) -> None:
    if status.st_uid != os.getuid():
        raise ValueError(f"{what} belongs to another user")
    if status.st_mode & rights:
        raise ValueError(f"others may use {what}: mode {stat.S_IMODE(status.st_mode):o}")


def _read(folder: int, name: str, limit: int | None = None) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        _refuse_others(status, name, 0o022)
        if limit and status.st_size > limit:
            raise ValueError(f"{name} is too long")
        return file.read()


def _digest_line(line: str) -> tuple[str, str]:
    digest, _, name = line.partition("  ")
    if not SHA256.fullmatch(digest):
        raise ValueError(f"{DIGESTS} holds no digests")
    return name, digest


def _compare(name: str, raw: bytes, digests: dict[str, str]) -> None:
    if digests.get(name) != _sha256(raw):
        raise ValueError(f"{name} is not what was written")


def _checked(description: Any) -> dict[str, Any]:
    """Refuse a description that another version of this program, or a person, wrote in another way."""
    if not (
        isinstance(description, dict)
        and isinstance(description.get("quads"), int)
        and all(isinstance(description.get(key), str) for key in ("iri", "content", "inputs"))
        and all(SHA256.fullmatch(description[key]) for key in ("content", "inputs"))
        and isinstance(description.get("warnings"), list)
        and all(isinstance(each, str) for each in description["warnings"])
    ):
        raise ValueError(f"{DESCRIPTION} does not describe a release")
    return description


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def cache_folder() -> Path:
    """Return the folder for kept releases: `EURASIA_GRAPH_CACHE`, or the platform's place for caches."""
    chosen = os.environ.get("EURASIA_GRAPH_CACHE")
    return Path(chosen) if chosen else Path(user_cache_path("eurasia-graph"))


def clean_cache() -> None:
    """
    Throw away the kept releases, and nothing else that may stand in the folder.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    clean(cache_folder())
