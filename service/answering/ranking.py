"""Orders the candidates that the engine fused. The weights were chosen by `mastery eval` (see DECISIONS.md)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from service.answering.chunk_facts import FactBook
from service.answering.coverage import Coverage
from service.domain import Hit, TermStatistics
from service.ports import Terms

GUESS_LEXICAL_WEIGHT = 0.5  # where coverage is not known yet
LEXICAL_WEIGHT = 0.3
COVERAGE_WEIGHT = 0.5
QUESTION_WEIGHT = 0.5  # of a section's own question that is like the one asked
SHEET_WEIGHT = 1.0  # the same where a sheet says what is asked of a chapter that was not written to answer it
QUESTION_FLOOR = 0.3  # it counts from this cosine on: below it, it is on another subject
SAME_QUESTION = 0.6  # from this cosine on it is evidence that the chapters answer: 58 of 59 golden questions are so
APPENDIX_PENALTY = 0.1
NAMED_BONUS = 0.3  # for a section whose heading stands in the question
ABOUT_BONUS = 0.3  # for a section whose heading says, in two words or more, most of what the question says
SYMPTOM_PENALTY = 0.15  # for a section about an error, where the question is not about one
STUB_PENALTY = 0.2  # a sentence that leads to other sections is near them all, and says nothing
NEARNESS_POWER = 2  # how fast the words of a chunk lose weight as it is further from the question
RERANKED = 24
STRONGEST = 5  # of the ranked hits, those that say whether the chapters cover a question

_APPENDIX = re.compile(
    r"\W*(see also|summary|next steps|references|further reading|resources|conclusion|contents|checklist"
    r"|key takeaways)\b",
    re.IGNORECASE,
)
_ASKS_ABOUT_ONE = re.compile(
    r"error|exception|warning|traceback|fail|crash|\b[45]\d\d\b|\bcannot\b|\bcan['’]?t\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Between what the scores of the engine's hits lie; those it did not give are below the lowest."""

    least_dense: float
    most_dense: float
    least_lexical: float

    @classmethod
    def of(cls, hits: Sequence[Hit]) -> _Bounds:
        dense = [hit.dense for hit in hits if hit.dense is not None]
        lexical = [hit.lexical for hit in hits if hit.lexical is not None]
        return cls(min(dense, default=0.0), max(dense, default=0.0), min(lexical, default=0.0))

    def dense(self, hit: Hit) -> float:
        return self.least_dense if hit.dense is None else hit.dense


class Ranker:
    """Scores hits for one question: cosine, BM25, and how much of the question's weight a chunk covers.

    A chapter that has questions speaks the words that people ask in: there a word that matches counts by itself.
    Elsewhere people say it in other words, and chance matches abound: there it counts as far as the chunk is near the
    question. Where the questions come from outside, they are better witnesses than the chapter's own words.
    """

    def __init__(
        self,
        question: str,
        statistics: TermStatistics,
        terms: Terms,
        facts: FactBook,
        named: Collection[tuple[str, str]] = (),
        asked: Mapping[str, float] | None = None,
    ) -> None:
        """Of the sections in `named` (chapter and anchor), the heading stands in the question.

        `asked` holds the chapters (paths) that have questions of their own, and how much those count.
        """
        self._terms = terms
        self._facts = facts
        self._extra: dict[str, float] = {}
        self._covered: dict[str, float] = {}
        self._asked_there: dict[str, float] = {}
        self._question = terms.terms(question)
        self._coverage = Coverage(self._question, statistics, terms)
        self._ideal = self._coverage.total
        self._named = named
        self._asked = asked or {}
        self._asks_about_an_error = bool(_ASKS_ABOUT_ONE.search(question))

    def ranked(self, hits: Sequence[Hit]) -> list[Hit]:
        """Hits best first; their `score` becomes the sum. Only the most promising ones are looked at closely.

        A hit that is not among the best by cosine or by words gets the lowest of those, which is the most it can have.
        """
        bounds = _Bounds.of(hits)
        self._asked_there = _nearest_questions(hits)
        guesses = [(self._guess(hit, bounds), hit) for hit in hits]
        guesses.sort(key=itemgetter(0), reverse=True)
        close = [(self._score(hit, bounds), hit) for _, hit in guesses[:RERANKED]]
        close.sort(key=itemgetter(0), reverse=True)
        floor = close[-1][0] if close else 0.0
        rest = [(min(floor, guess), hit) for guess, hit in guesses[RERANKED:]]
        return [hit.scored(score) for score, hit in [*close, *rest]]

    def strength(self, hits: Sequence[Hit]) -> float:
        """How strong the evidence of the first few of ranked hits is, all words counted in full."""
        bounds = _Bounds.of(hits)
        return max((self._evidence(hit, bounds) for hit in hits[:STRONGEST]), default=0.0)

    def _evidence(self, hit: Hit, bounds: _Bounds) -> float:
        asked = max(0.0, self._asked_there.get(hit.chunk.section_id, 0.0) - SAME_QUESTION)
        return bounds.dense(hit) + self._words(hit, bounds) + asked + self._extras(hit)

    def _guess(self, hit: Hit, bounds: _Bounds) -> float:
        words = GUESS_LEXICAL_WEIGHT * (hit.lexical or 0.0) / self._ideal
        return bounds.dense(hit) + words * self._trust(hit, bounds) + self._asked_like_it(hit) + self._extras(hit)

    def _score(self, hit: Hit, bounds: _Bounds) -> float:
        words = self._words(hit, bounds) * self._trust(hit, bounds)
        return bounds.dense(hit) + words + self._asked_like_it(hit) + self._extras(hit)

    def _asked_like_it(self, hit: Hit) -> float:
        """What it counts that people ask such a thing of the hit's section."""
        weight = self._asked.get(hit.chunk.chapter, QUESTION_WEIGHT)
        return weight * max(0.0, self._asked_there.get(hit.chunk.section_id, 0.0) - QUESTION_FLOOR)

    def _words(self, hit: Hit, bounds: _Bounds) -> float:
        chunk = hit.chunk
        if chunk.id not in self._covered:
            self._covered[chunk.id] = self._coverage.of(self._facts.of(chunk).terms)
        covered = self._covered[chunk.id]
        known = hit.lexical is not None
        lexical = (hit.lexical or 0.0) / self._ideal if known else min(bounds.least_lexical / self._ideal, covered)
        return LEXICAL_WEIGHT * lexical + COVERAGE_WEIGHT * covered

    def _trust(self, hit: Hit, bounds: _Bounds) -> float:
        """What the words of a chunk count for, 0 to 1; its cosine is compared with the nearest chunk's."""
        if hit.chunk.chapter in self._asked or bounds.most_dense <= 0:
            return 1.0
        return float((max(bounds.dense(hit), 0.0) / bounds.most_dense) ** NEARNESS_POWER)

    def _extras(self, hit: Hit) -> float:
        if hit.chunk.id not in self._extra:
            self._extra[hit.chunk.id] = self._bonuses(hit)
        return self._extra[hit.chunk.id]

    def _bonuses(self, hit: Hit) -> float:
        heading = hit.chunk.heading
        if (hit.chunk.chapter, hit.chunk.anchor) in self._named:
            return NAMED_BONUS
        facts = self._facts.of(hit.chunk)
        symptom = not self._asks_about_an_error and facts.is_about_an_error
        penalties = APPENDIX_PENALTY * is_appendix(heading) + SYMPTOM_PENALTY * symptom + STUB_PENALTY * facts.is_stub
        return ABOUT_BONUS * self._is_heading_of(heading) - penalties

    def _is_heading_of(self, heading: str) -> bool:
        """Whether a heading consists of words of the question, and they make half of its weight or more."""
        words = self._terms.terms(heading)
        return len(words) > 1 and words <= self._question and self._coverage.of(words) >= 0.5


def _nearest_questions(hits: Sequence[Hit]) -> dict[str, float]:
    """By section, the cosine of its own question that is nearest to the one asked."""
    nearest: dict[str, float] = {}
    for hit in hits:
        if hit.question is not None:
            nearest[hit.chunk.section_id] = max(hit.question, nearest.get(hit.chunk.section_id, 0.0))
    return nearest


@lru_cache(maxsize=4096)
def is_appendix(heading: str) -> bool:
    """Whether a section only repeats or points elsewhere (a summary, links): rarely the best passage."""
    return bool(_APPENDIX.match(heading))
