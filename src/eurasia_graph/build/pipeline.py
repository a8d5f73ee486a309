"""
Build a release from the files: the data flow of the project, one call a line.

Every stage reads what stands before it and writes graphs of its own. Same inputs, same bytes:
no clock, no host name and no random label goes into a release.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path
from pyoxigraph import CanonicalizationAlgorithm, Literal, NamedNode, Quad, RdfFormat, Store, Triple
from pyoxigraph import Dataset as QuadSet

from eurasia_graph import namespaces as ns
from eurasia_graph.build import rules, sources, validation
from eurasia_graph.dates import Bounds, bounds
from eurasia_graph.errors import InvalidDataError, StoreError
from eurasia_graph.files import MIB, mask, named, new_folder, put, read_bounded
from eurasia_graph.build.kept import UnfitError, clean, keep, load_kept
from eurasia_graph.build.sources import ENTITIES, LINKS, SCHEMA_GRAPHS, Dataset, graph_of
from eurasia_graph.store import ReleaseStore, from_quads
from eurasia_graph.build.validation import Finding, Report

CLOSURE_OF_SCHEMA = ns.GRAPH("closure-ontology")
DIFFERENCES = ns.GRAPH("differences")
META = ns.GRAPH("meta")
ONTOLOGY = ns.GRAPH("ontology")
XSD_DATE = NamedNode(ns.XSD + "date")

# What owlrl adds to any graph: reflexive axioms, owl:Thing, types of literals, axioms on datatypes.
NOISE_CLASSES = {ns.OWL(name) for name in ("Thing", "Nothing")} | {
    ns.RDFS(name) for name in ("Resource", "Datatype", "Literal")
}
BUILD_MODULES = ("dates", "names", "namespaces", "pipeline", "record", "rules", "sources", "validation", "vocabulary")

LARGEST_FILE = 1024 * MIB
# What `write` writes.
WRITTEN = {"release.nq", "release.json"}

Progress = Callable[[str], None]
# What begins so is for the user to know, whatever is shown of the stages.
NOTE = "note: "


def silent(_stage: str) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Release:
    """
    A built dataset.

    `store` holds the named graphs; its default graph is empty. `inputs` is the digest of the files
    and versions, `content` that of all graphs but `meta` in canonical N-Quads, both sha256 in
    lower-case hexadecimal. `report` holds the warnings.
    """

    store: Store
    inputs: str
    content: str
    report: Report

    @property
    def iri(self) -> NamedNode:
        """The name of the release, which carries the beginning of its content digest."""
        return release_iri(self.content)


def release_iri(content: str) -> NamedNode:
    """Name a release by the first sixteen digits of its content digest."""
    return ns.RELEASE(content[:16])


def build(data: Path | None = None, progress: Progress = silent) -> Release:
    """
    Build a release.

    Args:
        data: A folder like the shipped `data/`; that one if left out.
        progress: Called with the name of each stage as it begins.
    Raises:
        UsageError: If the folder is not a data folder.
        InvalidDataError: If a file cannot be read or the record breaks a rule; nothing is built.
    """
    progress("load")
    files = sources.find(data)
    dataset = sources.load(files)
    progress("check the record")
    record = validation.check_record(dataset)
    _refuse_errors(record)
    derive(dataset, progress)
    progress("check the world")
    report = Report([*record.findings, *validation.check_world(dataset).findings])
    progress("closure")
    close(dataset)
    progress("differences")
    find_differences(dataset, report)
    progress("digests")
    inputs = inputs_digest(data)
    content = _describe_release(dataset, inputs)
    return Release(dataset.store, inputs, content, report)


def cache_folder() -> Path:
    """Return the folder for kept releases: `EURASIA_GRAPH_CACHE`, or the platform's place for caches."""
    chosen = os.environ.get("EURASIA_GRAPH_CACHE")
    return Path(chosen) if chosen else Path(user_cache_path("eurasia-graph"))


def open_release(data: Path | None = None, progress: Progress = silent) -> ReleaseStore:
    """
    Return the release of a data folder: the kept one if its inputs are the same, else a new one.

    A new release is kept for the next time. Where that fails, or where the kept one does not fit, `progress` is
    told so in a line that begins with `note: `, and the release is returned all the same.

    Args:
        data: A folder like the shipped `data/`; that one if left out.
        progress: Called with the name of each stage as it begins.
    Raises:
        UsageError: If the folder is not a data folder.
        InvalidDataError: If a file cannot be read or the record breaks a rule.
    """
    inputs = inputs_digest(data)
    folder = cache_folder() / inputs[:32]
    try:
        kept = load_kept(folder)
        if kept and kept.inputs == inputs:
            return kept
        if kept:
            progress(f"{NOTE}the release kept in {folder} is of other inputs; it is built again")
    except UnfitError as error:
        progress(f"{NOTE}{error}; it is built again")
    opened = as_store(build(data, progress))
    try:
        keep(opened, folder)
    except StoreError as error:
        progress(
            f"{NOTE}{error}; it will be built again at every start; "
            "set EURASIA_GRAPH_CACHE to a folder of your own that can be written"
        )
    return opened


def clean_cache() -> None:
    """
    Throw away the kept releases, and nothing else that may stand in the folder.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    clean(cache_folder())


def counts(release: Release) -> dict[str, int]:
    """Count the quads of every named graph, sorted by IRI."""
    graphs = sorted(graph.value for graph in release.store.named_graphs() if isinstance(graph, NamedNode))
    return {
        graph: sum(1 for _ in release.store.quads_for_pattern(None, None, None, NamedNode(graph))) for graph in graphs
    }


def write(release: Release, folder: Path) -> Path:
    """
    Write a release into a folder: `release.nq`, canonical, and `release.json`, its digests; whole or not at all.

    Raises:
        StoreError: If the folder cannot be written, or holds other things than a release.
    """
    lines = sorted(line for own in canonical_lines(release.store).values() for line in own)
    described = {"iri": release.iri.value, "inputs": release.inputs, "content": release.content, "quads": len(lines)}
    target = folder.resolve()
    if target.is_dir():
        others = sorted({path.name for path in target.iterdir()} - WRITTEN)
        if others:
            raise StoreError(
                f"the release is not written to {named(folder)}: there is {others[0]!r}, which is not of a release and "
                "would be lost; give a folder that is new, empty or holds a release alone"
            )
    elif target.exists():
        raise StoreError(f"the release is not written to {named(folder)}: it is a file; give another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(target.parent, f".{target.name}.new-") as scratch:
            (scratch / "release.nq").write_bytes(b"".join(lines))
            (scratch / "release.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
            scratch.chmod(stat.S_IMODE(target.stat().st_mode) if target.is_dir() else 0o777 & ~mask())
            put(scratch, target)
    except OSError as error:
        raise StoreError(
            f"the release cannot be written to {named(folder)}: {error.strerror}; what was there is as it was; "
            "give another folder"
        ) from None
    return folder / "release.nq"


def as_store(release: Release) -> ReleaseStore:
    """Make a release queryable; the engine's store is shared, not copied, and gets its default graph."""
    warnings = [finding.text() for finding in release.report.findings]
    return from_quads(release.store, iri=release.iri, content=release.content, inputs=release.inputs, warnings=warnings)


def validate(data: Path | None = None, extra: list[Path] | None = None) -> Report:
    """
    Check a data folder, and Turtle files read beside it, without building a release.

    Args:
        data: A folder like the shipped `data/`; that one if left out.
        extra: Turtle files; each goes to the graph that its content asks for. If there are any,
            only findings in them are reported.
    """
    dataset = sources.load(sources.find(data))
    for path in extra or []:
        sources.add_by_content(dataset, path)
    record = validation.check_record(dataset)
    found = record
    if not record.errors:
        derive(dataset)
        world = validation.check_world(dataset)
        found = Report(record.findings + world.findings, record.unreadable)
    return found.only(extra) if extra else found


def derive(dataset: Dataset, progress: Progress = silent) -> None:
    """Generate bounds, facts and memberships of every source, each from its own claims."""
    progress("bounds")
    _add_bounds(dataset)
    for source in map(_name, dataset.sources()):
        progress(f"facts of {source}")
        claims, bounds_, facts, spans = (graph_of(kind, source) for kind in ("claims", "bounds", "facts", "spans"))
        rules.run(dataset.store, "facts", [claims, bounds_, LINKS], facts)
        progress(f"memberships of {source}")
        # A stage that counts, or asks for the least, reads what an earlier one has finished.
        rules.run(dataset.store, "telling", [ONTOLOGY, claims, bounds_, facts], spans)
        rules.run(dataset.store, "dating", [claims, bounds_], spans)
        rules.run(dataset.store, "beginnings", [claims, bounds_], spans)
        rules.run(dataset.store, "first-days", [bounds_], spans)
        rules.run(dataset.store, "spans", [], spans)
        rules.run(dataset.store, "groups", [bounds_], spans)
        rules.run(dataset.store, "memberships", [claims, bounds_, facts, spans], graph_of("memberships", source))
        dataset.store.remove_graph(spans)


def _refuse_errors(report: Report) -> None:
    if report.errors:
        raise InvalidDataError(report)


def _name(source: NamedNode) -> str:
    return ns.local_name(source.value)


# --- bounds --------------------------------------------------------------------------------


def _add_bounds(dataset: Dataset) -> None:
    for source in dataset.sources():
        graph = graph_of("bounds", _name(source))
        dataset.store.extend(ns.quad(triple, graph) for triple in _bounds_of(dataset.store, source))


def _bounds_of(store: Store, source: NamedNode) -> Iterator[Triple]:
    """Bound the claims of a source, the source itself and the states, and tell which claims count."""
    issued = _value(store, source, "issued")
    if issued:
        yield Triple(source, ns.EG("latest"), _day(bounds(issued).latest))
    # A table may be issued years after the last that it covers.
    ends = [_value(store, source, term) for term in ("issued", "coversUntil")]
    known = [bounds(each).latest for each in ends if each]
    if known:
        yield Triple(source, ns.EG("horizon"), _day(min(known)))
    yield from _existence(store)
    standings, unsettled, implying = (
        _kinds(store, term) for term in ("tellsStanding", "givesOnlyPossibleStatus", "impliesStatus")
    )
    for quad in store.quads_for_pattern(None, ns.EG("madeBy"), source, None):
        claim = quad.subject
        if not isinstance(claim, NamedNode):
            continue
        written, kind = _value(store, claim, "saysDate"), _value(store, claim, "saysKind")
        found = bounds(written) if written else None
        if found:
            stands = kind in implying or _value(store, claim, "saysStatus") is not None
            for term, day in _days_of(found, lasting=kind in standings, stands=stands):
                yield Triple(claim, ns.EG(term), _day(day))
        modality = ns.local_name(_value(store, claim, "modality") or "asserted")
        reported = Quad(claim, ns.RDF("type"), ns.EG("ReportedClaim"), quad.graph_name) in store
        if modality == "asserted" and not reported:
            yield Triple(claim, ns.RDF("type"), ns.EG("CountedClaim"))
        doubtful = (found and found.doubtful) or kind in unsettled
        if not reported and (modality == "hedged" or (modality == "asserted" and doubtful)):
            yield Triple(claim, ns.RDF("type"), ns.EG("DoubtfulClaim"))


def _days_of(found: Bounds, *, lasting: bool, stands: bool) -> Iterator[tuple[str, date]]:
    """
    Name the days of a date.

    Args:
        found: What the date says.
        lasting: Whether an interval is how long a standing lasted, and not the days that an event took.
        stands: Whether the claim gives a standing, which a date without a first day says to hold on its last.
    """
    begun, held = (found.begun, found.held) if lasting else (None, None)
    if found.earliest:
        yield "earliest", found.earliest
    yield "latest", begun or found.latest
    if held and found.earliest:
        # Nothing is over on a day before the first on which it can have begun.
        yield "overEarliest", _day_after(max(held, found.earliest))
        yield "overLatest", _day_after(found.latest)
    if found.earliest is None and stands:
        yield "mayEndFrom", _day_after(found.latest)


def _day_after(day: date) -> date:
    """Give the next day; the last day of the calendar stands for no end."""
    return day if day == date.max else day + timedelta(days=1)


def _kinds(store: Store, term: str) -> set[str]:
    """Return the kinds of event of which the ontology says so."""
    marked = store.quads_for_pattern(None, ns.EG(term), None, ONTOLOGY)
    return {ns.value(quad.subject) for quad in marked if ns.value(quad.object) != "false"}


def _existence(store: Store) -> Iterator[Triple]:
    for quad in store.quads_for_pattern(None, ns.EG("existence"), None, ENTITIES):
        begin, _, end = ns.value(quad.object).partition("/")
        first = bounds(begin).earliest
        if first:
            yield Triple(quad.subject, ns.EG("existsFrom"), _day(first))
        if end not in {"", ".."}:
            yield Triple(quad.subject, ns.EG("existsUntil"), _day(bounds(end).latest))


def _value(store: Store, subject: NamedNode, term: str) -> str | None:
    quad = next(store.quads_for_pattern(subject, ns.EG(term), None, None), None)
    return quad.object.value if quad and isinstance(quad.object, (Literal, NamedNode)) else None


def _day(day: object) -> Literal:
    return Literal(str(day), datatype=XSD_DATE)


# --- closure -------------------------------------------------------------------------------


def close(dataset: Dataset) -> None:
    """Close the schema once by owlrl, then the instances of each source by rules that read it."""
    _close_schema(dataset.store)
    for source in map(_name, dataset.sources()):
        own = [graph_of(kind, source) for kind in ("claims", "passages", "facts", "memberships")]
        reads = [*SCHEMA_GRAPHS, CLOSURE_OF_SCHEMA, ENTITIES, *own]
        rules.run(dataset.store, "closure", reads, graph_of("closure", source), only_new=True)


def _close_schema(store: Store) -> None:
    """
    Write what OWL 2 RL adds to the ontology and its alignments.

    The schemes are left to the rules: they hold instances, and blank nodes nowhere.
    """
    schema = {quad.triple for graph in SCHEMA_GRAPHS[:2] for quad in store.quads_for_pattern(None, None, None, graph)}
    store.extend(ns.quad(triple, CLOSURE_OF_SCHEMA) for triple in close_by_owlrl(schema) - schema)


def close_by_owlrl(triples: set[Triple]) -> set[Triple]:
    """Close triples under OWL 2 RL by owlrl, without the noise it adds to any graph."""
    from owlrl import DeductiveClosure, OWLRL_Semantics
    from rdflib import Graph

    graph = Graph()
    graph.parse(data=b"\n".join(str(triple).encode() + b" ." for triple in triples), format="nt")
    DeductiveClosure(OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    # owlrl types literals, which no RDF syntax can write: leave them out before writing.
    lines = b"\n".join(
        " ".join(term.n3() for term in triple).encode() + b" ."
        for triple in graph
        if not triple[0].n3().startswith('"')
    )
    return {triple for triple in _parse(lines) if not is_noise(triple)}


def _parse(lines: bytes) -> Iterator[Triple]:
    from pyoxigraph import parse

    return (quad.triple for quad in parse(lines, format=RdfFormat.N_TRIPLES))


def is_noise(triple: Triple) -> bool:
    """Tell whether a triple says nothing about the graph it was inferred from."""
    subject, predicate, obj = triple
    reflexive = subject == obj and predicate in {
        ns.OWL("sameAs"),
        ns.OWL("equivalentClass"),
        ns.OWL("equivalentProperty"),
        ns.RDFS("subClassOf"),
        ns.RDFS("subPropertyOf"),
    }
    about_datatypes = isinstance(subject, NamedNode) and subject.value.startswith(ns.XSD)
    return reflexive or about_datatypes or obj in NOISE_CLASSES or subject in NOISE_CLASSES


# --- differences ---------------------------------------------------------------------------


def find_differences(dataset: Dataset, world: Report | None = None) -> None:
    """
    Write where two claims cannot both be right into the graph `differences`.

    Args:
        dataset: With facts and memberships of all sources.
        world: The faults of the world found so far, each of which is a difference as well.
    """
    for finding in world.findings if world else ():
        if finding.difference:
            dataset.store.extend(ns.quad(triple, DIFFERENCES) for triple in _difference(dataset.store, finding))
    names = [_name(source) for source in dataset.sources()]
    own = [graph_of(kind, name) for name in names for kind in ("claims", "bounds", "facts", "memberships")]
    rules.run(dataset.store, "differences", [ENTITIES, LINKS, *own], DIFFERENCES)


def _difference(store: Store, finding: Finding) -> Iterator[Triple]:
    """Turn a fault of the world, which is a finding about two claims or a state and a claim, into a difference."""
    assert finding.difference and finding.value
    kind = NamedNode(finding.difference)
    first, second = (_claim_of(store, NamedNode(iri)) for iri in (finding.focus, finding.value))
    pair = sorted((first, second), key=lambda node: node.value)
    slug = "/".join(each.value.removeprefix(ns.ID).replace("claim/", "").replace("/", "-") for each in pair)
    node = ns.ID(f"difference/{ns.local_name(kind.value)}/{slug}")
    yield Triple(node, ns.RDF("type"), ns.EG("Difference"))
    yield Triple(node, ns.EG("differenceKind"), kind)
    yield Triple(node, ns.EG("subject"), _subject_of(store, first))
    term = "saysStatus" if ns.local_name(kind.value) == "status" else "saysDate"
    for letter, each in zip("AB", pair, strict=True):
        value = _value(store, each, term) or _value(store, each, "existence")
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
        value = _value(store, claim, term)
        if value:
            return NamedNode(value)
    return claim


# --- digests -------------------------------------------------------------------------------


def inputs_digest(data: Path | None = None) -> str:
    """Digest everything a release depends on: the files, the rules and shapes, the code that builds, the versions."""
    whole = hashlib.sha256()
    for name in ("eurasia-graph", "pyoxigraph"):
        whole.update(f"{name} {version(name)}\n".encode())
    package = Path(__file__).parent
    code = [package / f"{name}.py" for name in BUILD_MODULES]
    for label, base, paths in (
        ("code", package, code),
        ("ontology", sources.root() / "ontology", sorted((sources.root() / "ontology").rglob("*.*"))),
        ("data", data or sources.root() / "data", [file.path for file in sources.find(data)]),
    ):
        for path in paths:
            place = path.relative_to(base) if path.is_relative_to(base) else path.relative_to(sources.root())
            raw = read_bounded(path, LARGEST_FILE, "check its name and rights")
            whole.update(f"{label}/{place.as_posix()} {hashlib.sha256(raw).hexdigest()}\n".encode())
    return whole.hexdigest()


def canonical_lines(store: Store) -> dict[str, list[bytes]]:
    """Return the canonical N-Quads of every named graph (RDFC-1.0), sorted, by the IRI of the graph."""
    quads = QuadSet(quad for graph in store.named_graphs() for quad in store.quads_for_pattern(None, None, None, graph))
    quads.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    lines: dict[str, list[bytes]] = {}
    for quad in quads:
        assert isinstance(quad.graph_name, NamedNode)
        lines.setdefault(quad.graph_name.value, []).append(f"{quad} .\n".encode())
    return {graph: sorted(lines[graph]) for graph in sorted(lines)}


def _describe_release(dataset: Dataset, inputs: str) -> str:
    """Write the digests of all graphs and of the whole into the graph `meta`; return that of the whole."""
    lines = canonical_lines(dataset.store)
    whole = hashlib.sha256(b"".join(sorted(line for own in lines.values() for line in own))).hexdigest()
    release = release_iri(whole)
    facts = [
        Triple(release, ns.RDF("type"), ns.EG("Release")),
        Triple(release, ns.EG("inputsSha256"), Literal(inputs)),
        Triple(release, ns.EG("contentSha256"), Literal(whole)),
        Triple(release, ns.OWL("versionInfo"), Literal(version("eurasia-graph"))),
        Triple(release, ns.DCTERMS("license"), NamedNode("https://creativecommons.org/licenses/by/4.0/")),
    ]
    for graph, own in lines.items():
        node = NamedNode(graph)
        facts.append(Triple(release, ns.DCTERMS("hasPart"), node))
        facts.append(Triple(node, ns.EG("contentSha256"), Literal(hashlib.sha256(b"".join(own)).hexdigest())))
    dataset.store.extend(ns.quad(triple, META) for triple in facts)
    return whole
