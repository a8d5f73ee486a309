"""A built release: its IRI, its digests and its files."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import CanonicalizationAlgorithm, Literal, NamedNode, RdfFormat, Store, Triple
from pyoxigraph import Dataset as QuadSet

from eurasia_graph import namespaces as ns
from eurasia_graph.build import toolkit
from eurasia_graph.build.findings import Report
from eurasia_graph.build.release_files import FILES, META, QUADS, content_digest, release_iri, write_files
from eurasia_graph.build.sources import Dataset
from eurasia_graph.errors import EurasiaGraphError, StoreError
from eurasia_graph.files import mask, named, new_folder, put
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.version import VERSION

inputs_digest = toolkit.inputs_digest
# A blank node in lines of N-Triples, in which the line feeds of literals are escaped.
BLANK = re.compile(rb"^(?:_:|\S+ \S+ _:)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """
    A built dataset.

    `store` holds the named graphs; its default graph is empty. `inputs` is the digest of the files
    and versions, `content` that over the digests of all graphs but `meta`, both sha256 in
    lower-case hexadecimal. `report` holds the warnings, `data` is the folder it was built from.
    """

    store: Store
    inputs: str
    content: str
    report: Report
    data: Path

    @property
    def iri(self) -> NamedNode:
        """The IRI of the release, which contains the beginning of its content digest."""
        return release_iri(self.content)

    @property
    def warnings(self) -> list[str]:
        """The warnings of the build, as text that is the same wherever the release is built."""
        return [finding.text(self.data) for finding in self.report.findings]


def counts(release: Release) -> dict[str, int]:
    """Count the quads of every named graph, sorted by IRI."""
    graphs = sorted(graph.value for graph in release.store.named_graphs() if isinstance(graph, NamedNode))
    return {
        graph: sum(1 for _ in release.store.quads_for_pattern(None, None, None, NamedNode(graph))) for graph in graphs
    }


def write(release: Release, folder: Path) -> Path:
    """
    Write the files of a release to a folder, completely or not at all; `release_files` describes them.

    Raises:
        StoreError: If the folder cannot be written, or contains anything but a release.
    """
    lines = [line for own in canonical_lines(release.store).values() for line in own]
    target = folder.resolve()
    if target.is_dir():
        others = sorted({path.name for path in target.iterdir()} - FILES)
        if others:
            raise StoreError(
                f"the release was not written to {named(folder)}: the folder contains {others[0]!r}, which is not part "
                "of a release and would be lost; give a folder that is new, empty or contains only a release"
            )
    elif target.exists():
        raise StoreError(f"the release was not written to {named(folder)}: it is a file; give another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(target.parent, f".{target.name}.new-") as scratch:
            write_files(scratch, lines, described(release))
            scratch.chmod(stat.S_IMODE(target.stat().st_mode) if target.is_dir() else 0o777 & ~mask())
            put(scratch, target)
    except OSError as error:
        raise StoreError(
            f"the release could not be written to {named(folder)}: {error.strerror}; nothing there was changed; "
            "give another folder"
        ) from None
    return folder / QUADS


def as_store(release: Release) -> ReleaseStore:
    """Make a release queryable; the engine's store is shared, not copied, and its default graph is filled."""
    return from_quads(
        release.store, iri=release.iri, content=release.content, inputs=release.inputs, warnings=release.warnings
    )


def described(release: Release | ReleaseStore) -> dict[str, Any]:
    """Return the description of a release that is written to its files."""
    assert release.iri
    return {
        "iri": release.iri.value,
        "inputs": release.inputs,
        "content": release.content,
        "warnings": release.warnings,
    }


def lines_of_graph(store: Store, graph: NamedNode) -> list[bytes] | None:
    """Return the canonical N-Quads of a graph, sorted; None if it has blank nodes, which RDFC-1.0 has to name."""
    data = store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b""
    if b"_:" in data and BLANK.search(data):
        return None
    return sorted(data.replace(b" .\n", f" {graph} .\n".encode()).splitlines(keepends=True))


def canonical_lines(store: Store) -> dict[str, list[bytes]]:
    """Return the canonical N-Quads of every named graph (RDFC-1.0), sorted, by the IRI of the graph."""
    graphs = sorted(str(graph) for graph in store.named_graphs())
    found = {name[1:-1]: lines_of_graph(store, NamedNode(name[1:-1])) for name in graphs if name.startswith("<")}
    if len(found) == len(graphs) and all(own is not None for own in found.values()):
        return {graph: own for graph, own in found.items() if own}
    quads = QuadSet(quad for graph in store.named_graphs() for quad in store.quads_for_pattern(None, None, None, graph))
    quads.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    lines: dict[str, list[bytes]] = {}
    for quad in quads:
        assert isinstance(quad.graph_name, NamedNode)
        lines.setdefault(quad.graph_name.value, []).append(f"{quad} .\n".encode())
    return {graph: sorted(lines[graph]) for graph in sorted(lines)}


def digest_of(store: Store, graph: NamedNode) -> str:
    """
    Return the digest of a graph of a release: the sha256 of its canonical N-Quads.

    Raises:
        EurasiaGraphError: If it has blank nodes.
    """
    lines = lines_of_graph(store, graph)
    if lines is None:
        raise EurasiaGraphError(
            f"no release is built: the graph {graph} has blank nodes; use IRIs in the file or the rule that makes them"
        )
    return hashlib.sha256(b"".join(lines)).hexdigest()


def describe_release(dataset: Dataset, inputs: str, known: Mapping[str, str] | None = None) -> str:
    """
    Write the digests of all graphs and of the whole into the graph `meta`; return that of the whole.

    Args:
        dataset: With all other graphs of the release.
        inputs: The digest of what it depends on.
        known: The digests of some graphs, by their IRIs.
    """
    graphs = sorted(graph.value for graph in dataset.store.named_graphs() if isinstance(graph, NamedNode))
    digests = {graph: (known or {}).get(graph) or digest_of(dataset.store, NamedNode(graph)) for graph in graphs}
    whole = content_digest(digests)
    release = release_iri(whole)
    facts = [
        Triple(release, ns.RDF("type"), ns.EG("Release")),
        Triple(release, ns.EG("inputsSha256"), Literal(inputs)),
        Triple(release, ns.EG("contentSha256"), Literal(whole)),
        Triple(release, ns.OWL("versionInfo"), Literal(VERSION)),
        Triple(release, ns.DCTERMS("license"), NamedNode(ns.CC_BY)),
    ]
    for graph, digest in digests.items():
        node = NamedNode(graph)
        facts.append(Triple(release, ns.DCTERMS("hasPart"), node))
        facts.append(Triple(node, ns.EG("contentSha256"), Literal(digest)))
    dataset.store.extend(ns.quad(triple, META) for triple in facts)
    return whole
