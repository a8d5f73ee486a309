"""Validation results, from a compiled query of the engine or from pySHACL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode

Node: TypeAlias = NamedNode | BlankNode
Term: TypeAlias = NamedNode | BlankNode | Literal


@dataclass(frozen=True, slots=True)
class Result:
    """
    What SHACL calls a validation result.

    `path` is None for an inverse path. `by_query` means that a query over the whole dataset found it,
    whose value is what it is about; the focus is then a class. `difference` is the kind of difference that it also is.
    """

    shape: NamedNode
    severity: str
    message: str
    focus: Term
    path: NamedNode | None = None
    value: Term | None = None
    by_query: bool = False
    difference: str | None = None
