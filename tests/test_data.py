"""The shipped data is in order: canonical, covered, in our own words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import CHECKOUT, SHARED, needs_shared
from eurasia_graph import graphs
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.build.release import Release
from eurasia_graph.text.passages import from_store, read_text, text_digest
from eurasia_graph.text.splitting import split
from eurasia_graph.turtle.formatting import format_file

FILES = sorted(
    [
        *(CHECKOUT / "ontology").rglob("*.ttl"),
        *(CHECKOUT / "data").rglob("*.ttl"),
        *(CHECKOUT / "tests/mini").rglob("*.ttl"),
    ]
)
SEEDS = {"icds-2016": "004_1c5f4a991d0b2a5f", "eurasianism-central-asia": "000_381b1a7ac0ef7617"}
# Bodies that an issue, a paper or a script may name; their short names are the last part of the IRI.
BODIES = [
    "CIS",
    "CST",
    "CSTO",
    "CICA",
    "SHANGHAI-FIVE",
    "SCO",
    "EURASEC",
    "CU-1996",
    "EACU",
    "EAEU",
    "CES-1994",
    "CAU",
    "CAEC",
    "CACO",
    "EURASIAN-UNION",
    "KKEU",
    "ECO",
    "GUUAM",
    "SPECA",
    "CAREC",
    "ADB",
    "ASEAN",
    "BRICS",
    "EU",
    "ECSC",
    "NATO",
    "OSCE",
    "UN",
    "WTO",
    "RATS",
    "UNGA",
    "BISHKEK-GROUP",
    "SCO-SECRETARIAT",
    "CICA-SECRETARIAT",
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_file_is_in_its_canonical_form(path: Path) -> None:
    """A diff shows a change of meaning and nothing else."""
    assert path.read_text(encoding="utf-8") == format_file(path)


def test_the_record_is_without_an_error_and_its_warnings_are_known(built: Release) -> None:
    """One text dates the beginning of the CSTO twice; nothing else is at odds with itself."""
    assert [finding.rule for finding in built.report.findings] == ["Event-before-change", "Dates-far-apart"]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_the_texts_name_is_there(built: Release, name: str) -> None:
    """Whether or not a claim is about it; with a label in English and in Russian."""
    labels = built.store.quads_for_pattern(ns.ID(f"body/{name}"), ns.SKOS("prefLabel"), None, graphs.ENTITIES)

    assert {getattr(quad.object, "language", None) for quad in labels} == {"en", "ru"}


def test_every_event_claim_of_a_joining_has_somebody_a_body_or_a_treaty(built: Release) -> None:
    """Every claim says something."""
    for quad in built.store.quads_for_pattern(None, ns.EG("saysKind"), None, None):
        content = {
            each.predicate.value for each in built.store.quads_for_pattern(quad.subject, None, None, quad.graph_name)
        }
        said = {
            ns.EG + name
            for name in (
                "saysActor",
                "saysBody",
                "saysTreaty",
                "saysOldBody",
                "saysNewBody",
                "saysRecipient",
                "saysOrgan",
            )
        }
        assert content & said, quad.subject


WORDS = re.compile(r"[^\W_]+")


@needs_shared
@pytest.mark.parametrize("source", SEEDS)
def test_the_passages_cover_the_source_text(source: str) -> None:
    """As many passages as the text has pieces, and the digest of the whole is that of the text."""
    dataset = sources.load(sources.find())
    text = read_text(SHARED / "seeds" / f"{SEEDS[source]}.txt")
    written = next(dataset.store.quads_for_pattern(ns.ID(f"source/{source}"), ns.EG("textSha256"), None, None))

    assert len(from_store(dataset.store, source)) == len(split(text))
    assert ns.value(written.object) == text_digest(text).sha256


@needs_shared
def test_no_sentence_of_the_texts_is_copied() -> None:
    """Runs of eight words that stand in a text are names, titles and places of publication, nothing else."""
    dataset = sources.load(sources.find())
    naming = {ns.SKOS("prefLabel"), ns.SKOS("altLabel"), *(ns.EG(f"says{word}") for word in ("Name", "Title", "Venue"))}
    names = {
        " ".join(["", *WORDS.findall(ns.value(quad.object).casefold()), ""])
        for quad in dataset.store
        if quad.predicate in naming
    }
    done = subprocess.run(
        [sys.executable, str(SHARED / "tools/verbatim.py"), "data", "ontology", "queries", "docs"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    runs = [line for line in done.stdout.splitlines() if ":" in line]

    words = {line: line.split(": ", 1)[1].removeprefix("the ") for line in runs}
    assert [line for line in runs if not any(f" {words[line]} " in name for name in names)] == []
