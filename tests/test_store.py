"""The store is read-only, opens no connection, and is kept whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QueryBoolean, QuerySolutions, Store

from eurasia_graph import Graph
from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError, StoreError, UsageError
from eurasia_graph.sparql.refusals import refuse_service
from eurasia_graph.store import ReleaseStore, from_quads, load_files

CALL = "<http://127.0.0.1:9/> { ?s ?p ?o }"

CALLS = [
    f"SELECT * {{ SERVICE {CALL} }}",
    f"SELECT * {{ SERVICE SILENT {CALL} }}",
    f"select * {{ service {CALL} }}",
    f"SELECT * {{ {{ SELECT * {{ SERVICE {CALL} }} }} }}",
    "SELECT * { BIND(<http://a> AS ?g) SERVICE ?g { ?s ?p ?o } }",
    f"ASK {{ OPTIONAL {{ SERVICE{CALL} }} }}",
    f"CONSTRUCT {{ ?s ?p ?o }} {{ SERVICE {CALL} }}",
    f"SELECT * {{ # a comment\n SERVICE {CALL} }}",
    f"SELECT * {{ FILTER EXISTS {{ SERVICE {CALL} }} }}",
    # The engine reads without a lexer, so that these are calls as well.
    "PREFIX : <http://127.0.0.1:9/> SELECT * { SERVICE:x { ?s ?p ?o } }",
    f"SELECT * {{ SERVICESILENT{CALL} }}",
    f"SELECT * {{ ?s ?p trueSERVICE{CALL} }}",
    f"PREFIX a: <http://a/> SELECT * {{ ?s ?p a:.SERVICE{CALL} }}",
    f"SELECT * {{ ?s ?p 1SERVICE{CALL} }}",
    f"SELECT * {{ ?s ?p 'a'SERVICE{CALL} }}",
]
NO_CALLS = [
    'SELECT * { ?s ?p "SERVICE" }',
    "SELECT * { ?s ?p '''a 'SERVICE' <x>''' }",
    "SELECT * { ?SERVICE ?p $service }",
    "SELECT * { ?s <http://a/SERVICE> ?o } # SERVICE",
    "PREFIX a: <http://a/> SELECT * { ?s a:SERVICE a:x.SERVICE }",
    'SELECT * { ?s ?p "a\\"SERVICE" }',
]


@pytest.mark.parametrize("query", CALLS)
def test_a_call_to_another_service_is_refused_before_the_engine_sees_it(query: str) -> None:
    """Wherever the keyword stands and however it is written."""
    with pytest.raises(QueryError, match="SERVICE is refused") as caught:
        refuse_service(query)

    assert caught.value.status == 403


@pytest.mark.parametrize("query", NO_CALLS)
def test_the_word_alone_is_no_call(query: str) -> None:
    """In strings, IRIs, comments, variables and names it means nothing."""
    refuse_service(query)
    assert isinstance(ReleaseStore(Store()).query(query), QuerySolutions)


@pytest.mark.parametrize(
    "update",
    [
        "INSERT DATA { <a:a> <a:b> <a:c> }",
        "CLEAR ALL",
        "LOAD <file:///etc/hostname>",
        "PREFIX a: <http://a/> DELETE WHERE { ?s ?p ?o }",
        "DROP ALL",
    ],
)
def test_an_update_is_no_query(update: str) -> None:
    """The store says that it is read-only, and stays as it is."""
    store = ReleaseStore(Store())
    store.local.add(Quad(NamedNode("a:a"), NamedNode("a:b"), Literal("c")))

    with pytest.raises(QueryError, match="read-only"):
        store.query(update)
    assert len(store.engine) == 1


def test_from_reads_no_file_and_no_address(tmp_path: Path) -> None:
    """A graph that the store does not hold is empty, whatever its name points at."""
    secret = tmp_path / "secret.ttl"
    secret.write_text("<http://a> <http://b> <http://c> .", encoding="utf-8")
    store = ReleaseStore(Store())

    for address in (secret.as_uri(), "http://127.0.0.1:9/data"):
        answer = store.query(f"ASK FROM <{address}> {{ ?s ?p ?o }}")
        assert isinstance(answer, QueryBoolean)
        assert not answer


def test_a_syntax_error_names_line_and_column() -> None:
    """The message names what was expected and what to do."""
    with pytest.raises(QueryError, match=r"line 1, column 24: .*expected .*correct the text"):
        ReleaseStore(Store()).query("SELECT * WHERE { ?s ?p }")


def test_the_default_graph_is_what_texts_say_and_what_follows(release: ReleaseStore) -> None:
    """Judgements, notes, bounds, differences and provenance are asked for by name."""
    hidden = release.query(
        f"ASK {{ {{ ?x a <{ns.EG}Difference> }} UNION {{ ?x <{ns.EG}earliest> ?y }} "
        f"UNION {{ ?x a <{ns.EG}Note> }} UNION {{ ?x <{ns.EG}inputsSha256> ?y }} UNION {{ ?x <{ns.EG}judgedBy> ?y }} }}"
    )
    seen = release.query(
        f"ASK {{ ?m a <{ns.EG}Membership> . ?c a <{ns.EG}EventClaim> . ?p a <{ns.EG}Sentence> . ?s a <{ns.EG}State> }}"
    )

    assert not hidden
    assert seen


def test_claims_that_count_are_found_without_naming_a_graph(release: ReleaseStore) -> None:
    """Whether a claim counts follows from what the text says; the graphs of bounds hold days only."""
    count = "SELECT (COUNT(DISTINCT ?c) AS ?n)"
    counted = []
    for pattern in (f"?c a <{ns.EG}CountedClaim>", f"GRAPH ?g {{ ?c a <{ns.EG}CountedClaim> }}"):
        answer = release.query(f"{count} {{ {pattern} }}")
        assert isinstance(answer, QuerySolutions)
        counted.append(int(ns.value(next(answer)["n"])))
    in_bounds = release.query(f'ASK {{ GRAPH ?g {{ ?c a ?class }} FILTER(STRSTARTS(STR(?g), "{ns.GRAPH}bounds-")) }}')

    assert counted[0] == counted[1] > 0
    assert not in_bounds


def test_a_triple_in_two_graphs_counts_once(release: ReleaseStore) -> None:
    """The default graph is a set, not a pile of graphs."""
    quads = list(release.engine.quads_for_pattern(None, None, None, DefaultGraph()))
    answer = release.query("SELECT (COUNT(*) AS ?rows) { ?s ?p ?o }")
    assert isinstance(answer, QuerySolutions)

    assert len({quad.triple for quad in quads}) == len(quads)
    assert ns.value(next(answer)["rows"]) == str(len(quads))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ttl", "<http://a/s> <http://a/p> 1 ."),
        ("a.nt", "<http://a/s> <http://a/p> <http://a/o> ."),
        ("a.nq", "<http://a/s> <http://a/p> <http://a/o> <http://a/g> ."),
        ("a.trig", "<http://a/g> { <http://a/s> <http://a/p> 1 }"),
        ("a.jsonld", '{"@id": "http://a/s", "http://a/p": 1}'),
        (
            "a.rdf",
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://a/"><rdf:Description rdf:about="http://a/s" a:p="1"/></rdf:RDF>',
        ),
    ],
)
def test_any_rdf_file_can_be_served_as_it_is(tmp_path: Path, name: str, content: str) -> None:
    """The default graph is the merge, so that a query without GRAPH finds what the file says."""
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")

    assert load_files([file]).query("ASK { <http://a/s> <http://a/p> ?o }")


def test_a_file_of_no_rdf_format_is_refused(tmp_path: Path) -> None:
    """The message lists the extensions that are read."""
    with pytest.raises(UsageError, match=r"'\.xls' is not of an RDF format; give one of \.ttl"):
        load_files([tmp_path / "table.xls"])


def test_a_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    """Serving a file that cannot be read is an error before the port opens."""
    file = tmp_path / "a.ttl"
    file.write_text("<http://a> <http://b> .\n", encoding="utf-8")

    with pytest.raises(StoreError, match=r"a\.ttl:1:\d+: this is not turtle"):
        load_files([file])


def test_a_context_at_another_address_is_named_with_a_way_out(tmp_path: Path) -> None:
    """It is not fetched, and the reader is told what to do rather than what the library lacks."""
    file = tmp_path / "data.jsonld"
    file.write_text('{"@context": "http://127.0.0.1:9/context", "@id": "http://a/s", "name": "x"}', "utf-8")

    with pytest.raises(StoreError, match=r"data\.jsonld: its @context is at another address.*N-Quads"):
        load_files([file])


def test_two_files_with_the_same_blank_node_keep_two_nodes(tmp_path: Path) -> None:
    """Blank nodes are local to their file."""
    for name in ("a.nt", "b.nt"):
        (tmp_path / name).write_text(f'_:x <http://a/p> "{name}" .\n', encoding="utf-8")
    store = load_files([tmp_path / "a.nt", tmp_path / "b.nt"])

    answer = store.query("SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }")
    assert isinstance(answer, QuerySolutions)
    assert ns.value(next(answer)["n"]) == "2"


def test_a_store_is_made_of_any_quads() -> None:
    """Tests and other programs can hand in what they like."""
    engine = Store()
    engine.add(Quad(NamedNode("http://a/s"), NamedNode("http://a/p"), Literal("o"), ns.GRAPH("entities")))

    assert from_quads(engine).query("ASK { <http://a/s> ?p ?o }")


def test_the_first_name_of_an_entity_is_its_english_label(release: ReleaseStore) -> None:
    """Pickers show the first name, although entities have Russian labels besides English ones."""
    first: dict[str, str] = {}
    for iri, name in release.entities[ns.EG + "Body"]:
        first.setdefault(iri, name)

    assert first[ns.ID + "body/CST"] == "circle of the Collective Security Treaty"
    assert [name for name in first.values() if not name.isascii()] == []


@pytest.mark.parametrize("text", ["SELECT * {" + "OPTIONAL{?s ?p ?o}" * 9000 + "}", "ASK {" + "MINUS{}" * 20_000 + "}"])
def test_a_query_that_would_end_the_process_is_an_error(text: str) -> None:
    """The engine reads them by recursion, and Python with it ends without a word."""
    with pytest.raises(QueryError, match="too deeply for the engine"):
        Graph(ReleaseStore(Store())).sparql(text)
