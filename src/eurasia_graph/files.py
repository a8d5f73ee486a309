"""
Read files given by the user safely, and write files atomically.

A path may lead to a folder, a pipe, a device or a terabyte; none of them makes a command hang or use up the
memory. A file is written completely or not at all, even if the disk is full or the process is killed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

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
    Return a path that any terminal and log can show, with bytes that are not UTF-8 as `\xff`.

    >>> named(Path(os.fsdecode(b"caf\xe9.ttl")))
    'caf\\xe9.ttl'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_handed_over(path: Path) -> bool:
    """Return whether a path is a pipe that the shell has opened, as `<(…)` does, with a process that writes to it."""
    return path.parent in {Path("/dev/fd"), Path("/proc/self/fd")} or path == Path("/dev/stdin")


def refuse_odd(path: Path, limit: int, wanted: str) -> None:
    """
    Refuse anything but a regular file of reasonable size; a missing file is left to the reader.

    Raises:
        UsageError: If it is a folder, a pipe, a device, or larger than `limit` bytes.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    except OSError as error:  # links in a circle, a name that is too long
        raise UsageError(f"cannot read {named(path)}: {error.strerror}; {wanted}") from None
    if not stat.S_ISREG(status.st_mode) and not is_handed_over(path):
        raise UsageError(f"cannot read {named(path)}: it is {_kind(status.st_mode)}; {wanted}")
    if status.st_size > limit:
        raise UsageError(f"cannot read {named(path)}: it is larger than {limit // MIB} MiB; {wanted}")


def _kind(mode: int) -> str:
    return next((name for test, name in KINDS if test(mode)), "not a file")


def open_regular(path: Path, wanted: str) -> BufferedReader:
    """
    Open a regular file for reading, and refuse anything else at its path.

    Args:
        path: The file; a symbolic link to one will do.
        wanted: What to give instead, for the message.
    Raises:
        UsageError: If it is not a file, or cannot be opened.
    """
    try:
        # Without blocking: a pipe without a writer would block forever.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except IsADirectoryError:
        raise UsageError(f"cannot read {named(path)}: it is a folder; {wanted}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {named(path)}: {reason}; {wanted}") from None
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise UsageError(f"cannot read {named(path)}: it is {_kind(mode)}; {wanted}")
    return file


def read_bounded(path: Path, limit: int, wanted: str) -> bytes:
    """
    Read a file of at most `limit` bytes.

    Raises:
        UsageError: If it is not a file, cannot be read or is larger.
    """
    try:
        with path.open("rb") if is_handed_over(path) else open_regular(path, wanted) as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read {named(path)}: {error.strerror}; {wanted}") from None
    if len(raw) > limit:
        raise UsageError(f"cannot read {named(path)}: it is larger than {limit // MIB} MiB; {wanted}")
    return raw


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file completely, or leave the old one unchanged; a symbolic link is followed.

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
        # As with a plain write: the permissions of the old file, or else those of the user's mask.
        Path(scratch).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~mask())
        Path(scratch).replace(target)
    except OSError as error:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        raise UsageError(
            f"cannot write {named(path)}: {error.strerror}; the file was not changed; give a path that can be written"
        ) from None
    except BaseException:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        raise


def mask() -> int:
    """Return the user's file mode mask, which can only be read by setting it."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def sync(path: Path) -> None:
    """Flush a path to disk, as far as the file system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with its contents, ignoring what is missing."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


# --- folders that appear whole -------------------------------------------------------------

LOCK_WAIT_S = 2.0
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2), RENAME_SWAP of renamex_np(2)
HERE = -100  # AT_FDCWD


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """
    Hold the lock of a folder, which is released when the process ends, however it ends.

    Yields whether it is held: after two seconds, and on file systems without locks, it is not.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _lock(descriptor, LOCK_WAIT_S)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        except OSError:
            return False
        else:
            return True


@contextmanager
def new_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """
    Create a scratch folder to fill and to `put` in place; whatever remains of it at the end is removed.

    Leftovers of killed processes next to it are cleared. A running process holds the lock of its folder, so its
    work is left alone.
    """
    with locked(parent) as held:
        if held:
            clear_leftovers(parent, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        _lock(descriptor, 0)
    try:
        yield folder
    finally:
        os.close(descriptor)
        remove(folder)


def clear_leftovers(parent: Path, prefix: str) -> None:
    """Remove the scratch folders that killed processes left; call it with the lock of `parent` held."""
    for path in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_uid == os.getuid() and _lock(descriptor, 0):
                    remove(path)
            finally:
                os.close(descriptor)


def put(folder: Path, target: Path) -> None:
    """
    Move a new folder into place in one step; the old one then has the name of the scratch folder.

    Raises:
        OSError: If it cannot be moved; nothing is changed.
    """
    for path in folder.iterdir():
        sync(path)
    sync(folder)
    if not os.path.lexists(target):
        with suppress(OSError):
            folder.rename(target)
            sync(target.parent)
            return
    if not _exchange(folder, target):
        # No such call here: for a moment, the target does not exist.
        former = folder.with_name(f"{folder.name}-old")
        target.rename(former)
        try:
            folder.rename(target)
        except OSError:
            former.rename(target)
            raise
        former.rename(folder)
    sync(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; returns whether the system supports it."""
    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(HERE, first, HERE, second, EXCHANGE)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(first, second, EXCHANGE)
    else:
        return False
    number = ctypes.get_errno()
    if failed and number not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        raise OSError(number, os.strerror(number), str(other))
    return not failed
