"""
Write Turtle in its one canonical form, so that a diff shows a change of meaning and nothing else.

One subject per block, numbers in their natural order, type first, predicates and objects sorted.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

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
RECORD = re.compile("<(" + re.escape(ns.ID) + r"(claim|passage|observation|event|membership)/([A-Za-z0-9-]+)/)")
CONCEPT = re.compile("<(" + re.escape(ns.SCHEME) + r"([A-Za-z0-9-]+)/)")
NUMBER = re.compile(r"[0-9]+")
BLOCK_LINES = 2_000


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
    graph = _graph(ntriples, prefixes_of(ntriples))
    out = io.BytesIO()
    _CanonicalSerializer(graph).serialize(out, canon=any(isinstance(each, BNode) for each in graph.all_nodes()))
    return out.getvalue().decode("utf-8").rstrip("\n") + "\n"


def write(lines: Iterable[bytes], prefixes: Mapping[str, str], out: IO[bytes]) -> None:
    """
    Write the canonical Turtle of a graph of any size; memory holds some of its subjects.

    Args:
        lines: N-Triples without blank nodes, sorted by `key_of`.
        prefixes: What `Prefixes` has found in all of them.
        out: Where to.
    """
    used: dict[str, str] = {}
    with tempfile.TemporaryFile() as body:  # which prefixes are used in the end shows when all is written
        for text in _blocks(lines):
            known = {name: iri for name, iri in prefixes_of(text).items() if prefixes.get(name) == iri}
            serializer = _Body(_graph(text, known))
            serializer.serialize(body)
            used |= serializer.namespaces
        out.writelines(f"PREFIX {name}: <{iri}>\n".encode() for name, iri in sorted(used.items()))
        if body.tell() == 0:
            out.write(b"\n")
        body.seek(0)
        shutil.copyfileobj(body, out)


def _blocks(lines: Iterable[bytes]) -> Iterator[str]:
    """Join lines to texts that end where a subject ends."""
    block: list[bytes] = []
    subject = b""
    for line in lines:
        if len(block) >= BLOCK_LINES and not line.startswith(subject):
            yield b"".join(block).decode()
            block = []
        block.append(line)
        subject = line[: line.index(b" ") + 1]
    if block:
        yield b"".join(block).decode()


def _graph(ntriples: str, prefixes: Mapping[str, str]) -> Graph:
    graph = Graph(bind_namespaces="none")
    graph.parse(data=ntriples, format="nt")
    for prefix, namespace in prefixes.items():
        graph.bind(prefix, namespace, replace=True)
    return graph


class Prefixes:
    """
    The prefixes that texts with full IRIs use, learned text by text.

    Beside the fixed ones, a source gives its name to its claims (`icds-2016:12`), and its name and the kind
    to other records (`icds-2016-passage:86`); a scheme gives its name to its concepts (`status:member`). Where
    two would have one name, the first in the alphabet has it.
    """

    def __init__(self) -> None:
        """Know of none yet."""
        self._fixed: set[str] = set()
        self._own: dict[str, str] = {}

    def add(self, text: str) -> None:
        """Learn from a text, which ends where a line ends."""
        self._fixed |= {name for name, iri in ns.PREFIXES.items() if name not in self._fixed and f"<{iri}" in text}
        for namespace, kind, source in set(RECORD.findall(text)):
            name = source if source[0].isalpha() else f"s-{source}"
            self._add(name if kind == "claim" else f"{name}-{kind}", namespace)
        for namespace, scheme in set(CONCEPT.findall(text)):
            self._add(scheme, namespace)

    def _add(self, name: str, namespace: str) -> None:
        self._own[name] = min(namespace, self._own.get(name, namespace))

    def named(self) -> dict[str, str]:
        """Return the namespaces by their prefixes, sorted."""
        return dict(sorted({**{name: ns.PREFIXES[name] for name in self._fixed}, **self._own}.items()))


def prefixes_of(text: str) -> dict[str, str]:
    """Return the prefixes that one text uses, see `Prefixes`."""
    found = Prefixes()
    found.add(text)
    return found.named()


def natural_key(text: str) -> str:
    """Sort `2` before `10` wherever numbers stand in a text without control characters."""
    return NUMBER.sub(_number_key, text)


@lru_cache(1)  # lines of one subject mostly follow one another
def _key(subject: bytes) -> bytes:
    return natural_key(subject.decode()).encode()


def key_of(line: bytes) -> bytes:
    """Return what sorts lines of N-Triples by their subjects in natural order."""
    return _key(line[1 : line.index(b">")])


def _number_key(match: re.Match[str]) -> str:
    digits = match.group().lstrip("0")
    # The longer of two numbers is the larger one. The sign before it is below all others, as a number shall be.
    return f"\x01{len(digits):04}{digits}"


class _CanonicalSerializer(LongTurtleSerializer):
    """The library's long Turtle, with subjects in natural order instead of by how often they are used."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)  # type: ignore[no-untyped-call]
        self.pnames: dict[Any, Any] = {}

    def get_pname(self, uri: Any, gen_prefix: bool = True) -> Any:  # noqa: ARG002
        # Asked for every term four times.
        if uri not in self.pnames:
            # A prefix that the library makes up depends on the order of triples; a whole IRI does not.
            self.pnames[uri] = super().get_pname(uri, gen_prefix=False)  # type: ignore[no-untyped-call]
        return self.pnames[uri]

    def label(self, node: Any, position: Any) -> Any:
        # The shorthand of the library for the decimal "5" is 5.0, which is another term.
        if isinstance(node, Literal) and node.datatype == XSD.decimal and "." not in node:
            return node._literal_n3(use_plain=False, qname_callback=self.get_pname)  # noqa: SLF001  (as the library does)
        return super().label(node, position)  # type: ignore[no-untyped-call]

    def orderSubjects(self) -> list[Any]:  # noqa: N802  (the library's name)
        subjects = list(self._subjects)
        return sorted(subjects, key=lambda each: (isinstance(each, BNode), natural_key(str(each))))


class _Body(_CanonicalSerializer):
    """What follows the prefixes."""

    def startDocument(self) -> None:  # noqa: N802  (the library's name)
        """Leave the prefixes to `write`."""
