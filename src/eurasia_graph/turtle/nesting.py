"""
Decide which blank nodes are written where they are used, in brackets, and which need a label.

A node is nested if it is used once. One that is used twice, in a cycle, in a triple term or too deep gets a label.
Nothing here is recursive, so no graph is too deep.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from eurasia_graph import namespaces as ns
from eurasia_graph.turtle.terms import NIL

# Subject, predicate and object, each as in N-Triples.
Statement = tuple[str, str, str]

FIRST, REST = f"<{ns.RDF}first>", f"<{ns.RDF}rest>"
# Strings first: what looks like a label inside a string is not one.
LABELS = re.compile(r'"(?:[^"\\]++|\\.)*+"|(_:\S+)')
DEEPEST = 40


def is_node(term: str) -> bool:
    """Return whether a term is a blank node."""
    return term.startswith("_")


class Nodes:
    """
    The statements by subject, and where blank nodes are written.

    `said` has the predicates and objects of every subject, `labelled` the blank nodes that need a label,
    `free` those that nothing uses.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        """Read a graph; the order of its statements does not matter."""
        self.said: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.labelled: set[str] = set()
        self._user: dict[str, str] = {}
        uses: Counter[str] = Counter()
        for subject, predicate, term in statements:
            self.said[subject].append((predicate, term))
            if is_node(term):
                uses[term] += 1
                self._user[term] = subject
            elif term.startswith("<<("):
                self.labelled.update(label for label in LABELS.findall(term) if label)
        self.labelled.update(node for node, count in uses.items() if count > 1)
        self.free = {subject for subject in self.said if is_node(subject) and not uses[subject]} - self.labelled
        self._label_circles()
        self._lists = self._find_lists()
        self._label_what_is_too_deep()

    def is_nested(self, term: str) -> bool:
        """Return whether a term is a blank node that is written where it is used."""
        return is_node(term) and term not in self.labelled

    def is_list(self, node: str) -> bool:
        """Return whether a node begins a list that can be written in round brackets."""
        return node in self._lists and node not in self.labelled

    def items(self, node: str) -> Iterator[str]:
        """Return the items of a list."""
        while node != NIL:
            cell = dict(self.said[node])
            yield cell[FIRST]
            node = cell[REST]

    def _label_circles(self) -> None:
        """Label the nodes that are used by what they use, and by nothing else."""
        seen = set(self.free)
        for start in self._user:
            node, path = start, []
            while self.is_nested(node) and node not in seen:
                seen.add(node)
                path.append(node)
                node = self._user[node]
            if node in path:
                self.labelled.update(path[path.index(node) :])

    def _find_lists(self) -> set[str]:
        """Find the cells that have one item and one rest and nothing else, down to the end of their list."""
        found: set[str] = set()
        ends = [node for node, said in self.said.items() if is_node(node) and (REST, NIL) in said]
        for end in ends:
            cell: str | None = end
            while cell is not None and sorted(predicate for predicate, _ in self.said[cell]) == [FIRST, REST]:
                found.add(cell)
                before = None if cell in self.labelled else self._user.get(cell)
                cell = before if before and is_node(before) and self._goes_on_with(before, cell) else None
        return found

    def _goes_on_with(self, cell: str, rest: str) -> bool:
        said = self.said[cell]
        return len(said) == 2 and (REST, rest) in said  # noqa: PLR2004  (its item and its rest)

    def _label_what_is_too_deep(self) -> None:
        tops = [node for node in self.said if not self.is_nested(node)] + list(self.free)
        waiting = [(node, 0) for node in tops]
        while waiting:
            node, depth = waiting.pop()
            below = self.items(node) if self.is_list(node) and node not in self.free else self._objects(node)
            for term in [each for each in below if self.is_nested(each)]:
                if depth == DEEPEST:
                    self.labelled.add(term)
                waiting.append((term, 0 if depth == DEEPEST else depth + 1))

    def _objects(self, node: str) -> Iterator[str]:
        return (term for _, term in self.said.get(node, ()))
