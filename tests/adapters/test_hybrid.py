"""What both engines do with the answers of the hybrid query."""

from __future__ import annotations

import random
from dataclasses import replace

from service.adapters.hybrid import Ranking, hits_of
from service.adapters.points import DENSE, QUESTIONS, SPARSE

from .corpus import Corpus

NOTHING = Ranking([], [])
WAYS = {DENSE: Ranking(["c", "b", "d"], [0.9, 0.8, 0.7]), SPARSE: NOTHING, QUESTIONS: NOTHING}


def test_equals_are_ordered_by_their_dense_score_and_then_by_id() -> None:
    """However the engine happened to order them, the same ones come out, in the same order."""
    fused = {"a": 0.1, "b": 0.2, "c": 0.2, "d": 0.2, "e": 0.1, "f": 0.3}
    outcomes = set()
    for seed in range(20):
        shuffled = random.Random(seed).sample(sorted(fused), len(fused))
        best = Ranking(shuffled, [fused[id_] for id_ in shuffled]).best(5, WAYS)
        outcomes.add((*best.ids, *best.scores))
    assert outcomes == {("f", "c", "b", "d", "a", 0.3, 0.2, 0.2, 0.2, 0.1)}


def test_a_hit_has_the_score_of_every_way_that_found_it(corpus: Corpus) -> None:
    """A way that did not find the chunk among its best says nothing, which is not nought."""
    ways = {DENSE: Ranking(["a"], [0.5]), SPARSE: Ranking(["b", "a"], [7.0, 0.0]), QUESTIONS: Ranking(["b"], [0.25])}
    chunks = {id_: replace(corpus.chunks[0], id=id_) for id_ in ("a", "b")}
    a, b = hits_of(Ranking(["a", "b"], [0.2, 0.1]), ways, chunks.__getitem__)
    assert (a.chunk.id, a.score, a.dense, a.lexical, a.question) == ("a", 0.2, 0.5, 0.0, None)
    assert (b.chunk.id, b.score, b.dense, b.lexical, b.question) == ("b", 0.1, None, 7.0, 0.25)
