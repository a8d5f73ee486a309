"""A module imports only what stands above it in the reading order."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from eurasia_graph import sources

PACKAGE = Path(sources.__file__).parent
ORDER = [
    "errors",
    "files",
    "namespaces",
    "formats",
    "lexing",
    "places",
    "canonical",
    "columns",
    "variants",
    "dates",
    "sources",
    "sentences",
    "splitting",
    "passages",
    "spelling",
    "nesting",
    "turtle",
    "formatting",
    "vocabulary",
    "record",
    "names",
    "validation",
    "rules",
    "rewriting",
    "reading",
    "store",
    "together",
    "kept",
    "notes",
    "queries",
    "pipeline",
    "products",
    "xmlform",
    "watching",
    "transport",
    "patterns",
    "restating",
    "remote",
    "sorting",
    "jsonld",
    "reifying",
    "tables",
    "csvw",
    "export",
    "publish",
    "delivery",
    "swap",
    "push",
    "proof",
    "encoding",
    "explain",
    "__init__",
    "web",
    "cli",
]
NOT_IN_THE_SERVER = {"rdflib", "pyshacl", "owlrl"}


def layer_of(path: Path) -> str:
    """Name the layer of a file; all of web/ is one."""
    return "web" if "web" in path.relative_to(PACKAGE).parts[:-1] else path.stem


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upwards(path: Path) -> None:
    """No module imports one that stands below it."""
    own = ORDER.index(layer_of(path))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eurasia_graph"):
            parts = (node.module or "").split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names if alias.name in ORDER]
            for name in names:
                typing_only = name == "validation" and path.stem == "errors"
                assert ORDER.index(name) <= own or typing_only, f"{path.name} imports {name}"


def test_the_order_names_every_module() -> None:
    """A new module gets its place in the order."""
    assert {layer_of(path) for path in PACKAGE.rglob("*.py")} == set(ORDER)


@pytest.mark.usefixtures("release")
def test_a_kept_release_is_served_without_the_building_libraries() -> None:
    """rdflib, pySHACL and owlrl stay out of a process that only serves."""
    import subprocess
    import sys

    script = (
        "import sys, eurasia_graph\nfrom eurasia_graph.web import create_app\n"
        "app = create_app(eurasia_graph.open_graph().store)\n"
        "assert app.test_client().get('/queries/members-on?body=cst&date=1993').status_code == 200\n"
        f"print(sorted({NOT_IN_THE_SERVER!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "[]", done.stderr
