"""The stores of other makers, run for real: what is pushed arrives, is proved, swapped and served."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuerySolutions, RdfFormat, Store, parse
from werkzeug.test import TestResponse

import disguises
import programs
from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.build.release import canonical_lines
from eurasia_graph.cli import main
from eurasia_graph.description import ServiceDescription
from eurasia_graph.errors import RemoteError
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.stores import push, remote, send, verify
from eurasia_graph.stores.products import PRODUCTS, Swap
from eurasia_graph.web import create_app
from trap import Trap

pytestmark = pytest.mark.external

ALIEN = NamedNode("http://example.org/of-another")
PAGES = (
    "/",
    "/queries/members-on.json?body=cst&date=1993-06-30",
    "/queries/timeline.csv?body=sco",
    "/queries/find.json?text=shanghai",
    "/queries/disagreements.json",
    "/queries/figures.csv",
    "/queries/assessments?holder=author-of-icds-2016",
    "/page/body/SCO",
    "/page/claim/icds-2016/9",
    "/page/passage/icds-2016/29",
    "/page/event/csto-founded",
    "/page/membership/icds-2016/AM-CST-8",
    "/page/source/icds-2016",
    "/page/scheme/status/member",
    "/page/body/SC0",
    "/data/body/RATS",
    "/data/claim/icds-2016/9",
    "/ontology",
    "/graph/",
    "/graph/links",
    f"/store?graph={ns.GRAPH}claims-icds-2016",
    "/store?default",
    "/store?graph=http://example.org/of-another",
    "/sparql",
    "/.well-known/void",
    "/openapi.json",
)
ASKED = (
    "/queries/members-on.json?body=cst&date=1993-06-30",
    "/queries/sentence?source=icds-2016&number=29",
    "/page/body/SCO",
    "/data/body/SCO",
    "/ontology",
    "/graph/links",
    "/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D",
)
SMALL = 60_000  # bytes; some graphs of the release are larger, so that they go in batches


def target_of(program: programs.Running, largest: int | None = None) -> send.Target:
    """Where a store is pushed to, in bodies of the usual size or smaller ones."""
    target = send.open_target(program.url, program.kind, user=program.user, password=program.password)
    return replace(target, product=replace(target.product, largest_request=largest)) if largest else target


def served(program: programs.Running) -> remote.RemoteStore:
    """The store as an engine."""
    return remote.open_store(program.url, program.kind, program.user, program.password)


def another(release: ReleaseStore) -> ReleaseStore:
    """A release with another name, a graph less, a graph more, and a blank node in two graphs."""
    assert release.iri
    engine = Store()
    for graph in release.local.named_graphs():
        if graph not in {ns.GRAPH("notes"), remote.META}:
            engine.extend(release.engine.quads_for_pattern(None, None, None, graph))
    new = ns.RELEASE("another")
    for quad in release.engine.quads_for_pattern(None, None, None, remote.META):
        subject = new if quad.subject == release.iri else quad.subject
        engine.add(Quad(subject, quad.predicate, quad.object, quad.graph_name))
    for name in ("more", "links"):
        engine.add(Quad(ns.ID("note/x"), ns.EG("about"), BlankNode("b"), ns.GRAPH(name)))
        engine.add(Quad(BlankNode("b"), ns.EG("text"), Literal('"\\\n\u2028 Ш'), ns.GRAPH(name)))
    return from_quads(engine, iri=new, content="another", inputs="another")


def test_a_release_is_pushed_and_proved(program: programs.Running, release: ReleaseStore) -> None:
    """By the command: counts, digests, and every canned query there and here, without a difference."""
    words = ["push", program.url, "--kind", program.kind, "--verify"]
    login = {"EURASIA_GRAPH_USER": program.user, "EURASIA_GRAPH_PASSWORD": program.password}
    result = CliRunner().invoke(main, words, env=login)

    assert result.exit_code == 0, result.output + result.stderr
    assert result.stdout.rstrip().endswith("no difference")
    assert f"{len(push.plan(release))} graphs" in result.stdout


def test_pushing_again_changes_nothing(program: programs.Running, release: ReleaseStore) -> None:
    """Neither whole nor in batches."""
    push.push(release, target_of(program))
    push.push(release, target_of(program, SMALL))

    assert verify.verify(release, target_of(program)).differences == ()


@pytest.mark.parametrize("largest", [None, SMALL], ids=["at once", "in batches"])
def test_a_swap_leaves_the_new_release_and_what_others_own(
    program: programs.Running, release: ReleaseStore, largest: int | None
) -> None:
    """And back again; nothing is left of staging."""
    target = target_of(program, largest)
    target.send("PUT", target.graph_address(ALIEN), "write", b"<a:a> <a:b> <a:c> .\n", send.TRIPLES)
    push.push(release, target)
    new = another(release)
    done = push.push(new, target, replace=True)

    assert done.removed == ("notes",)
    assert verify.verify(new, target).differences == ()
    push.push(release, target, replace=True)
    assert verify.verify(release, target).differences == ()
    assert target.engine is not None
    ours = {ns.value(row[0]) for row in target.engine.rows(push.OURS)}
    assert ours == {part.name.value for part in push.plan(release)}
    count = target.engine.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {ALIEN} {{ ?s ?p ?o }} }}")
    assert ns.value(count[0][0]) == "1"


def test_a_swap_that_fails_half_way_leaves_the_old_release(program: programs.Running, release: ReleaseStore) -> None:
    """The store rejects invalid N-Triples after the first graphs have arrived."""
    target = target_of(program, SMALL)
    push.push(release, target)
    new = another(release)

    class Broken(send.Target):
        """Sends nonsense in the place of one graph."""

        def send(self, method: str, url: str, doing: str, body: bytes | None = None, content: str = "") -> object:  # type: ignore[override]
            """Break the graph `ontology`, which comes after others."""
            wrong = b"this is nothing\n" if doing == "write the graph ontology" else body
            return super().send(method, url, doing, wrong, content)

    broken = Broken(product=target.product, url=target.url, transport=target.transport, engine=target.engine)
    if target.product.swap is Swap.TRANSACTION:
        whole = target.transport.send
        target.transport.send = lambda method, url, **rest: whole(  # type: ignore[method-assign]
            method, url, **({**rest, "body": b"this is nothing\n"} if "ontology" in url and rest.get("body") else rest)
        )
    with pytest.raises(Exception, match=r"answer|cannot"):
        push.push(new, broken, replace=True)

    assert verify.verify(release, target_of(program)).differences == ()


@pytest.mark.parametrize("accept", ["text/html", "text/turtle;q=0.9, */*;q=0.1"])
def test_the_service_on_top_answers_as_the_embedded_one(
    program: programs.Running, release: ReleaseStore, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, rows of queries, data of things and graphs, the description of the service: nothing differs."""
    # A query sees the graph of the service only on an embedded release, so it is left out of the comparison.
    monkeypatch.setattr(ServiceDescription, "is_seen", False)
    push.push(release, target_of(program))
    there, here = create_app(served(program)).test_client(), create_app(release).test_client()
    for path in PAGES:
        headers = {"Accept": accept}
        assert said(there.get(path, headers=headers)) == said(here.get(path, headers=headers)), path


def said(answer: TestResponse) -> tuple[int, object]:
    """The status and the content, of a graph as canonical lines: prefixes and blank nodes are called by any name."""
    if answer.mimetype != "text/turtle":
        return answer.status_code, answer.data
    graph = NamedNode("urn:graph")
    scratch = Store()
    scratch.extend(
        ns.quad(each.triple, graph) for each in parse(answer.data, format=RdfFormat.TURTLE, base_iri=ns.BASE)
    )
    return answer.status_code, canonical_lines(scratch)


def test_a_query_without_graph_sees_what_it_sees_here(program: programs.Running, release: ReleaseStore) -> None:
    """The products differ in what they take for the default graph."""
    push.push(release, target_of(program))
    text = f"SELECT DISTINCT ?s ?o {{ ?s <{ns.EG}accordingTo> ?o }} ORDER BY ?s ?o"

    assert verify.compare_rows(release, served(program), text, "free") == []


def test_a_free_query_gives_a_row_as_often_as_here(program: programs.Running, release: ReleaseStore) -> None:
    """All but Fuseki give a triple once for every graph of the default graph that has it; DISTINCT makes it right."""
    push.push(release, target_of(program))
    text = f"SELECT {{0}} {{{{ ?s a <{ns.EG}Event> }}}} ORDER BY ?s"

    assert verify.compare_rows(release, served(program), text.format("DISTINCT ?s"), "free") == []
    repeats = bool(verify.compare_rows(release, served(program), text.format("?s"), "free"))
    assert repeats == (program.kind != "fuseki")


def test_the_store_goes_and_comes_back_without_a_restart_of_the_service(
    program: programs.Running, release: ReleaseStore
) -> None:
    """A clear 502 while it is down, also for a service that is started then."""
    push.push(release, target_of(program))
    running = create_app(served(program)).test_client()
    assert statuses(running) == [200] * len(ASKED)
    program.stop()
    begun = create_app(served(program)).test_client()
    try:
        # The quads that Virtuoso was asked for are remembered for a minute.
        remembered = sum(path.startswith("/queries") for path in ASKED) if program.kind == "virtuoso" else 0
        assert statuses(running) == [200] * remembered + [502] * (len(ASKED) - remembered)
        assert statuses(begun) == [502] * len(ASKED)
        assert "check that the store is running" in begun.get(ASKED[0]).text
        assert begun.get("/readyz").status_code == 503
        assert begun.get("/healthz").status_code == 200
    finally:
        program.again()

    assert statuses(running) == statuses(begun) == [200] * len(ASKED)


def test_a_store_that_hangs_is_a_gateway_timeout_within_the_limit(
    program: programs.Running, release: ReleaseStore
) -> None:
    """The process is stopped in the middle, as a machine that swaps would be; then it goes on."""
    push.push(release, target_of(program))
    store = remote.open_store(program.url, program.kind, program.user, program.password, timeout_s=1)
    client = create_app(store).test_client()
    free = f"/sparql?query={quote('SELECT * { ?s ?p <a:nothing> }')}"
    assert client.get(free).status_code == 200
    program.process.send_signal(signal.SIGSTOP)
    os.waitpid(program.process.pid, os.WUNTRACED)
    try:
        answer = client.get(free)
    finally:
        program.process.send_signal(signal.SIGCONT)

    assert answer.status_code == 504
    assert "has not answered within 1 s" in answer.text
    assert client.get(free).status_code == 200


def statuses(client: FlaskClient) -> list[int]:
    """What a client is answered, place by place."""
    return [client.get(path).status_code for path in ASKED]


@pytest.mark.parametrize("program", ["virtuoso"], indirect=True)
def test_a_wrong_password_changes_nothing(program: programs.Running, release: ReleaseStore) -> None:
    """In a store that is started with one; the message does not contain it."""
    push.push(release, target_of(program))
    wrong = send.open_target(program.url, program.kind, user=program.user, password="wr0ng")
    with pytest.raises(RemoteError, match="password is wrong or missing") as caught:
        push.push(another(release), wrong, replace=True)

    assert "wr0ng" not in str(caught.value)
    assert verify.verify(release, target_of(program)).differences == ()


def test_terms_of_every_kind_come_back_as_they_were(program: programs.Running) -> None:
    """Dates, booleans, languages, scripts, control characters, numbers as they were written."""
    terms = [
        Literal("2001-02-03", datatype=NamedNode(ns.XSD + "date")),
        Literal("true", datatype=NamedNode(ns.XSD + "boolean")),
        Literal("1993/..", datatype=NamedNode(ns.EDTF + "EDTF")),
        Literal("7644.0", datatype=NamedNode(ns.XSD + "decimal")),
        Literal("Шанхай", language="ru"),
        Literal('"\\\t\n'),
        Literal("plain"),
        Literal("007", datatype=NamedNode(ns.XSD + "integer")),
    ]
    if program.kind == "virtuoso":
        # It keeps the value of a number and not how it was written: 007 comes back as 7, 7644.0 as 7644. The
        # graph has whole numbers without leading zeros and no decimals, so this row loses nothing.
        terms = [term for term in terms if term.value not in {"007", "7644.0"}]
    engine = Store()
    for number, term in enumerate(terms):
        engine.add(Quad(ns.ID(f"note/{number}"), ns.EG("text"), term, ns.GRAPH("terms")))
    target = target_of(program)
    part = send.Part(ns.GRAPH("terms"), (ns.GRAPH("terms"),), len(terms))
    send.put_graph(ReleaseStore(engine), target, part, part.name, lambda _what, _triples: None)
    found = list(verify._compare_graph(ReleaseStore(engine), target, part))
    target.update(send.drop([part.name.value]), "remove it")

    assert found == []


# --- nobody gets in ------------------------------------------------------------------------


def test_no_disguise_of_a_call_leads_a_store_elsewhere(program: programs.Running, release: ReleaseStore) -> None:
    """In comments, strings and IRIs, escaped in every way, and by functions that single products have."""
    push.push(release, target_of(program))
    with Trap() as trap:
        no_call_gets_through(served(program), trap)


def no_call_gets_through(store: remote.RemoteStore, trap: Trap) -> None:
    """Ask the service every disguise, and nothing of it answers; `attacks/gateway.py` tries more."""
    client = create_app(store).test_client()
    texts = [*[*disguises.hidden(trap.url)][::5], *disguises.spelt(trap.url), *disguises.drawn(5, 50, trap.url)]
    statuses = {client.post("/sparql", data={"query": each.encode("utf-8", "replace")}).status_code for each in texts}
    asked = {"query": "ASK { ?s ?p ?o }", "default-graph-uri": trap.url, "named-graph-uri": trap.url}
    statuses.add(client.post("/sparql", data=asked).status_code)
    time.sleep(0.2)

    assert trap.connections == 0
    assert statuses <= {200, 400, 403}
    assert client.get("/sparql", query_string={"query": "ASK {}"}).status_code == 200


# --- spread over several stores ------------------------------------------------------------


NO = {"head": {}, "boolean": False}


def test_two_sources_in_two_stores_behind_fedx_give_the_same_answers(release: ReleaseStore, tmp_path: Path) -> None:
    """For users who have outgrown one machine: RDF4J's FedX asks both and joins."""
    for kind in ("oxigraph", "rdf4j"):
        reason = programs.missing(kind)
        if reason:
            pytest.skip(reason)
    with (
        programs.running("oxigraph", tmp_path / "one") as one,
        programs.running("oxigraph", tmp_path / "two") as two,
        programs.running("rdf4j", tmp_path / "fedx") as front,
    ):
        spread(release, one, two)
        endpoints = [f"{each.url}/query" for each in (one, two)]
        repositories = front.url.rpartition("/")[0]
        url = programs.add_repository(repositories, "spread", programs.federation("spread", endpoints))
        there = remote.open_store(url, "fedx")
        # What is asked of some graphs alone must not decide who is asked afterwards.
        client, claims = create_app(there).test_client(), f"?claim a <{ns.EG}Claim>"
        for graph in ("http://example.org/of-nobody", f"{ns.GRAPH('bounds-icds-2016').value}"):
            texts = (f"ASK {{ GRAPH <{graph}> {{ {claims} }} }}", f"ASK FROM <{graph}> {{ {claims} }}")
            assert [client.post("/sparql", data={"query": each}).json for each in texts] == [NO, NO]
        counted = f"SELECT (COUNT(DISTINCT ?claim) AS ?n) {{ GRAPH ?g {{ {claims} }} }}"
        expected = release.query(counted)
        assert isinstance(expected, QuerySolutions)
        assert there._remote.rows(counted) == [list(row) for row in expected]
        with Trap() as trap:
            no_call_gets_through(there, trap)
        found = [
            difference
            for canned in queries.load().values()
            for text in filter(None, (canned.text, canned.left_out))
            for difference in verify.compare_rows(release, there, text, canned.name)
        ]

    assert found == []


def spread(release: ReleaseStore, one: programs.Running, two: programs.Running) -> None:
    """Put the graphs of one source into one store, and all others into the other."""
    for part in push.plan(release):
        place = one if part.name.value.endswith("icds-2016") else two
        send.put_graph(release, target_of(place), part, part.name, lambda _what, _triples: None)


def test_what_is_run_here_is_what_the_table_says() -> None:
    """A row is tested or says that it is not."""
    assert set(programs.STARTERS) == {each.name for each in PRODUCTS.values() if each.tested and each.writable} - {
        "gsp"
    }
