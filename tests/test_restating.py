r"""What goes to another store is what we have read, in the one way in which every engine reads the same."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, Store

import disguises
import fake
from conftest import TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError
from eurasia_graph.sparql.refusals import refuse_service
from eurasia_graph.sparql.restating import kind_of, question, read
from eurasia_graph.sparql.tokens import readings, tokens
from eurasia_graph.stores import remote
from eurasia_graph.web import create_app
from trap import Trap

BASE = "http://base/"
FORMS = [
    line
    for line in Path(TESTS / "cases" / "syntax-forms.rq").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def written(text: str) -> str:
    """What is sent of a query."""
    return question(text, text, BASE, read).text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("SELECT ?a # what\n{ ?a<#p>?b }", "SELECT ?a { ?a <http://base/#p> ?b }"),
        ("PREFIX x: <y/>\nASK { $s a x:t\\'u ; x: 1. }", "ASK { ?s a <http://base/y/t'u> ; <http://base/y/> 1 . }"),
        (
            r"""ASK { ?s ?p '\u0043STO "s" \\ \t' , '''a
b'''@en-GB , "1"^^<x:y> }""",
            'ASK { ?s ?p "CSTO \\"s\\" \\\\ \t" , "a\\nb"@en-GB , "1" ^^ <x:y> }',
        ),
        ("ASK { FILTER(?a<?b&&?c<=-1||!(.5>=?d)) }", "ASK { FILTER( ?a < ?b && ?c <= -1 || ! ( .5 >= ?d ) ) }"),
        ("SELECT * { ?z ?y ?x } LIMIT 3", "SELECT ?z ?y ?x { ?z ?y ?x } LIMIT 3"),
        ("SELECT(COALESCE(1,2)AS?x){}", "SELECT( COALESCE( 1 , 2 ) AS ?x ) { }"),
        ("ASK { ?s <x:p>*/^<x:q>+|<x:r>? ?o }", "ASK { ?s <x:p> * / ^ <x:q> + | <x:r> ? ?o }"),
        ("ASK { << ?s ?p ?o >> ?q ?r }", "ASK { << ?s ?p ?o >> ?q ?r }"),
        ("ASK { ?s ?p (<x:a> (1 2)) . ?s <x:p> (1) }", "ASK { ?s ?p ( <x:a> ( 1 2 ) ) . ?s <x:p> ( 1 ) }"),
        ("DESCRIBE <x:x> FROM <x:g>", "DESCRIBE <x:x>"),
        ("ASK { ?s ?p -.5 , +.25 ; ?q .5 }", "ASK { ?s ?p -.5 , +.25 ; ?q .5 }"),
        ("SELECT (iri('q') AS ?x) {}", 'BASE <http://base/> SELECT ( iri( "q" ) AS ?x ) { }'),
        (
            "BASE <http://c/d/> PREFIX e: <f/> BASE <../g#h> SELECT (e:x AS ?y) (URI('q') AS ?x) {}",
            'BASE <http://c/g> SELECT ( <http://c/d/f/x> AS ?y ) ( URI( "q" ) AS ?x ) { }',
        ),
    ],
)
def test_a_query_is_written_again_from_its_tokens(text: str, sent: str) -> None:
    """Names in full, strings in two quotes, no comment, no escape that could be left out, blanks between."""
    assert written(text) == sent


def test_an_iri_made_of_a_string_never_depends_on_where_a_store_runs() -> None:
    """Without a base it would be resolved by the address of the store, which nobody outside shall see."""
    text = "SELECT (IRI('q') AS ?x) {}"

    assert question(text, text, None, read).text == f'BASE <{ns.BASE}> SELECT ( IRI( "q" ) AS ?x ) {{ }}'


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_grammar_keeps_its_meaning(text: str) -> None:
    """What the embedded engine takes can be asked of another store; LATERAL, which few know, and SERVICE cannot."""
    try:
        kind = kind_of(text, BASE)
    except SyntaxError:
        return
    if "LATERAL" in text or "SERVICE" in text:
        with pytest.raises(QueryError):
            written(text)
        return
    sent = written(text)
    assert kind_of(sent) == kind
    assert written(sent) == sent


def test_graphs_of_from_go_beside_the_query() -> None:
    """As IRIs that the engine has resolved."""
    text = "PREFIX x: <http://x/> SELECT ?s FROM x:a FROM NAMED <#b> FROM NAMED x:c { ?s ?p ?o }"
    asked = question(text, text, BASE, read)

    assert asked.text == "SELECT ?s { ?s ?p ?o }"
    assert (asked.default, asked.named) == (["http://x/a"], ["http://base/#b", "http://x/c"])


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (r'ASK { ?s ?p "\u0022" }', 400, r"line 1: \\u0022 makes a different query if it is decoded before"),
        ("ASK {\n?s ?p ?o # \\u000a?s ?p ?z\n}", 400, r"line 2: \\u000a makes a different query"),
        (r'ASK { ?s ?p "C:\\u0041" }', 400, r"a backslash in front of u0041, .* write CONCAT"),
        ("ASK { ?s ?p '\\u0000' }", 400, "NUL"),
        ("ASK { ?s <java:a.B> ?o }", 403, "<java:a.B> is refused"),
        ("ASK { GRAPH <urn:x-arq:UnionGraph> { ?s ?p ?o } }", 403, "UnionGraph"),
        ("PREFIX p: <BIF:> ASK { ?s p:contains 'x' }", 403, "BIF:contains"),
        ("ASK { LATERAL { ?s ?p ?o } }", 400, "line 1: LATERAL is not part of SPARQL 1.1"),
        ("SELECTDISTINCT ?s { ?s ?p ?o }", 400, "words run together"),
        ("ASK { FILTER(trueIN(true)) }", 400, "trueIN is not part of SPARQL 1.1"),
    ],
)
def test_what_engines_read_in_two_ways_is_refused_with_a_way_out(text: str, status: int, says: str) -> None:
    """And so is what single products add to the language."""
    with pytest.raises(QueryError, match=says) as caught:
        written(text)
    assert caught.value.status == status


def test_names_written_out_have_a_limit() -> None:
    """A long prefix used many times would make a query of any size out of a short one."""
    names = " ".join(f"x:{n}" for n in range(60))
    text = f"PREFIX x: <http://x/{'a' * 20_000}> ASK {{ VALUES ?v {{ {names} }} }}"
    with pytest.raises(QueryError, match="more than 1000000 characters"):
        written(text)


# --- nobody gets in ------------------------------------------------------------------------


def harmless(text: str) -> bool:
    """Whether a query is refused, or what is sent of it calls nothing in any reading."""
    try:
        refuse_service(text)
        sent = written(text)
    except (QueryError, SyntaxError, RuntimeError):
        return True
    # No engine has anything to decode, so that all of them see these tokens; and none of them is a call.
    assert list(readings(sent)) == [sent]
    assert "#" not in {each.text for each in tokens(sent)}
    words = {each.text.upper() for each in tokens(sent) if each.kind == "word"}
    called = {each.text.partition(":")[0] for each in tokens(sent) if each.kind in {"iri", "name"}}
    return not words & {"SERVICE", "LOAD", "DEFINE", "FROM"} and not called & {"<bif", "<java", "<sql"}


@pytest.mark.parametrize("make", [disguises.hidden, disguises.spelt])
def test_no_disguise_of_a_call_is_sent(make: object) -> None:
    """In comments, strings and IRIs, escaped in ten ways, and in what single products would take."""
    assert callable(make)
    with Trap() as trap:
        texts = list(make(trap.url))
        assert [text for text in texts if not harmless(text)] == []
    assert len(texts) > 100
    assert trap.connections == 0


def test_no_call_drawn_at_random_is_sent() -> None:
    """Pieces of queries and calls, escaped at random."""
    with Trap() as trap:
        found = [text for text in disguises.drawn(3, 1500, trap.url) if not harmless(text)]
    assert found == []
    assert trap.connections == 0


@given(st.text(st.sampled_from("\\uU0052AE\"'#\n <>?:{}é\u2028"), max_size=40))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_what_is_sent_is_read_alike_decoded_or_not(value: str) -> None:
    """Any characters in a string of a query that is taken at all."""
    text = f"ASK {{ ?s ?p '''{value} ''' }}"
    try:
        sent = written(text)
    except (QueryError, SyntaxError):
        return
    assert list(readings(sent)) == [sent]
    assert [each.text for each in tokens(sent)] == [*sent.split(" ", 4)[:4], sent.split(" ", 4)[4][:-2], "}"]


def test_the_embedded_service_refuses_calls_in_every_reading() -> None:
    """Though its engine would not make them."""
    for text in ("# \\u000ASERVICE <x:x> {}\nASK {}", "ASK { ?s ?p '\\u0027 . SERVICE <x:x> {} #' }"):
        with pytest.raises(QueryError, match="SERVICE is refused") as caught:
            refuse_service(text)
        assert caught.value.status == 403
    refuse_service(r"ASK { ?s ?p '\u0022 a service \u005C' }")


def test_a_store_gets_what_was_read_and_no_word_of_the_client() -> None:
    """Over HTTP, with a store that decodes first, as RDF4J does, and says what it was sent."""
    store = Store()
    store.load(b'<x:s> <x:p> "it" .', format=RdfFormat.N_TRIPLES)
    with fake.running(fake.Fake(store=store)) as there:
        client = create_app(remote.open_store(there.url, "fuseki")).test_client()
        good = client.post("/sparql", data={"query": "# secret\nSELECT * { ?s ?p '\\u0069t' }", "format": "csv"})
        bad = client.post("/sparql", data={"query": "# \\u000ASELECT * { ?s ?p ?o }\nASK {}"})
        sent = [parse_qs(body.decode())["query"][0] for body in there.bodies if b"query=" in body]

    assert good.text.split() == ["s,p", "x:s,x:p"]
    assert sent[-1] == 'SELECT ?s ?p { ?s ?p "it" } LIMIT 100000 OFFSET 0'
    assert bad.status_code == 400 and "decoded before the query is read" in bad.text


def test_a_parameter_of_a_canned_query_is_read_alike_as_well() -> None:
    """It is a term in a text of ours, with a backslash for a backslash, which some engines do not count."""
    with fake.running(fake.Fake()) as there:
        client = create_app(remote.open_store(there.url, "fuseki")).test_client()
        answer = client.get("/queries/find.json", query_string={"text": "x\\u0022 } SERVICE <x:x> {} #"})
        assert not any(b"SERVICE" in body for body in there.bodies)

    assert answer.status_code == 400
    assert "a backslash in front of u0022" in answer.text
