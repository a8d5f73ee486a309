"""
Requests a second of this service and of every other that is installed, on one release and one machine.

Needs `wrk`. Peers are found by their commands (`oxigraph`, `rdflib-endpoint`, `virtuoso-t` with
`isql-vt`, `nginx`), Fuseki where `make stores` has put it. Services that are not installed are left out of the table.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from pyoxigraph import DefaultGraph, RdfFormat, serialize

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import programs
from eurasia_graph import open_graph, queries
from measure import show

SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
ROUNDS = 3
CONNECTIONS = 8
JSON = "application/sparql-results+json"
CANNED = {
    "members": ("members-on", {"body": "cst", "date": "1993-06-30"}),
    "claims": ("claims-about", {"entity": "cst"}),
}
ROWS = "SELECT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } } LIMIT 5000"
START_S = 90
# Headers that nginx sets by itself.
OF_NGINX = {"content-type", "content-length", "date", "server", "etag", "connection"}
SPEED = re.compile(r"Requests/sec:\s+([\d.]+)")
LATENCY = re.compile(r"\s(50|99)%\s+([\d.]+)(us|ms|s)\b")
FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Served:
    """A running service: the URL that wrk requests for each question."""

    name: str
    pid: int
    paths: dict[str, str]


@dataclass(frozen=True)
class Data:
    """The release as N-Quads for the peers, and the questions as SPARQL."""

    folder: Path
    file: Path
    questions: dict[str, str]


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], address: str, **environment: str) -> Iterator[int]:
    """Start a program and wait until it answers at an address; end it and its children afterwards."""
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            _wait(address, process)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < START_S:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            urllib.request.urlopen(address, timeout=5).read()  # noqa: S310  (our own address)
        except urllib.error.HTTPError as error:
            # Not ready yet; any other error is an answer.
            if error.code != 503:  # noqa: PLR2004
                return
            time.sleep(0.01)
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(address)


def memory_mib(pid: int) -> float:
    """Return the memory of a process and its descendants in MiB; shared pages are divided between them (PSS)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, wanted = 0, [pid]
    while wanted:
        each = wanted.pop()
        wanted.extend(children.get(each, []))
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0])
    return total / 1024


def ask(address: str) -> tuple[float, float, float]:
    """Measure some rounds with wrk, and return the one with the median speed; see `round_of`."""
    # Warm up: what is done only once is not measured.
    request = urllib.request.Request(address, headers={"Accept": JSON})  # noqa: S310  (our own address)
    with suppress(OSError):
        urllib.request.urlopen(request, timeout=30).read()  # noqa: S310
    return sorted(round_of(address) for _ in range(ROUNDS))[ROUNDS // 2]


def round_of(address: str) -> tuple[float, float, float]:
    """Run wrk for some seconds; returns requests per second, and the median and 99th percentile latency in ms."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--timeout", "30", "--latency"]
    done = subprocess.run(
        [*command, "-H", f"Accept: {JSON}", address], capture_output=True, text=True, check=True, timeout=120
    )
    failed = FAILED.search(done.stdout)
    if failed:
        print(f"{address[:60]}: {failed.group(1)} answers were errors", file=sys.stderr)
        return 0.0, 0.0, 0.0
    ms = {name: float(number) * IN_MS[unit] for name, number, unit in LATENCY.findall(done.stdout)}
    speed = SPEED.search(done.stdout)
    assert speed
    return float(speed.group(1)), ms["50"], ms["99"]


# --- the services --------------------------------------------------------------------------


def sparql(address: str, data: Data) -> dict[str, str]:
    """Write the questions as addresses of an endpoint."""
    return {name: f"{address}?query={quote(text, safe='')}" for name, text in data.questions.items()}


@contextmanager
def ours(data: Data, cache: str, canned: bool) -> Iterator[Served]:
    """This service, with or without its cache; the canned queries by name or as SPARQL."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port), "--cache", cache]
    paths = sparql(f"{address}/sparql", data)
    if canned:
        for question, (name, values) in CANNED.items():
            paths[question] = f"{address}/queries/{name}?{urlencode(values)}"
    with running(command, f"{address}/readyz") as pid:
        yield Served("", pid, paths)


@contextmanager
def oxigraph(data: Data) -> Iterator[Served]:
    """The Oxigraph server, on disk, as recommended."""
    port, folder = free_port(), data.folder / "oxigraph"
    load = ["oxigraph", "load", "--location", str(folder), "--file", str(data.file)]
    subprocess.run(load, check=True, capture_output=True)
    address = f"http://127.0.0.1:{port}"
    with running(
        ["oxigraph", "serve-read-only", "--location", str(folder), "--bind", f"127.0.0.1:{port}"], address
    ) as pid:
        yield Served("", pid, sparql(f"{address}/query", data))


def rdflib_endpoint(store: str) -> Callable[[Data], object]:
    """Rdflib-endpoint on one of its two stores."""

    @contextmanager
    def serve(data: Data) -> Iterator[Served]:
        port = free_port()
        address = f"http://127.0.0.1:{port}/"
        command = ["rdflib-endpoint", "serve", "--host", "127.0.0.1", "--port", str(port), "--store", store]
        with running([*command, str(data.file)], f"{address}?query=ASK%7B%7D") as pid:
            yield Served("", pid, sparql(address, data))

    return serve


@contextmanager
def fuseki(data: Data) -> Iterator[Served]:
    """Fuseki, in memory."""
    port = free_port()
    command = [
        "java",
        "-cp",
        str(programs.jar("jena-fuseki-server")),
        "org.apache.jena.fuseki.main.cmds.FusekiMainCmd",
        f"--file={data.file}",
    ]
    address = f"http://127.0.0.1:{port}/ds"
    with running([*command, "--port", str(port), "/ds"], f"{address}?query=ASK%7B%7D") as pid:
        yield Served("", pid, sparql(address, data))


@contextmanager
def virtuoso(data: Data) -> Iterator[Served]:
    """Virtuoso, with a separate database."""
    port, sql, folder = free_port(), free_port(), data.folder / "virtuoso"
    folder.mkdir()
    settings = f"""
[Database]
DatabaseFile = {folder}/v.db
ErrorLogFile = {folder}/v.log
LockFile = {folder}/v.lck
TransactionFile = {folder}/v.trx
xa_persistent_file = {folder}/v.pxa
[TempDatabase]
DatabaseFile = {folder}/t.db
TransactionFile = {folder}/t.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {data.folder}
NumberOfBuffers = 85000
MaxDirtyBuffers = 60000
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerThreads = 20
[SPARQL]
ResultSetMaxRows = 100000
MaxQueryCostEstimationTime = 100000
"""
    (folder / "v.ini").write_text(settings, encoding="utf-8")
    address = f"http://127.0.0.1:{port}/sparql"
    command = ["virtuoso-t", "+foreground", "+configfile", str(folder / "v.ini")]
    with running(command, f"{address}?query=ASK%7B%7D") as pid:
        statement = f"ld_dir('{data.file.parent}', '{data.file.name}', 'urn:g'); rdf_loader_run(); checkpoint;"
        isql = ["isql-vt", str(sql), "dba", "dba", f"exec={statement}"]
        subprocess.run(isql, check=True, capture_output=True, timeout=120)
        yield Served("", pid, sparql(address, data))


@contextmanager
def nginx(data: Data) -> Iterator[Served]:
    """Nginx with the same bodies as files and the same headers: the upper bound."""
    port, folder = free_port(), data.folder / "nginx"
    folder.mkdir()
    headers = ""
    with ours(data, "64", canned=True) as source:
        for name, path in source.paths.items():
            request = urllib.request.Request(path, headers={"Accept": JSON})  # noqa: S310  (our own address)
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                (folder / name).write_bytes(answer.read())
                said = [(key, value) for key, value in answer.headers.items() if key.lower() not in OF_NGINX]
                lines = "".join(f"add_header {key} {json.dumps(value)}; " for key, value in said)
                headers += f"location /{name} {{ {lines} }}\n"
    conf = f"""daemon off; worker_processes 2; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 100000000; open_file_cache max=100; sendfile on; default_type {JSON};
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; {headers} }} }}"""
    (folder / "conf").write_text(conf, encoding="utf-8")
    address = f"http://127.0.0.1:{port}"
    folder.chmod(0o755)
    data.folder.chmod(0o755)
    with running(["nginx", "-c", str(folder / "conf"), "-p", str(folder)], f"{address}/members") as pid:
        yield Served("", pid, {name: f"{address}/{name}" for name in data.questions})


SERVICES: list[tuple[str, Callable[[], bool], Callable[[Data], object]]] = [
    ("eurasia-graph, cached", lambda: True, lambda data: ours(data, "64", canned=True)),
    ("eurasia-graph, canned", lambda: True, lambda data: ours(data, "0", canned=True)),
    ("eurasia-graph, free", lambda: True, lambda data: ours(data, "0", canned=False)),
    ("Oxigraph server", lambda: bool(shutil.which("oxigraph")), oxigraph),
    ("Fuseki", lambda: not programs.missing("fuseki"), fuseki),
    ("Virtuoso", lambda: bool(shutil.which("virtuoso-t") and shutil.which("isql-vt")), virtuoso),
    ("rdflib-endpoint, rdflib", lambda: bool(shutil.which("rdflib-endpoint")), rdflib_endpoint("default")),
    ("rdflib-endpoint, Oxigraph", lambda: bool(shutil.which("rdflib-endpoint")), rdflib_endpoint("Oxigraph")),
    ("nginx, the same bytes", lambda: bool(shutil.which("nginx")), nginx),
]


def prepare(folder: Path) -> Data:
    """Write the named graphs of the release as N-Quads, and bind the canned query."""
    store = open_graph().store
    file = folder / "data" / "release.nq"
    file.parent.mkdir()
    quads = (quad for quad in store.local if not isinstance(quad.graph_name, DefaultGraph))
    serialize(quads, str(file), format=RdfFormat.N_QUADS)
    questions = {question: queries.by_name(name).bind(store, values) for question, (name, values) in CANNED.items()}
    return Data(folder, file, {**questions, "rows": ROWS})


def first_answer_s() -> float:
    """Time from the command to the first answer, with a kept release; the median of three."""
    times = []
    for _ in range(3):
        port = free_port()
        begin = time.perf_counter()
        command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port)]
        with running(command, f"http://127.0.0.1:{port}/queries/members-on.json?body=cst&date=1993"):
            times.append(time.perf_counter() - begin)
    return sorted(times)[1]


def main() -> int:
    """Measure everything that is installed, print the table and the time to the first answer."""
    if not shutil.which("wrk"):
        print("wrk is not installed; apt-get install wrk", file=sys.stderr)
        return 2
    measured: dict[str, dict[str, tuple[float, float, float]]] = {}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        data = prepare(Path(name))
        for title, is_there, start in SERVICES:
            if not is_there():
                print(f"{title}: not installed", file=sys.stderr)
                continue
            try:
                with start(data) as served:  # type: ignore[attr-defined]
                    measured[title] = {question: ask(path) for question, path in served.paths.items()}
                    memory[title] = memory_mib(served.pid)
            except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
                print(f"{title}: {error}", file=sys.stderr)
    table: list[list[object]] = []
    for question in [*CANNED, "rows"]:
        cached, canned = (measured[f"eurasia-graph, {each}"][question][0] for each in ("cached", "canned"))
        for title, found in measured.items():
            speed, middle, slow = found[question]
            # No whole answer, or an error instead: nothing to compare with.
            ratios = [each / speed for each in (cached, canned)] if speed else ["-", "-"]
            answers = [round(speed, 1), middle, slow] if speed else ["fails", "-", "-"]
            table.append([question, title, *answers, *ratios, round(memory[title])])
    columns = ["question", "service", "/s", "p50 ms", "p99 ms", "cached is", "canned is", "MiB"]
    note = f"first answer after serve with a kept release: {first_answer_s():.2f} s"
    show("web", columns, table, note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
