"""Search in a few thousand titles, in memory: candidates by Arabic keys, ranking of our own.

Both databases would find the same rows for these keys; a catalogue of this size needs neither.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from portal.text.keys import Lexicon, fold_keeping_hamza, highlight, near_words

DATA = Path(__file__).parent / "data"
#: What a word is worth by where it stands.
TITLE, KEYWORDS, SUMMARY = 4.0, 3.0, 1.0
SYNONYM = 0.8


@cache
def lexicon(titles: tuple[str, ...] = ()) -> Lexicon:
    """The lexicon of broken plurals and synonyms, knowing the words of these titles."""
    return Lexicon.read(DATA / "plurals.tsv", DATA / "synonyms.tsv", titles)


@dataclass(frozen=True)
class Document:
    """Something that can be found: its code and its words."""

    code: str
    title: str
    keywords: str = ""
    summary: str = ""


class SearchIndex:
    """Documents by their keys. ``search`` answers codes, best first."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = {document.code: document for document in documents}
        self.lexicon = lexicon(tuple(d.title for d in self.documents.values()))
        self._where: dict[str, dict[str, float]] = defaultdict(dict)
        self._length: dict[str, int] = {}
        for document in self.documents.values():
            for text, weight in (
                (document.summary, SUMMARY),
                (document.keywords, KEYWORDS),
                (document.title, TITLE),
            ):
                for stem in self.lexicon.key(text).split():
                    self._where[stem][document.code] = weight
            self._length[document.code] = len(self.lexicon.key(document.title).split())

    def _idf(self, stem: str) -> float:
        return math.log(1 + len(self.documents) / max(1, len(self._where.get(stem, ()))))

    def _ways(self, group: list[tuple[str, ...]]) -> list[tuple[tuple[str, ...], float]]:
        ways = [(way, 1.0 if n == 0 else SYNONYM) for n, way in enumerate(group) if way]
        if len(group) == 1 and len(group[0]) == 1 and group[0][0] not in self._where:
            near = near_words(group[0][0], self._where)
            ways += [((word,), SYNONYM * 0.8) for word in near]
        return ways

    def search(self, query: str, limit: int = 10) -> list[str]:
        """Codes of the documents that answer the query, best first."""
        scores: dict[str, float] = defaultdict(float)
        for group in self.lexicon.query(query):
            best: dict[str, float] = defaultdict(float)
            for way, worth in self._ways(group):
                for code, score in self._score(way).items():
                    best[code] = max(best[code], score * worth)
            for code, score in best.items():
                scores[code] += score
        exact = fold_keeping_hamza(query)
        ranked = sorted(
            scores,
            key=lambda code: (
                -scores[code],
                fold_keeping_hamza(self.documents[code].title) != exact,
                self._length[code],
                code,
            ),
        )
        return ranked[:limit]

    def _score(self, way: tuple[str, ...]) -> dict[str, float]:
        hits: dict[str, list[float]] = defaultdict(list)
        for stem in way:
            idf = self._idf(stem)
            for code, weight in self._where.get(stem, {}).items():
                hits[code].append(idf * weight / TITLE)
        return {
            code: sum(found) * (len(found) / len(way)) ** 1.5 / math.sqrt(len(way))
            for code, found in hits.items()
        }

    def marked(self, text: str, query: str) -> Markup:
        """The text with the words that met the query inside ``<mark>``."""
        shown, at = Markup(""), 0
        for start, end in highlight(text, self.lexicon, query):
            shown += escape(text[at:start]) + Markup("<mark>{}</mark>").format(text[start:end])
            at = end
        return shown + escape(text[at:])
