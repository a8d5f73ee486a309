"""
Replace the release in a store, atomically where the store allows it.

Readers see either the old or the new release if the product has transactions (see `products.Swap`); after a failure
the old one is still there.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores.products import Swap
from eurasia_graph.stores.send import TRIPLES, Part, Target, Transfer, drop, put_graphs, write_batches
from eurasia_graph.stores.transport import expect_success

STAGING = ns.Namespace(f"{ns.BASE}staging/")


def swap(store: ReleaseStore, target: Target, parts: list[Part], old: list[str], progress: Transfer) -> None:
    """Replace the release in a store, atomically where the store allows it."""
    if target.product.swap is Swap.TRANSACTION:
        _swap_in_transaction(store, target, parts, old, progress)
        return
    if target.product.swap is Swap.UPDATE:
        update = _as_update(store, target, parts, old)
        if update is not None:
            total = sum(part.triples for part in parts)
            progress("all in one update", 0, total)
            target.update(update, "swap the release")
            progress("all", total, total)
            return
    _swap_by_staging(store, target, parts, old, progress)


def _as_update(store: ReleaseStore, target: Target, parts: list[Part], old: list[str]) -> bytes | None:
    """Write the whole swap as one update, or return None if it is too large for one request."""
    graphs, size = [], 0
    for part in parts:
        lines: list[bytes] = []
        write_batches(store.local, part.graphs, target.product.largest_request, lines.append)
        size += sum(map(len, lines))
        if size > target.product.largest_request:
            return None
        graphs.append(b"GRAPH %s {\n%s}" % (str(part.name).encode(), b"".join(lines)))
    # One INSERT DATA, since a blank node may be shared by several graphs but not by several operations.
    insert = b"INSERT DATA {\n%s\n}" % b"\n".join(graphs)
    return b" ;\n".join(filter(None, [drop(old), insert]))


def _swap_by_staging(
    store: ReleaseStore, target: Target, parts: list[Part], old: list[str], progress: Transfer
) -> None:
    """Write the release next to the old one, under temporary names, then move it in one update."""
    staged = [(part, STAGING(part.short)) for part in parts]
    try:
        put_graphs(store, target, staged, progress, new=True)
        gone = sorted(set(old) - {part.name.value for part in parts})
        # MOVE would say the same, but leaves triples behind in Fuseki 5.6.0 with TDB2.
        moves = [
            f"DROP SILENT GRAPH {part.name} ;\nINSERT {{ GRAPH {part.name} {{ ?s ?p ?o }} }}"
            f" WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }} ;\nDROP SILENT GRAPH {name}".encode()
            for part, name in staged
        ]
        target.update(b" ;\n".join(filter(None, [drop(gone), *moves])), "swap the release")
    except (EurasiaGraphError, KeyboardInterrupt):
        with suppress(EurasiaGraphError):
            target.update(drop([name.value for _, name in staged]), "drop what was staged")
        raise


def _swap_in_transaction(
    store: ReleaseStore, target: Target, parts: list[Part], old: list[str], progress: Transfer
) -> None:
    """
    Write the release in a transaction of RDF4J's protocol.

    Source: https://rdf4j.org/documentation/reference/rest-api/#transactions
    """
    opened = target.send("POST", f"{target.url}/transactions", "begin a transaction")
    address = opened.headers["Location"]
    total, done = sum(part.triples for part in parts), 0

    def send(body: bytes) -> None:
        nonlocal done
        address_of_part = f"{address}?{urlencode({'action': 'ADD', 'context': str(part.name)})}"
        # Sent once: if the connection breaks, the request may have arrived, so the transaction is rolled back.
        response = target.transport.send("PUT", address_of_part, body=body, headers={"Content-Type": TRIPLES})
        expect_success(response, target.url, f"write the graph {part.short}")
        done += body.count(b"\n")
        progress(part.short, done, total)

    try:
        target.send("PUT", f"{address}?action=UPDATE&{urlencode({'update': drop(old).decode()})}", "remove the old")
        for part in parts:
            write_batches(store.local, part.graphs, target.product.largest_request, send)
        commit = target.transport.send("PUT", f"{address}?action=COMMIT")
        expect_success(commit, target.url, "commit the transaction")
    except (EurasiaGraphError, KeyboardInterrupt):
        with suppress(EurasiaGraphError):
            target.transport.send("DELETE", address)
        raise
