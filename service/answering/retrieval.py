"""Question -> ranked chunks, and how sure it is that they answer it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.answering.chunk_facts import FactBook
from service.answering.filters import resolve
from service.answering.headings import Headings
from service.answering.ranking import QUESTION_WEIGHT, SHEET_WEIGHT, Ranker
from service.domain import Chapter, Chunk, Hit, Passage, SearchFilter, TermStatistics
from service.ports import Embedder, Terms, VectorIndex

CANDIDATES = 60
CLEAR_LEAD = 0.15  # the best section is right for 97 % of the golden questions with such a lead, for 71 % of the others

# Logistic regression on golden questions and on questions of one corpus put to another; figures in DECISIONS.md.
_INTERCEPT, _PER_STRENGTH, _PER_UNKNOWN, _PER_COSINE = -3.8, 4.2, -3.1, 8.0


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval found for a query. `confidence` is the estimated probability that the hits answer it.

    `stands_out` says that the best section leads the others so clearly that it is nearly always the right one.
    """

    query: str
    terms: frozenset[int]
    hits: Sequence[Hit]
    statistics: TermStatistics
    confidence: float
    stands_out: bool = False


class Retriever:
    """Searches the index that is being served."""

    def __init__(self, index: VectorIndex, embedder: Embedder, terms: Terms) -> None:
        self._index = index
        self._embedder = embedder
        self._terms = terms
        self._headings = Headings(index)
        self._facts = FactBook(terms)

    async def find(self, query: str, where: SearchFilter) -> Found:
        """Rank the chunks for a standalone question.

        Raises:
            UnknownFilter: a filter names what is not there.
            IndexProblem, EmbeddingFailed
        """
        statistics = await self._index.statistics()
        chapters = await self._index.chapters()
        if where != SearchFilter():
            where = resolve(where, chapters)
        vector = await self._embedder.embed_query(query)
        named = await self._headings.named_in(query)
        found = await self._index.search(query, vector, CANDIDATES, where)
        hits = await self._headings.with_named(found, named, vector, where)
        terms = self._terms.terms(query)
        places = {(place.chapter, place.anchor) for place in named}
        asked = {chapter.path: _question_weight(chapter) for chapter in chapters if chapter.questions}
        ranker = Ranker(query, statistics, self._terms, self._facts, places, asked)
        best = ranker.ranked(hits)
        confidence = _confidence(best, ranker.strength(best), terms, statistics)
        return Found(query, terms, best, statistics, confidence, _stands_out(best, asked))


def _question_weight(chapter: Chapter) -> float:
    return QUESTION_WEIGHT if chapter.brings_questions else SHEET_WEIGHT


def _stands_out(hits: Sequence[Hit], asked: Collection[str]) -> bool:
    """Whether the best section leads; of chapters without questions of their own a lead says little."""
    if not hits or hits[0].chunk.chapter not in asked:
        return False
    second = next((hit.score for hit in hits if hit.chunk.section_id != hits[0].chunk.section_id), 0.0)
    return hits[0].score - second >= CLEAR_LEAD


def _confidence(hits: Sequence[Hit], strength: float, terms: frozenset[int], statistics: TermStatistics) -> float:
    """High where the evidence is strong and a chunk near; low where the telling words occur in no chapter."""
    if not hits or not terms:
        return 0.0
    weight = sum(map(statistics.idf, terms))
    unknown = sum(statistics.idf(term) for term in terms if term not in statistics.frequencies)
    nearest = max(hit.dense or 0.0 for hit in hits)
    logit = _INTERCEPT + _PER_STRENGTH * strength + _PER_UNKNOWN * unknown / weight + _PER_COSINE * nearest
    return 1 / (1 + math.exp(-logit))


def passage_of(chunk: Chunk, score: float) -> Passage:
    """A chunk as the passage that clients see."""
    return Passage(
        chapter=chunk.chapter,
        title=chunk.title,
        heading=chunk.heading,
        anchor=chunk.anchor,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        score=round(score, 4),
        text=chunk.text,
    )
