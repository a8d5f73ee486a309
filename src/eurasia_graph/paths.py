"""Where the files of the project are: in the checkout, or inside the installed package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def root() -> Path:
    """
    Return the folder that holds ontology/, data/ and queries/.

    The checkout is preferred to the copy inside the package, which an editable install makes
    once and never updates.
    """
    package = Path(__file__).resolve().parent
    checkout = package.parent.parent
    return checkout if (checkout / "ontology" / "eurasia.ttl").is_file() else package / "_files"
