"""A sentence is found again in another copy, and what is not found is placed between its neighbours."""

from __future__ import annotations

import random
import textwrap
from pathlib import Path

import pytest
from pyoxigraph import Store

from conftest import SHARED, TESTS, needs_shared
from eurasia_graph import graphs
from eurasia_graph import namespaces as ns
from eurasia_graph.build import sources
from eurasia_graph.errors import SourceError, UsageError
from eurasia_graph.text.passages import (
    Found,
    Passage,
    clause,
    describe,
    digest,
    fold,
    from_store,
    keep_cuts,
    read_text,
    to_triples,
    verify,
)
from eurasia_graph.text.splitting import Kind, Piece, Span, split

TEXT = read_text(TESTS / "mini" / "texts" / "one.txt")
SEEDS = {"icds-2016": "004_1c5f4a991d0b2a5f", "eurasianism-central-asia": "000_381b1a7ac0ef7617"}


def passages() -> list[Passage]:
    """The passages of the mini text."""
    return describe(TEXT, split(TEXT))


def reflowed(text: str) -> str:
    """Break the lines of a text elsewhere."""
    return "\n\n".join(textwrap.fill(" ".join(block.split()), 43) for block in text.split("\n\n"))


def hyphenated(text: str) -> str:
    """Break long words in two with a hyphen, always the same ones."""
    chance = random.Random(7)
    words = text.split(" ")
    return " ".join(
        f"{word[:3]}-\n{word[3:]}" if word.isalpha() and len(word) > 6 and chance.random() < 0.3 else word
        for word in words
    )


def retyped(text: str) -> str:
    """Write a text with straight quotation marks and in capitals."""
    return text.replace("“", '"').replace("”", '"').replace("’", "'").upper()


def test_a_fold_keeps_letters_and_digits_only() -> None:
    """Marks, spaces, case and compatibility forms are gone; letters of any alphabet stay."""
    assert fold("The “Shanghai\nFive”, 1996: Ⅸ ШОС-ﬁ") == "theshanghaifive1996ixшосfi"


def test_offsets_count_code_points_from_0_with_the_end_excluded() -> None:
    """The slice of a passage is its sentence, without the note marker after it."""
    third = passages()[2]

    assert TEXT[third.span.start : third.span.end].startswith("Kazakhstan ratified the treaty")
    assert TEXT[third.span.start : third.span.end].endswith("on 1 January 1997.")


@pytest.mark.parametrize("change", [reflowed, hyphenated, retyped])
def test_every_passage_is_found_in_a_copy_of_another_layout(change: object) -> None:
    """Line breaks, hyphens, quotation marks and capitals do not matter."""
    results = verify(passages(), change(TEXT))  # type: ignore[operator]

    assert {result.found for result in results} == {Found.IN_PLACE}


def test_what_a_copy_lacks_is_placed_between_its_neighbours() -> None:
    """The report names the passages before and after, and where they stand."""
    copy = TEXT.replace("Tajikistan acceded in 1998. ", "")

    missing = [result for result in verify(passages(), copy) if result.found is Found.NOWHERE]

    assert [result.passage.name for result in missing] == ["4"]
    assert missing[0].after and missing[0].after[0] == "3"
    assert missing[0].before and missing[0].before[0] == "5"


def test_what_stands_elsewhere_is_moved() -> None:
    """A passage that was moved is distinguished from one that is lost."""
    copy = TEXT.replace("Tajikistan acceded in 1998. ", "") + " " + "filler " * 600 + "Tajikistan acceded in 1998."

    moved = [result for result in verify(passages(), copy) if result.found is Found.MOVED]

    assert [result.passage.name for result in moved] == ["4"]


def test_a_changed_word_is_not_found() -> None:
    """A digest holds the passage to every letter."""
    results = verify(passages(), TEXT.replace("1998", "1999"))

    assert [result.passage.name for result in results if result.found is Found.NOWHERE] == ["4"]


def test_numbers_stay_when_a_text_is_split_again() -> None:
    """A sentence that was there keeps its number and its reason; a new one gets the next."""
    known = passages()
    longer = TEXT.replace("Tajikistan acceded", "A new sentence stands here. Tajikistan acceded")

    again = describe(longer, split(longer), known)

    assert {each.name for each in known} < {each.name for each in again}
    assert {each.digest: each.name for each in known}.items() <= {each.digest: each.name for each in again}.items()


def test_a_text_that_lacks_a_known_passage_is_refused() -> None:
    """Nothing is lost in silence: the message names the numbers."""
    shorter = TEXT.replace("Tajikistan acceded in 1998. ", "")

    with pytest.raises(UsageError, match="passage 4 of the source is not in this text"):
        describe(shorter, split(shorter), passages())


def test_a_clause_is_described_by_its_words_and_found_again() -> None:
    """A clause stands in its sentence, and survives a new splitting."""
    sentences = passages()
    part = clause(TEXT, sentences[2], "it came into force on 1 January 1997", "3-1")

    again = describe(TEXT, split(TEXT), [*sentences, part])

    assert part.sentence == "3"
    assert fold(TEXT[part.span.start : part.span.end]) == "itcameintoforceon1january1997"
    assert part in again


def test_a_clause_of_other_words_is_refused() -> None:
    """Words that do not stand in the sentence are named."""
    with pytest.raises(UsageError, match="are not in sentence 3"):
        clause(TEXT, passages()[2], "it lapsed", "3-1")


def test_passages_go_to_the_graph_and_back() -> None:
    """What is written is what is read."""
    store = Store()
    graph = graphs.graph_of("passages", "one")
    store.extend(ns.quad(triple, graph) for triple in to_triples("one", TEXT, passages()))

    assert from_store(store, "one") == passages()


def test_a_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    """The message says where the first bad byte is."""
    file = tmp_path / "text.txt"
    file.write_bytes(b"Fine so far.\nCaf\xe9.\n")

    with pytest.raises(SourceError, match=r"text\.txt:2:4: error: byte 0xe9"):
        read_text(file)


def test_a_text_is_read_in_nfc_with_line_feeds(tmp_path: Path) -> None:
    """Nothing else is changed, so that offsets are the same everywhere."""
    file = tmp_path / "text.txt"
    file.write_bytes("Cafe\u0301\r\n  two\r".encode())

    assert read_text(file) == "Café\n  two\n"


@needs_shared
@pytest.mark.parametrize("source", SEEDS)
@pytest.mark.parametrize("change", [str, reflowed, hyphenated, retyped])
def test_the_shipped_passages_are_found_in_copies_of_the_source_texts(source: str, change: object) -> None:
    """Every digest of the release leads to its sentence in the real text, however it is laid out."""
    dataset = sources.load(sources.find())
    known = from_store(dataset.store, source)
    text = read_text(SHARED / "seeds" / f"{SEEDS[source]}.txt")

    results = verify(known, change(text))  # type: ignore[operator]

    assert [each.passage.name for each in results if each.found is not Found.IN_PLACE] == []
    if change is str:
        for each in known:
            slices = [text[span.start : span.end] for span, _ in each.parts] or [text[each.span.start : each.span.end]]
            assert digest("".join(slices)) == each.digest


HEADED = "Our League\n\nIt began in 1994.\n\nThey left early\n\nIt ended in 1999.\n"


def test_a_heading_is_proposed_and_open_until_somebody_accepts_it() -> None:
    """Nothing drops out of the coverage by itself; the numbers that are accepted get the reason."""
    proposed = describe(HEADED, split(HEADED))
    decided = describe(HEADED, split(HEADED), proposed, {"1"})

    assert [(each.reason, each.section) for each in proposed] == [
        (None, "Our League"),
        (None, "Our League"),
        (None, "They left early"),
        (None, "They left early"),
    ]
    assert [(each.reason, each.section) for each in decided] == [
        ("heading", "Our League"),
        (None, "Our League"),
        (None, "Our League"),
        (None, "Our League"),
    ]
    assert describe(HEADED, split(HEADED), decided) == decided


@needs_shared
@pytest.mark.parametrize("source", SEEDS)
def test_the_shipped_passages_are_what_the_source_texts_split_into(source: str) -> None:
    """Split from nothing, numbers, offsets and digests are the shipped ones; split again, all of it is."""
    dataset = sources.load(sources.find())
    known = from_store(dataset.store, source)
    text = read_text(SHARED / "seeds" / f"{SEEDS[source]}.txt")

    fresh = describe(text, split(text))

    assert describe(text, split(text), known) == known
    assert [(each.name, each.span, each.digest, each.parts) for each in fresh] == [
        (each.name, each.span, each.digest, each.parts) for each in known
    ]


def test_what_was_cut_otherwise_before_is_kept_as_it_was() -> None:
    """Claims refer to passages: only text that is in no known passage becomes a new one."""
    text = "It was signed on Dec. 3, 1990. It lapsed. The end.\n"
    half, rest = text.index("3, 1990"), text.index("It lapsed")
    spans = [Span(0, half - 1), Span(half, rest - 1), Span(rest, text.index("The end") - 1)]
    known = describe(text, [Piece(Kind.SENTENCE, (span,)) for span in spans])

    pieces, kept = keep_cuts(text, split(text), known)
    again = describe(text, pieces, known)

    assert kept == ["1", "2"]
    assert again[:3] == known
    assert [(each.name, text[each.span.start : each.span.end]) for each in again[3:]] == [("4", "The end.")]
