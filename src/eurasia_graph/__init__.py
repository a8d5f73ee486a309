"""
Who belonged to what, when, with which status, and who says so.

>>> import eurasia_graph as eg
>>> kg = eg.open_graph()
>>> rows = kg.query("members-on", body="csto", date="1992-12-31")
>>> [row["memberLabel"] for row in rows]
['Armenia', 'Kazakhstan', 'Kyrgyzstan', 'Russia', 'Tajikistan', 'Uzbekistan']
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from eurasia_graph import errors, queries
from eurasia_graph.errors import EurasiaGraphError, UsageError
from eurasia_graph.queries import Rows
from eurasia_graph.store import Answer, ReleaseStore, refuse_what_ends_the_engine
from eurasia_graph.version import VERSION

__all__ = ["EurasiaGraphError", "Graph", "Rows", "errors", "open_graph"]
__version__ = VERSION


class Graph:
    """A release, ready to be queried."""

    def __init__(self, store: ReleaseStore) -> None:
        """Wrap a store; `open_graph` is the usual way to get one."""
        self.store = store

    def query(self, name: str, **parameters: object) -> Rows:
        """
        Run a canned query.

        Args:
            name: Such as `members-on`; `eurasia-graph query --list` prints all of them.
            **parameters: Such as `body="csto"` and `date="1993"`, in the forms that the command takes; `from_`
                is `from`, which Python keeps for itself.
        Returns:
            A list of dictionaries, one per row, which can be passed to `pandas.DataFrame(rows)`;
            `rows.columns` are the names, `rows.notes` what a reader should know.
        Raises:
            UsageError: If the name or a parameter is wrong; the message says what is right.
        """
        given = {key.removesuffix("_"): value for key, value in parameters.items()}
        return queries.by_name(name).run(self.store, given)

    def sparql(self, text: str) -> Answer:
        """
        Run a free-form SPARQL 1.1 query.

        Args:
            text: SELECT, ASK, CONSTRUCT or DESCRIBE; SERVICE and updates are refused.
        Returns:
            The engine's solutions, boolean or triples.
        Raises:
            QueryError: If the query is refused, is not SPARQL or would crash the process.
        """
        refuse_what_ends_the_engine(text)
        return self.store.query(text)


def open_graph(data: str | PathLike[str] | None = None, *, release: str | PathLike[str] | None = None) -> Graph:
    """
    Open the shipped graph, one built from your own data folder, or a release in a folder.

    The first call builds the release and keeps it; later ones load it in a fraction of a second.

    Args:
        data: A folder like the shipped `data/`.
        release: A folder that `eurasia-graph build --out` has written; nothing is built.
    Raises:
        UsageError: If the folder is not a data folder or has no release, or if both are given.
        InvalidDataError: If a file in a data folder breaks a rule.
        StoreError: If the release is damaged.
    """
    from eurasia_graph.build import pipeline, release_files

    if release is not None:
        if data is not None:
            raise UsageError("give data or release, not both")
        return Graph(release_files.open_folder(Path(release)))
    return Graph(pipeline.open_release(None if data is None else Path(data)))
