"""The benchmark of the COW table says what the cells of a state say, and invents no day."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from conftest import CHECKOUT


@pytest.fixture
def cow(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "benchmarks"))
    return importlib.import_module("cow")


@pytest.mark.parametrize(
    ("cells", "since", "told"),
    [
        # In from the first year of the body on, and out in a year that the table shows.
        ("1 1 0", 1990, [(1990, "member", "1990"), (1992, "outside", "1992")]),
        # Out, two years without a word, then in: it joined in one of the three years.
        ("0 -9 -9 1", 1990, [(1993, "member", "[1991-01-01..1993-12-31]")]),
        # Nothing is known of the first years of the body.
        ("-9 -9 2", 1990, [(1992, "associate", "[1990-01-01..1992-12-31]")]),
        # In before and after a missing year, in which it may have been out.
        (
            "1 -9 1",
            1990,
            [
                (1990, "member", "1990"),
                (1991, "outside, perhaps", "1991-01-01"),
                (1992, "member", "[1991-01-02..1992-12-31]"),
            ],
        ),
        # In, missing, out: it left in one of the two years.
        ("1 -9 0", 1990, [(1990, "member", "1990"), (1992, "outside", "[1991-01-01..1992-12-31]")]),
        # Another status after a missing year began in one of the two years.
        ("3 -9 1", 1990, [(1990, "observer", "1990"), (1992, "member", "[1991-01-01..1992-12-31]")]),
        # Missing to the end.
        ("1 -9", 1990, [(1990, "member", "1990"), (1991, "outside, perhaps", "1991-01-01")]),
        # Nobody is made a member by a missing cell.
        ("0 -9 0", 1990, []),
        # The body began a year before its first row.
        ("1", 1989, [(1990, "member", "[1989-01-01..1990-12-31]")]),
        # Not in the system yet.
        ("-1 -1 1", 1990, [(1992, "member", "1992")]),
    ],
)
def test_cells_become_changes(cow: ModuleType, cells: str, since: int, told: list[tuple[int, str, str]]) -> None:
    """A cell describes the end of its year, and a missing one nothing."""
    found = cow.changes(enumerate(cells.split(), start=1990), since)

    assert [(each.year, each.status + ", perhaps" * each.hedged, each.date) for each in found] == told
