"""
Write a release as files that other tools read.

Formats of triples carry the default graph or one named graph, formats of quads all named graphs.
The bytes depend on the release alone, so that two exports can be compared.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable

from pyoxigraph import (
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UnknownNameError, UsageError
from eurasia_graph.formats import FORMATS, Content, by_name
from eurasia_graph.pipeline import canonical_lines
from eurasia_graph.queries import cell
from eurasia_graph.store import ReleaseStore
from eurasia_graph.turtle import format_triples, prefixes_of

OTHER_FORMATS = ("trig12", "csv")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def names() -> list[str]:
    """List the names of all formats, RDF first."""
    return [each.name for each in FORMATS.values() if each.content is not Content.ROWS] + list(OTHER_FORMATS)


def export(store: ReleaseStore, format_name: str, graph: str | None = None) -> bytes:
    """
    Write a release, or one graph of it, in a format.

    Args:
        store: The release.
        format_name: One of `names()` or an alias such as `ttl`.
        graph: The name of a graph, such as `claims-icds-2016`, or its IRI.
    Raises:
        UnknownNameError: If there is no such format or graph.
        UsageError: If the format carries no single graph.
    """
    folded = format_name.casefold()
    if folded in OTHER_FORMATS:
        if graph:
            raise UsageError(f"{folded} carries the whole release and no single graph; leave --graph out")
        return _tables(store) if folded == "csv" else _reified(store)
    found = by_name(folded)
    if found is None or not isinstance(found.engine, RdfFormat):
        raise UnknownNameError("format", format_name, names())
    quads = _graph(store, graph) if graph else None
    if found.content is Content.GRAPH:
        triples = [quad.triple for quad in quads or store.engine.quads_for_pattern(None, None, None, DefaultGraph())]
        return _write_triples(triples, found.engine)
    return _write_quads(store, quads, found.engine)


def _graph(store: ReleaseStore, name: str) -> list[Quad]:
    known = {graph.value for graph in store.engine.named_graphs() if isinstance(graph, NamedNode)}
    wanted = name if name in known else ns.GRAPH + name
    if wanted not in known:
        raise UnknownNameError("graph", name, sorted(each.removeprefix(ns.GRAPH) for each in known))
    return list(store.engine.quads_for_pattern(None, None, None, NamedNode(wanted)))


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


# --- RDF 1.2 -------------------------------------------------------------------------------

# What a claim states as a fact of its event, with the claim as the reifier.
REIFICATION = f"""
PREFIX eg: <{ns.EG}> PREFIX rdf: <{ns.RDF}> PREFIX prov: <{ns.PROV}>
CONSTRUCT {{
  ?event ?property ?value .
  ?claim rdf:reifies <<( ?event ?property ?value )>> ; eg:evidence ?passage ; eg:madeBy ?source .
}}
WHERE {{
  GRAPH ?facts {{ ?claim eg:reportsEvent ?event }}
  VALUES (?says ?property) {{
    (eg:saysActor eg:actor) (eg:saysBody eg:body) (eg:saysOldBody eg:oldBody) (eg:saysNewBody eg:newBody)
    (eg:saysOrgan eg:organ) (eg:saysSeat eg:seat) (eg:saysTreaty eg:treaty) (eg:saysPlace eg:place)
    (eg:saysDate eg:date)
  }}
  GRAPH ?claims {{ ?claim ?says ?value ; eg:evidence ?passage ; eg:madeBy ?source }}
}}"""


def _reified(store: ReleaseStore) -> bytes:
    """Write the entities and facts as TriG of RDF 1.2, every fact with the claims that state it as reifiers."""
    answer = store.engine.query(REIFICATION)
    assert isinstance(answer, QueryTriples)
    triples = sorted(set(answer), key=str)
    entities = sorted(store.engine.quads_for_pattern(None, None, None, ns.GRAPH("entities")), key=str)
    quads = [*entities, *(ns.quad(triple, ns.GRAPH("facts")) for triple in triples)]
    text = "\n".join(map(str, quads))
    return b'VERSION "1.2"\n' + _serialise(quads, RdfFormat.TRIG, text)


# --- tables --------------------------------------------------------------------------------

TABLES = {
    "memberships": """?membership ?holder ?body ?status ?from ?to ?fromEarliest ?fromLatest ?toEarliest ?toLatest
      ?source ?claim {
        GRAPH ?g {
          ?membership a eg:Membership ; eg:holder ?holder ; eg:inBody ?body ; eg:status ?status ;
            eg:accordingTo ?source ; eg:begunBy ?claim ; eg:from ?from ; eg:fromEarliest ?fromEarliest
          OPTIONAL { ?membership eg:to ?to } OPTIONAL { ?membership eg:fromLatest ?fromLatest }
          OPTIONAL { ?membership eg:toEarliest ?toEarliest } OPTIONAL { ?membership eg:toLatest ?toLatest }
        }
      } ORDER BY ?membership""",
    "claims": """?claim ?source ?kind ?gist ?date ?dateInferred ?status ?body ?treaty ?modality ?attributedTo {
        GRAPH ?g {
          ?claim eg:madeBy ?source ; eg:gist ?gist
          OPTIONAL { ?claim eg:saysKind ?kind } OPTIONAL { ?claim eg:saysDate ?date }
          OPTIONAL { ?claim eg:dateInferred ?dateInferred } OPTIONAL { ?claim eg:saysStatus ?status }
          OPTIONAL { ?claim eg:saysBody ?body } OPTIONAL { ?claim eg:saysTreaty ?treaty }
          OPTIONAL { ?claim eg:modality ?modality } OPTIONAL { ?claim eg:attributedTo ?attributedTo }
        }
      } ORDER BY ?claim ?body""",
    "claim-actors": """?claim ?actor {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:saysActor ?actor } } ORDER BY ?claim ?actor""",
    "claim-passages": """?claim ?passage {
        GRAPH ?g { ?claim eg:madeBy ?source ; eg:evidence ?passage } } ORDER BY ?claim ?passage""",
    "passages": """?passage ?source ?number ?section ?start ?end ?foldedSha256 ?foldedLength {
        GRAPH ?g {
          ?passage a eg:Sentence ; eg:passageOf ?source ; eg:number ?number ; eg:start ?start ; eg:end ?end ;
            eg:foldedSha256 ?foldedSha256 ; eg:foldedLength ?foldedLength
          OPTIONAL { ?passage eg:section ?section }
        }
      } ORDER BY ?source ?number""",
    "entities": """?entity ?type ?label {
        GRAPH graph:entities { ?entity a ?type ; skos:prefLabel ?label } FILTER(LANG(?label) = "en")
      } ORDER BY ?entity ?type""",
}


def _tables(store: ReleaseStore) -> bytes:
    """Write the release as a zip of CSV tables, one row a thing."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, select in TABLES.items():
            text = f"PREFIX eg: <{ns.EG}> PREFIX skos: <{ns.SKOS}> PREFIX graph: <{ns.GRAPH}> SELECT {select}"
            answer = store.engine.query(text)
            assert isinstance(answer, QuerySolutions)
            table = io.StringIO()
            writer = csv.writer(table)
            writer.writerow(variable.value for variable in answer.variables)
            writer.writerows([_csv_cell(term) for term in row] for row in answer)
            archive.writestr(zipfile.ZipInfo(f"{name}.csv", FIXED_TIME), table.getvalue(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _csv_cell(term: object) -> str:
    if isinstance(term, Literal):
        return term.value
    value = cell(term)
    return "" if value is None else str(value)
