"""How much of a question's weight a text covers: its terms by their rarity, in the question's words or in others."""

from __future__ import annotations

from service.domain import TermStatistics
from service.ports import Terms

ALIKE_WEIGHT = 0.3  # of a term that the text says in another word


class Coverage:
    """Weighs texts against one question."""

    def __init__(self, question: frozenset[int], statistics: TermStatistics, terms: Terms) -> None:
        self._question = question
        self._weights = {term: statistics.idf(term) for term in question}
        self._alike = {
            term: {other: min(weight, statistics.idf(other)) for other in terms.alike(term)}
            for term, weight in self._weights.items()
        }
        self.total = sum(self._weights.values()) or 1.0

    def of(self, there: frozenset[int]) -> float:
        """The share that these terms cover, 0 to 1."""
        covered = sum(self._weights[term] for term in self._question & there)
        for term in self._question - there:
            if alike := self._alike[term]:
                covered += ALIKE_WEIGHT * max((alike[other] for other in alike.keys() & there), default=0.0)
        return covered / self.total
