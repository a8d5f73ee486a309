"""
Verify that another store has exactly the release that was sent.

Compares counts and canonical digests per graph, and the answers of every canned query there and here, row by row.
Numbers are not rounded and the order matters: peculiarities of a product are handled where it is queried.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from pyoxigraph import Literal, NamedNode, QuerySolutions, RdfFormat, Store, parse

from eurasia_graph import namespaces as ns
from eurasia_graph import queries
from eurasia_graph.build.release import canonical_lines
from eurasia_graph.errors import EurasiaGraphError, RemoteError
from eurasia_graph.queries import NUMBERS, CannedQuery, Parameter
from eurasia_graph.store import ReleaseStore
from eurasia_graph.stores.products import Swap
from eurasia_graph.stores.push import plan
from eurasia_graph.stores.remote import RemoteStore
from eurasia_graph.stores.send import TRIPLES, Part, Target, write_batches
from eurasia_graph.stores.transport import PAUSES_S, expect_success

WHOLE = 1 << 62
ROWS_SHOWN = 5
ENTITIES_ASKED = 3
# Values of every type besides the examples in the files; the last text would break a query made by concatenation.
TRIED = {
    "xsd:date": ("1993-06-30", "2001", "2012-05"),
    "xsd:integer": ("1", "12"),
    "xsd:boolean": ("true", "false"),
    "xsd:string": ("organi", "Шанхай", 'a"\\} # ?x'),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: what was compared, its value here and its value there."""

    what: str
    here: str
    there: str

    def text(self) -> str:
        """Write it in three lines."""
        return f"{self.what}\n  here:  {self.here}\n  there: {self.there}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was compared, why no query was run if none was, and what differs."""

    triples: int
    graphs: int
    asked: int
    differences: tuple[Difference, ...]
    unasked: str = ""

    def text(self) -> str:
        """Say so, the differences first."""
        asked = f"{self.asked} canned queries" if self.asked else f"no query, {self.unasked}"
        graphs = "1 graph" if self.graphs == 1 else f"{self.graphs} graphs"
        compared = f"{self.triples} triples in {graphs} by count and digest, {asked}"
        count = len(self.differences)
        found = "no difference" if not count else "1 difference" if count == 1 else f"{count} differences"
        return "\n".join([*(each.text() for each in self.differences), f"compared {compared}: {found}"])


def verify(
    store: ReleaseStore, target: Target, *, merge: bool = False, progress: Callable[[str], None] = lambda _text: None
) -> Verification:
    """
    Compare a release with its copy in another store.

    Args:
        store: The release.
        target: The other store.
        merge: Whether it was pushed as one graph; canned queries, which name graphs, are then skipped.
        progress: Called with what is being compared.
    Raises:
        RemoteError: If the store does not answer at all.
    """
    parts = plan(store, merge=merge)
    differences: list[Difference] = []
    for part in parts:
        progress(f"compare {part.short}")
        differences += _compare_graph(store, target, part)
    asked = 0
    unasked = "since they name graphs, which are merged" if merge else "since its query service is not known"
    if target.engine is not None and not merge:
        target.engine.forget()
        there = RemoteStore(target.engine)
        for canned in queries.load().values():
            progress(f"ask {canned.name}")
            for text, label in _calls(store, canned):
                asked += 1
                differences += compare_rows(store, there, text, label)
    return Verification(
        triples=sum(part.triples for part in parts),
        graphs=len(parts),
        asked=asked,
        differences=tuple(differences),
        unasked=unasked,
    )


def _compare_graph(store: ReleaseStore, target: Target, part: Part) -> Iterator[Difference]:
    response = target.transport.send(
        "GET", target.graph_address(part.name), headers={"Accept": TRIPLES}, pauses_s=PAUSES_S
    )
    if response.status == 404:  # noqa: PLR2004
        yield Difference(what=f"graph {part.short}", here=f"{part.triples} triples", there="no such graph")
        return
    body = expect_success(response, target.url, f"show the graph {part.short}").body
    own: list[bytes] = []
    write_batches(store.local, part.graphs, WHOLE, own.append)
    mine = canonical(b"".join(own))
    try:
        theirs = canonical(body)
    except SyntaxError as error:
        raise RemoteError(f"{target.url} does not send N-Triples when asked for them: {error}") from None
    count = len(theirs)
    if target.engine is not None and target.product.swap is not Swap.NONE:
        counted = target.engine.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {part.name} {{ ?s ?p ?o }} }}")
        count = int(ns.value(counted[0][0]))
    if count != len(mine):
        yield Difference(what=f"graph {part.short}", here=f"{len(mine)} triples", there=f"{count} triples")
    if digest(theirs) != digest(mine):
        only_here, only_there = (
            sorted(map(bytes.decode, each)) for each in (set(mine) - set(theirs), set(theirs) - set(mine))
        )
        for here, there in islice(_paired(only_here, only_there), ROWS_SHOWN):
            yield Difference(what=f"graph {part.short}", here=here, there=there)


def canonical(body: bytes) -> list[bytes]:
    """Return the lines of N-Triples in canonical form (RDFC-1.0), sorted."""
    graph = NamedNode("urn:graph")
    scratch = Store()
    scratch.extend(ns.quad(quad.triple, graph) for quad in parse(body, format=RdfFormat.N_TRIPLES))
    lines = canonical_lines(scratch).get(graph.value, [])
    return [line.replace(f" {graph} .\n".encode(), b"") for line in lines]


def digest(lines: list[bytes]) -> str:
    """Digest canonical lines: sha256 in hexadecimal."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _paired(here: list[str], there: list[str]) -> Iterator[tuple[str, str]]:
    for index in range(max(len(here), len(there))):
        yield (*(lines[index] if index < len(lines) else "nothing" for lines in (here, there)),)  # type: ignore[misc]


# --- canned queries ------------------------------------------------------------------------


def _calls(store: ReleaseStore, canned: CannedQuery) -> Iterator[tuple[str, str]]:
    """
    Return texts of a canned query with labels: as in the file, then with values for every parameter.

    Its left-out query is included.
    """
    for text, name in _texts(canned):
        yield text, f"{name} as it stands"
    tried = {each.name: list(_values(store, each)) for each in canned.parameters}
    for index in range(max(map(len, tried.values()), default=0)):
        given = {
            name: values[index % len(values)]
            for name, values in tried.items()
            # Optional ones are left out every other time, so that both cases are run.
            if values and (index % 2 == 0 or _is_required(canned, name))
        }
        label = " ".join(f"{name}={value}" for name, value in given.items())
        try:
            yield canned.bind(store, given), f"{canned.name} {label}"
            left_out = canned.bind_left_out(store, given)
            if left_out:
                yield left_out, f"{canned.name}.left-out {label}"
        except EurasiaGraphError:
            continue  # two values that are not compatible


def _texts(canned: CannedQuery) -> Iterator[tuple[str, str]]:
    yield canned.text, canned.name
    if canned.left_out:
        yield canned.left_out, f"{canned.name}.left-out"


def _is_required(canned: CannedQuery, name: str) -> bool:
    return any(each.name == name and each.required for each in canned.parameters)


def _values(store: ReleaseStore, parameter: Parameter) -> Iterator[str]:
    if parameter.type in TRIED:
        yield from TRIED[parameter.type]
        return
    named = sorted({iri for iri, _ in store.entities.get(ns.EG + parameter.type.removeprefix("eg:"), [])})
    step = max(1, len(named) // ENTITIES_ASKED)
    yield from named[step // 2 :: step][:ENTITIES_ASKED]


def compare_rows(here: ReleaseStore, there: ReleaseStore, sparql: str, label: str) -> list[Difference]:
    """Run the same query in two stores and compare the rows, their number and their order."""
    mine = _rows(here, sparql)
    try:
        theirs = _rows(there, sparql)
    except EurasiaGraphError as error:
        return [Difference(what=label, here=f"{len(mine)} rows", there=str(error))]
    if mine == theirs:
        return []
    ours, others = Counter(mine), Counter(theirs)
    only_here, only_there = sorted((ours - others).elements()), sorted((others - ours).elements())
    if not only_here and not only_there:
        first = next(index for index, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1])
        return [
            Difference(what=f"{label}: the order differs from row {first + 1}", here=mine[first], there=theirs[first])
        ]
    return [
        Difference(what=label, here=one, there=other)
        for one, other in islice(_paired(only_here, only_there), ROWS_SHOWN)
    ]


def _rows(store: ReleaseStore, sparql: str) -> list[str]:
    answer = store.query(sparql)
    assert isinstance(answer, QuerySolutions)
    return [" | ".join(map(_shown, row)) for row in answer]


def _shown(term: object) -> str:
    """Write a term so that equal values are equal texts: 0.50 is 0.5, but no number is a text or an IRI."""
    if isinstance(term, Literal) and term.datatype.value in NUMBERS:
        number = NUMBERS[term.datatype.value](term.value)
        return f"{number:.12g}" if isinstance(number, float) else str(number)
    return "" if term is None else str(term)
