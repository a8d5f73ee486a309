"""The tree reads as the layout that CONTRIBUTING shows: what stands below is never imported from above."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import eurasia_graph
from conftest import CHECKOUT

PACKAGE = Path(eurasia_graph.__file__).parent
MODULES = {str(path.relative_to(PACKAGE)).removesuffix(".py"): path for path in PACKAGE.rglob("*.py")}
NOT_IN_THE_SERVER = {"rdflib", "pyshacl", "owlrl"}


def layout() -> list[str]:
    """The packages and modules in the order of CONTRIBUTING, which is the only list of them."""
    text = (CHECKOUT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.partition("<!-- layout -->")[2].partition("<!-- /layout -->")[0]
    lines = [line for line in block.splitlines() if line and not line.startswith("```")]
    return [name.strip("/") for line in lines for name in re.split(r" {2,}", line)[0].split()]


def unit(module: str) -> str:
    """Name what a module is listed as: its package, or itself at the top."""
    return module.partition("/")[0]


def imports(path: Path) -> Iterator[str]:
    """List the modules that a module imports, at the top, late, or for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "eurasia_graph":
            package = "/".join((node.module or "").split(".")[1:])
            for alias in node.names:
                inside = f"{package}/{alias.name}".strip("/")
                yield next(each for each in (inside, package, f"{package}/__init__".strip("/")) if each in MODULES)


IMPORTED = {module: set(imports(path)) for module, path in MODULES.items()}


def reached(module: str) -> set[str]:
    """Follow the imports of a module to the end."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = IMPORTED[waiting.pop()] - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_imports_itself_in_a_circle(module: str) -> None:
    """Not by way of others, not late, not for types alone."""
    assert module not in reached(module)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_what_stands_above_it(module: str) -> None:
    """In the layout of CONTRIBUTING, from the first line to the last."""
    order = layout()
    for other in IMPORTED[module]:
        assert unit(other) == unit(module) or order.index(unit(other)) < order.index(unit(module)), other


def test_the_layout_is_that_of_the_tree() -> None:
    """Each package and each module at the top stands in it once, and nothing else does."""
    assert sorted(layout()) == sorted({unit(module) for module in MODULES})


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
