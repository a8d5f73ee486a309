"""Which classes a property connects: what the build says of it, what the shapes say, and what releases hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyoxigraph import NamedNode, RdfFormat, serialize
from rdflib import OWL, RDF, SH, Graph, URIRef
from rdflib.collection import Collection

from eurasia_graph import namespaces as ns
from eurasia_graph.build.closure import CLOSURE_OF_SCHEMA
from eurasia_graph.build.properties import shape_files
from eurasia_graph.build.release import Release
from eurasia_graph.paths import root

SCHEMA = "https://schema.org/"


@pytest.fixture(scope="module")
def shapes() -> Graph:
    """All shapes, those that only document terms as well."""
    graph = Graph()
    for path in shape_files():
        graph.parse(path, format="turtle")
    return graph


def written(release: Release, name: str) -> set[tuple[str, str]]:
    """Return the pairs of property and class that a release has."""
    quads = release.store.quads_for_pattern(None, NamedNode(SCHEMA + name), None, CLOSURE_OF_SCHEMA)
    return {(ns.value(quad.subject), ns.value(quad.object)) for quad in quads}


def property_shapes(shapes: Graph) -> Iterator[tuple[URIRef, URIRef]]:
    """Yield the shapes of single properties of ours that allow a value, with the property."""
    for shape, path in shapes.subject_objects(SH.path):
        never = any(int(str(most)) == 0 for most in shapes.objects(shape, SH.maxCount))
        if str(path).startswith(ns.EG) and not never:
            yield URIRef(str(shape)), URIRef(str(path))


def test_a_property_is_from_the_classes_whose_shapes_have_it(built: Release, shapes: Graph) -> None:
    """In both directions: no class is missing, and none is added."""
    asked = {
        (str(path), str(cls))
        for shape, path in property_shapes(shapes)
        for node in shapes.subjects(SH.property, shape)
        for cls in shapes.objects(node, SH.targetClass)
    }

    assert written(built, "domainIncludes") == asked
    assert (ns.EG + "saysKind", ns.EG + "EventClaim") in asked
    assert (ns.EG + "holder", ns.EG + "Membership") in asked


def test_a_property_leads_to_the_classes_and_datatypes_that_its_shapes_ask_for(built: Release, shapes: Graph) -> None:
    """In both directions, alternatives included."""
    asked = set()
    for shape, path in property_shapes(shapes):
        ways = [way for head in shapes.objects(shape, SH["or"]) for way in Collection(shapes, head)]
        for each in (shape, *ways):
            asked |= {(str(path), str(cls)) for term in ("class", "datatype") for cls in shapes.objects(each, SH[term])}

    assert written(built, "rangeIncludes") == asked
    assert {cls for path, cls in asked if path == ns.EG + "saysAbout"} == {ns.EG + "Entity", ns.EG + "Topic"}


def test_every_property_has_a_subject_and_an_object(built: Release) -> None:
    """A new property needs a shape, in shapes/ or in term-shapes.ttl."""
    ontology = Graph().parse(root() / "ontology" / "eurasia.ttl", format="turtle")
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    properties = {str(term) for kind in kinds for term in ontology.subjects(RDF.type, kind)}

    assert {path for path, _ in written(built, "domainIncludes")} == properties
    assert {path for path, _ in written(built, "rangeIncludes")} == properties


def test_nothing_is_inferred_from_it(built: Release) -> None:
    """The two properties of schema.org have no meaning for a reasoner: nothing becomes an instance of a class by them."""
    typed = built.store.quads_for_pattern(None, ns.RDF("type"), ns.EG("Note"), None)

    assert written(built, "domainIncludes") >= {(ns.EG + "about", ns.EG + "Note")}
    assert {ns.value(quad.graph_name) for quad in typed} <= {ns.GRAPH + "notes"}


def test_a_release_is_as_the_shapes_that_only_document_say(built: Release) -> None:
    """What validation does not run is checked here, on what is shipped."""
    from pyshacl import validate

    lines = serialize({quad.triple for quad in built.store}, format=RdfFormat.N_TRIPLES)
    data = Graph().parse(data=lines, format="nt")
    for found in set(data.objects(None, URIRef(ns.EG + "states"))):
        # Some are of other vocabularies, which no release holds.
        data.add((found, RDF.type, RDF.Property))
    documenting = Graph().parse(root() / "ontology" / "term-shapes.ttl", format="turtle")

    conforms, _, text = validate(data, shacl_graph=documenting)
    assert conforms, text[:2000]
