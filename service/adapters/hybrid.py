"""The one hybrid query, as data that both engines read: what is fetched, how it is fused, what is kept of it.

Figures chosen by `mastery eval`; what was tried stands in DECISIONS.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.adapters.points import DENSE, QUESTIONS, SPARSE
from service.domain import Chunk, Hit

PREFETCH = 50
TIES = 20  # more than can share a fused score at the end of what is wanted, see `Ranking.best`
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

    def best(self, limit: int, ways: Mapping[str, Ranking]) -> Ranking:
        """The first of a fused ranking.

        Fused scores are often equal, and the engines order equals by chance. Here the dense score decides, then the
        id, so that the same question always finds the same.
        """
        dense = ways[DENSE].as_mapping()
        pairs = zip(self.ids, self.scores, strict=True)
        ordered = sorted(pairs, key=lambda pair: (-round(pair[1], 7), -dense.get(pair[0], -1.0), pair[0]))[:limit]
        return Ranking([id_ for id_, _ in ordered], [score for _, score in ordered])


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
