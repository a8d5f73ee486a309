"""What the tests of pushing share: a small release, a target, and stores that fail."""

from __future__ import annotations

from click.testing import CliRunner, Result
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from eurasia_graph import namespaces as ns
from eurasia_graph.cli import main
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.stores import send
from eurasia_graph.stores.remote import META
from fake import WELL, Fake, Fault

ALIEN = Quad(NamedNode("a:a"), NamedNode("a:b"), Literal("c"), NamedNode("http://example.org/of-another"))


def toy(name: str, *graphs: str, size: int = 3, blank: bool = True) -> ReleaseStore:
    """A release of a few triples in a few graphs, with a blank node in each."""
    engine = Store()
    iri = ns.RELEASE(name)
    for graph in graphs:
        subjects = [ns.ID(f"state/{name}-{number}") for number in range(size)]
        engine.extend(Quad(each, ns.RDF("type"), ns.EG("State"), ns.GRAPH(graph)) for each in subjects)
        part = BlankNode("b") if blank else subjects[1]
        engine.add(Quad(subjects[0], ns.EG("part"), part, ns.GRAPH(graph)))
        engine.add(Quad(part, ns.EG("number"), Literal(1), ns.GRAPH(graph)))
        engine.add(Quad(iri, ns.DCTERMS("hasPart"), ns.GRAPH(graph), META))
    engine.add(Quad(iri, ns.RDF("type"), ns.EG("Release"), META))
    engine.add(Quad(iri, ns.EG("contentSha256"), Literal(name), META))
    engine.add(Quad(iri, ns.EG("inputsSha256"), Literal(name), META))
    return from_quads(engine, iri=iri, content=name, inputs=name)


def target_of(fake: Fake, **options: str) -> send.Target:
    """Where the fake is pushed to."""
    return send.open_target(fake.url, "fuseki", **options)  # type: ignore[arg-type]


def without(fake: Fake) -> dict[str, int]:
    """Return the counts of the graphs that belong to the project."""
    return {name: count for name, count in fake.graphs().items() if name.startswith(ns.BASE)}


def failing_at(number: int, method: str, fault: Fault) -> object:
    """Make a store that works until the n-th request of a method that writes a graph, and fails from then on."""
    seen = 0

    def answer(asked: str, path: str) -> Fault:
        nonlocal seen
        counts = asked == method and "/data" in path
        seen += counts
        return fault if counts and seen >= number else WELL

    return answer


def run_push(fake: Fake, *options: str, url: str = "", environment: dict[str, str] | None = None) -> Result:
    """Run the command on the shipped release."""
    words = ["push", url or fake.url, "--kind", "fuseki", *options]
    return CliRunner().invoke(main, words, env=environment)
