"""Scores the sentences of a section against a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from service.answering.coverage import Coverage
from service.answering.retrieval import Found
from service.answering.units import FEWEST_WORDS, Unit, notes_in
from service.domain import BlockKind, Chunk
from service.ports import Terms

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
        units: list[Unit] = []
        places = [(chunk, block) for chunk in section for block in chunk.blocks]
        notes = notes_in([block for _, block in places])
        for (chunk, block), following in zip_longest(places, places[1:]):
            for sentence in block.sentences:
                own = self._terms.terms(sentence.text)
                after = following if sentence is block.sentences[-1] else None
                unit = Unit(sentence, block, chunk, len(units), 0.0, own, after, block in notes)
                units.append(replace(unit, score=self._score(unit)))
        return units

    def overlap(self, text: str) -> float:
        """How much of the question's weight a text covers, 0 to 1."""
        return self._coverage.of(self._terms.terms(text))

    def _score(self, unit: Unit) -> float:
        """Weights from a fit on the golden questions, rounded (DECISIONS.md)."""
        score = self._coverage.of(unit.terms)
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
