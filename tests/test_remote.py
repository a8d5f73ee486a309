"""On top of another store: the same queries and pages, and a clear word when it is not there."""

from __future__ import annotations

import gc
import json
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, QueryTriples, RdfFormat, Store

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.cli import main
from eurasia_graph.errors import QueryError, RemoteError, UsageError
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores import dependencies, remote, transport
from eurasia_graph.stores.products import PRODUCTS
from eurasia_graph.stores.transport import Response
from eurasia_graph.web import create_app
from fake import WELL, Fake, Fault, running


@pytest.fixture(scope="module")
def loaded(release: ReleaseStore) -> Iterator[Fake]:
    """A store with the release, and an unrelated graph that matches the same patterns."""
    fake = Fake()
    for graph in release.engine.named_graphs():
        fake.store.extend(release.engine.quads_for_pattern(None, None, None, graph))
    alien = NamedNode("http://example.org/of-another")
    stray = release.engine.quads_for_pattern(None, ns.EG("inBody"), None, None)
    fake.store.extend(Quad(NamedNode("a:a"), quad.predicate, quad.object, alien) for quad in stray)
    with running(fake):
        yield fake


@pytest.fixture
def well(loaded: Fake) -> Iterator[Fake]:
    """The same store, well at the beginning and at the end of a test."""
    loaded.asked.clear()
    yield loaded
    loaded.fault = lambda _method, _path: WELL


def over(fake: Fake, kind: str | None = "fuseki", timeout_s: float = 10) -> remote.RemoteStore:
    """Open a store over the fake."""
    return remote.open_store(fake.url if kind else f"{fake.url}/sparql", kind, timeout_s=timeout_s)


def rows_of(answer: object) -> list[tuple[object, ...]]:
    """The rows of an answer, in their order."""
    assert isinstance(answer, QuerySolutions)
    return [tuple(row) for row in answer]


CANNED = {each.name: each.text for each in queries.load().values()} | {
    f"{each.name}.left-out": each.left_out for each in queries.load().values() if each.left_out
}


@pytest.mark.parametrize("name", CANNED)
def test_a_canned_query_answers_there_as_here(well: Fake, release: ReleaseStore, name: str) -> None:
    """Row by row, although the store contains an unrelated graph."""
    text = CANNED[name]

    assert rows_of(over(well).query(text)) == rows_of(release.query(text))


@pytest.mark.parametrize("name", CANNED)
def test_the_patterns_of_a_canned_query_are_all_it_depends_on(well: Fake, release: ReleaseStore, name: str) -> None:
    """For stores that are asked for quads because they cannot be trusted with the query (Virtuoso)."""
    text = CANNED[name]
    engine = remote.RemoteEngine(f"{well.url}/sparql", None)
    here = engine._query_here(text, None)

    assert rows_of(here) == rows_of(release.query(text))


def test_reading_a_query_leaves_no_frame_of_its_caller_behind() -> None:
    """Answers of the engine lie in them, and the thread that collects what the parser leaves may not drop those."""

    class Mark:
        """Something that lies in a frame of the caller."""

    def call() -> weakref.ref[Mark]:
        mark = Mark()
        dependencies.of_query(f"SELECT * {{ ?s ?p 'frame {id(mark)}' OPTIONAL {{ ?s a ?c }} FILTER(?p != <a:a>) }}")
        return weakref.ref(mark)

    gc.disable()
    try:
        left = call()
    finally:
        gc.enable()

    assert left() is None


def test_notes_are_those_that_are_given_here(well: Fake, release: ReleaseStore) -> None:
    """What is left out is asked of the other store."""
    there = queries.by_name("organs").run(over(well), {"body": "sco"})

    assert there.notes == queries.by_name("organs").run(release, {"body": "sco"}).notes
    assert "2 claims that name no organ (icds-2016/61, icds-2016/90)" in " ".join(there.notes)


def test_a_query_without_graph_sees_what_it_sees_here(well: Fake, release: ReleaseStore) -> None:
    """The graphs of the default graph are named with every query, whatever the store takes for it."""
    text = f"SELECT DISTINCT ?s ?o {{ ?s <{ns.EG}inBody> ?o }} ORDER BY ?s ?o"

    assert rows_of(over(well).query(text)) == rows_of(release.query(text))


def test_a_construct_comes_back_as_triples(well: Fake) -> None:
    """And can be written in any format."""
    answer = over(well).query(f"CONSTRUCT WHERE {{ ?s <{ns.EG}existence> ?o }}")

    assert isinstance(answer, QueryTriples)
    assert b"existence" in (answer.serialize(format=RdfFormat.TURTLE) or b"")


def test_the_release_is_named_by_what_the_store_holds(well: Fake, release: ReleaseStore) -> None:
    """Its IRI and digest, for pages and headers."""
    store = over(well)
    store.query("ASK {}")

    assert (store.iri, store.content, store.inputs) == (release.iri, release.content, release.inputs)


def test_quads_are_found_by_their_terms(well: Fake, release: ReleaseStore) -> None:
    """As the pages ask for them."""
    node = ns.ID("body/SCO")
    engine = over(well).engine
    found = {quad.triple for quad in engine.quads_for_pattern(node, None, None, None)}
    label = Literal("Shanghai Cooperation Organisation", language="en")

    assert found == {quad.triple for quad in release.engine.quads_for_pattern(node, None, None, None)}
    assert [quad.subject for quad in engine.quads_for_pattern(None, ns.SKOS("prefLabel"), label, None)] == [node]


@pytest.mark.parametrize("value", ['x" } INSERT DATA { <a:a> <a:b> "', "a\\", "?x", "} #", "'''\"\"\""])
def test_a_parameter_cannot_leave_its_place(well: Fake, value: str) -> None:
    """Terms are written by the library, and the query is read here before it is sent."""
    before = len(well.store)
    rows = queries.by_name("find").run(over(well), {"text": value})

    assert rows == []
    assert len(well.store) == before


@pytest.mark.parametrize(
    "text", ["DROP ALL", "INSERT DATA { <a:a> <a:b> <a:c> }", "SELECT * { SERVICE <http://x/> {} }"]
)
def test_what_is_no_harmless_query_never_leaves(well: Fake, text: str) -> None:
    """The remote is only read, and reaches no third store for us."""
    store = over(well)
    store.query("ASK {}")
    asked = len(well.asked)
    with pytest.raises(QueryError):
        store.query(text)

    assert len(well.asked) == asked


def test_the_pages_are_those_of_the_embedded_release(well: Fake, release: ReleaseStore) -> None:
    """The same bytes for data, the same rows for queries, over HTTP."""
    there, here = create_app(over(well)).test_client(), create_app(release).test_client()
    for path in (
        "/queries/members-on.json?body=cst&date=1993-06-30",
        "/queries/timeline.csv?body=sco",
        "/queries/find?text=shanghai",
        "/data/body/RATS",
        "/page/body/RATS",
        "/id/body/nothing",
        "/queries/members-on.json?body=cso&date=1993",
        "/sparql?query=SELECT%20*%20%7B%20GRAPH%20%3Fg%20%7B%20%3Fs%20a%20%3Chttps%3A%2F%2Fw3id.org%2Feurasia-graph%2Fontology%23Release%3E%7D%7D",
    ):
        ours, theirs = here.get(path), there.get(path)
        assert theirs.status_code == ours.status_code, path
        # The engine writes the prefixes of Turtle in any order.
        assert sorted(theirs.data.splitlines()) == sorted(ours.data.splitlines()), path


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        (None, 502, "check that the store is running"),
        ((500, {}), 502, "answers 500"),
        ((401, {}), 502, "password is wrong or missing"),
        ((200, {}), 502, "did not return SPARQL results"),
        ((504, {}), 504, "answers 504"),
        ((200, {"X-SQL-State": "S1TAT"}), 504, "sent a partial answer"),
        ((200, {"X-SPARQL-MaxRows": "10000"}), 502, "cuts answers off at 10000 rows"),
    ],
)
def test_a_store_that_fails_in_the_middle_is_a_gateway_error_and_comes_back(
    well: Fake, fault: Fault, status: int, says: str
) -> None:
    """Without a restart of the service, and without a wrong answer in between."""
    client = create_app(over(well)).test_client()
    path = "/queries/members-on.json?body=cst&date=1993"
    assert client.get(path).status_code == 200
    well.fault = lambda _method, _path: fault
    failed = client.get(path)
    well.fault = lambda _method, _path: WELL

    assert failed.status_code == status
    assert failed.content_type == "application/problem+json"
    assert says in str(failed.json)
    assert client.get(path).status_code == 200


def test_a_store_that_is_down_at_the_start_is_found_when_it_comes(release: ReleaseStore) -> None:
    """The service starts, answers 502, and then answers."""
    fake = Fake()
    fake.store.extend(release.engine.quads_for_pattern(None, None, None, None))
    with running(fake):
        pass
    client = create_app(over(fake)).test_client()
    before = client.get("/queries/members-on.json?body=cst&date=1993")
    with running(fake):
        after = client.get("/queries/members-on.json?body=cst&date=1993")

    assert before.status_code == 502
    assert "nothing answers at" in str(before.json)
    assert after.status_code == 200


def test_a_store_that_takes_too_long_is_a_gateway_timeout(well: Fake) -> None:
    """The limit holds here, and is passed on where the product has a parameter for it."""
    import time

    store = over(well, timeout_s=0.3)
    store.query("ASK {}")
    well.fault = lambda _method, _path: (time.sleep(0.6), WELL)[1]  # type: ignore[func-returns-value]
    with pytest.raises(RemoteError, match=r"has not answered within 0\.3 s") as caught:
        store.query("ASK { ?s ?p ?o }")

    assert caught.value.status == 504
    assert PRODUCTS["virtuoso"].limit(1.5) == {"timeout": "1500"}
    assert PRODUCTS["rdf4j"].limit(1.5) == {"timeout": "2"}
    assert PRODUCTS["oxigraph"].limit(1.5) == {}


def test_another_release_in_the_store_is_noticed(well: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered of the old one is forgotten."""
    monkeypatch.setattr(remote, "LEARN_AGAIN_AFTER_S", 0)
    store = over(well)
    store.query("ASK {}")
    old, _ = store.iri, store.entities
    assert old
    new = ns.RELEASE("new")
    meta = list(well.store.quads_for_pattern(old, None, None, remote.META))
    swapped = [Quad(new, quad.predicate, quad.object, quad.graph_name) for quad in meta]
    well.store.extend(swapped)
    for quad in meta:
        well.store.remove(quad)
    store.query("ASK {}")
    for quad in swapped:
        well.store.remove(quad)
    well.store.extend(meta)

    assert store.iri == new
    assert "entities" not in store.__dict__


def test_a_planner_that_fails_on_a_canned_query_is_asked_for_its_quads(well: Fake, release: ReleaseStore) -> None:
    """As RDF4J 5.0.3 does where every parameter of memberships-of is given; a free query stays an error."""
    store = over(well)
    store.query("ASK {}")
    seen: list[str] = []

    def fail_once(_method: str, _path: str) -> Fault:
        seen.append("x")
        return (500, {}) if len(seen) == 1 else WELL

    well.fault = fail_once
    text = queries.by_name("members-on").text
    assert rows_of(store.query(text)) == rows_of(release.query(text))
    seen.clear()
    with pytest.raises(RemoteError):
        store.query("ASK { ?s ?p ?o }")


def test_the_command_asks_another_store(well: Fake) -> None:
    """A canned query and a free-form query, by the address of the query service."""
    words = ["query", "--store", f"{well.url}/sparql", "--format", "json"]
    canned = CliRunner().invoke(
        main, [*words, "members-on", "--body", "cst", "--date", "1992-12-31", "--format", "json"]
    )
    free = CliRunner().invoke(main, [*words, "--sparql", "SELECT (1 AS ?one) {}"])

    assert len(json.loads(canned.stdout)) == 6
    assert json.loads(free.stdout) == [{"one": 1}]


def test_the_seconds_of_the_command_are_those_of_every_question(well: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a proxy in front would give up before the service does."""
    seconds: list[float] = []
    store = over(well)

    def open_store(_url: str, _kind: str, _user: None, _password: None, timeout_s: float) -> remote.RemoteStore:
        seconds.append(timeout_s)
        return store

    monkeypatch.setattr(remote, "open_store", open_store)
    monkeypatch.setattr("eurasia_graph.web.server.run", lambda *_words, **_options: None)
    result = CliRunner().invoke(main, ["serve", "--store", well.url, "--kind", "fuseki", "--timeout", "3"])

    assert result.exit_code == 0, result.output
    assert seconds == [3.0]


def test_the_command_says_what_does_not_go_together(well: Fake) -> None:
    """Two places to ask are one too many; and what needs the quads themselves says so."""
    both = CliRunner().invoke(main, ["serve", "x.ttl", "--store", well.url])

    assert both.exit_code == 2 and "FILES or --store" in both.stderr
    with pytest.raises(UsageError, match="does not work with a remote store"):
        assert over(well).local


@pytest.mark.parametrize(
    ("datatype", "there", "here"),
    [
        ("decimal", "400.0", "400"),
        ("decimal", "-5.50", "-5.5"),
        ("decimal", "0.05", "0.05"),
        ("decimal", "1", "1"),
        ("boolean", "1", "true"),
        ("boolean", "0", "false"),
        ("boolean", "true", "true"),
        ("integer", "10", "10"),
        ("string", "400.0", "400.0"),
    ],
)
def test_a_value_is_written_as_the_embedded_engine_writes_it(datatype: str, there: str, here: str) -> None:
    """Fuseki writes decimals in its own way, Virtuoso truth values."""
    term = {"type": "typed-literal", "datatype": ns.XSD + datatype, "value": there}
    answer = {"head": {"vars": ["x"]}, "results": {"bindings": [{"x": term}]}}
    rows = remote._whole(json.dumps(answer).encode())

    assert [row[0] for row in rows] == [Literal(here, datatype=NamedNode(ns.XSD + datatype))]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rows", "truth"), [([{"__ASK_RETVAL": {"type": "literal", "value": "1"}}], True), ([], False)]
)
def test_yes_and_no_may_come_as_rows(
    well: Fake, rows: list[object], truth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtuoso answers ASK so where there is a pattern."""
    store = over(well)
    store.refresh()
    body = json.dumps({"head": {"vars": ["__ASK_RETVAL"]}, "results": {"bindings": rows}}).encode()
    monkeypatch.setattr(store.engine, "_ask", lambda *_words: transport.Response(200, {}, body))

    assert bool(store.query("ASK { ?s ?p ?o }")) is truth


def test_a_page_names_the_release_from_the_first_one_on(well: Fake, release: ReleaseStore) -> None:
    """Also one that asks the store nothing."""
    assert release.iri and release.iri.value in create_app(over(well)).test_client().get("/").text


def test_the_ontology_is_fetched_once(well: Fake, release: ReleaseStore) -> None:
    """And not value by value: the store may be far away. Two graphs, and two queries for the examples of all terms."""
    client = create_app(over(well)).test_client()
    client.get("/")
    well.asked.clear()
    page = client.get("/ontology", headers={"Accept": "text/html"})

    assert page.data == create_app(release).test_client().get("/ontology", headers={"Accept": "text/html"}).data
    assert len(well.asked) == 4


# --- patterns ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { GRAPH ?g { ?s <a:p> ?o . ?o <a:q>+ ?z } }",
        "SELECT * { GRAPH <a:g> { ?s <a:q>* <a:3> } }",
        "SELECT * { VALUES ?s { <a:1> } GRAPH ?g { ?s <a:p> ?o } OPTIONAL { GRAPH ?h { ?o !<a:p> ?z } } }",
        "SELECT * { VALUES ?s { <a:1> } { SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s <a:p> ?o } } } }",
        "SELECT * { GRAPH ?g { ?s <a:p> ?o } MINUS { GRAPH <a:g> { ?s <a:q> ?z } } }",
        "SELECT * { GRAPH ?g { ?s ^<a:p>/(<a:q>|<a:p>) ?o } FILTER NOT EXISTS { GRAPH ?h { ?o <a:r> ?s } } }",
        "SELECT * { { GRAPH ?g { ?s <a:p> ?o } } UNION { GRAPH <a:h> { ?s <a:q> ?o } } }",
        "SELECT * { GRAPH ?g { ?s <a:n> 1 } }",
        "SELECT * { ?s <a:q> ?o }",
    ],
)
def test_the_quads_of_the_patterns_give_the_answer_of_all(query: str) -> None:
    """For every form of SPARQL that has triples in it."""
    fake = Fake()
    lines = (
        "<a:1> <a:p> <a:2> <a:g> .\n<a:2> <a:q> <a:3> <a:g> .\n<a:3> <a:q> <a:4> <a:h> .\n<a:1> <a:q> <a:1> <a:h> .\n"
    )
    lines += '<a:2> <a:r> <a:1> <a:h> .\n<a:5> <a:n> "1"^^<http://www.w3.org/2001/XMLSchema#integer> <a:g> .\n<a:6> <a:q> <a:7> .\n'
    fake.store.load(lines.encode(), format=RdfFormat.N_QUADS)
    with running(fake):
        here = remote.RemoteEngine(f"{fake.url}/sparql")._query_here(query, None)
        found = sorted(map(str, rows_of(here)))

    assert found == sorted(map(str, rows_of(fake.store.query(query))))
    assert found


def test_describe_cannot_be_taken_apart() -> None:
    """What it answers is the store's choice."""
    with pytest.raises(QueryError, match="DESCRIBE"):
        dependencies.of_query("DESCRIBE <a:a>")


def test_an_empty_store_is_asked_as_it_is() -> None:
    """Data other than a release can be queried too."""
    fake = Fake(Store())
    fake.store.add(Quad(NamedNode("a:a"), NamedNode("a:b"), Literal("c")))
    with running(fake):
        store = over(fake)

        assert [row[0] for row in store.query("SELECT ?o { ?s ?p ?o }")] == [Literal("c")]  # type: ignore[union-attr]
        assert store.iri is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"uri","value":"x:a"}},{"x":',
        b'{"head":{"vars":["x"]},',
    ],
)
def test_an_error_over_a_broken_answer_may_be_dropped_by_any_thread(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine forbids it for its answers; so no error holds one."""
    odd: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", odd.append)
    engine = remote.RemoteEngine("http://127.0.0.1:1/")
    kept: list[Exception] = []

    def ask() -> None:
        try:
            engine._answer(Response(200, {}, body), "rows")
        except RemoteError as error:
            kept.append(error)

    elsewhere = threading.Thread(target=ask)
    elsewhere.start()
    elsewhere.join()
    assert len(kept) == 1
    kept.clear()
    gc.collect()

    assert odd == []
