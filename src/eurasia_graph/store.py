"""
The read-only store that queries run on: a release, or files given by the user.

Nothing here writes to a loaded release, opens a connection or reads a file named in a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pyoxigraph import (
    BlankNode,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    Store,
)

from eurasia_graph import namespaces as ns
from eurasia_graph.dates import NEVER, day_range
from eurasia_graph.errors import QueryError, UsageError
from eurasia_graph.paths import root

# What a query without GRAPH sees: what the texts say and what follows from it, but not what curators judged
# or what only serves the derivation.
HIDDEN_BY_DEFAULT = re.compile(re.escape(ns.GRAPH) + r"(links|notes|differences|meta|names|years|bounds-.*)")

Answer = QuerySolutions | QueryBoolean | QueryTriples
# IRIs by name, in lower case.
Meanings = dict[str, set[str]]


class Span(NamedTuple):
    """A membership by its days (ISO 8601), with its body, its source and the horizon of the source."""

    place: tuple[str, str]
    begin: str
    sure: str
    over: str
    end: str
    horizon: str


class OwnQuery(str):
    """
    The text of one of our own queries, in which at most single terms come from outside.

    It goes to an engine unchanged, or is evaluated here if a store is known to answer it wrongly. A text from
    outside never becomes one, whatever it looks like: only code that writes queries creates them.
    """

    __slots__ = ()


class Engine(Protocol):
    """What a store needs from its engine: the embedded one, or another store over HTTP."""

    def query(self, query: str, /, *, base_iri: str | None = None) -> Answer:
        """Answer a SPARQL query; SyntaxError if it is not one."""

    def quads_for_pattern(
        self,
        subject: Any,
        predicate: Any,
        obj: Any,
        graph_name: Any = None,
        /,
    ) -> Iterator[Quad]:
        """Find quads by their terms; None stands for any."""

    def named_graphs(self) -> Iterator[NamedNode | BlankNode]:
        """List the named graphs."""

    def contains_named_graph(self, graph_name: Any, /) -> bool:
        """Return whether there is a named graph."""

    def dump(self, *, format: Any, from_graph: Any, prefixes: Any = None) -> bytes | None:  # noqa: A002
        """Write a graph in a format."""

    def __iter__(self) -> Iterator[Quad]:
        """List the quads."""

    def __len__(self) -> int:
        """Count the quads."""


@dataclass
class ReleaseStore:
    """
    A dataset that can be queried.

    `iri`, `content` and `inputs` describe the release (None for files served raw); `warnings` are
    the warnings of the build, or of the loading of files.
    """

    engine: Engine
    _: KW_ONLY
    iri: NamedNode | None = None
    content: str | None = None
    inputs: str | None = None
    warnings: list[str] = field(default_factory=list)

    def query(self, sparql: str, base_iri: str | None = None) -> Answer:
        """
        Run a SPARQL 1.1 query.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE.
            base_iri: What relative IRIs in the query are resolved against.
        Raises:
            QueryError: If the query calls SERVICE (status 403) or is not SPARQL (400).
        """
        try:
            if isinstance(sparql, OwnQuery):
                return self.engine.query(sparql, base_iri=base_iri)
            # What reads queries from outside is not needed for our own, and takes a while to import.
            from eurasia_graph.sparql.columns import spelled_out
            from eurasia_graph.sparql.refusals import refuse_service

            refuse_service(sparql)
            return self.engine.query(spelled_out(sparql, base_iri), base_iri=base_iri)
        except SyntaxError as error:
            from eurasia_graph.sparql.diagnosis import not_sparql

            raise not_sparql(sparql, error) from None
        except (RuntimeError, ValueError, OSError) as error:
            raise QueryError(f"the query cannot be answered: {error}; change that part of it") from None

    def known(self) -> dict[str, Any]:
        """Return, in terms of JSON, what almost every canned query looks up first."""
        return {
            "quads": self.quads,
            "entities": self.entities,
            "labels": self.labels,
            "horizons": self.horizons,
            "covered": self.covered,
            "unsettled": sorted(self.unsettled),
        }

    def take(self, known: Mapping[str, Any]) -> None:
        """Take what `known` told of the same release, so that it need not be looked up."""
        entities = {kind: [(iri, name) for iri, name in named] for kind, named in known["entities"].items()}
        unsettled = frozenset(known["unsettled"])
        vars(self).update({**known, "entities": entities, "unsettled": unsettled})

    def refresh(self) -> None:
        """Check which release is there now; the embedded one does not change."""

    @property
    def local(self) -> Store:
        """
        The embedded engine, for code that needs the quads themselves.

        Raises:
            UsageError: If another store is the engine.
        """
        if isinstance(self.engine, Store):
            return self.engine
        raise UsageError("this needs the release itself and does not work with a remote store; leave --store out")

    @property
    def is_local(self) -> bool:
        """Whether the embedded engine answers, which does not change."""
        return isinstance(self.engine, Store)

    @cached_property
    def quads(self) -> int:
        """How many quads there are, which the engine finds out by going through all of them."""
        return len(self.engine)

    @cached_property
    def leaving_out(self) -> dict[str, list[tuple[tuple[str, ...], str, str]]]:
        """
        The canned queries, by name, each with what its answers leave out: terms of parameters, claim, and why.

        Filled by `queries`, if a query names the parameters that decide this.
        """
        return {}

    @cached_property
    def entities(self) -> dict[str, list[tuple[str, str]]]:
        """The classes of our namespace, by IRI, each with (IRI, name) for every name of every member."""
        found: dict[str, list[tuple[str, str]]] = {}
        for row in self._select(_beside("names")):
            found.setdefault(row[0], []).append((row[1], row[2]))
        return found

    @cached_property
    def labels(self) -> dict[str, str]:
        """The English labels of things, concepts and classes, by IRI; of several the first by the alphabet."""
        found: dict[str, str] = {}
        for thing, label in self._select(_beside("labels")):
            found.setdefault(thing, label)
        return found

    @cached_property
    def meanings(self) -> dict[str, tuple[Meanings, Meanings, Meanings]]:
        """The entities of each class by what stands for them: their IRIs, their short names, their labels."""
        found: dict[str, tuple[Meanings, Meanings, Meanings]] = {}
        for kind, named in self.entities.items():
            by_iri, by_short_name, by_label = found[kind] = ({}, {}, {})
            for iri, label in named:
                for meanings, name in ((by_iri, iri), (by_short_name, ns.local_name(iri)), (by_label, label)):
                    meanings.setdefault(name.casefold(), set()).add(iri)
                if iri.startswith(ns.EG):
                    by_short_name.setdefault(kebab(ns.local_name(iri)), set()).add(iri)
        return found

    @cached_property
    def spellings(self) -> dict[str, tuple[Meanings, Meanings]]:
        """The entities of each class by their short names and labels in either English spelling."""
        from eurasia_graph import variants

        found: dict[str, tuple[Meanings, Meanings]] = {}
        for kind, (_, *by_name) in self.meanings.items():
            found[kind] = ({}, {})
            for folded, meanings in zip(found[kind], by_name, strict=True):
                for name, iris in meanings.items():
                    folded.setdefault(variants.fold(name), set()).update(iris)
        return found

    @cached_property
    def horizons(self) -> dict[str, str]:
        """The sources, by IRI, each with its horizon (ISO 8601)."""
        return {row[0]: row[1] for row in self._select(HORIZONS)}

    @cached_property
    def covered(self) -> dict[str, str]:
        """The sources, by IRI, that do not cover the time until they were issued, each with its `eg:coversUntil`."""
        told = {row[0]: row[1] for row in self._select(COVERED)}
        return {source: end for source, end in told.items() if str(day_range(end)[1]) == self.horizons.get(source)}

    @cached_property
    def unsettled(self) -> frozenset[str]:
        """
        The bodies and actors, by IRI, for which answers about memberships may leave something out.

        Queried once, so that for all others the question need not be asked: it may contain more than is left out
        of any answer, but never less.
        """
        standings = {(row[0], row[1]) for row in self._select(STANDINGS)}
        found: set[str] = set()
        for value, says, kind, is_open in self._select(UNSETTLED):
            body = says != f"{ns.EG}saysActor"
            if body or is_open != "true":
                found.add(value)
            if says == f"{ns.EG}saysOldBody" or (body and kind == f"{ns.EG}Dissolution"):
                found |= {actor for actor, inside in standings if inside == value}
        for told in self._select(TOLD_OTHERWISE):
            found.update(told)
        return frozenset(found | {of for of, kin in self._select(LINEAGES) if kin in found})

    @cached_property
    def spans(self) -> dict[str, list[Span]]:
        """The holders of memberships in circles, by IRI, each with the days of every one."""
        found: dict[str, list[Span]] = {}
        for holder, source, body, horizon, begin, *days in self._select(MEMBERSHIPS):
            sure, over, end = (day or NEVER for day in days)
            found.setdefault(holder, []).append(Span((source, body), begin, sure, over, end, horizon))
        return found

    def _select(self, sparql: str) -> list[list[str]]:
        answer = self.engine.query(sparql)
        assert isinstance(answer, QuerySolutions)
        return [[getattr(term, "value", "") for term in row] for row in answer]


# Like the canned queries, these are rewritten for some stores.
HORIZONS = OwnQuery(f"SELECT ?source ?day {{ GRAPH ?g {{ ?source <{ns.EG}horizon> ?day }} }}")
COVERED = OwnQuery(f"SELECT ?source ?until {{ GRAPH ?g {{ ?source <{ns.EG}coversUntil> ?until }} }}")
LINEAGES = OwnQuery(f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?of ?body {{ GRAPH ?g {{ ?step eg:lineageOf ?of ; eg:lineageBody ?body }} }}""")
STANDINGS = OwnQuery(f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?actor ?body {{ GRAPH ?g {{ ?claim eg:saysStatus ?any ; eg:saysActor ?actor ; eg:saysBody ?body }}
}}""")
MEMBERSHIPS = OwnQuery(f"""
PREFIX eg: <{ns.EG}> PREFIX status: <{ns.EG.removesuffix("ontology#")}scheme/status/>
SELECT ?holder ?source ?body ?horizon ?begin ?sure ?over ?end {{
  GRAPH ?g {{
    ?membership eg:holder ?holder ; eg:accordingTo ?source ; eg:inBody ?body ;
      eg:status ?status ; eg:fromEarliest ?begin .
    OPTIONAL {{ ?membership eg:fromLatest ?sure }}
    OPTIONAL {{ ?membership eg:toEarliest ?over }}
    OPTIONAL {{ ?membership eg:toLatest ?end }}
  }}
  FILTER(?status IN (status:member, status:associate, status:signatory))
  GRAPH ?bounds {{ ?source eg:horizon ?horizon }}
}}""")
# Statuses and ends without a date, not asserted, or with an incomplete list.
UNSETTLED = OwnQuery(f"""
PREFIX eg: <{ns.EG}>
SELECT DISTINCT ?value ?says ?kind ?isOpen {{
  {{ GRAPH ?claims {{ ?claim eg:saysKind ?kind ; eg:saysBody ?value }} BIND(eg:saysBody AS ?says) }}
  UNION {{ GRAPH ?claims {{ ?claim eg:saysKind ?kind ; eg:saysOldBody ?value }} BIND(eg:saysOldBody AS ?says) }}
  UNION {{ GRAPH ?claims {{ ?claim eg:saysKind ?kind ; eg:saysActor ?value }} BIND(eg:saysActor AS ?says) }}
  OPTIONAL {{ GRAPH ?statuses {{ ?claim eg:saysStatus ?status }} }}
  OPTIONAL {{ GRAPH ?olds {{ ?claim eg:saysOldBody ?old }} }}
  # A denied joining gives no status, and some joinings are reported without one.
  FILTER(BOUND(?status) || BOUND(?old) || ?kind IN (
    eg:Accession, eg:Dissolution, eg:MembershipChange, eg:StatusGrant, eg:StatusHolding, eg:Withdrawal))
  OPTIONAL {{ GRAPH ?dates {{ ?claim eg:saysDate ?date }} }}
  OPTIONAL {{ GRAPH ?modalities {{ ?claim eg:modality ?modality }} }}
  OPTIONAL {{ GRAPH ?carriedIn {{ ?claim a eg:ReportedClaim }} }}
  OPTIONAL {{ GRAPH ?actors {{ ?claim eg:saysActor ?actor }} }}
  OPTIONAL {{ GRAPH ?openIn {{ ?claim eg:listIsComplete false }} }}
  BIND(!BOUND(?date) || BOUND(?modality) || BOUND(?carriedIn) || !BOUND(?actor)
    || (!BOUND(?status) && ?kind IN (eg:Accession, eg:MembershipChange, eg:StatusGrant, eg:StatusHolding)) AS ?idle)
  FILTER(?idle || BOUND(?openIn))
  BIND(!?idle AS ?isOpen)
}}""")
# Statuses that one claim gives for a longer time, or from an earlier day, than other claims allow.
TOLD_OTHERWISE = OwnQuery(f"""
PREFIX eg: <{ns.EG}> PREFIX prov: <{ns.PREFIXES["prov"]}>
SELECT DISTINCT ?holder ?body {{
  GRAPH ?memberships {{
    ?membership eg:holder ?holder ; eg:inBody ?body ; eg:status ?status ; eg:fromEarliest ?from ;
      prov:wasDerivedFrom ?claim .
    OPTIONAL {{ ?membership eg:toLatest ?to }}
  }}
  GRAPH ?claims {{ ?claim eg:saysStatus ?status }}
  GRAPH ?bounds {{
    ?claim eg:latest ?latest OPTIONAL {{ ?claim eg:earliest ?earliest }} OPTIONAL {{ ?claim eg:overLatest ?over }}
  }}
  FILTER(COALESCE(?earliest, ?latest) < ?from || (BOUND(?to) && (?to <= ?latest || COALESCE(?to < ?over, false))))
}}""")


def _beside(name: str) -> OwnQuery:
    """Read a query that serves the canned queries."""
    return OwnQuery((root() / "queries" / "beside" / f"{name}.rq").read_text(encoding="utf-8"))


def kebab(name: str) -> str:
    """Write the name of a class as it is typed: `treaty-act` for `TreatyAct`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def from_quads(engine: Store, **description: object) -> ReleaseStore:
    """Make a store of a built dataset: its named graphs, and a default graph that is their visible part."""
    store = ReleaseStore(engine, **description)  # type: ignore[arg-type]
    fill_default_graph(engine)
    return store


def fill_default_graph(engine: Store) -> None:
    """Materialise the default graph as the set of triples of the visible graphs."""
    for graph in sorted(engine.named_graphs(), key=str):
        if isinstance(graph, NamedNode) and not HIDDEN_BY_DEFAULT.fullmatch(graph.value):
            engine.update(f"ADD <{graph.value}> TO DEFAULT")


# --- files ---------------------------------------------------------------------------------


def load_files(paths: Iterable[Path], form: str | None = None) -> ReleaseStore:
    """
    Load RDF files as they are: not checked, nothing derived; the default graph is their merge.

    Args:
        paths: Turtle, N-Triples, RDF/XML, JSON-LD, TriG, N-Quads or N3, possibly compressed with gzip, recognised by
            their extensions.
        form: The name of the format of files without a known extension; if all have one, of all files.
    Raises:
        UsageError: If there is no such file, or its format is unknown.
        StoreError: If a file is not in its format, with line and column, or cannot be read within limits.
    """
    from eurasia_graph.load import sandbox
    from eurasia_graph.load.literals import Rewritten

    engine, rewritten = Store(), Rewritten()
    paths = list(paths)
    told = all(map(sandbox.says_format, paths))
    for path in paths:
        quads = sandbox.quads(path, form if told or not sandbox.says_format(path) else None)
        engine.bulk_extend(rewritten.read(quads))
    for graph in list(engine.named_graphs()):
        if isinstance(graph, NamedNode):
            engine.update(f"ADD <{graph.value}> TO DEFAULT")
        else:
            # An update cannot name a blank node.
            engine.bulk_extend([ns.quad(quad.triple) for quad in engine.quads_for_pattern(None, None, None, graph)])
    warning = rewritten.text()
    return ReleaseStore(engine, warnings=[warning] if warning else [])


# A longer query is first tried in a process that it may crash.
LONGEST_HARMLESS = 2000


def refuse_what_ends_the_engine(sparql: str) -> None:
    """
    Try a long query on an empty store in another process: thousands of BIND, MINUS or brackets crash it.

    Raises:
        QueryError: If it does.
    """
    import signal
    import subprocess
    import sys

    if len(sparql) <= LONGEST_HARMLESS or sys.platform == "win32":
        return
    from resource import RLIMIT_CPU

    program = (
        "import resource, sys\nfrom pyoxigraph import Store\n"
        f"resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); resource.setrlimit({RLIMIT_CPU}, (20, 20))\n"
        "try: Store().query(sys.stdin.buffer.read().decode())\nexcept Exception: pass"
    )
    ended = subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-P", "-c", program],
        input=sparql.encode(errors="replace"),
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode
    if ended in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS}:
        raise QueryError("the query is nested too deeply for the engine; write it with fewer brackets or parts")
