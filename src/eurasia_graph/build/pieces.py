"""
Keep results of build stages, each under the digest of everything that it depends on.

A piece is a file in the folder `parts` of the cache, as private as a kept release. Its first line is the digest of
the rest; a piece that does not match it, or that other users could have written, is made again. Keeping is optional:
without a cache everything is built.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from eurasia_graph.build import ours
from eurasia_graph.errors import StoreError
from eurasia_graph.files import MIB

FOLDER = "parts"
NAME = re.compile(r"[0-9a-f]{64}")
SCRATCH = ".new-"
LARGEST = 1024 * MIB
# Above this total size in bytes, the least recently used pieces are removed.
MOST = 2048 * MIB
DIGEST = re.compile(rb"[0-9a-f]{64}\n")


class Pieces:
    """The pieces kept between builds; without a folder, none."""

    def __init__(self, cache: Path | None = None) -> None:
        """
        Create the cache; nothing is read yet.

        Args:
            cache: The folder of the cache; if left out, nothing is kept.
        """
        self.folder = cache / FOLDER if cache else None
        self._held: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """Return a piece by its name, the sha256 of what it depends on; None if it has to be made."""
        if self.folder is None or not os.path.lexists(self.folder):
            return self._held.get(name)
        with suppress(OSError, ValueError):
            opened = ours.open_ours(self.folder)
            try:
                raw = ours.read_ours(opened, name, LARGEST)
            finally:
                os.close(opened)
            if DIGEST.match(raw) and raw[:64] == _sha256(raw[65:]):
                os.utime(self.folder / name)
                return raw[65:]
        return None

    def put(self, name: str, piece: bytes) -> None:
        """Keep a piece, completely or not at all; if that fails, it is made again the next time."""
        if self.folder is None:
            self._held[name] = piece
            return
        with suppress(OSError, StoreError):
            ours.make_ours(self.folder.parent, lambda _: False, "part")
            ours.make_ours(self.folder, _belongs, "part")
            scratch = self.folder / f"{SCRATCH}{os.getpid()}-{name[:16]}"
            try:
                with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(_sha256(piece) + b"\n" + piece)
                scratch.replace(self.folder / name)
            finally:
                scratch.unlink(missing_ok=True)

    def prune(self, most: int = MOST) -> None:
        """Remove the least recently used pieces until the rest is within the size limit."""
        if self.folder is None:
            return
        with suppress(OSError):
            found = sorted(((path.stat(), path) for path in self.folder.iterdir()), key=lambda each: -each[0].st_mtime)
            size = 0
            for status, path in found:
                size += status.st_size
                if size > most and NAME.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def clean(cache: Path) -> None:
    """
    Remove the pieces of a cache, and nothing else.

    Raises:
        StoreError: If they cannot be removed.
    """
    ours.clear(cache / FOLDER, _belongs)


def key_of(*parts: str | bytes) -> str:
    """Return the name of a piece that depends on some texts, in their order."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        whole.update(f"{len(raw)} ".encode() + raw)
    return whole.hexdigest()


def _belongs(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name.startswith(SCRATCH)


def _sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).hexdigest().encode()
