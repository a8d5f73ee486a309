"""
Read files that somebody names and write files whole, whatever stands in their place.

A name may lead to a folder, a pipe, a device or a terabyte; none of them makes a command hang or take all
memory. What is written is there whole or not at all, with a full disk as with a killed process.
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
    Write a path so that any terminal and log takes it: bytes that are not UTF-8 as `\xff`.

    >>> named(Path(os.fsdecode(b"caf\xe9.ttl")))
    'caf\\xe9.ttl'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_handed_over(path: Path) -> bool:
    """Tell whether a name stands for what the shell has opened for us, as `<(…)` does, with somebody who writes."""
    return path.parent in {Path("/dev/fd"), Path("/proc/self/fd")} or path == Path("/dev/stdin")


def refuse_odd(path: Path, limit: int, wanted: str) -> None:
    """
    Refuse what is there but is no file that a person writes; what is not there is left to those who read it.

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
    Open a file to read, and nothing else that may stand under its name.

    Args:
        path: The file; a symbolic link to one will do.
        wanted: What to give instead, for the message.
    Raises:
        UsageError: If it is not a file, or cannot be opened.
    """
    try:
        # Without waiting: a pipe that nobody writes to would hold us for good.
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
        Path(scratch).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~mask())
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


def mask() -> int:
    """Return the rights that the user gives to nobody, which can only be had by setting them."""
    found = os.umask(0o077)
    os.umask(found)
    return found


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


# --- folders that appear whole -------------------------------------------------------------

LOCK_WAIT_S = 2.0
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2), RENAME_SWAP of renamex_np(2)
HERE = -100  # AT_FDCWD


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """
    Hold the lock of a folder, which goes with the process, however that ends.

    Tells whether it is held: after two seconds, and on file systems without locks, it is not.
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
    Make a folder of our own to fill and to `put` in place; what is left under its name in the end is removed.

    What killed processes left beside it is cleared. A live one holds the lock of its folder, so that its
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
    """Remove the folders that killed processes of ours left; call it with the lock of `parent` held."""
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
    Move a new folder to its place in one step; what was there stands under the old name of the folder then.

    Raises:
        OSError: If it cannot be moved; all is as it was.
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
        # No such call here: for a moment, nothing stands in the place.
        aside = folder.with_name(f"{folder.name}-old")
        target.rename(aside)
        try:
            folder.rename(target)
        except OSError:
            aside.rename(target)
            raise
        aside.rename(folder)
    sync(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; tells whether this system can."""
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
