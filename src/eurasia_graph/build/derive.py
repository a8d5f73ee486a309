"""Derive the bounds, facts and memberships of each source from its own claims."""

from __future__ import annotations

from eurasia_graph import namespaces as ns
from eurasia_graph.build import rules
from eurasia_graph.build.bounds import ONTOLOGY, add_bounds, add_calendar
from eurasia_graph.build.progress import Progress, silent
from eurasia_graph.build.sources import Dataset, source_name
from eurasia_graph.graphs import LINKS, SCHEMA_GRAPHS, graph_of

# The stages: which claims affect statuses, when each status began and ended, and which of them are the same.
SPANS = ["telling", "dating", "beginnings", "first-days", "spans", "groups"]


def derive_source(dataset: Dataset, source: str) -> None:
    """
    Derive the bounds, facts and memberships of a source.

    Args:
        dataset: Contains its claims, their links, the entities and the ontology.
        source: Its name.
    """
    add_bounds(dataset, ns.ID(f"source/{source}"))
    claims, bounds_, facts, spans = (graph_of(kind, source) for kind in ("claims", "bounds", "facts", "spans"))
    reads = [ONTOLOGY, claims, bounds_]
    rules.run(dataset.store, ["facts"], [*reads, SCHEMA_GRAPHS[-1]], facts, files=[claims, LINKS])
    add_calendar(dataset, spans)
    rules.run(dataset.store, SPANS, [*reads, facts], spans)
    rules.run(dataset.store, ["memberships"], [claims, bounds_, facts, spans], graph_of("memberships", source))
    dataset.store.remove_graph(spans)


def derive(dataset: Dataset, progress: Progress = silent) -> None:
    """Derive the bounds, facts and memberships of every source of a dataset."""
    for source in map(source_name, dataset.sources()):
        progress(f"memberships of {source}")
        derive_source(dataset, source)
