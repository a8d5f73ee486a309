"""
Another store as the engine: any SPARQL 1.1 service, read-only.

It has the few methods of the embedded engine that the rest of the package calls, so a store over it answers
the same queries and serves the same pages. Our own queries are sent unchanged. A query from outside is never sent
as it came, but rewritten from its tokens: see `restating.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
    serialize,
)

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import QueryError, RemoteError
from eurasia_graph.formats import FORMATS
from eurasia_graph.sparql.diagnosis import not_sparql
from eurasia_graph.sparql.refusals import refuse_service
from eurasia_graph.sparql.restating import KINDS, kind_of, question, read, refuse_ambiguous
from eurasia_graph.store import HIDDEN_BY_DEFAULT, Answer, OwnQuery, ReleaseStore
from eurasia_graph.stores import dependencies
from eurasia_graph.stores.products import Product, by_name
from eurasia_graph.stores.transport import Credentials, Response, Transport, expect_success, split_address

ROWS = FORMATS["json"].media_type
TRIPLES = FORMATS["ntriples"].media_type
QUERY_TIMEOUT_S = 60.0
MOST_REMEMBERED = 200_000  # quads, about 100 MiB
LEARN_AGAIN_AFTER_S = 60.0
INTERNAL_ERROR = 500
# Virtuoso writes `nodeID://b1` where the results format requires a label without a slash.
VIRTUOSO_BLANK = re.compile(rb'("type"\s*:\s*"bnode"\s*,\s*"value"\s*:\s*")nodeID://')
# Fuseki writes the decimal 400 as 400.0, Virtuoso true as 1; here they are written as the embedded engine does.
REWRITTEN = re.compile(
    rb'("datatype"\s*:\s*"http://www\.w3\.org/2001/XMLSchema#(?:boolean|decimal)"\s*,\s*"value"\s*:\s*")'
    rb'(?:(?P<truth>[01])|(?P<whole>-?\d+)(?P<rest>\.\d*?)0*)"'
)
VIRTUOSO_TRUTH = "__ASK_RETVAL"
# For answers to our own queries, such as a graph for a page or a download; queries from outside have a lower limit.
LARGEST_ANSWER = 256 << 20
# Names no graph of any store: what a query sees that asks only for unknown graphs.
NOTHING = "urn:eurasia-graph:nothing"
META = ns.GRAPH("meta")
RELEASE = f"""
SELECT DISTINCT ?release ?content ?inputs ?graph {{
  GRAPH <{META.value}> {{
    ?release a <{ns.EG}Release> ; <{ns.EG}contentSha256> ?content ; <{ns.EG}inputsSha256> ?inputs ;
      <{ns.DCTERMS}hasPart> ?graph
  }}
}}"""
Term = NamedNode | BlankNode | Literal | Triple
Graph = NamedNode | BlankNode | DefaultGraph


class RemoteEngine:
    """
    A store that answers SPARQL over HTTP.

    `timeout_s` limits every query, here and, if the product has a parameter for it, there.
    """

    def __init__(
        self,
        url: str,
        product: Product | None = None,
        credentials: Credentials | None = None,
        timeout_s: float = QUERY_TIMEOUT_S,
    ) -> None:
        """
        Open no connection yet: a store that is down now may be up later.

        Args:
            url: Of the store as its row takes it; of the query service itself without a row.
            product: The row of the store.
            credentials: Sent where the store asks for them.
            timeout_s: Limit of a query, in seconds.
        """
        self.product = product
        self.address = url + (product.query if product else "")
        self.timeout_s = timeout_s
        self._transport = Transport(credentials)
        self._graphs: list[NamedNode] | None = None
        self._known: dict[dependencies.Pattern, list[Quad]] = {}

    def query(self, sparql: str, *, base_iri: str | None = None) -> Answer:
        """
        Send one of our own queries to the store; it sees only the graphs of the release.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE; never a text from outside.
            base_iri: What relative IRIs in the query are resolved against.
        Raises:
            SyntaxError: If it is not SPARQL; nothing was sent.
            QueryError: If the store rejects it.
            RemoteError: If the store does not answer, or not completely.
        """
        kind = kind_of(sparql, base_iri)
        is_canned = isinstance(sparql, OwnQuery)
        if is_canned and self.product and not self.product.whole_queries:
            return self._query_here(sparql, base_iri)
        text = f"BASE <{base_iri}>\n{sparql}" if base_iri else sparql
        try:
            return self._answer(self._ask(text, self._dataset(), kind), kind)
        except RemoteError as error:
            # A planner that fails on a query that is known to be right: RDF4J 5.0.3 says "Node has no parent"
            # where every parameter of memberships-of is given.
            if is_canned and error.answered == INTERNAL_ERROR:
                return self._query_here(sparql, base_iri)
            raise

    def fetch(  # noqa: PLR0913  (one for each thing that limits it)
        self,
        sparql: str,
        kind: str,
        *,
        default_graph: list[str] | None = None,
        named_graphs: list[str] | None = None,
        timeout_s: float | None = None,
        most_bytes: int | None = None,
    ) -> bytes:
        """
        Send a rewritten query to the store, and return its raw answer.

        Args:
            sparql: The text from `restating.Restated.text`.
            kind: Of the answer: rows, boolean or graph.
            default_graph: The graphs whose merge it sees as the default graph, of those that are known.
            named_graphs: The named graphs it sees, if either is given.
            timeout_s: A limit below that of the engine.
            most_bytes: The maximum number of bytes to read.
        Raises:
            QueryError: If the store rejects it.
            RemoteError: If the store does not answer, or not completely.
            AnswerTooLargeError: If it sends more.
        """
        dataset = self._dataset()
        if default_graph is not None or named_graphs is not None:
            dataset = [("default-graph-uri", graph) for graph in default_graph or [NOTHING]]
            dataset += [("named-graph-uri", graph) for graph in named_graphs or []]
        response = self._ask(sparql, dataset, kind, timeout_s, most_bytes)
        refuse_partial(response, self.address)
        return response.body

    def known(self, default: list[str], named: list[str]) -> tuple[list[str], list[str], list[str]]:
        """
        Separate the graphs of the release from others, which the store might try to fetch.

        Returns:
            The known ones of either list, and the unknown ones of both.
        """
        names = {graph.value for graph in self.named_graphs()}
        unknown = [iri for iri in dict.fromkeys([*default, *named]) if iri not in names]
        return [iri for iri in default if iri in names], [iri for iri in named if iri in names], unknown

    def _query_here(self, sparql: str, base_iri: str | None) -> Answer:
        """Evaluate a query here, on the quads that it depends on."""
        scratch = Store()
        for pattern in dependencies.of_query(sparql, base_iri):
            scratch.extend(self._quads_of(pattern))
        return scratch.query(sparql, base_iri=base_iri)

    def _quads_of(self, pattern: dependencies.Pattern) -> list[Quad]:
        """Fetch the quads of a pattern, or remember them: queries share most of their patterns."""
        known = self._known.get(pattern)
        if known is None:
            known = list(self._fetch(pattern))
            while self._known and sum(map(len, self._known.values())) + len(known) > MOST_REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[pattern] = known
        return known

    def _fetch(self, pattern: dependencies.Pattern) -> Iterator[Quad]:
        graph = "<urn:default>" if pattern.graph == "" else pattern.graph
        given = [pattern.subject, pattern.predicate, pattern.object, graph]
        rows = self._answer(self._ask(pattern.select(), self._dataset(), "rows"), "rows")
        assert isinstance(rows, QuerySolutions)
        quad: list[Any] = [None if term is None else NamedNode(term[1:-1]) for term in given]
        if pattern.graph == "":
            quad[3] = DefaultGraph()
        for row in rows:
            yield Quad(*(row[name] if term is None else term for name, term in zip("spog", quad, strict=True)))

    def forget(self) -> None:
        """Clear what is remembered of the graphs and quads of the store."""
        self._graphs = None
        self._known.clear()

    def quads_for_pattern(
        self, subject: Term | None, predicate: NamedNode | None, obj: Term | None, graph: Graph | None = None
    ) -> Iterator[Quad]:
        """Find the quads with these terms in the named graphs of the release; None stands for any term."""
        asked = {"s": subject, "p": predicate, "o": obj, "g": graph}
        if any(isinstance(term, BlankNode) for term in asked.values()):
            return  # the labels of blank nodes differ from answer to answer
        bound = {name: str(term) for name, term in asked.items() if isinstance(term, (NamedNode, Literal, Triple))}
        s, p, o, g = (bound.get(name, f"?{name}") for name in "spog")
        pattern = f"{s} {p} {o}" if isinstance(graph, DefaultGraph) else f"GRAPH {g} {{ {s} {p} {o} }}"
        answer = self.query(f"SELECT DISTINCT * WHERE {{ {pattern} }}")
        assert isinstance(answer, QuerySolutions)
        names = [variable.value for variable in answer.variables]
        for row in answer:
            found = {**asked, **dict(zip(names, row, strict=True))}
            yield Quad(found["s"], found["p"], found["o"], found["g"])

    def named_graphs(self) -> Iterator[NamedNode]:
        """List the graphs of the release in the store, according to its graph `meta`."""
        if self._graphs is None:
            self.release()
        yield from self._graphs or []

    def contains_named_graph(self, graph: NamedNode | BlankNode) -> bool:
        """Return whether the release has a named graph."""
        return graph in set(self.named_graphs())

    def dump(
        self,
        *,
        format: RdfFormat,  # noqa: A002  (the name that the embedded engine has for it)
        from_graph: Graph,
        prefixes: dict[str, str] | None = None,
    ) -> bytes:
        """Fetch a graph and write it."""
        default = isinstance(from_graph, DefaultGraph)
        where = "{ ?s ?p ?o }" if default else f"{{ GRAPH {from_graph} {{ ?s ?p ?o }} }}"
        answer = self.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {where}")
        assert isinstance(answer, QueryTriples)
        return serialize(sorted(answer, key=str), format=format, prefixes=prefixes) or b""

    def __iter__(self) -> Iterator[Quad]:
        """Fetch the quads of all named graphs."""
        return self.quads_for_pattern(None, None, None)

    def rows(self, sparql: str) -> list[list[object]]:
        """Run one of our own SELECT queries on the whole store, not only the release; returns rows of terms."""
        answer = self._answer(self._ask(sparql, [], "rows"), "rows")
        assert isinstance(answer, QuerySolutions)
        return [list(row) for row in answer]

    def release(self) -> tuple[NamedNode | None, str | None, str | None]:
        """Ask which release is in the store: its IRI, content and inputs, each None if there is none."""
        found = self.rows(RELEASE)
        parts = {row[3] for row in found if isinstance(row[3], NamedNode)}
        self._graphs = [*sorted(parts, key=str), META] if parts else None
        if not found:
            return None, None, None
        iri, content, inputs, _ = found[0]
        return NamedNode(ns.value(iri)), ns.value(content), ns.value(inputs)

    def __len__(self) -> int:
        """Count the quads of the release."""
        answer = self.query("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
        assert isinstance(answer, QuerySolutions)
        return int(ns.value(next(iter(answer))[0]))

    def _dataset(self) -> list[tuple[str, str]]:
        """Name the graphs that a query sees: the store may have others, and another default graph."""
        names = [graph.value for graph in self.named_graphs()]
        visible = [name for name in names if not HIDDEN_BY_DEFAULT.fullmatch(name)]
        return [("default-graph-uri", name) for name in visible] + [("named-graph-uri", name) for name in names]

    def _ask(
        self,
        sparql: str,
        dataset: list[tuple[str, str]],
        kind: str,
        timeout_s: float | None = None,
        most_bytes: int | None = None,
    ) -> Response:
        # A parameter of a canned query is a term in our own text, with escaped backslashes.
        refuse_ambiguous(sparql)
        seconds = min(timeout_s or self.timeout_s, self.timeout_s)
        limit = self.product.limit(seconds) if self.product else {}
        response = self._transport.send(
            "POST",
            self.address,
            form=[("query", sparql), *dataset, *limit.items()],
            headers={"Accept": TRIPLES if kind == "graph" else ROWS},
            timeout_s=seconds,
            most_bytes=most_bytes or LARGEST_ANSWER,
        )
        return expect_success(response, self.address, "answer the query")

    def _answer(self, response: Response, kind: str) -> Answer:
        refuse_partial(response, self.address)
        try:
            return read_answer(response.body, kind)
        except (SyntaxError, ValueError) as error:
            raise no_result(self.address, without_frames(error)) from None


def no_result(address: str, error: object) -> RemoteError:
    """Return the error for an answer that cannot be read."""
    return RemoteError(f"{address} did not return SPARQL results: {error}; check the address")


def without_frames(error: Exception) -> Exception:
    """
    Return an error without its traceback, whose frames hold a partly read answer of the engine.

    The error that is raised instead keeps a reference to it, and could be freed by another thread, which the engine
    forbids.
    """
    return error.with_traceback(None)


def read_answer(body: bytes, kind: str) -> Answer:
    """
    Read the answer of a store.

    Args:
        body: SPARQL results in JSON, or N-Triples.
        kind: rows, boolean or graph.
    Raises:
        SyntaxError, ValueError: If it is not of that kind.
    """
    if kind == "graph":
        return _triples(body)
    answer = _whole(body)
    if kind == "boolean" and isinstance(answer, QuerySolutions):
        return _truth(answer)
    if not isinstance(answer, KINDS[kind]):
        raise ValueError("a boolean instead of rows")  # noqa: TRY004  (the store is at fault, not a type)
    return answer


def _whole(answer: bytes) -> QuerySolutions | QueryBoolean:
    """Read all rows once, so that an incomplete answer is an error and not a shorter answer."""
    answer = REWRITTEN.sub(_as_here, VIRTUOSO_BLANK.sub(rb"\1", answer))
    for _ in rows_of(answer):
        pass
    return parse_query_results(answer, format=QueryResultsFormat.JSON)


def rows_of(answer: bytes) -> Iterator[object]:
    """Read the rows of an answer in JSON one by one; a boolean has none."""
    found = parse_query_results(answer, format=QueryResultsFormat.JSON)
    return iter(found) if isinstance(found, QuerySolutions) else iter(())


def _as_here(match: re.Match[bytes]) -> bytes:
    """Write a boolean or a decimal in the form of the embedded engine."""
    if match["truth"]:
        short = (b"false", b"true")[int(match["truth"])] if b"#boolean" in match[1] else match["truth"]
    else:
        short = match["whole"] + match["rest"].removesuffix(b".")
    return match[1] + short + b'"'


def _truth(rows: QuerySolutions) -> Answer:
    """Read an ASK answer that comes as rows: Virtuoso 7.2.5 sends one row with 1, or none."""
    if [variable.value for variable in rows.variables] != [VIRTUOSO_TRUTH]:
        raise ValueError("rows instead of a boolean")
    found = any(ns.value(row[0]) == "1" for row in rows)
    return Store().query("ASK {}" if found else "ASK { FILTER(false) }")


def _triples(body: bytes) -> QueryTriples:
    scratch = Store()
    scratch.extend(parse(body, format=RdfFormat.N_TRIPLES))
    answer = scratch.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
    assert isinstance(answer, QueryTriples)
    return answer


def refuse_partial(response: Response, address: str) -> None:
    """
    Refuse a partial answer of Virtuoso, which marks it only with a header.

    Source: https://docs.openlinksw.com/virtuoso/anytimequeries/ and rdfsparqlprotocolendpoint/

    Raises:
        RemoteError: If the answer is partial.
    """
    if "X-SQL-State" in response.headers:
        raise RemoteError(f"{address} ran out of time and sent a partial answer; ask for less", status=504)
    most = response.headers.get("X-SPARQL-MaxRows")
    if most:
        raise RemoteError(f"{address} cuts answers off at {most} rows; raise ResultSetMaxRows there")


class RemoteStore(ReleaseStore):
    """
    A release in another store.

    It asks which release that is on first use, and again from time to time, so that no restart is needed here
    if the store was down or got another release.
    """

    def __init__(self, engine: RemoteEngine) -> None:
        """Store the engine; nothing is sent yet."""
        super().__init__(engine)
        self._remote = engine
        self._learnt_at: float | None = None

    def query(self, sparql: str, base_iri: str | None = None) -> Answer:
        """Run a SPARQL 1.1 query there; see `ReleaseStore.query` and `RemoteEngine.query`."""
        self.refresh()
        if isinstance(sparql, OwnQuery):
            return super().query(sparql, base_iri)
        refuse_service(sparql)
        try:
            asked = question(sparql, sparql, base_iri, read)
        except SyntaxError as error:
            raise not_sparql(sparql, error) from None
        except (RuntimeError, ValueError, OSError) as error:
            raise QueryError(f"the query cannot be answered: {error}; change that part of it") from None
        default, named = asked.default, asked.named
        if default is not None and named is not None:
            default, named, _ = self._remote.known(default, named)
        body = self._remote.fetch(asked.text, asked.kind, default_graph=default, named_graphs=named)
        try:
            return read_answer(body, asked.kind)
        except (SyntaxError, ValueError) as error:
            raise no_result(self._remote.address, without_frames(error)) from None

    def refresh(self) -> None:
        """
        Ask which release is there, unless that was recent.

        Raises:
            RemoteError: If the store does not answer.
        """
        if self._learnt_at is not None and time.monotonic() - self._learnt_at <= LEARN_AGAIN_AFTER_S:
            return
        known = self._remote.release()
        if known != (self.iri, self.content, self.inputs):
            self.iri, self.content, self.inputs = known
            self._remote.forget()
            self._remote.release()
            for cached in ("entities", "meanings", "spellings", "horizons", "covered", "unsettled"):
                self.__dict__.pop(cached, None)
        self._learnt_at = time.monotonic()


def open_store(
    url: str,
    kind: str | None = None,
    user: str | None = None,
    password: str | None = None,
    timeout_s: float = QUERY_TIMEOUT_S,
) -> RemoteStore:
    """
    Make another store queryable; it may be down now.

    Args:
        url: As for `push`, if `kind` is given; else the address of the query service.
        kind: A row of the table of products.
        user: See `transport.split_address`.
        password: As `user`.
        timeout_s: Limit of a query, in seconds.
    Raises:
        UsageError: If the address or the kind is wrong.
    """
    address, credentials = split_address(url, user, password)
    return RemoteStore(RemoteEngine(address, by_name(kind) if kind else None, credentials, timeout_s))
