"""The files of a data folder and of the ontology, each with the named graph that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import UsageError
from eurasia_graph.graphs import ENTITIES, graph_of
from eurasia_graph.paths import root


@dataclass(frozen=True, slots=True)
class TurtleFile:
    """A Turtle file and the named graph that its statements belong to."""

    path: Path
    graph: NamedNode


def find(data: Path | None = None) -> list[TurtleFile]:
    """
    List the Turtle files of the ontology and of a data folder with their graphs, in a fixed order.

    Args:
        data: A folder laid out like the shipped `data/`, which is the default.
    Raises:
        UsageError: If the folder, or a file that it must contain, is missing.
    """
    ontology = root() / "ontology"
    files = [
        TurtleFile(ontology / f"{name}.ttl", ns.GRAPH(graph))
        for name, graph in (("eurasia", "ontology"), ("align", "align"))
    ]
    files += [TurtleFile(path, ns.GRAPH("schemes")) for path in sorted((ontology / "schemes").glob("*.ttl"))]
    return files + _data_files(data or root() / "data")


def _data_files(data: Path) -> list[TurtleFile]:
    if not data.is_dir():
        raise UsageError(f"no folder {data}; give the path of a folder like data/, with entities/ and sources/ in it")
    for name in ("entities", "sources"):
        if not (data / name).is_dir():
            raise UsageError(f"no folder {data / name}; a data folder needs entities/ and sources/, as in data/")
    files = [TurtleFile(path, ENTITIES) for path in sorted((data / "entities").glob("*.ttl"))]
    for folder in sorted(path for path in (data / "sources").iterdir() if path.is_dir()):
        files += _source_files(folder)
    files += [
        TurtleFile(data / f"{graph}.ttl", ns.GRAPH(graph))
        for graph in ("links", "notes")
        if (data / f"{graph}.ttl").is_file()
    ]
    _refuse_strays(data, {file.path for file in files})
    return files


def _source_files(folder: Path) -> list[TurtleFile]:
    description = folder / "source.ttl"
    if not description.is_file():
        raise UsageError(f"no file {description}; describe the source in it, as in data/sources/icds-2016/source.ttl")
    found = [TurtleFile(description, ENTITIES)]
    for kind in ("passages", "claims"):
        path = folder / f"{kind}.ttl"
        if path.is_file():
            found.append(TurtleFile(path, graph_of(kind, folder.name)))
    return found


def _refuse_strays(data: Path, known: set[Path]) -> None:
    strays = sorted(path for path in data.rglob("*.ttl") if path not in known)
    if strays:
        raise UsageError(
            f"{strays[0]} is in the wrong place in the data folder and would not be read; move it to "
            "entities/, or into sources/<source>/ as source.ttl, passages.ttl or claims.ttl"
        )
