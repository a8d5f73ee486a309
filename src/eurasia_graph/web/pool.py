"""
Long-lived worker processes for free-form queries: one that exceeds its time, memory or size is ended and replaced.

A query starts in one of a few short slots. If it has not finished after `TURN_S`, it is demoted to a long slot,
of which there are fewer, with low priority, so that long queries do not delay short ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Self

from eurasia_graph.web.worker import LENGTH, ORDER

# Run as a file that imports nothing from the package, the worker starts in a few milliseconds.
ALONE = [str(Path(__file__).with_name("worker.py"))]
RELAY = ["-m", "eurasia_graph.web.relay"]
TURN_S = 0.5
# How often a short query is checked: if no slot is free, short or long, it has to be demoted at once.
SLICE_S = 0.1
START_S = 60.0
LOW_PRIORITY = 10
CRASHES = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The limits of a free-form query: seconds, rows, bytes of the answer and of the text, MiB of address space.

    `short` and `long` are the numbers of queries that run at a time, in their first half second and after it;
    `waiting` is how many more may wait.
    """

    timeout_s: float = 10.0
    rows: int = 100_000
    answer_bytes: int = 50_000_000
    query_chars: int = 100_000
    memory_mib: int = 512
    short: int = 8
    long: int = 4
    waiting: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    One query for a worker; `next` is a query for the row after the last allowed one, if any.

    `star` is the position of the `*` of a `SELECT *`, and the variables of the query in order. With `probes`, the
    query is not run: the worker parses those texts and returns, as JSON, the error message of the engine for each, or
    null.
    """

    query: str
    form: str | None
    limited: str
    next: str | None
    base: str
    prologue: str
    clauses: list[tuple[str, str]]
    default: list[str]
    named: list[str]
    format: str
    prefixes: dict[str, str]
    rows: int
    bytes: int
    timeout: float
    probes: list[str] = field(default_factory=list)
    star: tuple[int, list[str]] | None = None


# Not by `asdict`, which copies the table of prefixes every time and takes longer than most queries.
JOB_FIELDS = tuple(each.name for each in fields(Job))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task for a worker other than a query: its name, its parameters, and its bytes."""

    name: str
    told: dict[str, Any]
    timeout: float
    given: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer of a worker: its bytes, whether rows were cut off, whether it is empty, and the unknown graphs."""

    body: bytes
    kind: str
    truncated: bool
    empty: bool
    unknown: list[str]


class WorkerError(Exception):
    """
    A query had no answer.

    `reason` is time, memory, bytes, killed, busy, syntax, engine, refused, result, rows or bug.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the reason, and the message of the engine if there is one."""
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(slots=True)
class Worker:
    """A worker process and the connection to it."""

    pid: int
    connection: socket.socket

    @property
    def is_alive(self) -> bool:
        """Whether the process still holds its end of the connection; an idle worker sends nothing."""
        self.connection.settimeout(0)
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False


class ForkServer:
    """The process that loads the dataset and forks the workers; restarted if it ends."""

    def __init__(self, dump: Callable[[IO[bytes]], None], address_space: int, program: list[str]) -> None:
        """Create the server; `dump` writes the dataset as N-Quads, `address_space` limits a worker, in bytes."""
        self._dump = dump
        self._program = program
        self._address_space = address_space
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self) -> Worker:
        """
        Return a new worker.

        Raises:
            WorkerError: If none can be started.
        """
        for _ in range(2):
            ours, theirs = socket.socketpair()
            try:
                return Worker(self._order(b"F", 0, theirs.fileno()), ours)
            except OSError:
                ours.close()
                self._restart()
            finally:
                theirs.close()
        raise WorkerError("busy", "no worker can be started")

    def end(self, worker: Worker) -> int:
        """End a worker and return its wait status; 0 if that is not known."""
        worker.connection.close()
        try:
            return self._order(b"K", worker.pid)
        except OSError:
            # The fork server has ended; the closed connection or its own alarm ends the worker.
            return 0

    def close(self) -> None:
        """End the process, and with it every worker."""
        with self._lock:
            self._stop()

    def _order(self, letter: bytes, number: int, *descriptors: int) -> int:
        with self._lock:
            if self._control is None:
                if letter == b"K":
                    raise OSError
                self._start()
            assert self._control
            message = ORDER.pack(letter, number)
            if descriptors:
                socket.send_fds(self._control, [message], list(descriptors))
            else:
                self._control.sendall(message)
            return self._reply()

    def _reply(self) -> int:
        assert self._control
        reply = b""
        while len(reply) < ORDER.size:
            part = self._control.recv(ORDER.size - len(reply))
            if not part:
                raise ConnectionResetError
            reply += part
        return int(ORDER.unpack(reply)[1])

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(START_S)
        self._control = ours
        # Unlinked, so that nothing is left of it however this process ends.
        with theirs, tempfile.TemporaryFile() as file:
            self._dump(file)
            file.seek(0)
            numbers = [str(theirs.fileno()), str(file.fileno()), str(self._address_space)]
            # In a separate session, so that Ctrl-C in a terminal reaches only the server.
            self._process = subprocess.Popen(  # noqa: S603  (a script of this package)
                [sys.executable, "-P", *self._program, *numbers],
                pass_fds=[theirs.fileno(), file.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            theirs.close()
            self._reply()

    def _restart(self) -> None:
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class Slot:
    """A scheduling slot. A query starts in a short one and is demoted to a long one after `TURN_S`."""

    def __init__(
        self, admission: threading.Semaphore, short: threading.Semaphore, long: threading.Semaphore, patience_s: float
    ) -> None:
        """Hold nothing yet."""
        self._admission = admission
        self._held = short
        self._long = long
        self._patience_s = patience_s
        self.is_demoted = False

    def __enter__(self) -> Self:
        """Wait for a slot."""
        # Each waiting query holds a thread of the server, so their number is limited.
        if not self._admission.acquire(blocking=False):
            raise WorkerError("busy")
        if not self._held.acquire(timeout=self._patience_s):
            self._admission.release()
            raise WorkerError("busy")
        return self

    def __exit__(self, *_: object) -> None:
        """Release the slot."""
        self._held.release()
        self._admission.release()

    @property
    def is_crowded(self) -> bool:
        """Whether no slot is free at the moment, short or long."""
        for free in (self._long, self._held):
            if free.acquire(blocking=False):
                free.release()
                return False
        return True

    def demote(self) -> None:
        """
        Make room for short queries.

        Raises:
            WorkerError: If there are as many long ones as may be.
        """
        if not self._long.acquire(blocking=False):
            raise WorkerError("busy")
        self._held.release()
        self._held, self.is_demoted = self._long, True


class Pool:
    """
    Workers that are kept between queries.

    `on_restart` is called with the reason whenever a worker had to be ended.
    """

    def __init__(
        self,
        dump: Callable[[IO[bytes]], None],
        limits: Limits,
        on_restart: Callable[[str], None],
        program: list[str] | None = None,
    ) -> None:
        """Start nothing yet; the first query does. `dump` writes the dataset as N-Quads."""
        self.limits = limits
        self._fork_server = ForkServer(dump, limits.memory_mib << 20, program or ALONE)
        self._on_restart = on_restart
        self._idle: list[Worker] = []
        # Also called when the pool is garbage-collected, at the latest at exit.
        self.close = weakref.finalize(self, _end_all, self._fork_server, self._idle)
        self._lock = threading.Lock()
        self._admission = threading.Semaphore(limits.short + limits.long + limits.waiting)
        self._short = threading.Semaphore(limits.short)
        self._long = threading.Semaphore(limits.long)

    def warm(self) -> None:
        """Start one worker, so that the first query need not wait for it."""
        with contextlib.suppress(WorkerError):
            self._give_back(self._take())

    @property
    def is_ready(self) -> bool:
        """Whether a query would find a worker; starts one if need be."""
        if not self.pids:
            self.warm()
        return bool(self.pids)

    @property
    def pids(self) -> list[int]:
        """The idle workers; for tests and diagnostics."""
        with self._lock:
            return [worker.pid for worker in self._idle]

    def run(self, job: Job | Task) -> Result:
        """
        Run a query or another task in a worker.

        Raises:
            WorkerError: If it has no answer within its limits; the worker has been replaced then.
        """
        deadline = time.monotonic() + job.timeout
        with Slot(self._admission, self._short, self._long, job.timeout) as slot:
            worker = self._take()
            try:
                header, body = _converse(worker, job, slot, deadline)
            except (OSError, WorkerError) as error:
                raise self._lost(worker, error) from None
            if slot.is_demoted:
                # A low priority cannot be taken back.
                self._fork_server.end(worker)
            else:
                self._give_back(worker)
        if "fault" in header:
            raise WorkerError(header["fault"], header.get("detail", ""))
        return Result(
            body=body,
            kind=header["kind"],
            truncated=header["truncated"],
            empty=header["empty"],
            unknown=header["unknown"],
        )

    def _take(self) -> Worker:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return self._fork_server.fork()
            if worker.is_alive:
                return worker
            self._fork_server.end(worker)
            self._on_restart("killed")

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append(worker)

    def _lost(self, worker: Worker, error: Exception) -> WorkerError:
        """End a worker that gave no answer, and find out why it did not."""
        status = self._fork_server.end(worker)
        if isinstance(error, WorkerError):
            found = error
        elif isinstance(error, TimeoutError):
            found = WorkerError("time")
        elif os.WIFSIGNALED(status) and os.WTERMSIG(status) in CRASHES:
            found = WorkerError("memory")
        else:
            found = WorkerError("killed")
        self._on_restart(found.reason)
        return found


def _end_all(fork_server: ForkServer, idle: list[Worker]) -> None:
    for worker in idle:
        worker.connection.close()
    fork_server.close()


def _converse(worker: Worker, job: Job | Task, slot: Slot, deadline: float) -> tuple[dict[str, Any], bytes]:
    """Send a query and wait for its answer; demote it if it takes longer than its turn."""
    given = b""
    if isinstance(job, Task):
        given = job.given
        request = {**job.told, "task": job.name, "timeout": job.timeout, "attached": len(given)}
    else:
        request = {name: getattr(job, name) for name in JOB_FIELDS}
    text = json.dumps(request).encode()
    worker.connection.settimeout(job.timeout)
    worker.connection.sendall(LENGTH.pack(len(text)) + text)
    if given:
        worker.connection.sendall(given)
    end = min(time.monotonic() + TURN_S, deadline)
    while not _readable(worker, min(SLICE_S, end - time.monotonic())):
        if time.monotonic() >= deadline:
            raise TimeoutError
        if time.monotonic() >= end or slot.is_crowded:
            slot.demote()
            _lower_priority(worker)
            break
    length = LENGTH.unpack(_exactly(worker, LENGTH.size, deadline))[0]
    header = json.loads(_exactly(worker, length, deadline))
    return header, bytes(_exactly(worker, header["size"], deadline))


def _readable(worker: Worker, seconds: float) -> bool:
    """Wait until there is something to read; a peek, since select cannot watch descriptors above 1023."""
    worker.connection.settimeout(max(seconds, 0.001))
    try:
        worker.connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    return True


def _exactly(worker: Worker, size: int, deadline: float) -> bytearray:
    found = bytearray(size)
    view, done = memoryview(found), 0
    while done < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        worker.connection.settimeout(left)
        read = worker.connection.recv_into(view[done:])
        if not read:
            raise ConnectionResetError
        done += read
    return found


def _lower_priority(worker: Worker) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, worker.pid, LOW_PRIORITY)
