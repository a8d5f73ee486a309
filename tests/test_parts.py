"""A build makes only the parts that changed, and the release has the bytes of one built from nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import CHECKOUT, TESTS, copy_mini
from eurasia_graph.build import assembly, parts, pieces, pipeline, sources
from eurasia_graph.build.findings import Report
from eurasia_graph.build.pieces import Pieces
from eurasia_graph.build.release import Release, canonical_lines


def lines(release: Release) -> dict[str, list[bytes]]:
    """All that a release says, and its name."""
    return {**canonical_lines(release.store), "report": [release.report.text().encode()]}


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the parts of the mini data."""
    folder = tmp_path_factory.mktemp("warm") / "cache"
    pipeline.build(TESTS / "mini", pieces=Pieces(folder))
    return folder


@pytest.fixture
def cache(warm: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(warm, tmp_path / "cache"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources of which a part was made, and not taken from the cache."""
    names: list[str] = []
    make = parts._make

    def told(shared: object, source: str, *more: object) -> parts.Part | None:
        names.append(source)
        return make(shared, source, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "_make", told)
    return names


@pytest.mark.parametrize("data", [TESTS / "mini", None], ids=["mini", "shipped"])
def test_parts_make_what_all_at_once_makes(data: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same graphs and the same findings in the same order, but for nothing."""
    by_parts = lines(pipeline.build(data))
    monkeypatch.setattr(pipeline, "assemble", lambda *_: None)

    assert lines(pipeline.build(data)) == by_parts


def test_nothing_is_made_again_while_nothing_changes(cache: Path, made: list[str], mini: Path) -> None:
    """Wherever the folder lies; the findings name the files of the folder that was given."""
    again = pipeline.build(mini, pieces=Pieces(cache))

    assert made == []
    assert lines(again) == lines(pipeline.build(mini))
    assert all(each.place is None or each.place.path.is_relative_to(mini) for each in again.report.findings)


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    """An edit of a file."""

    def edit(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


CLAIMS, ENTITIES = "sources/one/claims.ttl", "entities/all.ttl"
EDITS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a claim": (replace(CLAIMS, '"1995-03-01"^^edtf:EDTF', '"1995-04"^^edtf:EDTF'), {"one"}),
    "what a claim is taken from": (replace("sources/two/source.ttl", "eg:issued", 'eg:coversUntil "2001"^^edtf:EDTF ; eg:issued'), {"two"}),
    "an entity that nobody names": (replace(ENTITIES, "body:ALPHA\n", 'body:NEW a eg:Organisation ; skos:prefLabel "New"@en .\n\nbody:ALPHA\n'), set()),
    "an entity that only one names": (replace(ENTITIES, "state:UZ\n", 'state:UZ skos:altLabel "Uzbekiston"@en .\nstate:UZ\n'), {"one", "two"}),
    "a link": (replace("links.ttl", '"Kyrgyzstan leaves the Alpha Union"@en', '"Kyrgyzstan leaves"@en'), {"one"}),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_only_the_parts_it_touches(cache: Path, made: list[str], mini: Path, edit: str) -> None:
    """And the release has the bytes of one built from nothing."""
    change, touched = EDITS[edit]
    change(mini)

    edited = lines(pipeline.build(mini, pieces=Pieces(cache)))

    assert set(made) <= touched
    assert edited == lines(pipeline.build(mini))


IN_THE_ONTOLOGY = {
    "a rule": replace(
        "rules/facts/predecessors.rq", "eg:directPredecessor ?old }", "eg:directPredecessor ?old , ?new }"
    ),
    "a shape": replace("shapes/event.ttl", "more than five years apart", "far apart"),
    "a term": replace("eurasia.ttl", 'rdfs:label "says kind"@en', 'rdfs:label "tells kind"@en'),
    "a scheme": replace("schemes/status.ttl", "skos:prefLabel", 'skos:altLabel "standing"@en ; skos:prefLabel'),
}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the ontology, which the build reads in place of the shipped one."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(CHECKOUT / "ontology", elsewhere / "ontology")
    for name, module in list(sys.modules.items()):
        if name.startswith("eurasia_graph.") and hasattr(module, "root"):
            monkeypatch.setattr(module, "root", lambda: elsewhere)
    return elsewhere / "ontology"


@pytest.mark.parametrize("edit", IN_THE_ONTOLOGY)
def test_an_edit_of_the_ontology_makes_all_parts_again(
    cache: Path, made: list[str], mini: Path, elsewhere: Path, edit: str
) -> None:
    """Of its terms, its schemes, its rules and its shapes."""
    IN_THE_ONTOLOGY[edit](elsewhere)

    edited = pipeline.build(mini, pieces=Pieces(cache))

    assert set(made) == {"one", "two"}
    assert lines(edited) == lines(pipeline.build(mini))


def test_a_part_that_was_tampered_with_is_made_again(cache: Path, made: list[str], mini: Path) -> None:
    """It is proven by its digest."""
    for path in (cache / pieces.FOLDER).iterdir():
        path.write_bytes(path.read_bytes().replace(b"ALPHA", b"OMEGA"))

    tampered = lines(pipeline.build(mini, pieces=Pieces(cache)))

    assert set(made) == {"one", "two"}
    assert tampered == lines(pipeline.build(mini))


BROKEN = {
    "a term that nothing defines": replace(CLAIMS, "eg:saysKind eg:Signature", "eg:saysKind eg:Signatur"),
    "what is not Turtle": replace(CLAIMS, "one:1\n", "one:1 one:1\n"),
    "a claim in the file of another source": replace(CLAIMS, "one:1\n", "<https://w3id.org/eurasia-graph/id/claim/two/99>\n"),
    "a link to a claim that is not there": replace("links.ttl", "one:6\n", "one:666\n"),
    "an entity without a class": replace(ENTITIES, "body:ALPHA\n", 'body:NEW skos:prefLabel "New"@en .\n\nbody:ALPHA\n'),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_faults_are_told_as_by_checking_all_at_once(
    cache: Path, mini: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """With the same findings, whatever is kept."""
    BROKEN[fault](mini)

    found: Report = pipeline.validate(mini, pieces=Pieces(cache))
    monkeypatch.setattr(pipeline, "assemble", lambda *_: None)

    assert found.errors
    assert found.text() == pipeline.validate(mini).text()


def test_a_file_of_no_source_is_not_passed_over(tmp_path: Path) -> None:
    """A folder with claims and without a class for its source is checked as a whole."""
    data = copy_mini(tmp_path / "data")
    replace("sources/two/source.ttl", "eg:Source", "eg:Organisation")(data)

    assert assembly.assemble(sources.find(data), data) is None
