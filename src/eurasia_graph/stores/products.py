"""
The triple stores that the project can write to and query, one row each; this is the only table of them.

A row says at which paths a product accepts queries, graphs and updates, how a release is swapped in it, and which
peculiarities it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from eurasia_graph.errors import UnknownNameError

MEBIBYTE = 1 << 20


class Swap(Enum):
    """How a release is replaced by another, so that readers see either of them."""

    UPDATE = "one SPARQL update is one transaction"
    TRANSACTION = "a transaction over several requests"
    STEPWISE = "graph by graph: readers can see a mixture for a moment"
    NONE = "the Graph Store Protocol writes one graph per request"


@dataclass(frozen=True, slots=True)
class Product:
    """
    One product.

    `query`, `graphs` and `update` are appended to its address. A graph is sent in requests of at most
    `largest_request` bytes, an update likewise. `timeout` is the name of the parameter by which a query
    carries its limit, with how many of its units make a second. `bulk` is where it takes
    N-Quads, by which graphs that are not there yet go together. `at_once` says how many graphs
    it is sent at a time. `own_default_graph` is False where a query
    without GRAPH sees all graphs. `whole_queries` is False where its planner cannot be trusted with a
    canned query: the quads on which it depends are then fetched instead. `sorts_all` is False where it refuses to
    sort for a high LIMIT what it would sort without one. `writable` is False where nothing
    can be pushed to, `readable` where it is not known how to ask a query. `tested` is False for a row that was
    written from documentation alone.
    """

    name: str
    title: str
    example: str
    query: str
    graphs: str
    update: str
    swap: Swap
    own_default_graph: bool
    largest_request: int = 64 * MEBIBYTE
    timeout: tuple[str, int] | None = None
    bulk: str = ""
    at_once: int = 1
    whole_queries: bool = True
    sorts_all: bool = True
    writable: bool = True
    readable: bool = True
    tested: bool = True

    def limit(self, timeout_s: float | None) -> Mapping[str, str]:
        """Return the parameters that pass a time limit on to the store."""
        if timeout_s is None or self.timeout is None:
            return {}
        name, units = self.timeout
        return {name: str(max(1, round(timeout_s * units)))}


PRODUCTS: dict[str, Product] = {
    each.name: each
    for each in (
        # A transaction for each of many graphs makes it slower by half than some for all of them.
        Product(
            "fuseki",
            "Apache Jena Fuseki",
            "http://127.0.0.1:3030/eurasia",
            query="/sparql",
            graphs="/data",
            update="/update",
            swap=Swap.UPDATE,
            own_default_graph=True,
            timeout=("timeout", 1),
            bulk="/data",
        ),
        # It reads an update whole and refuses one of more than 128 MiB. `no_transaction` uses its bulk loader,
        # which takes a fifth of a second to begin, so it gets all new graphs together.
        Product(
            "oxigraph",
            "Oxigraph server",
            "http://127.0.0.1:7878",
            query="/query",
            graphs="/store",
            update="/update",
            swap=Swap.UPDATE,
            own_default_graph=True,
            bulk="/store?no_transaction",
        ),
        # Its updates commit statement by statement, so a swap can be seen half-way. UNDEF in VALUES leaves
        # a variable unbound that is joined with it; DISTINCT over BIND keeps doubles (timeline); IF over an
        # aggregate stops the compiler (members-on, "Bad dfe in sqlo_place_exp"); and one query keeps the
        # compiler busy for ever and every other query waiting (find). All seen in 7.2.5. A request keeps one
        # thread of it busy: four at once took half of the time on two processors.
        Product(
            "virtuoso",
            "OpenLink Virtuoso",
            "http://127.0.0.1:8890",
            query="/sparql",
            graphs="/sparql-graph-crud-auth",
            update="/sparql-auth",
            swap=Swap.STEPWISE,
            own_default_graph=False,
            timeout=("timeout", 1000),
            at_once=4,
            whole_queries=False,
            sorts_all=False,
        ),
        # As Fuseki, a transaction for each graph makes it slower by half.
        Product(
            "rdf4j",
            "Eclipse RDF4J server",
            "http://127.0.0.1:8080/rdf4j-server/repositories/eurasia",
            query="",
            graphs="/rdf-graphs/service",
            update="/statements",
            swap=Swap.TRANSACTION,
            own_default_graph=False,
            timeout=("timeout", 1),
            bulk="/statements",
        ),
        # Several stores as one, for reading: it has no data itself. 5.0.3 loses the binding of a variable in
        # OPTIONAL (disagreements returns wrong pairs), so it is asked for the quads. It remembers who
        # had an answer to a pattern, whatever graphs were asked, so that rows are missing: docs/serving.md says more.
        Product(
            "fedx",
            "RDF4J FedX over several stores",
            "http://127.0.0.1:8080/rdf4j-server/repositories/federation",
            query="",
            graphs="",
            update="",
            swap=Swap.NONE,
            own_default_graph=False,
            timeout=("timeout", 1),
            whole_queries=False,
            writable=False,
        ),
        # Written from its documentation, which gives it the protocol of RDF4J; not run.
        Product(
            "graphdb",
            "Ontotext GraphDB",
            "http://127.0.0.1:7200/repositories/eurasia",
            query="",
            graphs="/rdf-graphs/service",
            update="/statements",
            swap=Swap.TRANSACTION,
            own_default_graph=False,
            timeout=("timeout", 1),
            tested=False,
        ),
        # Any other: the address is that of its graphs, which is all that the protocol knows.
        Product(
            "gsp",
            "any store with the SPARQL 1.1 Graph Store Protocol",
            "http://127.0.0.1:3030/eurasia/data",
            query="",
            graphs="",
            update="",
            swap=Swap.NONE,
            own_default_graph=True,
            readable=False,
        ),
    )
}


def by_name(name: str) -> Product:
    """
    Return the row of a product.

    Raises:
        UnknownNameError: If there is none of that name.
    """
    found = PRODUCTS.get(name.casefold())
    if found is None:
        raise UnknownNameError("kind of store", name, PRODUCTS)
    return found
