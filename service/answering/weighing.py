"""Scores the sentences of a section against a question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.answering.coverage import Coverage
from service.answering.retrieval import Found
from service.answering.units import FEWEST_WORDS, Unit, units_of
from service.domain import BlockKind, Chunk
from service.ports import Terms

_GIST_WORDS = 45
_FRAME = "difference different differ differs compare compared versus vs"  # asks about things, is none of them
_DEFINITION = re.compile(r"\W*(?:\*\*|__|`)([^:\n]{2,60}?)(?:\*\*|__|`)\W{0,3}?\s*[:\u2013\u2014]\s")


class Weigher:
    """Scores sentences against the question."""

    def __init__(self, found: Found, terms: Terms) -> None:
        self._terms = terms
        self._coverage = Coverage(found.terms - terms.terms(_FRAME) or found.terms, found.statistics, terms)
        self._asked = _words(found.query)
        self._chunk_scores = {hit.chunk.id: hit.score for hit in found.hits}
        self._best = max(self._chunk_scores.values(), default=1.0)

    def units(self, section: Sequence[Chunk]) -> list[Unit]:
        """All sentences of a section with their scores, in order."""
        return [self._weighed(unit) for unit in units_of(section)]

    def gist(self, section: Sequence[Chunk]) -> str:
        """The one sentence that says most about the question by itself, or nothing where none does."""
        alone = [unit for unit in units_of(section) if unit.stands_alone and unit.words <= _GIST_WORDS]
        return max(map(self._weighed, alone), key=lambda unit: unit.score).sentence.text if alone else ""

    def overlap(self, text: str) -> float:
        """How much of the question's weight a text covers, 0 to 1."""
        return self._coverage.of(self._terms.terms(text))

    def _weighed(self, unit: Unit) -> Unit:
        terms = self._terms.terms(unit.sentence.text)
        return unit.weighed(self._score(unit, terms), terms)

    def _score(self, unit: Unit, terms: frozenset[int]) -> float:
        """Weights from a fit on the golden questions, rounded (DECISIONS.md)."""
        score = self._coverage.of(terms)
        score += 0.5 if (defined := _defined(unit.sentence.text)) and defined <= self._asked else 0.0
        score += 0.55 * self._chunk_scores.get(unit.chunk.id, 0.5 * self._best) / max(self._best, 0.01)
        score -= 0.25 if unit.words < FEWEST_WORDS else 0.0
        score -= 0.1 if unit.words > 60 else 0.0
        score -= 0.15 if unit.leads_on else 0.0
        score -= 0.2 if unit.is_about_layout else 0.0
        score -= 0.2 if unit.points_elsewhere else 0.0
        score -= 0.4 if unit.is_link else 0.0
        score -= 0.1 if unit.leans_back else 0.0
        score -= 0.1 if unit.block.kind in (BlockKind.TABLE, BlockKind.HTML, BlockKind.CODE) else 0.0
        return score


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _defined(text: str) -> set[str]:
    """The words of what a sentence says what it is: `**After validators**: run after …`."""
    found = _DEFINITION.match(text)
    return _words(found[1]) if found else set()
