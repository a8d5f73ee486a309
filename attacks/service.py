"""
Attack the HTTP service: half requests, odd hosts and names, slow clients, broken XML, answers kept that change.

Run as `python attacks/service.py [--quick]`; prints a line for each kind of input and exits with 1 if one got through.
"""

from __future__ import annotations

import random
import re
import socket
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from eurasia_graph.load.literals import BY_VALUE, Rewritten
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import create_app

SEED = 20261125
PATIENCE_S = 1.0
SERVER = f"""
from pyoxigraph import Literal, NamedNode, Quad, Store
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web import Limits, Settings, create_app
from eurasia_graph.web.server import run
engine = Store()
subject, predicate = NamedNode("http://a.example/s"), NamedNode("http://a.example/p")
engine.extend(Quad(subject, predicate, Literal(str(number) * 60)) for number in range(20000))
settings = Settings(limits=Limits(timeout_s=4.0))
run(lambda: create_app(ReleaseStore(engine), settings), "127.0.0.1", 0, patience_s={PATIENCE_S})
"""
QUERY = "ASK { ?s ?p ?o }"
HEAD = "POST /sparql HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/sparql-query\r\n"
CROWD = 100
MOST_MIB = 300
OK, CLIENT_ERROR, SERVER_ERROR = 200, 400, 500

Found = tuple[int, list[str]]


# --- over the wire -------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Run a server with little patience; gives its port and the process that answers."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            found = re.search(r":(\d+)/", process.stderr.readline())
            assert found
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
            port = int(found.group(1))
            for _ in range(100):
                if b" 200 " in said(port, f"{HEAD}Content-Length: {len(QUERY)}\r\n\r\n{QUERY}".encode())[:15]:
                    break
                time.sleep(0.1)
            yield port, int(children[0])
        finally:
            process.kill()


def said(port: int, sent: bytes, *, ends: bool = False) -> bytes:
    """Send something, end our side if so wished, and return what comes back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=3 * PATIENCE_S) as connection, suppress(OSError):
        connection.sendall(sent)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            answer += part
            length = re.search(rb"content-length: (\d+)\r\n(?s:.*?)\r\n\r\n", answer)
            if length and len(answer) >= length.end() + int(length.group(1)):
                break
    return answer


def status(answer: bytes) -> int:
    """Read the status of an answer; 0 where there is none."""
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(found.group(1)) if found else 0


def evaluated(port: int) -> float:
    """How many free queries were evaluated."""
    answer = said(port, b"GET /metrics HTTP/1.1\r\nHost: a.example\r\n\r\n")
    found = re.search(rb'seconds_count\{kind="free"\} ([\d.]+)', answer)
    return float(found.group(1)) if found else 0.0


def chunks(chosen: random.Random, text: str) -> str:
    """Write a text in chunks of any length."""
    parts, rest = [], text
    while rest:
        size = chosen.randrange(1, len(rest) + 1)
        parts.append(f"{size:x}\r\n{rest[:size]}\r\n")
        rest = rest[size:]
    return "".join(parts) + "0\r\n\r\n"


def half_requests(port: int, chosen: random.Random, number: int) -> Found:
    """Requests cut off anywhere behind their heads, and chunks with sizes that are none: nothing may be evaluated."""
    before, failures = evaluated(port), []
    for _ in range(number):
        if chosen.random() < 1 / 3:
            head, body = f"{HEAD}Content-Length: {len(QUERY)}\r\n\r\n", QUERY
            sent = head + body[: chosen.randrange(len(body))]
        else:
            head, body = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n", chunks(chosen, QUERY)
            if chosen.random() < 1 / 2:
                sent = head + body[: chosen.randrange(len(body) - 1)]
            else:
                odd = chosen.choice(["-1", "g", "0x5", " ", "", "ffffffffffffffffff", "1;\n", "\x00"])
                sent = head + re.sub(r"^[0-9a-f]+", odd, body, count=1)
        if OK <= status(said(port, sent.encode(), ends=True)) < CLIENT_ERROR:
            failures.append(repr(sent))
    if evaluated(port) != before:
        failures.append(f"{evaluated(port) - before} queries were evaluated")
    return number, failures


def odd_hosts(port: int, chosen: random.Random, number: int) -> Found:
    """Hosts with a sign that no host has: refused, and said again nowhere."""
    failures = []
    for _ in range(number):
        bad = chosen.choice("@/?#,;'\"<>{}|\\^`~!$&*()+=% ")
        name = "".join(chosen.choices(string.ascii_lowercase, k=12))
        host = name + bad + "".join(chosen.choices(string.ascii_letters + ".:-", k=chosen.randrange(1, 9)))
        path = chosen.choice(["/", "/graph", "/sparql", "/openapi.json", "/nowhere", "/.well-known/void"])
        answer = said(port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        if status(answer) != CLIENT_ERROR or name.encode() in answer:
            failures.append(repr(host))
    return number, failures


def slow_clients(port: int, pid: int) -> Found:
    """A hundred of each kind of slow clients; everybody else is answered, and in the end they are gone."""
    heads = {
        "reader": b"GET /export/eurasia-graph.nt HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "silent": f"{HEAD}Content-Length: 100\r\n\r\nASK".encode(),
        "body": f"{HEAD}Content-Length: 5000\r\n\r\n".encode(),
        "chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1388\r\n".encode(),
        "head": b"GET /healthz HTTP/1.1\r\nHost: a.example\r\nX-",
    }
    before, crowd, failures = mib(pid), [], []
    for kind, head in heads.items():
        for _ in range(CROWD):
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            opened.connect(("127.0.0.1", port))
            opened.sendall(head)
            opened.setblocking(False)
            crowd.append((kind, opened))
    most, begin = 0.0, time.monotonic()
    while time.monotonic() - begin < 20 * PATIENCE_S and connections(port) > CROWD // 10:
        for kind, opened in crowd:
            with suppress(OSError):
                opened.recv(1) if kind == "reader" else opened.send(b"" if kind == "silent" else b"a")
        others = ("GET /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n", f"{HEAD}Content-Length: 6\r\n\r\nASK {{}}")
        answers = {sent: said(port, sent.encode()) for sent in others}
        failures += [f"{sent[:20]!r}: {answer[:300]!r}" for sent, answer in answers.items() if status(answer) != OK]
        most = max(most, mib(pid) - before)
        time.sleep(0.1)
    if connections(port) > CROWD // 10:
        failures.append(f"{connections(port)} connections are still open")
    if most > MOST_MIB:
        failures.append(f"{most:.0f} MiB more memory")
    for _, opened in crowd:
        opened.close()
    return len(crowd), failures


def floods(port: int, pid: int) -> Found:
    """Bodies in chunks without an end, from several at a time."""
    before, failures, number = mib(pid), [], 4
    for _ in range(number):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as opened, suppress(OSError):
            opened.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
            for _ in range(30_000):
                opened.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
            failures.append("two gigabytes were taken")
        if mib(pid) - before > MOST_MIB:
            failures.append(f"{mib(pid) - before:.0f} MiB more memory")
    return number, failures


def mib(pid: int) -> float:
    """What a process holds by itself."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(each) for each in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.MULTILINE)) / 1024


def connections(port: int) -> int:
    """How many connections to a port the server has not closed yet."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    # The inode is 0 where no process has it any more.
    return sum(each[1].endswith(f":{port:04X}") and each[3] != "0A" and each[9] != "0" for each in fields)


# --- in this process -----------------------------------------------------------------------


def odd_names(client: FlaskClient, chosen: random.Random, number: int) -> Found:
    """Anything at all behind every first part of an address: never a fault of the service."""
    places = [
        "ontology",
        "id",
        "page",
        "data",
        "graph",
        "scheme",
        "shape",
        "release",
        "queries",
        "export",
        "static",
        "x",
    ]
    failures = []
    for _ in range(number):
        some = bytes(chosen.randrange(256) for _ in range(chosen.randrange(1, 12)))
        text = chosen.choice([some, "".join(chosen.choices('<>"{}|^`\\%#?/:. \x00\n', k=6)).encode()])
        path = f"/{chosen.choice(places)}/{quote(text, safe=chosen.choice(['', '/:']))}"
        answer = client.get(path, query_string={"format": chosen.choice(["", "rdfxml", "\x00", "html"])})
        if answer.status_code >= SERVER_ERROR:
            failures.append(path)
    return number, failures


def broken_xml(chosen: random.Random, number: int) -> Found:
    """Properties and texts of any characters: RDF/XML that is sent is read as XML and as the same graph."""
    alphabet = [*range(1, 0x300), *range(0x2000, 0x2100), *range(0xFFF0, 0x10000), *range(0x1F600, 0x1F620)]
    failures = []
    for _ in range(number):
        local = "".join(map(chr, chosen.choices(alphabet, k=chosen.randrange(1, 4))))
        text = "".join(map(chr, chosen.choices(alphabet, k=3)))
        try:
            predicate = NamedNode(chosen.choice(["http://a.example/", "urn:a:", "http://a.example/x#"]) + local)
        except ValueError:
            continue
        triple = Triple(NamedNode("http://a.example/s"), predicate, Literal(text))
        engine = Store()
        engine.add(Quad(triple.subject, predicate, triple.object))
        answer = create_app(ReleaseStore(engine)).test_client().get("/store?default&format=rdfxml")
        if answer.status_code == OK:
            try:
                expat.ParserCreate(namespace_separator=" ").Parse(answer.data, True)
                same = [quad.triple for quad in parse(answer.data, format=RdfFormat.RDF_XML)] == [triple]
            except (expat.ExpatError, SyntaxError):
                same = False
            if not same:
                failures.append(str(triple))
        elif answer.status_code != 406:
            failures.append(f"{triple}: {answer.status_code}")
    return number, failures


def kept_answers(client: FlaskClient, chosen: random.Random, number: int) -> Found:
    """Functions that change, written in every way: two different answers must both say that nobody may keep them."""
    failures = []
    for _ in range(number):
        name = "".join(
            chosen.choice([each.upper(), each.lower()]) for each in chosen.choice(["rand", "uuid", "struuid"])
        )
        gap = "".join(chosen.choice([" ", "\n", "\t", "# (\n", "#RAND\r"]) for _ in range(chosen.randrange(3)))
        call = f"{name}{gap}({chosen.choice(['', ' ', '#x' + chr(10)])})"
        if chosen.random() < 1 / 3:
            place = chosen.randrange(len(call))
            call = f"{call[:place]}\\u{ord(call[place]):04x}{call[place + 1 :]}"
        query = chosen.choice(
            ["SELECT ({} AS ?x) {{}}", "SELECT * {{ BIND(STR({})AS ?x) }}", "SELECT (IF(true,{},1)AS ?x) {{}}"]
        ).format(call)
        answers = [client.get("/sparql", query_string={"query": query}) for _ in range(2)]
        changes = answers[0].data != answers[1].data and answers[0].status_code == OK
        if any(each.status_code == OK and each.headers["Cache-Control"] != "no-store" for each in answers):
            failures.append(query)
        elif not changes and answers[0].status_code == OK:
            failures.append(f"the same twice: {query}")
    return number, failures


def counted_literals(chosen: random.Random, number: int) -> Found:
    """Forms of every type that the engine holds by value: the count is that of those that come back otherwise."""
    failures = []
    for _ in range(number):
        iri = chosen.choice([*BY_VALUE])
        form = chosen.choice(
            [
                "".join(chosen.choices("+-.0123456789eE", k=chosen.randrange(1, 7))),
                f"{chosen.randrange(9999):04}-{chosen.randrange(13):02}-{chosen.randrange(32):02}",
                f"{chosen.randrange(9999):04}-01-01T{chosen.randrange(26):02}:00:{chosen.randrange(62):02}.{chosen.randrange(900)}",
                chosen.choice(
                    ["P14M", "PT36H", "P1Y", "-P0D", "true", "1", "0", "INF", "NaN", "2001", "---01", "24:00:00"]
                ),
            ]
        ) + chosen.choice(["", "", "Z", "+00:00"])
        literal = Literal(form, datatype=NamedNode(iri))
        engine, rewritten = Store(), Rewritten()
        engine.extend(rewritten.read([Quad(NamedNode("a:s"), NamedNode("a:p"), literal)]))
        changed = next(iter(engine)).object != literal
        if rewritten.counts.total() != int(changed):
            failures.append(str(literal))
    return number, failures


def main(arguments: list[str]) -> int:
    """Run every kind of attack and print a line for each."""
    quick = "--quick" in arguments
    many = 1 if quick else 10
    chosen = random.Random(SEED)
    engine = Store()
    engine.add(Quad(NamedNode("http://a.example/s"), NamedNode("http://a.example/p"), Literal("o")))
    app = create_app(ReleaseStore(engine))
    client = app.test_client()
    is_linux = sys.platform.startswith("linux")
    kinds: dict[str, Callable[[], Found]] = {
        "odd names": lambda: odd_names(client, chosen, 1000 * many),
        "broken XML": lambda: broken_xml(chosen, 60 if quick else 2000),
        "kept answers": lambda: kept_answers(client, chosen, 100 if quick else 3000),
        "counted literals": lambda: counted_literals(chosen, 3000 * many),
    }
    failed = sum(report(name, attack) for name, attack in kinds.items())
    if is_linux:
        with server() as (port, pid):
            failed += report("half requests", lambda: half_requests(port, chosen, 300 * many))
            failed += report("odd hosts", lambda: odd_hosts(port, chosen, 300 * many))
            failed += report("floods of chunks", lambda: floods(port, pid))
            failed += report("slow clients", lambda: slow_clients(port, pid))
    app.extensions["eurasia-graph"].pool.close()
    return 1 if failed else 0


def report(name: str, attack: Callable[[], Found]) -> bool:
    """Run one kind, print its line and its first failures, and say whether there are any."""
    begin = time.monotonic()
    number, failures = attack()
    print(f"{name}: {number} inputs, {len(failures)} failures, {time.monotonic() - begin:.1f} s")
    for each in failures[:5]:
        print(f"  {each}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
