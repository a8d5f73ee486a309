"""What the views of one application share: the store, the workers, the counters and the limits."""

from __future__ import annotations

import secrets
import weakref
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import IO

from flask import current_app
from pyoxigraph import RdfFormat, Store

from eurasia_graph import __version__
from eurasia_graph import namespaces as ns
from eurasia_graph.description import ServiceDescription
from eurasia_graph.store import ReleaseStore
from eurasia_graph.web.metrics import Metrics
from eurasia_graph.web.pool import Limits, Pool
from eurasia_graph.web.remote_runner import RemoteRunner

# Includes the default graph. At 264,000 of a generated graph the slowest canned query, `overlap`, takes 0.05 s.
MOST_SMALL_QUADS = 300_000
# Listing the names for "did you mean" takes at most one second, once.
MOST_LISTED = 200_000


@dataclass(kw_only=True)
class Service:
    """
    The state of one application.

    `base_url` is the public address, if one is given; `here` is its address on this machine; a query that takes
    `slow_s` seconds or more is logged;
    `findings` is what pages show about files that have errors.
    """

    store: ReleaseStore
    limits: Limits = field(default_factory=Limits)
    base_url: str | None = None
    slow_s: float = 1.0
    here: str = "http://localhost/"
    metrics: Metrics = field(default_factory=Metrics)
    described: dict[tuple[str, str], ServiceDescription] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    start: str = field(default_factory=lambda: secrets.token_hex(8))
    pool: Pool | RemoteRunner = field(init=False)

    def __post_init__(self) -> None:
        """Make the pool of workers for free-form queries; none is started before the first is needed."""
        this = weakref.proxy(self)
        self.pool = (
            Pool(lambda file: _dump(this, file), self.limits, self.metrics.restarted)
            if isinstance(self.store.engine, Store)
            else RemoteRunner(self.store, self.limits, self.metrics.restarted)
        )

    @property
    def version(self) -> str:
        """Sixteen hexadecimal digits that change with the data; of files served raw, at every start."""
        return self.store.content[:16] if self.store.content else self.start

    @property
    def home(self) -> str:
        """
        The IRI of the front page, with a slash at the end; relative IRIs are resolved against it.

        It never depends on the Host of a request. Without a public address it is the namespace of a release, or the
        local address if other files are served.
        """
        if self.base_url:
            return f"{self.base_url.rstrip('/')}/"
        return str(ns.BASE) if self.store.iri else self.here

    @property
    def tag(self) -> str:
        """What all answers depend on besides the request: the data, the limits, the code, the findings shown."""
        return f"{self.version} {self.limits} {__version__} {self.findings or ''}"

    @property
    def description(self) -> ServiceDescription:
        """The description of the service; computed once, since a release does not change."""
        key = (self.version, self.home)
        found = self.described.get(key)
        if found is None:
            found = ServiceDescription(self.store, self.home)
            self.described = {key: found}
        return found

    @cached_property
    def is_small(self) -> bool:
        """Whether canned queries need no limits: they take milliseconds, or another store answers them."""
        return not isinstance(self.store.engine, Store) or self.store.quads <= MOST_SMALL_QUADS

    @cached_property
    def terms(self) -> frozenset[str]:
        """The IRIs that the ontology defines."""
        quads = self.store.engine.quads_for_pattern(None, ns.RDF("type"), None, ns.GRAPH("ontology"))
        return frozenset(iri for iri in (ns.value(quad.subject) for quad in quads) if iri.startswith(ns.EG))

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """
        The names below /id/ in the dataset, such as `claim/icds-2016/9`, by kind and sorted.

        Empty for a remote store, or if listing takes too long.
        """
        found: dict[str, set[str]] = {}
        if isinstance(self.store.engine, Store):
            typed = self.store.engine.quads_for_pattern(None, ns.RDF("type"), None, None)
            for iri in (ns.value(quad.subject) for quad in islice(typed, MOST_LISTED)):
                if iri.startswith(ns.ID):
                    name = iri.removeprefix(ns.ID)
                    found.setdefault(name.partition("/")[0], set()).add(name)
        return {kind: sorted(names) for kind, names in found.items()}


def _dump(service: Service, file: IO[bytes]) -> None:
    """Write the dataset for the workers: as it is, or the release with its description."""
    service.store.local.dump(file, RdfFormat.N_QUADS)
    if service.store.iri:
        file.write(service.description.quads())


def the_service() -> Service:
    """Return the service of the current application."""
    service = current_app.extensions["eurasia-graph"]
    assert isinstance(service, Service)
    return service


def the_store() -> ReleaseStore:
    """Return the store that the current application serves."""
    return the_service().store
