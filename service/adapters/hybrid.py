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


def fuse(ways: Mapping[str, Ranking], limit: int) -> Ranking:
    """The first of all that any way found, by weighted reciprocal rank fusion.

    Qdrant's own formula, which puts a way's n-th at `1 / (n / weight + k - 1)`. It is reckoned here because each way's
    scores are wanted too: an engine that fuses searches every way a second time. Fused scores are often equal; then
    the dense score decides, then the id, so that the same question always finds the same.
    """
    scores: dict[str, float] = {}
    for way, ranking in ways.items():
        for rank, id_ in enumerate(ranking.ids, start=1):
            scores[id_] = scores.get(id_, 0.0) + 1 / (rank / WEIGHTS[way] + RRF_K - 1)
    dense = ways[DENSE].as_mapping()
    best = sorted(scores, key=lambda id_: (-round(scores[id_], 7), -dense.get(id_, -1.0), id_))[:limit]
    return Ranking(best, [scores[id_] for id_ in best])


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
