"""A text splits into pieces that hold every letter of it."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import SHARED, TESTS, needs_shared
from eurasia_graph.text.passages import fold, read_text
from eurasia_graph.text.splitting import split

CASES = tomllib.loads((TESTS / "cases" / "splitting.toml").read_text(encoding="utf-8"))["text"]


def written(text: str) -> list[str]:
    """Write the pieces of a text as the cases do."""
    return [
        f"{piece.kind.value[0].upper()} "
        + " ~ ".join(" ".join(text[span.start : span.end].split()) for span in piece.spans)
        for piece in split(text)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_text_splits_as_its_typography_says(case: dict[str, Any]) -> None:
    """Each case is one rule of the splitter, on a text of our own."""
    assert written(case["content"]) == case["pieces"]


@given(st.text(alphabet=st.sampled_from("aB .!?\n\n12“”●-—,;:()"), max_size=120))
def test_no_letter_is_lost_or_split_twice(text: str) -> None:
    """Whatever the text: spans do not overlap, and all letters are in one of them."""
    spans = sorted((span.start, span.end) for piece in split(text) for span in piece.spans)

    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert [each for each in fold(covered) if each.isalpha()] == [each for each in fold(text) if each.isalpha()]


@needs_shared
@pytest.mark.parametrize("name", ["004_1c5f4a991d0b2a5f", "000_381b1a7ac0ef7617"])
def test_the_source_texts_are_covered_but_for_the_markers_of_notes(name: str) -> None:
    """Of the real texts, only the markers of notes, counting up from 1, are outside all pieces."""
    text = read_text(SHARED / "seeds" / f"{name}.txt")
    inside = {offset for piece in split(text) for span in piece.spans for offset in range(span.start, span.end)}
    outside = [text[offset] for offset in range(len(text)) if text[offset].isalnum() and offset not in inside]

    markers = "".join(outside)
    assert "".join(map(str, range(1, 27))).startswith(markers)
