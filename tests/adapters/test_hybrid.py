"""What both engines do with the answers of the hybrid query."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from qdrant_client import models
from qdrant_client.hybrid.fusion import reciprocal_rank_fusion

from service.adapters.hybrid import RRF_K, WEIGHTS, Ranking, fuse, hits_of
from service.adapters.points import DENSE, QUESTIONS, SPARSE

from .corpus import Corpus

NOTHING = Ranking([], [])


def ranked(*ids: str) -> Ranking:
    """These ids, best first."""
    return Ranking(ids, [1.0 - i / 10 for i in range(len(ids))])


def test_a_chunk_that_several_ways_find_goes_before_one_that_a_single_way_puts_first() -> None:
    """And a way of less weight counts for less at the same rank. Scores by Qdrant's formula, worked out by hand."""
    found = fuse({DENSE: ranked("a", "b"), SPARSE: ranked("c", "b"), QUESTIONS: ranked("d")}, 10)
    assert found.ids == ["b", "a", "c", "d"]
    assert found.scores == pytest.approx([2 / 21, 1 / 20, 1 / 20, 1 / (1 / 0.7 + 19)])


def test_scores_are_those_that_qdrant_fuses() -> None:
    """Its own client, which fuses by the server's formula, comes to the same scores for any rankings."""
    chance = random.Random(1)
    ways = {way: ranked(*chance.sample("abcdefghijklmnop", 8)) for way in WEIGHTS}
    points = [[models.ScoredPoint(id=id_, score=0.0, version=0) for id_ in ranking.ids] for ranking in ways.values()]
    theirs = reciprocal_rank_fusion(points, 99, RRF_K, list(WEIGHTS.values()))
    found = fuse(ways, 99)
    assert found.as_mapping() == pytest.approx({point.id: point.score for point in theirs})


def test_equals_are_ordered_by_their_dense_score_and_then_by_id() -> None:
    """The same ones come out in the same order, whichever way is asked first."""
    ways = {DENSE: ranked("c"), SPARSE: ranked("a"), QUESTIONS: ranked("z", "y")}
    same = {SPARSE: ways[SPARSE], QUESTIONS: ways[QUESTIONS], DENSE: ways[DENSE]}
    assert fuse(ways, 3).ids == fuse(same, 3).ids == ["c", "a", "z"]


def test_equals_without_a_dense_score_are_ordered_by_id() -> None:
    """A question's seventh counts as much as the tenth by terms, to the last bits of a float."""
    ways = {DENSE: NOTHING, SPARSE: ranked(*"klmnopqrs", "z"), QUESTIONS: ranked(*"tuvwxy", "a")}
    ids = fuse(ways, 20).ids
    assert ids.index("a") + 1 == ids.index("z")


def test_a_hit_has_the_score_of_every_way_that_found_it(corpus: Corpus) -> None:
    """A way that did not find the chunk among its best says nothing, which is not nought."""
    ways = {DENSE: Ranking(["a"], [0.5]), SPARSE: Ranking(["b", "a"], [7.0, 0.0]), QUESTIONS: Ranking(["b"], [0.25])}
    chunks = {id_: replace(corpus.chunks[0], id=id_) for id_ in ("a", "b")}
    a, b = hits_of(Ranking(["a", "b"], [0.2, 0.1]), ways, chunks.__getitem__)
    assert (a.chunk.id, a.score, a.dense, a.lexical, a.question) == ("a", 0.2, 0.5, 0.0, None)
    assert (b.chunk.id, b.score, b.dense, b.lexical, b.question) == ("b", 0.1, None, 7.0, 0.25)
