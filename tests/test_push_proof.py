"""The proof after a push compares what arrived, and says what differs."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import click
import pytest
from pyoxigraph import Quad, RdfFormat, Store, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.cli import main
from eurasia_graph.errors import RemoteError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores import push, send, verify
from eurasia_graph.stores.products import PRODUCTS, Swap
from fake import WELL, Fake
from pushing import run_push, target_of, toy

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_the_proof_of_the_shipped_release_asks_every_canned_query(fake: Fake) -> None:
    """On the command line, with exit status 0."""
    result = run_push(fake, "--verify")

    assert result.exit_code == 0, result.stdout
    assert "no difference" in result.stdout


def test_a_triple_that_is_not_there_is_shown(fake: Fake) -> None:
    """By count and by digest, with the triple; and pushing again heals it."""
    release = toy("one", "claims")
    push.push(release, target_of(fake))
    gone = Quad(ns.ID("state/one-1"), ns.RDF("type"), ns.EG("State"), ns.GRAPH("claims"))
    fake.store.remove(gone)
    found = verify.verify(release, target_of(fake))

    assert [(each.here, each.there) for each in found.differences] == [
        ("5 triples", "4 triples"),
        (str(gone.triple), "nothing"),
    ]
    assert "2 differences" in found.text()
    push.push(release, target_of(fake))
    assert verify.verify(release, target_of(fake)).differences == ()


def test_rows_that_differ_are_shown_one_by_one(release: ReleaseStore) -> None:
    """What is only here, and what is only there."""
    less = ReleaseStore(Store())
    less.local.extend(release.local.quads_for_pattern(None, None, None, None))
    less.local.remove_graph(ns.GRAPH("memberships-icds-2016"))
    found = verify.compare_rows(release, less, queries.by_name("members-on").text, "members-on")

    assert len(found) == verify.ROWS_SHOWN
    assert all("icds-2016" in each.here and each.there == "nothing" for each in found)


def test_another_order_of_the_same_rows_is_a_difference(release: ReleaseStore) -> None:
    """A query that sorts means it."""
    ascending = "SELECT ?s { GRAPH <https://w3id.org/eurasia-graph/graph/links> { ?s ?p ?o } } ORDER BY ?s"

    class Backwards(ReleaseStore):
        """Sorts the other way round."""

        def query(self, sparql: str, base_iri: str | None = None) -> object:  # type: ignore[override]
            """Answer in the wrong order."""
            return super().query(sparql.replace("ORDER BY ?s", "ORDER BY DESC(?s)"), base_iri)

    found = verify.compare_rows(release, Backwards(release.engine), ascending, "links")

    assert "the order differs from row 1" in found[0].what


def test_the_digest_does_not_depend_on_names_of_blank_nodes_or_on_order() -> None:
    """Stores give blank nodes names of their own."""
    one = b"_:a <a:b> _:c .\n_:c <a:d> <a:e> .\n"

    assert verify.canonical(one) == verify.canonical(b"_:x <a:d> <a:e> .\n_:y <a:b> _:x .\n")
    assert verify.canonical(one) != verify.canonical(b"_:x <a:d> <a:e> .\n_:y <a:b> _:y .\n")


def test_the_commands_offer_the_products_of_the_table() -> None:
    """To write or to read, as each can be; and the table says which were never run."""
    offered = {
        command: next(each.type for each in main.commands[command].params if each.name == "kind")
        for command in ("push", "serve", "query")
    }

    assert {name for name, row in PRODUCTS.items() if not row.writable} == {"fedx"}
    assert {name for name, row in PRODUCTS.items() if not row.readable} == {"gsp"}
    for command, kind in offered.items():
        assert isinstance(kind, click.Choice)
        assert set(kind.choices) == set(PRODUCTS) - ({"fedx"} if command == "push" else {"gsp"}), command
    assert [each.name for each in PRODUCTS.values() if not each.tested] == ["graphdb"]
    assert {each.name for each in PRODUCTS.values() if each.swap is Swap.TRANSACTION} == {"rdf4j", "graphdb"}


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """TLS is checked, and there is no option against it."""
    import ssl
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        target = send.open_target(f"https://localhost:{server.server_address[1]}/x", "fuseki")
        with pytest.raises(RemoteError, match="is not trusted"):
            push.push(toy("one", "claims"), target)
        server.shutdown()


def test_a_store_without_tls_is_told_from_a_bad_certificate(fake: Fake) -> None:
    """The advice is another one."""
    result = run_push(fake, url=fake.url.replace("http:", "https:"))

    assert result.exit_code == 1
    assert "does not speak TLS; check whether it is http:" in result.stderr


def test_a_store_may_ask_to_be_left_alone_until_a_time(fake: Fake, no_pauses: list[float]) -> None:
    """The other form of Retry-After; an invalid time is ignored."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=12), usegmt=True)
    answers = iter([(503, {"Retry-After": soon}), (503, {"Retry-After": "tomorrow"})])
    fake.fault = lambda method, _path: next(answers, WELL) if method == "PUT" else WELL
    push.push(toy("one", "claims"), target_of(fake))

    assert 9 < no_pauses[0] <= 12
    assert no_pauses[1] == 1.0


def test_a_merged_push_says_why_it_asks_no_query(fake: Fake) -> None:
    """The canned queries name graphs, which are not there."""
    result = run_push(fake, "--merge", "--verify")

    assert "in 1 graph, " in result.stdout
    assert "no query, since they name graphs, which are merged: no difference" in result.stdout


def test_triples_are_n_triples_that_another_parser_reads() -> None:
    """Every body is a separate document."""
    bodies: list[bytes] = []
    send.write_batches(toy("one", "claims").local, (ns.GRAPH("claims"),), 100, bodies.append)
    read: list[Triple] = [quad.triple for body in bodies for quad in parse(body, format=RdfFormat.N_TRIPLES)]

    assert len(read) == 5
