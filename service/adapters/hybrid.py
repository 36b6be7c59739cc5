"""The one hybrid query, as data that both engines read: what is fetched, how it is fused, what is kept of it.

Figures chosen by `mastery eval`; what was tried stands in DECISIONS.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.adapters.points import DENSE, QUESTIONS, SPARSE
from service.domain import Chunk, Hit

PREFETCH = 50
RRF_K = 20
WEIGHTS: Mapping[str, float] = {DENSE: 1.0, SPARSE: 1.0, QUESTIONS: 0.7}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ids and scores of one query of the batch, best first."""

    ids: Sequence[str]
    scores: Sequence[float]

    def as_mapping(self) -> dict[str, float]:
        """Score by id."""
        return dict(zip(self.ids, self.scores, strict=True))


def hits_of(fused: Ranking, ways: Mapping[str, Ranking], chunk: Callable[[str], Chunk]) -> list[Hit]:
    """Fused ids as hits, each with the score that every way of matching gave it."""
    by_way = {way: ranking.as_mapping() for way, ranking in ways.items()}
    return [
        Hit(
            chunk=chunk(id_),
            score=score,
            dense=by_way[DENSE].get(id_),
            lexical=by_way[SPARSE].get(id_),
            question=by_way[QUESTIONS].get(id_),
        )
        for id_, score in zip(fused.ids, fused.scores, strict=True)
    ]
