"""How much of a question's weight a text covers: its terms by their rarity, in the question's words or in others."""

from __future__ import annotations

from service.domain import TermStatistics
from service.ports import Terms

ALIKE_WEIGHT = 0.3  # of a term that the text says in another word


class Coverage:
    """Weighs texts against one question."""

    def __init__(self, question: frozenset[int], statistics: TermStatistics, terms: Terms) -> None:
        self._weights = {term: statistics.idf(term) for term in question}
        self._alike = {term: {other: statistics.idf(other) for other in terms.alike(term)} for term in question}
        self.total = sum(self._weights.values()) or 1.0

    def of(self, there: frozenset[int]) -> float:
        """The share that these terms cover, 0 to 1."""
        return sum(self._weight(term, there) for term in self._weights) / self.total

    def _weight(self, term: int, there: frozenset[int]) -> float:
        weight = self._weights[term]
        if term in there:
            return weight
        alike = self._alike[term]
        return ALIKE_WEIGHT * min(weight, max((alike[other] for other in alike if other in there), default=0.0))
