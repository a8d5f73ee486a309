"""The digests of what every build depends on, whatever the data: code and versions, and the files of the ontology."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from eurasia_graph.files import MIB, read_bounded
from eurasia_graph.paths import root

# The modules outside its own package on which the build depends.
GROUND = (
    "dates.py",
    "graphs.py",
    "namespaces.py",
    "sparql/tokens.py",
    "turtle/reader.py",
    "turtle/places.py",
    "variants.py",
)
PACKAGES = ("eurasia-graph", "pyoxigraph")
LARGEST_FILE = 1024 * MIB


@lru_cache(maxsize=1)
def toolkit_digest() -> str:
    """Return the digest of the code that builds, and of the versions of what it runs on."""
    whole = hashlib.sha256()
    for name in PACKAGES:
        whole.update(f"{name} {version(name)}\n".encode())
    package = Path(__file__).parent.parent
    for path in sorted([*(package / "build").glob("*.py"), *(package / name for name in GROUND)]):
        whole.update(f"{path.relative_to(package).as_posix()} {file_digest(path)}\n".encode())
    return whole.hexdigest()


def ontology_files() -> list[Path]:
    """List the files of the ontology: terms, schemes, shapes and rules."""
    return sorted((root() / "ontology").rglob("*.*"))


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(read_bounded(path, LARGEST_FILE, "check its name and rights")).hexdigest()
