"""Other programs agree: the OWL API and HermiT on the ontology, an empty environment on the package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import NamedNode

from conftest import CHECKOUT, TESTS
from eurasia_graph import namespaces as ns
from eurasia_graph.build import closure, sources
from eurasia_graph.build.properties import connections
from eurasia_graph.build.release import Release
from eurasia_graph.graphs import ENTITIES, SCHEMA_GRAPHS, graph_of

pytestmark = pytest.mark.external

OWLREADY = importlib.util.find_spec("owlready2")
needs_java = pytest.mark.skipif(
    shutil.which("java") is None or OWLREADY is None, reason="Java or owlready2, whose jars are used, is not installed"
)
PLANTED = """
PREFIX eg: <https://w3id.org/eurasia-graph/ontology#> PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
eg:saysDate rdfs:range xsd:gYear .
"""


def document(tmp_path: Path, graphs: tuple[NamedNode, ...], extra: str = "") -> Path:
    """Write graphs of the ontology as RDF/XML, which every OWL tool reads."""
    dataset = sources.load(sources.find())
    graph = rdflib.Graph()
    for name in graphs:
        lines = "\n".join(f"{quad.triple} ." for quad in dataset.store.quads_for_pattern(None, None, None, name))
        graph.parse(data=lines, format="nt")
    # Two headers in one document would be two ontologies.
    graph.remove((rdflib.URIRef(ns.BASE + "ontology/align"), None, None))
    if extra:
        graph.parse(data=extra, format="turtle")
    file = tmp_path / "ontology.rdf"
    file.write_text(graph.serialize(format="xml"), encoding="utf-8")
    return file


def violations(file: Path) -> list[str]:
    """Ask the OWL API for what is outside OWL 2 RL or DL."""
    assert OWLREADY and OWLREADY.origin
    jars = Path(OWLREADY.origin).parent / "pellet"
    command = ["java", "-cp", f"{jars}/*", str(TESTS / "java" / "Profiles.java"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert int(lines[0].split()[1]) > 100, lines[0]
    return lines[1:]


@needs_java
def test_the_ontology_and_its_alignments_are_in_owl_2_rl_and_dl(tmp_path: Path) -> None:
    """No violation of either profile."""
    assert violations(document(tmp_path, SCHEMA_GRAPHS[:2])) == []


@needs_java
def test_the_profile_checker_finds_a_planted_violation(tmp_path: Path) -> None:
    """A check that cannot fail is none: a range that OWL 2 RL does not know is found."""
    found = violations(document(tmp_path, SCHEMA_GRAPHS[:2], PLANTED))

    assert any("gYear" in line for line in found)


@needs_java
def test_the_ontology_with_all_entities_is_consistent_under_hermit(tmp_path: Path) -> None:
    """No contradiction, and no class that nothing can be in."""
    import owlready2

    world = owlready2.World()
    world.get_ontology(document(tmp_path, (*SCHEMA_GRAPHS, ENTITIES)).as_uri()).load()
    # HermiT stops at datatypes it does not know; dates and EDTF strings are for SHACL.
    owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)

    assert list(world.inconsistent_classes()) == []


@needs_java
def test_hermit_finds_a_planted_contradiction(tmp_path: Path) -> None:
    """A state that is a person is one too many."""
    import owlready2

    planted = "<https://w3id.org/eurasia-graph/id/state/KZ> a <https://w3id.org/eurasia-graph/ontology#Person> ."
    world = owlready2.World()
    world.get_ontology(document(tmp_path, (*SCHEMA_GRAPHS, ENTITIES), planted).as_uri()).load()

    with pytest.raises(owlready2.OwlReadyInconsistentOntologyError):
        owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)


@pytest.mark.parametrize("source", ["icds-2016", "eurasianism-central-asia"])
def test_the_closure_of_the_shipped_sources_is_that_of_owlrl(built: Release, source: str) -> None:
    """The same comparison as on the mini data, on all that is shipped; slow, so it stands here."""

    def triples(names: list[NamedNode]) -> set[object]:
        return {quad.triple for name in names for quad in built.store.quads_for_pattern(None, None, None, name)}

    given = triples(
        [*SCHEMA_GRAPHS, ENTITIES, *(graph_of(kind, source) for kind in ("claims", "passages", "facts", "memberships"))]
    )
    by_rules = (
        triples([closure.CLOSURE_OF_SCHEMA, closure.CLOSURE_OF_ENTITIES, graph_of("closure", source)])
        - set(connections())
        - given
    )
    by_owlrl = closure.close_by_owlrl(given) - given  # type: ignore[arg-type]

    assert by_owlrl ^ by_rules == set()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with nothing in it but our wheel and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(CHECKOUT)], check=True, capture_output=True
    )
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    wheel = next(wheels.glob("eurasia_graph-*.whl"))
    install = [
        str(python),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "-q",
        "install",
        "-c",
        str(CHECKOUT / "requirements/run.txt"),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    return folder / "env" / "bin"


def installed(environment: Path, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command, far from the checkout."""
    clean = {
        "PATH": str(environment),
        "HOME": str(tmp_path),
        "EURASIA_GRAPH_CACHE": str(tmp_path / "cache"),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [str(environment / "eurasia-graph"), *words],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_answers_outside_the_checkout(environment: Path, tmp_path: Path) -> None:
    """Ontology, data, queries and rules are inside; the release is that of the checkout."""
    answer = installed(environment, tmp_path, "query", "members-on", "--body", "cst", "--date", "1992-12-31")
    checked = installed(environment, tmp_path, "validate")

    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout.splitlines()) == 7
    assert checked.stdout.splitlines()[-1] == "0 errors, 2 warnings"


def test_the_wheel_serves_its_pages(environment: Path, tmp_path: Path) -> None:
    """Templates and styles are inside as well."""
    script = (
        "from eurasia_graph import open_graph\nfrom eurasia_graph.web import create_app\n"
        "client = create_app(open_graph().store).test_client()\n"
        "print(client.get('/').status_code, client.get('/static/style.css').status_code, client.get('/queries/').status_code)"
    )
    clean = {"PATH": str(environment), "HOME": str(tmp_path), "EURASIA_GRAPH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [str(environment / "python"), "-c", script],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["200", "200", "200"], done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; another test blocks the folder by a file")
def test_a_folder_without_write_permission_is_said(environment: Path, tmp_path: Path) -> None:
    """The answer comes all the same."""
    (tmp_path / "cache").mkdir(mode=0o500)
    answer = installed(environment, tmp_path, "query", "succession", "--body", "csto")

    assert answer.returncode == 0
    assert "could not be kept" in answer.stderr
