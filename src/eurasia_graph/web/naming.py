"""What everything is called on the pages: one table of labels and names, made once for a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pyoxigraph import QuerySolutions

from eurasia_graph import namespaces as ns
from eurasia_graph import words
from eurasia_graph.store import OwnQuery, ReleaseStore

LABELS = OwnQuery(f"""
PREFIX skos: <{ns.SKOS}> PREFIX rdfs: <{ns.RDFS}>
SELECT DISTINCT ?thing ?label {{
  {{ GRAPH ?graph {{ ?thing skos:prefLabel ?label }} }}
  UNION {{ GRAPH <{ns.GRAPH}ontology> {{ ?thing rdfs:label ?label }} }}
  FILTER(LANG(?label) IN ("en", ""))
}} ORDER BY ?thing ?label""")


@dataclass(frozen=True)
class Names:
    """The labels and other names of one release."""

    store: ReleaseStore

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The English labels of things, events, concepts and classes, by IRI; of several the first by the alphabet."""
        answer = self.store.query(LABELS)
        assert isinstance(answer, QuerySolutions)
        found: dict[str, str] = {}
        for thing, label in answer:
            found.setdefault(ns.value(thing), ns.value(label))
        return found

    @cached_property
    def others(self) -> Mapping[str, list[str]]:
        """All names of things, by IRI."""
        found: dict[str, list[str]] = {}
        for named in (self.store.entities.get(f"{ns.EG}{kind}", []) for kind in ("Entity", "Body", "State", "Source")):
            for iri, name in named:
                if name not in found.setdefault(iri, []):
                    found[iri].append(name)
        return found

    def named(self, iri: str) -> str:
        """Say what something is called, as on a list."""
        return words.named(self.labels, iri)

    def short(self, iri: str) -> str:
        """Say what something is called where there is little room: a body by its acronym, if it has one."""
        name = ns.local_name(iri)
        if iri.startswith(f"{ns.ID}source/"):
            return self.named(iri).partition(",")[0]
        return name if name in self.others.get(iri, []) and name.isupper() else self.named(iri)

    def called(self, iri: str) -> str:
        """Say what something is called in a sentence: with an article, if it takes one."""
        label = self.named(iri)
        if iri.startswith(f"{ns.ID}body/"):
            return words.called(ns.local_name(iri), self.others.get(iri, []), label)
        if iri.startswith((f"{ns.ID}state/", f"{ns.ID}treaty/")):
            return words.with_article(label)
        return label
