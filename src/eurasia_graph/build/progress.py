"""Progress reports of a build."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
# Progress lines that begin so are for the user, even where stages are not shown.
NOTE = "note: "


def silent(_stage: str) -> None:
    """Show no progress."""
