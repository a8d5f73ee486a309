"""Random faults in data, the same for one seed: what a slip, a wrong paste or a broken program writes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from eurasia_graph import graphs
from eurasia_graph import namespaces as ns
from eurasia_graph.build.sources import Dataset, _as_stored

INTEGER, EDTF, XSD_DATE = (NamedNode(iri) for iri in (ns.XSD + "integer", ns.EDTF + "EDTF", ns.XSD + "date"))
# Values of every kind, well and ill written.
VALUES = [
    Literal("a name"),
    Literal(""),
    Literal("two\nlines\n"),
    Literal("x[y(z"),
    Literal("long " * 80),
    Literal("Meeting", language="en"),
    Literal("Treffen", language="de"),
    Literal("Встреча", language="ru-Cyrl"),
    Literal("-3", datatype=INTEGER),
    Literal("0", datatype=INTEGER),
    Literal("007", datatype=INTEGER),
    Literal("99999999999999999999999", datatype=INTEGER),
    Literal("twelve", datatype=INTEGER),
    Literal("1.5", datatype=NamedNode(ns.XSD + "decimal")),
    Literal("many", datatype=NamedNode(ns.XSD + "decimal")),
    Literal("yes", datatype=NamedNode(ns.XSD + "boolean")),
    Literal("true", datatype=NamedNode(ns.XSD + "boolean")),
    Literal("2001-02-30", datatype=XSD_DATE),
    Literal("2001-02-03", datatype=XSD_DATE),
    Literal("2001", datatype=EDTF),
    Literal("[..2001]", datatype=EDTF),
    Literal("2001-13", datatype=EDTF),
    Literal("<b>x</b>", datatype=NamedNode(ns.RDF + "HTML")),
    Literal("5", datatype=NamedNode("http://example.org/type")),
    NamedNode("http://purl.org/spar/fabio/Book"),
    NamedNode("http://www.wikidata.org/entity/Q1"),
    NamedNode("http://example.org/thing"),
    ns.ID("state/XX"),
    ns.EG("CountedClaim"),
    ns.EG("Event"),
    ns.EG("Entity"),
]
TERMS = [ns.EG(name) for name in ("latest", "holder", "saysActor", "saysBody", "listIsComplete", "start", "note")]
TERMS += [ns.SKOS("prefLabel"), ns.DCTERMS("source"), NamedNode("http://www.w3.org/ns/oa#exact")]
# On a class that is not an IRI, and on a blank node that is to be less than something, pySHACL stops.
STOPS = {ns.RDF("type"), ns.EG("start"), ns.EG("end")}


def break_at_random(dataset: Dataset, seed: int, faults: int, *, apart: bool = False) -> None:
    """
    Put faults into a dataset, each in place of a statement of its data files.

    Args:
        dataset: As it was loaded.
        seed: The same seed gives the same faults.
        faults: How many.
        apart: Let every file speak of its own records only.
    """
    random = Random(seed)
    quads = [quad for quad in dataset.origins if quad.graph_name not in graphs.SCHEMA_GRAPHS]
    # A source that is none takes its files out of every view.
    quads = [quad for quad in quads if not (apart and quad.object == ns.EG("Source"))]
    for quad in random.sample(quads, faults):
        kind = random.choice(WITHIN if apart else KINDS)
        for new in kind(random, quad, random.choice(quads)):
            dataset.store.add(new)
            dataset.origins.setdefault(_as_stored(new), dataset.origins[quad])
        if kind not in ADDING:
            dataset.store.remove(quad)
            del dataset.origins[quad]


def _left_out(_random: Random, _quad: Quad, _other: Quad) -> list[Quad]:
    return []


def _value(random: Random, quad: Quad, _other: Quad) -> list[Quad]:
    values = [each for each in VALUES if quad.predicate not in STOPS or isinstance(each, NamedNode)]
    numbers = [each for each in VALUES if isinstance(each, Literal) and each.datatype == INTEGER]
    return [_with(quad, object=random.choice(numbers if quad.predicate in STOPS - {ns.RDF("type")} else values))]


def _other_value(_random: Random, quad: Quad, other: Quad) -> list[Quad]:
    return [quad] if quad.predicate in STOPS else [_with(quad, object=other.object)]


def _other_subject(_random: Random, quad: Quad, other: Quad) -> list[Quad]:
    return [_with(quad, subject=other.subject)]


def _other_property(random: Random, quad: Quad, other: Quad) -> list[Quad]:
    term = random.choice([other.predicate, *TERMS])
    return [quad] if term in STOPS else [_with(quad, predicate=term)]


def _other_file(_random: Random, quad: Quad, other: Quad) -> list[Quad]:
    return [_with(quad, graph_name=other.graph_name)]


def _blank(_random: Random, quad: Quad, _other: Quad) -> list[Quad]:
    return [quad] if quad.predicate in STOPS else [_with(quad, object=BlankNode())]


def _class(random: Random, quad: Quad, _other: Quad) -> list[Quad]:
    classes = [each for each in VALUES if isinstance(each, NamedNode)]
    chosen = random.choice([*classes, ns.EG("EventClaim"), ns.EG("Passage"), ns.EG("State"), ns.EG("ReportedClaim")])
    return [Quad(quad.subject, ns.RDF("type"), chosen, quad.graph_name)]


def _with(quad: Quad, **terms: object) -> Quad:
    parts = {"subject": quad.subject, "predicate": quad.predicate, "object": quad.object, "graph_name": quad.graph_name}
    return Quad(**{**parts, **terms})  # type: ignore[arg-type]


Kind = Callable[[Random, Quad, Quad], "list[Quad]"]
ADDING: list[Kind] = [_value, _other_value, _class]
WITHIN: list[Kind] = [_value, _class, _left_out, _other_property, _blank]
KINDS: list[Kind] = [*ADDING, *WITHIN, _other_subject, _other_file]


SHUFFLED = ("saysDate", "saysBody", "saysStatus", "saysKind", "saysActor", "saysTreaty", "saysNewBody", "reportsEvent")


def shuffle(dataset: Dataset, seed: int, pairs: int) -> None:
    """Exchange values of one property between claims of one file, so that the record stays right and the world does not."""
    random = Random(seed)
    for _ in range(pairs):
        term = ns.EG(random.choice(SHUFFLED))
        quads = [quad for quad in dataset.origins if quad.predicate == term]
        one, other = random.sample(quads, 2)
        if one.graph_name == other.graph_name:
            changed = [(one, _with(one, object=other.object)), (other, _with(other, object=one.object))]
            origins = [dataset.origins.pop(old) for old, _ in changed]
            for (old, new), origin in zip(changed, origins, strict=True):
                dataset.store.remove(old)
                dataset.origins.setdefault(new, origin)
            dataset.store.extend(new for _, new in changed)
