"""The digests of what every build depends on, whatever the data: code and versions, and the files of the ontology."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pyoxigraph

from eurasia_graph.build.data_folder import find
from eurasia_graph.files import MIB, read_bounded
from eurasia_graph.paths import root
from eurasia_graph.version import VERSION

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
LARGEST_FILE = 1024 * MIB


@lru_cache(maxsize=1)
def toolkit_digest() -> str:
    """Return the digest of the code that builds, and of the versions of what it runs on."""
    whole = hashlib.sha256()
    for name, version in (("eurasia-graph", VERSION), ("pyoxigraph", pyoxigraph.__version__)):
        whole.update(f"{name} {version}\n".encode())
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


def inputs_digest(data: Path | None = None) -> str:
    """Return the digest of what a release depends on: the files, the rules and shapes, the code, the versions."""
    whole = hashlib.sha256(toolkit_digest().encode())
    for label, base, paths in (
        ("ontology", root() / "ontology", ontology_files()),
        ("data", data or root() / "data", [file.path for file in find(data)]),
    ):
        for path in paths:
            place = path.relative_to(base) if path.is_relative_to(base) else path.relative_to(root())
            whole.update(f"{label}/{place.as_posix()} {file_digest(path)}\n".encode())
    return whole.hexdigest()
