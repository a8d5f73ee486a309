"""
Check a dataset against the shapes: compiled ones with queries on the engine's store, the others with pySHACL.

A shape is checked within each source; only one marked with `shape:crossesSources` sees all sources at once. Checking
a source alone finds the same as checking it among others if its files are about its own records only. Otherwise the
dataset is checked as a whole, so that statements in the wrong file are checked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolution, QuerySolutions, Store, Variable

from eurasia_graph import namespaces as ns
from eurasia_graph.build.results import Node, Result, Term
from eurasia_graph.build.shape_queries import (
    Compiled,
    Found,
    compile_closed,
    compile_property,
    compile_target,
    runs_at_once,
)
from eurasia_graph.build.shapes import NodeShape, Path, PropertyShape, Shapes, Target, folder, read_shapes
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.errors import EurasiaGraphError
from eurasia_graph.graphs import ENTITIES, LINKS, NOTES, SCHEMA_GRAPHS, graph_of

SHARED = (*SCHEMA_GRAPHS, ENTITIES, LINKS, NOTES)
OF_A_SOURCE = ("passages", "claims", "bounds", "facts", "spans", "memberships")
THIS = Variable("this")
RDF_TYPE, SUBCLASS, REPORTS_EVENT = ns.RDF("type"), ns.RDFS("subClassOf"), ns.EG("reportsEvent")


def check(dataset: Dataset, severity: str, source: NamedNode | None = None) -> Iterator[Result]:
    """
    Check a dataset, or one source of it.

    Args:
        dataset: The dataset: without generated graphs for the record, with all of them for the world.
        severity: `Violation` for the shapes of the record, `Warning` for those of the world.
        source: The only source to check, together with the graphs that belong to no source, with the shapes that do
        not cross sources; by default everything is checked.
    """
    shapes = read_shapes(folder())
    chosen = [each for each in shapes.known if each.severity == severity]
    whole = View(dataset.store, shapes)
    if source is not None:
        within = [each for each in chosen if not each.crosses]
        yield from _results(view_of(dataset, source, shapes), within)
        return
    views = [view_of(dataset, each, shapes) for each in dataset.sources()]
    if not views[1:] or not is_apart(dataset):
        yield from _results(whole, chosen)
    else:
        # Constraints on single nodes are checked for all sources at once; queries join within one source.
        yield from whole.by_constraints(chosen)
        yield from whole.by_queries([each for each in chosen if each.crosses])
        for view in views:
            yield from view.by_queries([each for each in chosen if not each.crosses])
    yield from by_pyshacl(dataset, severity, shapes)


def across(dataset: Dataset, severity: str) -> Iterator[Result]:
    """Check a dataset with only the shapes that cross sources: the rest after `check` of each source."""
    shapes = read_shapes(folder())
    crossing = [each for each in shapes.known if each.severity == severity and each.crosses]
    yield from _results(View(dataset.store, shapes), crossing)
    yield from by_pyshacl(dataset, severity, shapes)


def by_pyshacl(dataset: Dataset, severity: str, shapes: Shapes) -> Iterator[Result]:
    """Check a dataset with the shapes that are not compiled; pySHACL is imported only if there are any."""
    if not shapes.others:
        return
    from eurasia_graph.build import judge

    yield from judge.results(dataset.store, severity, frozenset(shapes.others))


def _results(view: View, shapes: list[NodeShape]) -> Iterator[Result]:
    yield from view.by_constraints(shapes)
    yield from view.by_queries(shapes)


# --- what a source sees --------------------------------------------------------------------


def view_of(dataset: Dataset, source: NamedNode, shapes: Shapes) -> View:
    """Return a view of a source: its own graphs, and those that belong to no source."""
    seen = [*SHARED, *(graph_of(kind, source_name(source)) for kind in OF_A_SOURCE)]
    # A store without other graphs is queried as a whole, which is faster than graph by graph.
    apart = any(graph not in seen for graph in dataset.store.named_graphs())
    return View(dataset.store, shapes, seen if apart else None)


def is_apart(dataset: Dataset) -> bool:
    """
    Return whether no file except the links contains statements about records of another source.

    Only then can sources be checked one by one with the same findings.
    """
    known = {graph_of(kind, source_name(each)) for kind in OF_A_SOURCE for each in dataset.sources()}
    if any(graph not in known and graph not in SHARED for graph in dataset.store.named_graphs()):
        # Claims of a source that is not described, for instance: no view of a source has them.
        return False
    records = [f"{ns.ID}{kind}/" for kind in ("claim", "passage")]
    of_a_source = " || ".join(f'STRSTARTS(STR(?term), "{each}")' for each in records)
    strange = [
        f"GRAPH ?graph {{ ?term ?p ?o }} FILTER(?graph IN ({ENTITIES}, {NOTES})) FILTER({of_a_source})",
        f"GRAPH {LINKS} {{ ?term ?p ?o }} FILTER(?p != {REPORTS_EVENT} && ({of_a_source}))",
    ]
    for source in dataset.sources():
        own = " || ".join(f'STRSTARTS(STR(?term), "{each}{source_name(source)}/")' for each in records)
        for kind in ("passages", "claims"):
            graph = f"GRAPH {graph_of(kind, source_name(source))}"
            subjects = f"{{ SELECT DISTINCT ?term WHERE {{ {graph} {{ ?term ?p ?o }} }} }}"
            objects = f"{{ SELECT DISTINCT ?term WHERE {{ {graph} {{ ?s ?p ?term }} }} }}"
            strange.append(f"{subjects} FILTER(!({own}) && ?term != {source})")
            strange.append(f"{objects} FILTER(({of_a_source}) && !({own}))")
    return not any(dataset.store.query(f"ASK {{ {each} }}") for each in strange)


# --- running the queries -------------------------------------------------------------------


class View:
    """The graphs that shapes see, all of a store or some, with cached lookups."""

    def __init__(self, store: Store, shapes: Shapes, graphs: list[NamedNode] | None = None) -> None:
        """Create the view; nothing is read yet."""
        self._store, self._shapes, self._graphs = store, shapes, graphs
        self._foci: dict[Target, set[Node]] = {}
        self._below: dict[NamedNode, set[NamedNode]] = {}
        self._used: dict[NamedNode, bool] = {}

    def by_constraints(self, shapes: Iterable[NodeShape]) -> Iterator[Result]:
        """Check the property constraints and the closed shapes."""
        for shape in shapes:
            for part in shape.properties:
                yield from self._by_property(part, self._nodes(shape))
            for target in shape.targets if shape.allowed is not None else ():
                yield from self._by_closed(shape, target)

    def by_queries(self, shapes: Iterable[NodeShape]) -> Iterator[Result]:
        """Check the SPARQL constraints of the shapes."""
        for shape in shapes:
            for text, message in shape.queries:
                for target in shape.targets:
                    rows = self._rows(text, target)
                    for focus, path, value in dict.fromkeys(rows):
                        yield Result(
                            shape=shape.iri,
                            severity=shape.severity,
                            message=message,
                            focus=focus,
                            path=path,
                            value=focus if value is None else value,
                            # A query with its own target finds statements; others find their focus nodes.
                            by_query=shape.difference is not None or target.kind != "select",
                            difference=shape.difference,
                        )

    def below(self, cls: NamedNode) -> set[NamedNode]:
        """List a class and all classes below it."""
        if cls not in self._below:
            found, waiting = {cls}, [cls]
            while waiting:
                for quad in self._store.quads_for_pattern(None, SUBCLASS, waiting.pop(), None):
                    if isinstance(quad.subject, NamedNode) and quad.subject not in found:
                        found.add(quad.subject)
                        waiting.append(quad.subject)
            self._below[cls] = found
        return self._below[cls]

    # --- properties ------------------------------------------------------------------------

    def _by_property(self, shape: PropertyShape, nodes: set[Node]) -> Iterator[Result]:
        if not nodes:
            return
        path = None if shape.path.inverse else shape.path.predicate
        for compiled in compile_property(shape, self.below):
            for focus, value in self._broken(compiled, shape.path, nodes):
                yield Result(shape.iri, shape.severity, shape.message, focus, path, value)

    def _broken(self, compiled: Compiled, path: Path, nodes: set[Node]) -> Iterator[tuple[Node, Term | None]]:
        """Run a query, and return the nodes that break its constraint, with the value."""
        rows: Iterable[QuerySolution] = self._select(compiled.text) if self._is_used(path.predicate) else ()
        match compiled.found:
            case Found.KEEPING:
                yield from ((node, None) for node in nodes - {_node(row["this"]) for row in rows})
            case Found.NODES:
                yield from ((node, None) for row in rows if (node := _node(row["this"])) in nodes)
            case Found.PAIRS:
                yield from ((node, _term(row["value"])) for row in rows if (node := _node(row["this"])) in nodes)
            case Found.VALUES:
                for row in rows:
                    value = _term(row["value"])
                    yield from ((node, value) for node in self._with(path, value) & nodes)

    def _with(self, path: Path, value: Term) -> set[Node]:
        """List the nodes that have a given value."""
        if not path.inverse:
            quads = self._store.quads_for_pattern(None, path.predicate, value, None)
            return {cast("Node", quad.subject) for quad in quads}
        assert not isinstance(value, Literal)
        quads = self._store.quads_for_pattern(value, path.predicate, None, None)
        return {cast("Node", quad.object) for quad in quads}

    def _is_used(self, predicate: NamedNode) -> bool:
        if predicate not in self._used:
            self._used[predicate] = any(self._store.quads_for_pattern(None, predicate, None, None))
        return self._used[predicate]

    def _by_closed(self, shape: NodeShape, target: Target) -> Iterator[Result]:
        """Find the properties that a closed shape does not allow; a class that all things have is no news."""
        nodes = self._target(target)
        for row in self._select(compile_closed(shape, target, nodes, self.below)) if nodes else ():
            path, value = cast("NamedNode", row["path"]), _term(row["value"])
            if (path, value) != (RDF_TYPE, ns.RDFS("Resource")):
                yield Result(shape.iri, shape.severity, shape.message, _node(row["this"]), path, value)

    # --- targets and queries ---------------------------------------------------------------

    def _nodes(self, shape: NodeShape) -> set[Node]:
        return set().union(*(self._target(each) for each in shape.targets))

    def _target(self, target: Target) -> set[Node]:
        if target not in self._foci:
            if target.kind == "targetNode":
                self._foci[target] = {NamedNode(target.argument)}
            else:
                rows = self._select(compile_target(target, self.below))
                self._foci[target] = {_node(row["this"]) for row in rows}
        return self._foci[target]

    def _rows(self, text: str, target: Target) -> Iterator[tuple[Node, NamedNode | None, Term | None]]:
        """Run the query of a shape for the nodes of a target, in one run if the result is the same."""
        nodes = self._target(target)
        if not nodes:
            return
        if target.kind.startswith("target") and target.kind != "targetNode" and runs_at_once(text):
            answers: list[tuple[Node | None, QuerySolutions]] = [(None, self._select(text))]
        else:
            answers = [(node, self._select(text, node)) for node in nodes]
        for node, rows in answers:
            names = {variable.value for variable in rows.variables}
            for row in rows:
                focus = _node(row["this"]) if node is None else node
                if focus in nodes:
                    path = cast("NamedNode | None", row["path"]) if "path" in names else None
                    value = row["value"] if "value" in names else None
                    yield focus, path, None if value is None else _term(value)

    def _select(self, text: str, this: Node | None = None) -> QuerySolutions:
        try:
            answer = self._store.query(
                text,
                prefixes=self._shapes.prefixes,
                use_default_graph_as_union=self._graphs is None,
                default_graph=None if self._graphs is None else [*self._graphs],
                named_graphs=None if self._graphs is None else [*self._graphs],
                substitutions=None if this is None else {THIS: this},
            )
        except SyntaxError as error:
            raise EurasiaGraphError(f"a query of the shapes is not SPARQL: {error}; correct it: {text}") from None
        assert isinstance(answer, QuerySolutions)
        return answer


def _node(term: object) -> Node:
    """Return a term as a node; for an inverse path it can be a literal, which is never a target."""
    return cast("Node", term)


def _term(term: object) -> Term:
    assert isinstance(term, NamedNode | BlankNode | Literal)
    return term
