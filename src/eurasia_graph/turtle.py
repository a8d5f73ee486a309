"""
Write Turtle in its one canonical form, so that a diff shows a change of meaning and nothing else.

One subject per block, numbers in their natural order, type first, predicates and objects sorted.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from rdflib import XSD, BNode, Graph, Literal
from rdflib.plugins.serializers.longturtle import LongTurtleSerializer

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import SourceError
from eurasia_graph.sources import statements_of

# Strings and IRIs first: a number sign inside them opens no comment.
TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
    r"|<[^<>\s]*>|(?P<comment>#[^\n]*)",
    re.DOTALL,
)
RECORD = re.compile(re.escape(ns.ID) + r"(claim|passage|observation|event|membership)/([A-Za-z0-9-]+)/")
CONCEPT = re.compile(re.escape(ns.SCHEME) + r"([A-Za-z0-9-]+)/")
NUMBER = re.compile(r"(\d+)")


def format_file(path: Path) -> str:
    """
    Return the canonical form of a Turtle file.

    Raises:
        SourceError: If the file is not Turtle, or holds a comment, which no triple keeps.
    """
    triples = [triple for triple, _ in statements_of(path)]
    text = path.read_text(encoding="utf-8")
    for match in TOKEN.finditer(text):
        if match.group("comment"):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - (text.rfind("\n", 0, match.start()) + 1) + 1
            problem = "a comment would be lost; say it in a triple, such as skos:note, or delete it"
            raise SourceError(path, line, column, problem)
    return format_triples("\n".join(f"{triple} ." for triple in triples))


def format_triples(ntriples: str) -> str:
    """Return the canonical Turtle of a graph given as N-Triples."""
    graph = Graph(bind_namespaces="none")
    graph.parse(data=ntriples, format="nt")
    for prefix, namespace in {**ns.PREFIXES, **prefixes_of(ntriples)}.items():
        graph.bind(prefix, namespace, replace=True)
    out = io.BytesIO()
    _CanonicalSerializer(graph).serialize(  # type: ignore[no-untyped-call]
        out, canon=any(isinstance(each, BNode) for each in graph.all_nodes())
    )
    return out.getvalue().decode("utf-8").rstrip("\n") + "\n"


def prefixes_of(text: str) -> dict[str, str]:
    """
    Name the prefixes that a text with full IRIs can use beside the fixed ones.

    A source gives its name to its claims (`icds-2016:12`), and its name and the kind to other
    records (`icds-2016-passage:86`); a scheme gives its name to its concepts (`status:member`).
    """
    found: dict[str, str] = {}
    for match in RECORD.finditer(text):
        kind, source = match.groups()
        name = source if source[0].isalpha() else f"s-{source}"
        found[name if kind == "claim" else f"{name}-{kind}"] = match.group()
    for match in CONCEPT.finditer(text):
        found[match.group(1)] = match.group()
    return found


def natural_key(text: str) -> list[tuple[int, int | str]]:
    """Sort `2` before `10` wherever numbers stand in a text."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in NUMBER.split(text)]


class _CanonicalSerializer(LongTurtleSerializer):
    """The library's long Turtle, with subjects in natural order instead of by how often they are used."""

    def get_pname(self, uri: Any, gen_prefix: bool = True) -> Any:  # noqa: ARG002
        # A prefix that the library makes up depends on the order of triples; a whole IRI does not.
        return super().get_pname(uri, gen_prefix=False)  # type: ignore[no-untyped-call]

    def label(self, node: Any, position: Any) -> Any:
        # The shorthand of the library for the decimal "5" is 5.0, which is another term.
        if isinstance(node, Literal) and node.datatype == XSD.decimal and "." not in node:
            return node._literal_n3(use_plain=False, qname_callback=self.get_pname)  # noqa: SLF001  (as the library does)
        return super().label(node, position)  # type: ignore[no-untyped-call]

    def orderSubjects(self) -> list[Any]:  # noqa: N802  (the library's name)
        subjects = list(self._subjects)
        return sorted(subjects, key=lambda each: (isinstance(each, BNode), natural_key(str(each))))
