"""Open the input of a command: a data folder, a release folder or another store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eurasia_graph.cli.output import progress
from eurasia_graph.errors import UsageError

if TYPE_CHECKING:
    from eurasia_graph.store import ReleaseStore


def refuse_idle(remote: Mapping[str, str | None]) -> None:
    """
    Refuse options about another store if none is named.

    Raises:
        UsageError: If there is such an option.
    """
    idle = [name for name, value in remote.items() if name != "store" and value]
    if idle and not remote["store"]:
        raise UsageError(f"--{idle[0]} is about another store, and none is named; add --store URL")


def refuse_two(data: Path | None, folder: Path | None, store: str | None, files: Sequence[Path] = ()) -> None:
    """
    Refuse two inputs, since one of them would be silently ignored.

    Raises:
        UsageError: If more than one is given.
    """
    named = {"FILES": files, "--data": data, "--release": folder, "--store": store}
    given = [name for name, value in named.items() if value]
    if len(given) > 1:
        raise UsageError(f"give {' or '.join(given)}, not both")


def open_release(data: Path | None, folder: Path | None = None, *, for_long: bool = False) -> ReleaseStore:
    """
    Open a release: the one in a folder, or that of a data folder, which is built if it is not in the cache.

    Args:
        data: The data folder; the shipped one if left out.
        folder: The folder of a release.
        for_long: Whether it will be queried repeatedly: then a small release is loaded into memory.
    Raises:
        UsageError: If both are given.
    """
    refuse_two(data, folder, None)
    if folder:
        from eurasia_graph.build.release_files import open_folder

        return open_folder(folder)
    from eurasia_graph.build import engine_store
    from eurasia_graph.build.ours import cache_folder
    from eurasia_graph.build.toolkit import inputs_digest

    kept = engine_store.open_kept(cache_folder(), inputs_digest(data))
    if kept:
        return engine_store.in_memory(kept) if for_long else kept
    from eurasia_graph.build import pipeline

    store = pipeline.open_release(data, progress)
    engine_store.keep(store, cache_folder())
    progress("")
    return store


def open_remote(
    timeout_s: float | None,
    *,
    store: str | None,
    kind: str | None,
    user: str | None,
    password: str | None,
) -> ReleaseStore:
    """Open another store by the values of `store_options`."""
    from eurasia_graph.stores import remote

    assert store
    return remote.open_store(store, kind, user, password, timeout_s or remote.QUERY_TIMEOUT_S)
