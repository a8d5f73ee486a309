"""
Read files that somebody names and write files whole, whatever stands in their place.

A name may lead to a folder, a pipe, a device or a terabyte; none of them makes a command hang or take all
memory. What is written is there whole or not at all, with a full disk as with a killed process.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from eurasia_graph.errors import UsageError

MIB = 1 << 20
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def named(path: Path) -> str:
    r"""
    Write a path so that any terminal and log takes it: bytes that are not UTF-8 as `\xff`.

    >>> named(Path(os.fsdecode(b"caf\xe9.ttl")))
    'caf\\xe9.ttl'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def open_regular(path: Path, wanted: str) -> IO[bytes]:
    """
    Open a file to read, and nothing else that may stand under its name.

    Args:
        path: The file; a symbolic link to one will do.
        wanted: What to give instead, for the message.
    Raises:
        UsageError: If it is not a file, or cannot be opened.
    """
    try:
        # Without waiting: a pipe that nobody writes to would hold us for good.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", closefd=True)
    except IsADirectoryError:
        raise UsageError(f"cannot read {named(path)}: it is a folder; {wanted}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {named(path)}: {reason}; {wanted}") from None
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        seen = next((name for test, name in KINDS if test(mode)), "no file")
        raise UsageError(f"cannot read {named(path)}: it is {seen}; {wanted}")
    return file


def read_bounded(path: Path, limit: int, wanted: str) -> bytes:
    """
    Read a file of at most `limit` bytes.

    Raises:
        UsageError: If it is not a file, cannot be read or is larger.
    """
    with open_regular(path, wanted) as file:
        try:
            raw = file.read(limit + 1)
        except OSError as error:
            raise UsageError(f"cannot read {named(path)}: {error.strerror}; {wanted}") from None
    if len(raw) > limit:
        raise UsageError(f"cannot read {named(path)}: it is larger than {limit // MIB} MiB; {wanted}")
    return raw


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file whole or leave what was there; a link leads to the file that is written.

    Raises:
        UsageError: If it cannot be written.
    """
    target = path.resolve()
    scratch = None
    try:
        descriptor, scratch = tempfile.mkstemp(prefix=f".{target.name[:100]}-", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # As a plain write would leave it: the rights of the file that was there, else what the user's mask says.
        Path(scratch).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_mask())
        Path(scratch).replace(target)
    except OSError as error:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        raise UsageError(
            f"cannot write {named(path)}: {error.strerror}; the file is as it was; give a place that can be written"
        ) from None
    except BaseException:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        raise


def _mask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Have the disk hold what stands under a path, as far as the file system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it, whatever of it is still there."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
