"""The store of canned queries where the dataset is so large that they need the limits of free-form queries."""

from __future__ import annotations

from pyoxigraph import QueryResultsFormat, parse_query_results

from eurasia_graph.formats import FORMATS
from eurasia_graph.sparql import shape
from eurasia_graph.store import Answer, ReleaseStore
from eurasia_graph.web import sparql as free
from eurasia_graph.web.context import Service
from eurasia_graph.web.protocol import Operation


class LimitedStore(ReleaseStore):
    """The store of a service, queried through its workers and within their limits; made for one request."""

    def __init__(self, service: Service) -> None:
        """Take the service; no query is run yet."""
        super().__init__(service.store.engine, iri=service.store.iri)
        self._service = service
        self.is_cut = False
        # Computed once for the release, not once for each request.
        for learnt in ("unsettled", "labels"):
            self.__dict__[learnt] = getattr(service.store, learnt)

    def query(self, sparql: str, base_iri: str | None = None) -> Answer:
        """
        Run a query in a worker.

        Raises:
            QueryError: As for a free-form query.
        """
        del base_iri
        asked = Operation(query=sparql)
        result = free.ask(self._service, asked, shape.read(sparql), FORMATS["json"])
        # One answer takes several queries: its rows, and the notes on what they leave out.
        self.is_cut = self.is_cut or result.truncated
        return parse_query_results(result.body, format=QueryResultsFormat.JSON)
