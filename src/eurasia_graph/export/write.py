"""
Write a release as files that other tools read.

Formats of triples carry the default graph or one named graph, formats of quads all named graphs.
The bytes depend on the release alone, so that two exports can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, islice
from typing import IO, cast

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    parse,
    serialize,
)

from eurasia_graph import namespaces as ns
from eurasia_graph.build.release import canonical_lines
from eurasia_graph.description import about
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.export import csvw, jsonld, rdf12, xmlform
from eurasia_graph.export.sorting import dump, sort, sorted_lines
from eurasia_graph.formats import FORMATS, Content, Format, by_name
from eurasia_graph.graphs import graphs_of, is_hand_written
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle import writer

OTHER_FORMATS = ("trig12", "csv")
BLOCK_LINES = 2_000
COMMENTS = {
    RdfFormat.TURTLE: "# {}\n",
    RdfFormat.N_TRIPLES: "# {}\n",
    RdfFormat.TRIG: "# {}\n",
}


def names() -> list[str]:
    """List the names of all formats, RDF first."""
    return [each.name for each in FORMATS.values() if each.content is not Content.ROWS] + list(OTHER_FORMATS)


def export(
    store: ReleaseStore,
    format_name: str,
    graph: str | None = None,
    *,
    only: str | None = None,
    source: str | None = None,
) -> bytes:
    """Return a release, or a part of it, in a format; see `write`."""
    out = io.BytesIO()
    write(store, format_name, out, graph, only=only, source=source)
    return out.getvalue()


def write(  # noqa: PLR0913  (what, how, where to, and three ways to name a part)
    store: ReleaseStore,
    format_name: str,
    out: IO[bytes],
    graph: str | None = None,
    *,
    only: str | None = None,
    source: str | None = None,
) -> None:
    """
    Write a release, or a part of it, in a format.

    All are written as they go, so that memory does not grow with the graph; but JSON-LD grows with its largest
    named graph, and a graph with blank nodes is held whole, since their canonical names depend on all of it. No
    release has blank nodes; files that are served can have them.

    Args:
        store: The release.
        format_name: One of `names()` or an alias such as `ttl`.
        out: A file that takes bytes.
        graph: The name of a graph, such as `claims-icds-2016`, or its IRI.
        only: `hand-written` or `generated`: the graphs that people write, or the others.
        source: The short name of a text: its graphs alone.
    Raises:
        UnknownNameError: If there is no such format, graph or source.
        UsageError: If the format carries no part.
        XmlError: If the format is RDF/XML and cannot say something; what was written until then is of no use.
    """
    folded = format_name.casefold()
    chosen = select(store, graph, only, source)
    if folded == "csv":
        if chosen is not None:
            option = "--graph" if graph else "--source" if source else f"--{only}"
            raise UsageError(f"csv always contains the whole release; leave out {option}")
        csvw.write(store, about(store.iri), out)
        return
    if folded == "trig12":
        _write_reified(store, _all(store) if chosen is None else chosen, out)
        return
    found = by_name(folded)
    if found is None or not isinstance(found.engine, RdfFormat):
        raise UnknownNameError("format", format_name, names())
    out.write(_head(store, found.engine).encode())
    if found.engine == RdfFormat.JSON_LD:
        jsonld.write(store.local, _all(store) if chosen is None else chosen, out)
    elif _has_blank_nodes(store):
        _write_at_once(store, chosen, found, out)
    else:
        whole: list[NamedNode | DefaultGraph] = [*_all(store)] if found.content is Content.DATASET else [DefaultGraph()]
        _write_sorted(store, whole if chosen is None else [*chosen], found.engine, out)


def _write_sorted(
    store: ReleaseStore, graphs: list[NamedNode | DefaultGraph], engine: RdfFormat, out: IO[bytes]
) -> None:
    """Write graphs without blank nodes from lines that are sorted outside of memory."""
    quads = engine in {RdfFormat.N_QUADS, RdfFormat.TRIG}
    if engine in {RdfFormat.N_QUADS, RdfFormat.N_TRIPLES}:
        out.writelines(sorted_lines(store.local, graphs, quads=quads))
        return
    prefixes = _prefixes(store, graphs, *(map(str, graphs) if quads else ()))
    if engine == RdfFormat.TURTLE:
        writer.write(sorted_lines(store.local, graphs, quads=False, key=writer.key_of), prefixes, out)
    elif engine == RdfFormat.TRIG:
        by_graph = (sorted_lines(store.local, [graph], quads=True) for graph in graphs)
        serialize(_statements(chain.from_iterable(by_graph)), out, engine, prefixes=prefixes)
    else:
        lines = sorted_lines(store.local, graphs, quads=False)
        _write_xml(store, _statements(lines), prefixes, out)


def _prefixes(store: ReleaseStore, graphs: Iterable[NamedNode | DefaultGraph], *texts: str) -> dict[str, str]:
    """Collect the prefixes used in graphs and additional texts."""
    found = writer.Prefixes()
    for text in texts:
        found.add(text)
    dump(store.local, graphs, lambda block: found.add(block.decode()))
    return found.named()


def _statements(lines: Iterable[bytes]) -> Iterator[Quad]:
    """Parse lines as they come."""
    rest = iter(lines)
    while block := b"".join(islice(rest, BLOCK_LINES)):
        yield from parse(block, format=RdfFormat.N_QUADS)


def _write_xml(store: ReleaseStore, quads: Iterable[Quad], prefixes: dict[str, str], out: IO[bytes]) -> None:
    """Write RDF/XML that is read again as it goes, since the engine writes what no parser would read."""
    checked = xmlform.Checked(_commented(store, out))
    with xmlform.told():
        serialize(quads, cast("IO[bytes]", checked), RdfFormat.RDF_XML, prefixes=prefixes)
    checked.finish()


def _commented(store: ReleaseStore, out: IO[bytes]) -> IO[bytes]:
    """Return a file for RDF/XML, which has what is said of the release after its first line."""
    if not store.iri:
        return out
    comment = f"?>\n<!-- {'; '.join(f'{name}: {value}' for name, value in about(store.iri).items())} -->".encode()
    return cast("IO[bytes]", _Commented(out, comment))


class _Commented:
    def __init__(self, out: IO[bytes], comment: bytes) -> None:
        self.out, self.comment = out, comment

    def write(self, content: bytes) -> int:
        if self.comment and b"?>" in content:
            self.out.write(content.replace(b"?>", self.comment, 1))
            self.comment = b""
        else:
            self.out.write(content)
        return len(content)

    def flush(self) -> None:
        self.out.flush()


def _has_blank_nodes(store: ReleaseStore) -> bool:
    """Return whether the lines need new names to be canonical."""
    test = "ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } FILTER(isBlank(?s) || isBlank(?o)) }"
    return bool(store.local.query(test))


def select(
    store: ReleaseStore, graph: str | None = None, only: str | None = None, source: str | None = None
) -> list[NamedNode] | None:
    """
    List the graphs of a part of the release, or return None for the whole.

    Raises:
        UnknownNameError: If there is no such graph or source; lists the nearest.
        UsageError: If a graph is named and more is asked of it.
    """
    if not (graph or only or source):
        return None
    if graph and (only or source):
        raise UsageError(f"--graph names one graph, so {source or only} has no effect; give only one of the two")
    found = {each.value.removeprefix(ns.GRAPH): each for each in _all(store)}
    if graph:
        if graph.removeprefix(ns.GRAPH) not in found:
            raise UnknownNameError("graph", graph, found)
        return [found[graph.removeprefix(ns.GRAPH)]]
    if source:
        known = {name.partition("-")[2] for name in found if name.startswith("claims-")}
        if source not in known:
            raise UnknownNameError("source", source, known)
        own = graphs_of(source)
        found = {name: each for name, each in found.items() if each in own}
    if only:
        wanted = only == "hand-written"
        found = {name: each for name, each in found.items() if is_hand_written(each) == wanted}
    return list(found.values())


def _head(store: ReleaseStore, engine: RdfFormat) -> str:
    """Write the comment at the head of a file; N-Quads are canonical and have none, but the graph `meta`."""
    line = COMMENTS.get(engine, "")
    if not store.iri or not line:
        return ""
    return "".join(line.format(f"{name}: {value}") for name, value in about(store.iri).items())


def _all(store: ReleaseStore) -> list[NamedNode]:
    return sorted((graph for graph in store.engine.named_graphs() if isinstance(graph, NamedNode)), key=str)


# --- blank nodes ---------------------------------------------------------------------------


def _write_at_once(store: ReleaseStore, chosen: list[NamedNode] | None, found: Format, out: IO[bytes]) -> None:
    """Write graphs with blank nodes, which the whole of them gives their names."""
    if found.content is Content.DATASET:
        if chosen is None:
            lines = [line for own in canonical_lines(store.local).values() for line in own]
        else:
            lines = [b"%s .\n" % str(quad).encode() for graph in chosen for quad in _quads(store, graph)]
    else:
        graphs: list[NamedNode | DefaultGraph] = [DefaultGraph()] if chosen is None else [*chosen]
        triples = {quad.triple for graph in graphs for quad in _quads(store, graph)}
        lines = [b"%s .\n" % str(triple).encode() for triple in triples]
    text = b"".join(sorted(lines))
    if found.engine in {RdfFormat.N_QUADS, RdfFormat.N_TRIPLES}:
        out.write(text)
    elif found.engine == RdfFormat.TURTLE:
        out.write(writer.format_triples(text.decode()).encode())
    else:
        in_order = sorted(parse(text, format=RdfFormat.N_QUADS), key=lambda quad: (str(quad.graph_name), str(quad)))
        prefixes = writer.prefixes_of(text.decode())
        if found.engine == RdfFormat.TRIG:
            serialize(in_order, out, found.rdf, prefixes=prefixes)
        else:
            _write_xml(store, in_order, prefixes, out)


def _quads(store: ReleaseStore, graph: NamedNode | DefaultGraph) -> Iterator[Quad]:
    return store.engine.quads_for_pattern(None, None, None, graph)


# --- RDF 1.2 -------------------------------------------------------------------------------


def _write_reified(store: ReleaseStore, graphs: list[NamedNode], out: IO[bytes]) -> None:
    """Write graphs as TriG of RDF 1.2: their quads, and every fact with the claims that state it as reifiers."""
    prefixes = _prefixes(store, graphs, *map(str, graphs), str(rdf12.REIFIES))
    by_graph = (
        merge(
            sorted_lines(store.local, [graph], quads=True),
            sort(f"{quad} .\n".encode() for quad in rdf12.reifiers(store.local, graph)),
        )
        for graph in graphs
    )
    out.write(_head(store, RdfFormat.TRIG).encode() + b'VERSION "1.2"\n')
    serialize(_statements(chain.from_iterable(by_graph)), out, RdfFormat.TRIG, prefixes=prefixes)
