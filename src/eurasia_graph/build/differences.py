"""Find where two claims cannot both be right."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, RdfFormat, Store, Triple

from eurasia_graph import namespaces as ns
from eurasia_graph.build import rules
from eurasia_graph.build.findings import Finding, Report
from eurasia_graph.build.lines import dump, lines_of, terms_of
from eurasia_graph.build.pieces import Pieces, key_of
from eurasia_graph.build.rule_order import ANYTHING
from eurasia_graph.build.sources import Dataset, source_name, value_of
from eurasia_graph.build.toolkit import toolkit_digest
from eurasia_graph.graphs import ENTITIES, LINKS, graph_of

DIFFERENCES = ns.GRAPH("differences")
TYPE = str(ns.RDF("type")).encode()


def find_differences(dataset: Dataset, world: Report | None = None, pieces: Pieces | None = None) -> None:
    """
    Write where two claims cannot both be right into the graph `differences`.

    Args:
        dataset: With facts and memberships of all sources.
        world: The report of the checks of the world, whose findings about two claims are differences as well.
        pieces: The pieces kept between builds.
    """
    store, kept = dataset.store, pieces or Pieces()
    for finding in world.findings if world else ():
        if finding.difference:
            store.extend(ns.quad(triple, DIFFERENCES) for triple in _difference(store, finding))
    names = [source_name(source) for source in dataset.sources()]
    own = [graph_of(kind, name) for name in names for kind in ("claims", "bounds", "facts", "memberships")]
    lines = _compared(store, [ENTITIES, LINKS, *own, DIFFERENCES])
    key = key_of("differences", toolkit_digest(), *(rule.text for rule in rules.of_stages("differences")), *lines)
    found = kept.get(key)
    if found is None:
        # The engine looks a pattern up in each graph in turn: with many sources, one graph is faster to read.
        alone, graph = Store(), ns.GRAPH("compared")
        alone.bulk_load(b"".join(lines), format=RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)
        rules.run(alone, ["differences"], [graph], DIFFERENCES)
        found = dump(alone, DIFFERENCES)
        kept.put(key, found)
    store.bulk_load(found, format=RdfFormat.N_TRIPLES, to_graph=DIFFERENCES, lenient=True)
    store.extend(ns.quad(triple, DIFFERENCES) for triple in _reasons(store))


def _compared(store: Store, graphs: list[NamedNode]) -> list[bytes]:
    """Return the statements that the rules read, as lines of N-Triples, each once and sorted."""
    read = rules.read_by(store, "differences")
    names = {f"<{name}>".encode() for name in read}
    found: set[bytes] = set()
    for graph in graphs:
        for line in lines_of(dump(store, graph)):
            _, predicate, value = terms_of(line)
            if ANYTHING in read or predicate in names or (predicate == TYPE and value in names):
                found.add(line)
    return sorted(found)


def _reasons(store: Store) -> Iterator[Triple]:
    """Say of each kind of difference that a rule found why, in the words of the rule."""
    for path in sorted(rules.folder_of("differences").glob("*.rq")):
        summary = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#+ summary: ")
        kind = ns.SCHEME(f"difference/{path.stem}")
        for quad in store.quads_for_pattern(None, ns.EG("differenceKind"), kind, DIFFERENCES):
            if not any(store.quads_for_pattern(quad.subject, ns.EG("foundBecause"), None, DIFFERENCES)):
                yield Triple(quad.subject, ns.EG("foundBecause"), Literal(summary))


def _difference(store: Store, finding: Finding) -> Iterator[Triple]:
    """Turn a finding about two claims, or about a state and a claim, into a difference."""
    assert finding.difference and finding.value
    kind = NamedNode(finding.difference)
    first, second = (_claim_of(store, NamedNode(iri)) for iri in (finding.focus, finding.value))
    pair = sorted((first, second), key=lambda node: node.value)
    slug = "/".join(each.value.removeprefix(ns.ID).replace("claim/", "").replace("/", "-") for each in pair)
    node = ns.ID(f"difference/{ns.local_name(kind.value)}/{slug}")
    yield Triple(node, ns.RDF("type"), ns.EG("Difference"))
    yield Triple(node, ns.EG("differenceKind"), kind)
    yield Triple(node, ns.EG("subject"), _subject_of(store, first))
    yield Triple(node, ns.EG("foundBecause"), Literal(finding.message.partition(". ")[0].removesuffix(".")))
    term = "saysStatus" if ns.local_name(kind.value) == "status" else "saysDate"
    for letter, each in zip("AB", pair, strict=True):
        value = value_of(store, each, term) or value_of(store, each, "existence")
        if "/id/claim/" in each.value:
            yield Triple(node, ns.EG(f"claim{letter}"), each)
        if value:
            yield Triple(
                node, ns.EG(f"value{letter}"), Literal(ns.local_name(value) if term == "saysStatus" else value)
            )


def _claim_of(store: Store, node: NamedNode) -> NamedNode:
    begun = next(store.quads_for_pattern(node, ns.EG("leadClaim"), None, None), None)
    return begun.object if begun and isinstance(begun.object, NamedNode) else node


def _subject_of(store: Store, claim: NamedNode) -> NamedNode:
    for term in ("saysNewBody", "saysBody", "saysTreaty"):
        value = value_of(store, claim, term)
        if value:
            return NamedNode(value)
    return claim
