"""
Link every fact to the claims that state it, in RDF 1.2: the claim is the reifier of the fact.

Only facts that are in the graph are linked, so that without these statements the quads are the same as in every other
format.

Source: RDF 1.2 Concepts, https://www.w3.org/TR/rdf12-concepts/#section-triple-terms
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import NamedNode, Quad, QuerySolutions, Store, Triple

from eurasia_graph import namespaces as ns

REIFIES = ns.RDF("reifies")

# For events and figures: which claim states a fact of the graph, by `eg:states` in the ontology.
STATED = f"""
PREFIX eg: <{ns.EG}> PREFIX prov: <{ns.PROV}>
SELECT DISTINCT ?claim ?thing ?property ?value {{
  GRAPH ?facts {{ {{ ?claim eg:reportsEvent ?thing }} UNION {{ ?thing prov:wasDerivedFrom ?claim }} }}
  GRAPH ?claims {{ ?claim eg:statedIn ?source ; ?says ?value }}
  GRAPH {ns.GRAPH("ontology")} {{ ?says eg:states ?property }}
  GRAPH ?facts {{ ?thing ?property ?value }}
}}"""


def reifiers(store: Store, graph: NamedNode) -> Iterator[Quad]:
    """
    Write `claim rdf:reifies <<( thing property value )>>` for every fact in a graph.

    Args:
        store: All named graphs of a release.
        graph: The one whose facts are wanted.
    """
    answer = store.query(STATED.replace("?facts", str(graph)))
    assert isinstance(answer, QuerySolutions)
    for claim, thing, property_, value in answer:
        assert isinstance(claim, NamedNode)
        assert isinstance(thing, NamedNode)
        assert isinstance(property_, NamedNode)
        yield Quad(claim, REIFIES, Triple(thing, property_, value), graph)
