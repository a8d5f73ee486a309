"""
Write a release as files that other tools read.

Formats of triples carry the default graph or one named graph, formats of quads all named graphs.
The bytes depend on the release alone, so that two exports can be compared.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import IO

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from eurasia_graph import jsonld, reifying, tables
from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.formats import FORMATS, Content, by_name
from eurasia_graph.pipeline import canonical_lines
from eurasia_graph.sorting import sorted_lines
from eurasia_graph.store import LICENCE, ReleaseStore
from eurasia_graph.turtle import format_triples, prefixes_of

OTHER_FORMATS = ("trig12", "csv")
# What people write; the other graphs are generated.
HAND_WRITTEN = re.compile(r"ontology|align|schemes|entities|links|notes|(passages|claims)-.*")
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

    N-Triples, N-Quads and JSON-LD are written as they go: memory does not grow with the graph (of JSON-LD,
    with its largest named graph). The others are sorted as a whole.

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
    """
    folded = format_name.casefold()
    chosen = select(store, graph, only, source)
    if folded == "csv":
        if chosen is not None:
            option = "--graph" if graph else "--source" if source else f"--{only}"
            raise UsageError(f"csv carries the whole release and no part of it; leave {option} out")
        out.write(tables.write(store, about(store)))
        return
    if folded == "trig12":
        out.write(_reified(store, _all(store) if chosen is None else chosen))
        return
    found = by_name(folded)
    if found is None or not isinstance(found.engine, RdfFormat):
        raise UnknownNameError("format", format_name, names())
    out.write(_head(store, found.engine).encode())
    if found.engine == RdfFormat.JSON_LD:
        jsonld.write(store.local, _all(store) if chosen is None else chosen, out)
    elif found.engine in {RdfFormat.N_QUADS, RdfFormat.N_TRIPLES} and not _has_blank_nodes(store):
        quads = found.engine == RdfFormat.N_QUADS
        whole: list[NamedNode | DefaultGraph] = [*_all(store)] if quads else [DefaultGraph()]
        out.writelines(sorted_lines(store.local, whole if chosen is None else chosen, quads=quads))
    elif found.content is Content.GRAPH:
        body = _write_triples(_triples(store, chosen), found.engine)
        if found.engine == RdfFormat.RDF_XML and store.iri:
            said = "; ".join(f"{name}: {value}" for name, value in about(store).items())
            body = body.replace(b"?>", f"?>\n<!-- {said} -->".encode(), 1)
        out.write(body)
    else:
        of_part = None if chosen is None else [quad for each in chosen for quad in _quads(store, each)]
        out.write(_write_quads(store, of_part, found.engine))


def _has_blank_nodes(store: ReleaseStore) -> bool:
    """Tell whether the lines need new names to be canonical."""
    test = "ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } FILTER(isBlank(?s) || isBlank(?o)) }"
    return bool(store.local.query(test))


def select(
    store: ReleaseStore, graph: str | None = None, only: str | None = None, source: str | None = None
) -> list[NamedNode] | None:
    """
    List the graphs of a part of the release, or return None for the whole.

    Raises:
        UnknownNameError: If there is no such graph or source; lists the nearest.
    """
    if not (graph or only or source):
        return None
    found = {each.value.removeprefix(ns.GRAPH): each for each in _all(store)}
    if graph:
        if graph.removeprefix(ns.GRAPH) not in found:
            raise UnknownNameError("graph", graph, found)
        return [found[graph.removeprefix(ns.GRAPH)]]
    if source:
        known = {name.partition("-")[2] for name in found if name.startswith("claims-")}
        if source not in known:
            raise UnknownNameError("source", source, known)
        kinds = ("bounds", "claims", "closure", "facts", "memberships", "passages")
        found = {name: each for name, each in found.items() if name in {f"{kind}-{source}" for kind in kinds}}
    if only:
        wanted = only == "hand-written"
        found = {name: each for name, each in found.items() if bool(HAND_WRITTEN.fullmatch(name)) == wanted}
    return list(found.values())


def about(store: ReleaseStore) -> dict[str, str]:
    """Return what every file says of the release: its IRI, licence and citation."""
    iri = store.iri.value if store.iri else ""
    cite = f"Eurasia Graph, release {ns.local_name(iri)}. {iri}" if iri else "Eurasia Graph"
    return {"release": iri, "licence": LICENCE, "citation": cite}


def _head(store: ReleaseStore, engine: RdfFormat) -> str:
    """Write the comment at the head of a file; N-Quads are canonical and have none, but the graph `meta`."""
    line = COMMENTS.get(engine, "")
    if not store.iri or not line:
        return ""
    return "".join(line.format(f"{name}: {value}") for name, value in about(store).items())


def _all(store: ReleaseStore) -> list[NamedNode]:
    return sorted((graph for graph in store.engine.named_graphs() if isinstance(graph, NamedNode)), key=str)


def _quads(store: ReleaseStore, graph: NamedNode) -> list[Quad]:
    return list(store.engine.quads_for_pattern(None, None, None, graph))


def _triples(store: ReleaseStore, graphs: list[NamedNode] | None) -> list[Triple]:
    if graphs is None:
        return [quad.triple for quad in store.engine.quads_for_pattern(None, None, None, DefaultGraph())]
    return list({quad.triple for graph in graphs for quad in _quads(store, graph)})


def _write_triples(triples: Iterable[Triple], engine: RdfFormat) -> bytes:
    lines = sorted(f"{triple} ." for triple in triples)
    text = "\n".join(lines) + "\n"
    if engine == RdfFormat.TURTLE:
        return format_triples(text).encode()
    if engine == RdfFormat.N_TRIPLES:
        return text.encode()
    return _serialise(sorted(triples, key=str), engine, text)


def _write_quads(store: ReleaseStore, quads: list[Quad] | None, engine: RdfFormat) -> bytes:
    if quads is None:
        lines = b"".join(line for own in canonical_lines(store.local).values() for line in own)
    else:
        lines = "".join(sorted(f"{quad} .\n" for quad in quads)).encode()
    if engine == RdfFormat.N_QUADS:
        return lines
    text = lines.decode()
    scratch = Store()
    scratch.load(lines, format=RdfFormat.N_QUADS)
    return _serialise(sorted(scratch, key=lambda quad: (str(quad.graph_name), str(quad))), engine, text)


def _serialise(statements: list[Triple] | list[Quad], engine: RdfFormat, text: str) -> bytes:
    prefixes = {**ns.PREFIXES, **prefixes_of(text)}
    used = {prefix: namespace for prefix, namespace in prefixes.items() if f"<{namespace}" in text}
    written = serialize(statements, format=engine, prefixes=used)
    assert written is not None
    return written


def _reified(store: ReleaseStore, graphs: list[NamedNode]) -> bytes:
    """Write graphs as TriG of RDF 1.2: their quads, and every fact with the claims that state it as reifiers."""
    quads = [quad for graph in graphs for quad in _quads(store, graph)]
    quads += reifying.reifiers(store.local, graphs)
    quads.sort(key=lambda quad: (str(quad.graph_name), str(quad)))
    head = _head(store, RdfFormat.TRIG).encode()
    return head + b'VERSION "1.2"\n' + _serialise(quads, RdfFormat.TRIG, "\n".join(map(str, quads)))
