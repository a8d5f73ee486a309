"""
Two hundred clients at once, one in ten of which sends queries that never end.

Prints what each kind of client got and how long it waited; ends with 1 if anybody got an answer that
is not meant, or if short queries were not answered while the long ones ran.
"""

from __future__ import annotations

import collections
import http.client
import random
import statistics
import sys
import threading
import time
from urllib.parse import quote

from measure import show
from web import free_port, memory_mib, running

CLIENTS = 200
SECONDS = 20
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SHORT = [
    "ASK { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s a ?class }",
    "SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class",
    "SELECT * { ?s ?p ?o } LIMIT 100",
]
CANNED = ["/queries/members-on.json?body=cst&date=1993", "/queries/timeline.csv?body=sco", "/id/body/SCO", "/"]
PATIENCE_S = 40
# The statuses that a short query may get when all slots are taken.
MEANT = {"runaway": {503}, "short": {200, 503}, "canned": {200, 303}}

Seen = dict[str, list[tuple[int, float]]]


def client(kind: str, port: int, end: float, seen: Seen, seed: int) -> None:
    """Ask again and again until the time is over, a little pause in between, as people do."""
    choice = random.Random(seed)
    while time.monotonic() < end:
        if kind == "canned":
            path = choice.choice(CANNED)
        else:
            # Each time another text, so that nothing comes from the cache.
            query = RUNAWAY if kind == "runaway" else choice.choice(SHORT)
            path = f"/sparql?query={quote(f'{query} # {choice.random()}')}"
        begin = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            status = response.status
            connection.close()
        except OSError:
            status = 0
        seen[kind].append((status, time.monotonic() - begin))
        time.sleep(choice.uniform(0.2, 1.0))


def main() -> int:
    """Start the service and the clients, and print what they saw."""
    port = free_port()
    seen: Seen = collections.defaultdict(list)
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/readyz") as pid:
        end = time.monotonic() + SECONDS
        kinds = ["runaway" if number % 10 == 0 else ("short", "canned")[number % 2] for number in range(CLIENTS)]
        threads = [
            threading.Thread(target=client, args=(kind, port, end, seen, number)) for number, kind in enumerate(kinds)
        ]
        for thread in threads:
            thread.start()
        largest = 0.0
        while any(thread.is_alive() for thread in threads):
            largest = max(largest, memory_mib(pid))
            time.sleep(0.5)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.request("GET", "/sparql?query=ASK%7B%7D")
        afterwards = connection.getresponse().status
    table, faults = [], 0
    for kind, answers in sorted(seen.items()):
        statuses = collections.Counter(status for status, _ in answers)
        faults += sum(count for status, count in statuses.items() if status not in MEANT[kind])
        times = sorted(seconds * 1000 for _, seconds in answers)
        by_status = " ".join(f"{status}:{count}" for status, count in sorted(statuses.items()))
        row = [kind, kinds.count(kind), len(answers), by_status]
        table.append([*row, statistics.median(times), times[int(len(times) * 0.99)], times[-1]])
    note = f"largest memory of all processes: {largest:.0f} MiB; a query afterwards: {afterwards}"
    show("crowd", ["clients", "number", "answers", "statuses", "p50 ms", "p99 ms", "longest ms"], table, note)
    return 1 if faults or afterwards != http.client.OK else 0


if __name__ == "__main__":
    sys.exit(main())
