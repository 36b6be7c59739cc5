"""Text -> sparse BM25 vectors and term ids, by Qdrant's own implementation (on both engines).

Its tokenizer keeps `expire_on_commit` and `HTTPException` whole; people also type their words apart. So identifiers
are given to it whole and in words. And people ask in other words: those that mean the same are searched, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import qdrant_edge

from service.domain import ALIKE

AVERAGE_LENGTH = 110.0  # terms of a chunk of about 200 tokens, stop words gone
ALIKE_WEIGHT = 0.5  # in a search, of a word that means the same as one of the question's

_IDENTIFIER = re.compile(r"\b(?:[A-Za-z]\w*(?:_\w+|[a-z\d][A-Z]\w*)|[A-Z]{2,}[a-z]{2}\w*)\b")  # not the plural URLs
_WORD_BREAK = re.compile(r"_+|(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")


_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Term ids and their weights, as Qdrant wants them."""

    indices: list[int]
    values: list[float]


class Bm25:
    """Sparse vectors for documents and questions."""

    def __init__(self) -> None:
        self._model = qdrant_edge.Bm25(qdrant_edge.Bm25Config(avg_len=AVERAGE_LENGTH, b=0.5))
        self.terms = lru_cache(maxsize=_REMEMBERED)(self._terms)  # the same passages are found again and again
        self._alike = self._read(ALIKE)

    def document(self, text: str) -> SparseVector:
        """Term weights of a chunk."""
        vector = self._model.embed_document(_with_words(text))
        return SparseVector(list(vector.indices), list(vector.values))

    def query(self, text: str) -> SparseVector:
        """Each term of a question once, and at less weight the terms that mean the same."""
        own = self.terms(text)
        others = frozenset[int]().union(*map(self.alike, own)) - own
        return SparseVector([*own, *others], [1.0] * len(own) + [ALIKE_WEIGHT] * len(others))

    def alike(self, term: int) -> frozenset[int]:
        """The terms that mean the same as this one."""
        return self._alike.get(term, frozenset())

    def _terms(self, text: str) -> frozenset[int]:
        """The ids of a text's terms."""
        return frozenset(self._model.embed_query(_with_words(text)).indices)

    def _read(self, lines: Iterable[str]) -> dict[int, frozenset[int]]:
        alike: dict[int, frozenset[int]] = {}
        for terms in map(self._terms, lines):
            for term in terms:
                alike[term] = alike.get(term, frozenset()) | (terms - {term})
        return alike


def _with_words(text: str) -> str:
    words = [word for name in _IDENTIFIER.findall(text) for word in _WORD_BREAK.split(name) if len(word) > 1]
    return f"{text} {' '.join(words)}" if words else text
