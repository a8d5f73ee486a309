"""
Start the stores of other makers on a free loopback port in a folder of their own, and stop just them.

`make stores` installs the programs; what is missing is said by `missing`, so that a test can skip with a reason.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

FOLDER = Path(os.environ.get("EURASIA_GRAPH_STORES") or Path(__file__).parent.parent / ".venv" / "stores")
READY_WITHIN_S = 120.0
USER, PASSWORD = "dba", "dba"  # what a new Virtuoso knows

VIRTUOSO_INI = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql_port}
DirsAllowed = {folder}
NumberOfBuffers = 100000
MaxDirtyBuffers = 75000
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
ServerThreads = 10
[SPARQL]
MaxQueryExecutionTime = 120
"""
# A repository in memory, kept in a file too, by the vocabulary that RDF4J 5 reads.
RDF4J_MEMORY = """
@prefix config: <tag:rdf4j.org,2023:config/> .
[] a config:Repository ; config:rep.id "{name}" ;
   config:rep.impl [ config:rep.type "openrdf:SailRepository" ;
      config:sail.impl [ config:sail.type "openrdf:MemoryStore" ; config:mem.persist true ] ] .
"""
FEDX = """
@prefix config: <tag:rdf4j.org,2023:config/> .
@prefix fedx: <http://rdf4j.org/config/federation#> .
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
[] a config:Repository ; config:rep.id "{name}" ;
   config:rep.impl [ config:rep.type "fedx:FedXRepository" ; {members} ;
      fedx:config [ fedx:sourceSelectionCacheSpec "maximumSize=0" ] ] .
"""


@dataclass
class Running:
    """A store that runs: where it is pushed to (`url`), its process, and how to log in."""

    kind: str
    url: str
    process: subprocess.Popen[bytes]
    folder: Path
    user: str | None = None
    password: str | None = None
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Where it listens on the loopback interface."""
        return urllib3.util.parse_url(self.url).port or 0

    def again(self) -> None:
        """Start it again on the same port; another connection may occupy the port for a moment."""
        for tries_left in (4, 3, 2, 1, 0):
            try:
                self.process = STARTERS[self.kind](self.folder, self.port).process
            except RuntimeError:
                if not tries_left:
                    raise
                time.sleep(1)
            else:
                return

    def kill(self) -> None:
        """End this process at once, as a machine without power would."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        """End this process and no other."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert isinstance(port, int)
    return port


def jar(name: str) -> Path | None:
    """Return the file of a Java program that `make stores` has put next to the others."""
    return max(FOLDER.glob(f"{name}-*.[jw]ar"), default=None)


def oxigraph_program() -> str | None:
    """Return the Oxigraph server of this environment, or of the path."""
    beside = Path(sys.executable).parent / "oxigraph"
    return str(beside) if beside.is_file() else shutil.which("oxigraph")


def node_module(name: str) -> Path | None:
    """Return the folder of a JavaScript package that `make stores` has installed, if Node can run it."""
    folder = FOLDER / "node_modules" / name
    return folder if shutil.which("node") and folder.is_dir() else None


def missing(kind: str) -> str | None:
    """Say which program a store needs that is not here, or nothing."""
    java = shutil.which("java") is not None
    here = {
        "oxigraph": oxigraph_program() is not None,
        "fuseki": java and jar("jena-fuseki-server") is not None,
        "virtuoso": shutil.which("virtuoso-t") is not None,
        "rdf4j": java and jar("rdf4j-http-server") is not None and jar("jetty-runner") is not None,
    }
    return None if here[kind] else f"{kind} is not installed; run make stores"


CHROMIUM = (
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=4000",
    "--dump-dom",
)


def browse(address: str) -> str:
    """Open an address in Chromium and return the page as it stands after scripts and styles."""
    with tempfile.TemporaryDirectory() as profile:
        command = [*CHROMIUM, f"--user-data-dir={profile}", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr[-2000:]
    return done.stdout


@contextmanager
def running(kind: str, folder: Path, port: int | None = None) -> Iterator[Running]:
    """Run a store for as long as the block lasts; empty at the beginning, gone at the end."""
    store = start(kind, folder, port)
    try:
        yield store
    finally:
        store.stop()


def start(kind: str, folder: Path, port: int | None = None) -> Running:
    """
    Start a store and wait until it answers.

    Args:
        kind: `oxigraph`, `fuseki`, `virtuoso` or `rdf4j`.
        folder: An empty folder for its files.
        port: Of the loopback interface; any that is free if left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return STARTERS[kind](folder, port or free_port())


def _oxigraph(folder: Path, port: int) -> Running:
    program = oxigraph_program()
    assert program
    command = [program, "serve", "--location", str(folder / "data"), "--bind", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    return _run(Running("oxigraph", url, _spawn(command, folder), folder), f"{url}/query?query=ASK%7B%7D")


def _fuseki(folder: Path, port: int, *options: str) -> Running:
    (folder / "data").mkdir(exist_ok=True)
    server = ["java", "-Xmx2g", "-jar", str(jar("jena-fuseki-server")), "--localhost", "--ping", f"--port={port}"]
    command = [*server, *options, "--tdb2", f"--loc={folder / 'data'}", "--update", "/eurasia"]
    url = f"http://127.0.0.1:{port}/eurasia"
    return _run(Running("fuseki", url, _spawn(command, folder), folder), f"http://127.0.0.1:{port}/$/ping")


def fuseki_with_passwords(folder: Path, scheme: str) -> Running:
    """Start a Fuseki that lets in one user; `scheme` is basic or digest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "passwords").write_text(f"{USER}: {PASSWORD}\n", encoding="utf-8")
    store = _fuseki(folder, free_port(), f"--passwd={folder / 'passwords'}", f"--auth={scheme}")
    store.user, store.password = USER, PASSWORD
    return store


def _virtuoso(folder: Path, port: int) -> Running:
    sql_port = free_port()
    ini = folder / "virtuoso.ini"
    ini.write_text(VIRTUOSO_INI.format(folder=folder, port=port, sql_port=sql_port), encoding="utf-8")
    process = _spawn(["virtuoso-t", "+foreground", "+configfile", str(ini)], folder)
    url = f"http://127.0.0.1:{port}"
    store = Running("virtuoso", url, process, folder, USER, PASSWORD, {"sql": sql_port})
    return _run(store, f"{url}/sparql?query=ASK%7B%7D")


def _rdf4j(folder: Path, port: int) -> Running:
    home = [f"-Dorg.eclipse.rdf4j.appdata.basedir={folder / 'data'}", f"-Djava.io.tmpdir={folder}"]
    runner = ["-jar", str(jar("jetty-runner")), "--host", "127.0.0.1", "--port", str(port), "--path", "/rdf4j-server"]
    command = ["java", "-Xmx2g", *home, *runner, str(jar("rdf4j-http-server"))]
    url = f"http://127.0.0.1:{port}/rdf4j-server/repositories"
    store = _run(Running("rdf4j", url, _spawn(command, folder), folder), url)
    known = urllib3.request("GET", f"{url}/eurasia/size").status == 200
    store.url = f"{url}/eurasia" if known else add_repository(url, "eurasia", RDF4J_MEMORY.format(name="eurasia"))
    return store


def add_repository(repositories: str, name: str, description: str) -> str:
    """Add a repository to an RDF4J server; return its address."""
    url = f"{repositories}/{name}"
    answer = urllib3.request("PUT", url, body=description.encode(), headers={"Content-Type": "text/turtle"})
    assert answer.status == 204, answer.data.decode()
    return url


def federation(name: str, endpoints: list[str]) -> str:
    """Describe a FedX federation of SPARQL endpoints, read-only, for `add_repository`."""
    members = " ; ".join(
        f'fedx:member [ fedx:store "SPARQLEndpoint" ; sd:endpoint "{url}" ; fedx:supportsASKQueries true ]'
        for url in endpoints
    )
    return FEDX.format(name=name, members=members)


STARTERS: dict[str, Callable[[Path, int], Running]] = {
    "oxigraph": _oxigraph,
    "fuseki": _fuseki,
    "virtuoso": _virtuoso,
    "rdf4j": _rdf4j,
}


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "output.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def _run(store: Running, address: str) -> Running:
    """Wait until the store answers at an address; show its log if it ends before."""
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        if store.process.poll() is not None:
            break
        try:
            if urllib3.request("GET", address, retries=False, timeout=5).status < 500:
                return store
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    store.stop()
    log = (store.folder / "output.log").read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"{store.kind} did not start; its log ends with:\n{log[-2000:]}")
