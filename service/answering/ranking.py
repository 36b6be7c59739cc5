"""Orders the candidates that the engine fused. The weights were chosen by `mastery eval` (see DECISIONS.md)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter

from service.domain import Hit, TermStatistics
from service.ports import Terms

GUESS_LEXICAL_WEIGHT = 0.5  # where coverage is not known yet
LEXICAL_WEIGHT = 0.3
COVERAGE_WEIGHT = 0.5
QUESTION_FLOOR = 0.6  # a chapter's own question counts from this cosine on: below it, it is only on the same subject
APPENDIX_PENALTY = 0.1
NAMED_BONUS = 0.3  # for a section whose heading stands in the question
SYMPTOM_PENALTY = 0.15  # for a section about an error, where the question is not about one
RERANKED = 24

_APPENDIX = re.compile(
    r"\W*(see also|summary|next steps|references|further reading|resources|conclusion|contents|checklist"
    r"|key takeaways)\b",
    re.IGNORECASE,
)
_SYMPTOM = re.compile(r"\b[A-Za-z.]+(?:Error|Exception|Warning)\b|^\W*[45]\d\d\b")
_ASKS_ABOUT_ONE = re.compile(
    r"error|exception|warning|traceback|fail|crash|\b[45]\d\d\b|\bcannot\b|\bcan['’]?t\b", re.IGNORECASE
)


class Ranker:
    """Scores hits for one question: cosine, BM25, and how much of the question's weight a chunk covers."""

    def __init__(
        self, question: str, statistics: TermStatistics, terms: Terms, named: Collection[tuple[str, str]] = ()
    ) -> None:
        """Of the sections in `named` (chapter and anchor), the heading stands in the question."""
        self._question = terms.terms(question)
        self._statistics = statistics
        self._terms = terms
        self._ideal = sum(map(statistics.idf, self._question)) or 1.0
        self._named = named
        self._asks_about_an_error = bool(_ASKS_ABOUT_ONE.search(question))

    def ranked(self, hits: Sequence[Hit]) -> list[Hit]:
        """Hits best first; their `score` becomes the sum. Only the most promising ones are looked at closely.

        A hit that is not among the nearest by cosine gets the lowest cosine, which is the most it can have.
        """
        least = min((hit.dense for hit in hits if hit.dense is not None), default=0.0)
        guesses = [(self._guess(hit, least), hit) for hit in hits]
        guesses.sort(key=itemgetter(0), reverse=True)
        close = [(self._score(hit, least), hit) for _, hit in guesses[:RERANKED]]
        close.sort(key=itemgetter(0), reverse=True)
        floor = close[-1][0] if close else 0.0
        rest = [(min(floor, guess), hit) for guess, hit in guesses[RERANKED:]]
        return [replace(hit, score=score) for score, hit in [*close, *rest]]

    def _guess(self, hit: Hit, least: float) -> float:
        lexical = (hit.lexical or 0.0) / self._ideal
        return (least if hit.dense is None else hit.dense) + GUESS_LEXICAL_WEIGHT * lexical + self._extras(hit)

    def _score(self, hit: Hit, least: float) -> float:
        chunk = hit.chunk
        there = self._terms.terms(" ".join([chunk.embedded_text, *chunk.questions]))
        covered = sum(map(self._statistics.idf, self._question & there)) / self._ideal
        lexical = (hit.lexical or 0.0) / self._ideal
        dense = least if hit.dense is None else hit.dense
        return dense + LEXICAL_WEIGHT * lexical + COVERAGE_WEIGHT * covered + self._extras(hit)

    def _extras(self, hit: Hit) -> float:
        if (hit.chunk.chapter, hit.chunk.anchor) in self._named:
            return NAMED_BONUS
        asked = max(0.0, (hit.question or 0.0) - QUESTION_FLOOR)
        symptom = not self._asks_about_an_error and is_symptom(hit.chunk.heading)
        return asked - APPENDIX_PENALTY * is_appendix(hit.chunk.heading) - SYMPTOM_PENALTY * symptom


@lru_cache(maxsize=4096)
def is_appendix(heading: str) -> bool:
    """Whether a section only repeats or points elsewhere (a summary, links): rarely the best passage."""
    return bool(_APPENDIX.match(heading))


@lru_cache(maxsize=4096)
def is_symptom(heading: str) -> bool:
    """Whether a section is about one error, which its heading names: it answers who met it, and few others."""
    return bool(_SYMPTOM.search(heading))
