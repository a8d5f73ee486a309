"""
Evaluate a query in a separate process, which can be stopped.

The engine cannot be interrupted while it plans or evaluates a query, neither by a timer in its process nor by Ctrl-C.
So a fork of this process, which already has the data, runs the query and returns the answer through a pipe.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import resource
import select
import signal
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from eurasia_graph.errors import EurasiaGraphError, QueryError, UsageError

# How many seconds after its limit the process exits by itself if its parent was killed.
GRACE_S = 2.0
# Address space beyond the dataset, in bytes.
MEMORY = 4 << 30

T = TypeVar("T")


def limited(evaluate: Callable[[], T], seconds: float) -> T:
    """
    Return what a function returns, evaluated in a fork.

    Args:
        evaluate: What to call; its result is something that can be pickled.
        seconds: The time limit in seconds; 0 for none.
    Raises:
        QueryError: If time runs out, or the evaluation ends its process.
    """
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Some Python versions warn about threads, which a fork does not have; none holds a lock that it needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _evaluate(evaluate, writer, seconds)
    os.close(writer)
    status = None
    try:
        with os.fdopen(reader, "rb") as pipe:
            # Nothing arrives before the answer is complete.
            if not select.select([pipe], [], [], seconds or None)[0]:
                raise QueryError(
                    f"the query was stopped: it had no answer after {seconds:g} s; ask for less (be more specific, "
                    "remove a pattern or a path of any length), or allow more with --timeout SECONDS (0: no limit)"
                )
            answer = pipe.read()
        _, status = os.waitpid(pid, 0)
    finally:
        if status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if not answer:
        raise QueryError(_reason(os.WTERMSIG(status)))
    is_answer, found = pickle.loads(answer)  # noqa: S301  (our own process wrote it)
    if not is_answer:
        raise found
    return cast("T", found)


def _reason(ended_by: int) -> str:
    """Explain by the signal that ended the process why there is no answer, and what to do."""
    deep = "is nested so deeply that it ends the engine; write it with fewer brackets or parts"
    if ended_by in {signal.SIGSEGV, signal.SIGBUS}:
        return f"the query {deep}"
    less = "ask for less: sort or group fewer rows, add LIMIT"
    if ended_by == signal.SIGABRT:
        return f"the query needed more than {MEMORY >> 20} MiB of memory, or {deep}, or {less}"
    return f"the query was ended by signal {ended_by}, as happens where memory runs out; {less}"


def _evaluate(evaluate: Callable[[], Any], writer: int, seconds: float) -> None:
    """Write the answer or the error to the pipe; never returns."""
    try:
        faulthandler.disable()
        # The parent reports the end of the engine; its own message is not shown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Without a limit if the system does not report the memory in use.
        with suppress(ValueError, OSError):
            most = MEMORY + int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if seconds:
            signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_S)
        try:
            told = pickle.dumps((True, evaluate()))
        except EurasiaGraphError as error:
            kind = UsageError if isinstance(error, UsageError) else QueryError
            told = pickle.dumps((False, kind(str(error))))
        except Exception as error:  # noqa: BLE001  (raised again in the parent)
            told = pickle.dumps((False, error))
        signal.setitimer(signal.ITIMER_REAL, 0)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(told)
    finally:
        os._exit(0)
