"""
Write a release as JSON-LD that a web developer can read without knowing RDF.

One context with a plain name for every property, numbers and truth values as such, and the claims about a
body inside that body, as its `claims`. Nothing is lost: read back, it gives the same quads.

Source: JSON-LD 1.1, https://www.w3.org/TR/json-ld11/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import IO, Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from eurasia_graph import namespaces as ns

TYPE = ns.RDF + "type"
SAYS_BODY = ns.EG + "saysBody"
STRING, LANG_STRING = ns.XSD + "string", ns.RDF + "langString"
PREFIXES = {**ns.PREFIXES, **{kind: f"{ns.ID}{kind}/" for kind in ns.KINDS_OF_RECORD}}
LOCAL = re.compile(r"[\w.~-][\w./~-]*")
TERM = re.compile(r"[A-Za-z]\w*")
WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,14}")

Json = dict[str, Any]


class Writer:
    """Writes quads by one context, which it learns from the quads themselves."""

    def __init__(self, store: Store, graphs: list[NamedNode]) -> None:
        """Read which kinds of values every property has in these graphs."""
        self._prefixes = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))
        self._kinds: dict[str, set[str]] = {}
        for graph in graphs:
            for quad in store.quads_for_pattern(None, None, None, graph):
                if quad.predicate.value != TYPE:
                    self._kinds.setdefault(quad.predicate.value, set()).add(_kind(quad.object))
        self._terms: dict[str, str] = {}
        for iri in sorted(self._kinds, key=lambda each: (not each.startswith(ns.EG), each)):
            name = ns.local_name(iri)
            free = TERM.fullmatch(name) and name not in {*self._terms.values(), *PREFIXES, "id", "type", "claims"}
            self._terms[iri] = name if free else self._compact(iri)

    def context(self) -> Json:
        """Return the context: prefixes first, then a term for every property."""
        used: Json = {"id": "@id", "type": "@type", **{name: str(iri) for name, iri in PREFIXES.items()}}
        used["claims"] = {"@reverse": SAYS_BODY}
        for iri, term in self._terms.items():
            coercion = self._coercion(iri)
            if coercion:
                used[term] = {"@id": iri, "@type": coercion}
            elif ":" not in term:
                used[term] = iri
        return used

    def graph(self, quads: Iterable[Quad]) -> list[Json]:
        """Write the quads of one graph as nodes, claims inside the body they tell of first."""
        nodes: dict[str, Json] = {}
        inside: dict[str, str] = {}
        for quad in sorted(quads, key=str):
            subject = _identity(quad.subject)
            node = nodes.setdefault(subject, {"id": self._compact(subject)})
            if quad.predicate.value == TYPE:
                node.setdefault("type", []).append(self._compact(ns.value(quad.object)))
            elif quad.predicate.value == SAYS_BODY and subject not in inside:
                inside[subject] = _identity(quad.object)
            else:
                term = self._terms[quad.predicate.value]
                node.setdefault(term, []).append(self._value(quad.predicate.value, quad.object))
        for body in set(inside.values()):
            nodes.setdefault(body, {"id": self._compact(body)})
        for claim, body in inside.items():
            nodes[body].setdefault("claims", []).append(nodes[claim])
        return [_single(nodes[each]) for each in sorted(nodes) if each not in inside]

    def _coercion(self, iri: str) -> str | None:
        kinds = self._kinds[iri]
        only = next(iter(kinds)) if len(kinds) == 1 else ""
        return None if only in {"", STRING, LANG_STRING} else only

    def _value(self, predicate: str, term: Any) -> Any:
        coerced = self._coercion(predicate)
        if not isinstance(term, Literal):
            iri = self._compact(_identity(term))
            return iri if coerced == "@id" else {"id": iri}
        datatype = term.datatype.value
        if datatype == ns.XSD + "integer" and WHOLE_NUMBER.fullmatch(term.value):
            return int(term.value)
        if datatype == ns.XSD + "boolean" and term.value in {"true", "false"}:
            return term.value == "true"
        if term.language:
            return {"@value": term.value, "@language": term.language}
        if coerced or datatype == STRING:
            return term.value
        return {"@value": term.value, "@type": datatype}

    def _compact(self, iri: str) -> str:
        for prefix, namespace in self._prefixes:
            if iri.startswith(namespace) and LOCAL.fullmatch(iri[len(namespace) :]):
                return f"{prefix}:{iri[len(namespace) :]}"
        return iri


def write(store: Store, graphs: list[NamedNode], out: IO[bytes]) -> None:
    """
    Write graphs of a store, one after the other; memory holds one of them.

    Args:
        store: The quads.
        graphs: Which of its named graphs.
        out: Where to; UTF-8.
    """
    writer = Writer(store, graphs)
    context = json.dumps(writer.context(), indent=1, ensure_ascii=False)
    out.write(f'{{\n"@context": {context},\n"@graph": ['.encode())
    for index, graph in enumerate(graphs):
        nodes = writer.graph(store.quads_for_pattern(None, None, None, graph))
        body = json.dumps({"id": graph.value, "@graph": nodes}, indent=1, ensure_ascii=False)
        out.write((",\n" if index else "\n").encode() + body.encode())
    out.write(b"\n]\n}\n")


def _kind(term: object) -> str:
    return term.datatype.value if isinstance(term, Literal) else "@id"


def _identity(term: object) -> str:
    return str(term) if isinstance(term, BlankNode) else ns.value(term)


def _single(node: Json) -> Json:
    """Write lists of one value as the value; what is inside, too."""
    return {
        key: [_single(each) for each in values]
        if key == "claims"
        else values[0]
        if isinstance(values, list) and len(values) == 1
        else values
        for key, values in node.items()
    }
