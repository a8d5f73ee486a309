"""A push sends the release and nothing else, and leaves nothing half done."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.cli import main
from eurasia_graph.errors import RemoteError, UsageError
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.stores import push, send, verify
from eurasia_graph.stores.products import PRODUCTS, Swap
from eurasia_graph.stores.remote import META
from fake import WELL, Fake, Fault, running

ALIEN = Quad(NamedNode("a:a"), NamedNode("a:b"), Literal("c"), NamedNode("http://example.org/of-another"))


def toy(name: str, *graphs: str, size: int = 3, blank: bool = True) -> ReleaseStore:
    """A release of a few triples in a few graphs, with a blank node in each."""
    engine = Store()
    iri = ns.RELEASE(name)
    for graph in graphs:
        subjects = [ns.ID(f"state/{name}-{number}") for number in range(size)]
        engine.extend(Quad(each, ns.RDF("type"), ns.EG("State"), ns.GRAPH(graph)) for each in subjects)
        part = BlankNode("b") if blank else subjects[1]
        engine.add(Quad(subjects[0], ns.EG("part"), part, ns.GRAPH(graph)))
        engine.add(Quad(part, ns.EG("number"), Literal(1), ns.GRAPH(graph)))
        engine.add(Quad(iri, ns.DCTERMS("hasPart"), ns.GRAPH(graph), META))
    engine.add(Quad(iri, ns.RDF("type"), ns.EG("Release"), META))
    engine.add(Quad(iri, ns.EG("contentSha256"), Literal(name), META))
    engine.add(Quad(iri, ns.EG("inputsSha256"), Literal(name), META))
    return from_quads(engine, iri=iri, content=name, inputs=name)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Take the waiting out of the retries; return how long it would have been."""
    slept: list[float] = []
    monkeypatch.setattr("eurasia_graph.stores.transport.time.sleep", slept.append)
    for name in ("EURASIA_GRAPH_USER", "EURASIA_GRAPH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", os.devnull)
    return slept


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A store that holds a graph of somebody else."""
    one = Fake()
    one.store.add(ALIEN)
    with running(one):
        yield one


def target_of(fake: Fake, **options: str) -> send.Target:
    """Where the fake is pushed to."""
    return send.open_target(fake.url, "fuseki", **options)  # type: ignore[arg-type]


def without(fake: Fake) -> dict[str, int]:
    """Return the counts of the graphs that are ours."""
    return {name: count for name, count in fake.graphs().items() if name.startswith(ns.BASE)}


def failing_at(number: int, method: str, fault: Fault) -> object:
    """Make a store that works until the n-th request of a method that writes a graph, and fails from then on."""
    seen = 0

    def answer(asked: str, path: str) -> Fault:
        nonlocal seen
        counts = asked == method and "/data" in path
        seen += counts
        return fault if counts and seen >= number else WELL

    return answer


# --- what arrives --------------------------------------------------------------------------


def test_every_named_graph_arrives_by_one_put_and_meta_last(fake: Fake) -> None:
    """So a store that has `meta` has the whole release."""
    done = push.push(toy("one", "claims", "entities"), target_of(fake))
    puts = [path for method, path in fake.asked if method == "PUT"]

    assert done.graphs == 3
    assert len(puts) == 3
    assert puts[-1].endswith("meta")
    assert without(fake) == {ns.GRAPH + "claims": 5, ns.GRAPH + "entities": 5, ns.GRAPH + "meta": 5}


def test_pushing_again_changes_nothing(fake: Fake) -> None:
    """Also not the blank nodes, which would be doubled by adding."""
    release = toy("one", "claims")
    push.push(release, target_of(fake))
    before = fake.graphs()
    push.push(release, target_of(fake))

    assert fake.graphs() == before
    assert verify.verify(release, target_of(fake)).differences == ()


def test_a_large_graph_goes_in_batches_with_its_blank_nodes_in_the_first(fake: Fake) -> None:
    """The name of a blank node means one thing in one request only."""
    release = toy("one", "claims", size=200)
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=2000))
    push.push(release, small)
    sent = [method for method, path in fake.asked if path.endswith("claims") and method != "GET"]

    assert sent == ["PUT", "POST", "POST", "POST"]
    assert verify.verify(release, target).differences == ()


def test_batches_are_of_the_size_asked_for_whatever_the_size_of_the_graph() -> None:
    """Memory holds one of them."""
    bodies: list[bytes] = []
    send.write_batches(toy("one", "claims", size=2000).local, (ns.GRAPH("claims"),), 10_000, bodies.append)

    assert max(map(len, bodies)) < 10_000 + 9_000  # the engine hands out pieces of 8 KiB
    assert sum(body.count(b"\n") for body in bodies) == 2002
    assert all(body.endswith(b" .\n") for body in bodies)


def test_new_graphs_go_to_the_loader_together_and_meta_last(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bodies that memory can hold; the second time, and with blank nodes, each goes by itself."""
    monkeypatch.setattr(send, "BULK_BYTES", 20_000)
    release, target = toy("one", "claims", "entities", size=200, blank=False), target_of(fake)
    done: list[int] = []
    push.push(release, target, progress=lambda _what, arrived, _of: done.append(arrived))
    writing = [(method, path.rpartition("%2F")[2]) for method, path in fake.asked if "sparql" not in path]
    again = [*fake.asked]
    push.push(release, target)

    assert writing == [*[("POST", "/eurasia/data")] * (len(writing) - 1), ("PUT", "meta")] and len(writing) > 2
    assert done[-1] == 409
    assert [method for method, _ in fake.asked[len(again) :]].count("PUT") == 3
    assert verify.verify(release, target).differences == ()
    with running(Fake()) as other:
        push.push(toy("one", "claims"), target_of(other))
        assert not any(path.endswith("/data") for _, path in other.asked)


def test_a_loader_that_fails_leaves_nothing(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has arrived is removed."""
    monkeypatch.setattr(send, "BULK_BYTES", 20_000)
    bodies: Iterator[Fault] = iter([WELL, (500, {})])
    fake.fault = lambda _method, path: next(bodies) if path.endswith("/data") else WELL
    with pytest.raises(RemoteError, match="answers 500 when asked to load the graphs"):
        push.push(toy("one", "claims", "entities", size=200, blank=False), target_of(fake))

    assert without(fake) == {}


def test_graphs_that_go_at_once_have_a_second_try_alone(fake: Fake) -> None:
    """A store may find that they are in each other's way; meta is still the last."""
    target = target_of(fake)
    wide = dataclasses.replace(target, product=dataclasses.replace(target.product, at_once=3))
    release = toy("one", *(f"claims-{number}" for number in range(9)))
    faults: Iterator[Fault] = iter([(500, {})])
    fake.fault = lambda method, _path: next(faults, WELL) if method == "PUT" else WELL
    push.push(release, wide)

    assert [path for method, path in fake.asked if method == "PUT"][-1].endswith("meta")
    assert verify.verify(release, target).differences == ()


def test_a_graph_of_another_owner_is_never_touched(fake: Fake) -> None:
    """Neither by a push nor by a swap."""
    push.push(toy("one", "claims", "old"), target_of(fake))
    push.push(toy("two", "claims", "new"), target_of(fake), replace=True)

    assert ALIEN in fake.store
    assert not any("of-another" in path for _, path in fake.asked)


def test_merged_it_is_one_graph(fake: Fake) -> None:
    """With what a query without GRAPH sees, and what the release says of itself."""
    release = toy("one", "claims", "entities", "links")
    push.push(release, target_of(fake), merge=True)

    assert list(without(fake)) == [ns.GRAPH + "merged"]
    assert verify.verify(release, target_of(fake), merge=True).differences == ()


def test_a_dry_run_sends_nothing(fake: Fake) -> None:
    """It prints the graphs, their sizes and where they would go."""
    result = run_push(fake, "--dry-run")

    assert result.exit_code == 0
    assert "claims-icds-2016" in result.stdout
    assert fake.asked == []


# --- in the place of another ---------------------------------------------------------------


def test_another_release_is_not_overwritten_without_being_asked_to(fake: Fake) -> None:
    """The message says what is there and which option swaps it."""
    push.push(toy("one", "claims"), target_of(fake))

    with pytest.raises(UsageError, match=r"holds release one; add --replace to swap it for release two"):
        push.push(toy("two", "claims"), target_of(fake))


def test_a_swap_is_one_update_and_removes_what_the_new_one_lacks(fake: Fake) -> None:
    """So a reader sees the old one or the new one."""
    push.push(toy("one", "claims", "old"), target_of(fake))
    fake.asked.clear()
    done = push.push(toy("two", "claims", "new"), target_of(fake), replace=True)
    writing = [path for method, path in fake.asked if not path.endswith("/sparql")]

    assert writing == ["/eurasia/update"]
    assert done.removed == ("old",)
    assert set(without(fake)) == {ns.GRAPH + name for name in ("claims", "new", "meta")}


def test_a_swap_too_large_for_one_request_is_staged(fake: Fake) -> None:
    """Written beside the old one first, and nothing is left of the staging."""
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))
    new = toy("two", "claims", "new", size=50)
    push.push(toy("one", "claims", "old"), target)
    push.push(new, small, replace=True)

    assert set(without(fake)) == {ns.GRAPH + name for name in ("claims", "new", "meta")}
    assert verify.verify(new, target).differences == ()


def test_a_product_that_cannot_swap_says_so(fake: Fake) -> None:
    """The Graph Store Protocol has no request that writes two graphs."""
    target = send.open_target(f"{fake.url}/data", "gsp")

    with pytest.raises(UsageError, match="--kind gsp cannot swap a release"):
        push.push(toy("two", "claims"), target, replace=True)


def test_any_store_of_the_graph_store_protocol_takes_a_release(fake: Fake) -> None:
    """Counts and digests are compared; with the address for queries, the queries too."""
    release = toy("one", "claims")
    push.push(release, send.open_target(f"{fake.url}/data", "gsp"))
    alone = verify.verify(release, send.open_target(f"{fake.url}/data", "gsp"))
    asking = send.open_target(f"{fake.url}/data", "gsp", query_url=f"{fake.url}/sparql")

    assert alone.differences == () and alone.asked == 0
    assert verify.verify(release, asking).asked > 0
    with pytest.raises(UsageError, match="another release"):
        push.push(toy("two", "claims"), send.open_target(f"{fake.url}/data", "gsp"))


def test_what_an_interrupted_push_has_left_is_removed_by_the_next(fake: Fake) -> None:
    """Graphs without a `meta`, and graphs that were staged."""
    engine = toy("zero", "from-before").local
    fake.store.extend(engine.quads_for_pattern(None, None, None, ns.GRAPH("from-before")))
    fake.store.add(Quad(ns.ID("x"), ns.ID("y"), ns.ID("z"), NamedNode(f"{ns.BASE}staging/claims")))
    done = push.push(toy("one", "claims"), target_of(fake))

    assert len(done.removed) == 2
    assert set(without(fake)) == {ns.GRAPH + "claims", ns.GRAPH + "meta"}


# --- what can go wrong ---------------------------------------------------------------------


def run_push(fake: Fake, *options: str, url: str = "", environment: dict[str, str] | None = None) -> Result:
    """Run the command on the shipped release."""
    words = ["push", url or fake.url, "--kind", "fuseki", *options]
    return CliRunner().invoke(main, words, env=environment)


def test_a_busy_store_is_asked_again_later(fake: Fake, no_pauses: list[float]) -> None:
    """As late as it wishes, and not for ever."""
    answers = iter([(503, {"Retry-After": "7"}), (429, {}), None])
    fake.fault = lambda method, _path: next(answers, WELL) if method == "PUT" else WELL
    notices: list[str] = []
    target = send.open_target(fake.url, "fuseki", notice=notices.append)
    push.push(toy("one", "claims"), target)

    assert no_pauses == [7.0, 1.0, 2.0]
    assert "is busy (503); retrying in 7 s" in notices[0]
    assert "broke" in notices[2]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ((500, {}), "answers 500 when asked to load the graphs"),
        ((507, {}), "its disk is full"),
        ((413, {}), "too large for the store"),
        ((403, {}), "this user has no permission"),
        ((302, {"Location": "http://elsewhere/"}), "use that"),
        ((503, {}), "answers 503"),
        (None, "check that the store is running"),
    ],
)
def test_a_store_that_fails_half_way_ends_the_push(
    fake: Fake, fault: Fault, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a message and a status; and nothing says that the release is there."""
    monkeypatch.setattr(send, "BULK_BYTES", 1 << 20)
    fake.fault = failing_at(3, "POST", fault)  # type: ignore[assignment]
    result = run_push(fake)

    assert result.exit_code == 1
    assert says in result.stderr
    assert META.value not in fake.graphs()


def test_a_swap_that_fails_leaves_the_old_release(fake: Fake) -> None:
    """In one update as well as staged."""
    old = toy("one", "claims", "old")
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))
    push.push(old, target)
    for way, method in ((target, "POST"), (small, "PUT")):
        fake.fault = lambda asked, path, wanted=method: (  # type: ignore[misc]
            (500, {}) if asked == wanted and not path.endswith("/sparql") and "DROP" not in path else WELL
        )
        with pytest.raises(RemoteError):
            push.push(toy("two", "claims", "new", size=50), way, replace=True)
        fake.fault = lambda _method, _path: WELL
        assert verify.verify(old, target).differences == ()


def test_a_graph_that_breaks_off_between_batches_is_removed(fake: Fake) -> None:
    """A part of a graph is worse than none."""
    fake.fault = failing_at(6, "POST", (500, {}))  # type: ignore[assignment]
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=2000))
    with pytest.raises(RemoteError):
        push.push(toy("one", "claims", size=500), small)

    assert without(fake) == {}


@pytest.mark.parametrize("digest", [False, True])
def test_a_name_and_a_password_open_the_store(fake: Fake, digest: bool) -> None:
    """From the environment; sent only after the store has asked, by the scheme that it asks for."""
    fake.password, fake.digest = "secret", digest
    result = run_push(fake, environment={"EURASIA_GRAPH_USER": "me", "EURASIA_GRAPH_PASSWORD": "secret"})

    assert result.exit_code == 0, result.stderr
    assert META.value in fake.graphs()
    assert not digest or not any(each.startswith("Basic") for each in fake.seen)


def test_a_wrong_password_is_said_and_never_shown(fake: Fake) -> None:
    """Not in the message, not in the trace."""
    fake.password = "right"
    for options, url in (
        (["--user", "me", "--password", "wr0ng"], fake.url),
        ([], fake.url.replace("http://", "http://me:wr0ng@")),
    ):
        result = run_push(fake, *options, url=url)
        assert result.exit_code == 1
        assert "password is wrong or missing" in result.stderr
        assert "wr0ng" not in result.output + result.stderr + repr(result.exception)
    assert without(fake) == {}


def test_netrc_has_the_password(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the host, as for curl."""
    fake.password = "secret"
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login me password secret\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))

    assert run_push(fake).exit_code == 0


def test_a_name_without_a_password_is_asked_for_one(fake: Fake) -> None:
    """The message names the variable."""
    result = run_push(fake, "--user", "me")

    assert result.exit_code == 2
    assert "set EURASIA_GRAPH_PASSWORD" in result.stderr


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("http://no-such-host.invalid/eurasia", 1, "does not resolve"),
        ("http://127.0.0.1:1/eurasia", 1, "nothing answers at 127.0.0.1:1"),
        ("ftp://127.0.0.1/eurasia", 2, "is not a valid store address"),
        ("eurasia", 2, "is not a valid store address"),
    ],
)
def test_an_address_that_leads_nowhere_is_said(fake: Fake, url: str, status: int, says: str) -> None:
    """With the exit status of the one at fault."""
    result = run_push(fake, url=url)

    assert result.exit_code == status
    assert says in result.stderr


def test_a_killed_push_leaves_the_old_release_and_the_next_one_heals(fake: Fake, tmp_path: Path) -> None:
    """Killed while it stages: what is served stays whole."""
    old = toy("one", "claims")
    target = target_of(fake)
    push.push(old, target)
    script = (
        "import dataclasses, sys\nsys.path.insert(0, sys.argv[2])\nimport test_push as t\n"
        "target = t.send.open_target(sys.argv[1], 'fuseki')\n"
        "small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))\n"
        "t.push.push(t.toy('two', 'claims', 'new', 'newer', size=50), small, replace=True)"
    )
    command = [sys.executable, "-c", script, fake.url, str(Path(__file__).parent)]
    started: list[subprocess.Popen[bytes]] = []

    def kill_while_staging(_method: str, path: str) -> Fault:
        if "staging" in path and "new" in path:
            started[0].kill()
        return WELL

    fake.fault = kill_while_staging
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        started.append(process)
        process.wait(60)
    fake.fault = lambda _method, _path: WELL

    assert process.returncode == -signal.SIGKILL
    assert verify.verify(old, target).differences == ()
    push.push(toy("two", "claims"), target, replace=True)
    assert set(without(fake)) == {ns.GRAPH + "claims", ns.GRAPH + "meta"}


# --- the proof -----------------------------------------------------------------------------


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
    """The other form of Retry-After; what is no time is passed over."""
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
    """Every body is a document of its own."""
    bodies: list[bytes] = []
    send.write_batches(toy("one", "claims").local, (ns.GRAPH("claims"),), 100, bodies.append)
    read: list[Triple] = [quad.triple for body in bodies for quad in parse(body, format=RdfFormat.N_TRIPLES)]

    assert len(read) == 5
