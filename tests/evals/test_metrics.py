"""The measures, checked against other implementations and known values."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.metrics import Figure, fact_coverage, mean, proportion, rank_of_first, reciprocal_rank

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import, not ours
    import ir_measures
    from ir_measures import RR, Qrel, ScoredDoc, Success

PLACES = [f"chapter{number}" for number in range(16)]


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(PLACES), unique=True), st.sets(st.sampled_from(PLACES), min_size=1)),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_ranks_agree_with_ir_measures(questions: list[tuple[list[str], set[str]]]) -> None:
    """MRR@10 and Success@1 and @5 are those of ir-measures, for any rankings and any relevant places."""
    qrels = [Qrel(f"q{n}", place, 1) for n, (_, relevant) in enumerate(questions) for place in relevant]
    run = [
        ScoredDoc(f"q{n}", place, -float(rank))
        for n, (found, _) in enumerate(questions)
        for rank, place in enumerate(found)
    ]
    theirs = ir_measures.calc_aggregate([RR @ 10, Success @ 1, Success @ 5], qrels, run)
    ranks = [rank_of_first(found, relevant) for found, relevant in questions]
    assert mean([reciprocal_rank(rank) for rank in ranks], 10).value == pytest.approx(theirs[RR @ 10])
    assert proportion(sum(rank == 1 for rank in ranks), len(ranks)).value == pytest.approx(theirs[Success @ 1])
    five = sum(rank is not None and rank <= 5 for rank in ranks)
    assert proportion(five, len(ranks)).value == pytest.approx(theirs[Success @ 5])


@pytest.mark.parametrize(
    ("found", "relevant", "rank"),
    [
        ("abc", "a", 1),
        ("abc", "c", 3),
        ("abc", "bc", 2),
        ("aabac", "c", 3),
        ("abc", "x", None),
        ("", "x", None),
    ],
)
def test_the_rank_counts_each_place_once(found: str, relevant: str, rank: int | None) -> None:
    """Two chunks of one section are one place."""
    assert rank_of_first(list(found), set(relevant)) == rank


@pytest.mark.parametrize(("rank", "value"), [(1, 1.0), (4, 0.25), (10, 0.1), (11, 0.0), (None, 0.0)])
def test_the_reciprocal_rank_ends_at_ten(rank: int | None, value: float) -> None:
    """What stands below the tenth place counts as not found."""
    assert reciprocal_rank(rank) == value


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_has_its_published_values(successes: int, n: int, low: float, high: float) -> None:
    """The interval of a share is Wilson's without continuity correction."""
    figure = proportion(successes, n)
    assert (figure.value, figure.n) == (successes / n, n)
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
@settings(max_examples=50)
def test_an_interval_holds_its_value(n: int, data: st.DataObject) -> None:
    """The bounds lie around the share, within 0 and 1."""
    figure = proportion(data.draw(st.integers(0, n)), n)
    assert 0 <= figure.low <= figure.value + 1e-12
    assert figure.value - 1e-12 <= figure.high <= 1


def test_a_mean_repeats_and_lies_in_its_interval() -> None:
    """The bootstrap is seeded, so that the same answers give the same figures."""
    values = [1.0, 0.5, 0.0, 0.25, 1.0, 1.0, 0.5, 0.0]
    figure = mean(values)
    assert figure == mean(values)
    assert figure.value == sum(values) / 8
    assert 0 < figure.low < figure.value < figure.high < 1
    assert mean([0.5] * 9) == Figure(0.5, 0.5, 0.5, 9)


def test_nothing_measured_is_not_zero() -> None:
    """Without a question there is no figure."""
    for figure in (proportion(0, 0), mean([])):
        assert figure.n == 0
        assert math.isnan(figure.value)


@pytest.mark.parametrize(
    ("facts", "share"),
    [
        ([["ordered=False"]], 1.0),
        ([["ORDERED=false"]], 1.0),
        ([["missing"], ["ordered"]], 0.5),
        ([["missing", "insert_?many"], ["next"]], 0.5),
        ([["insert.many\\(docs,\\s+ordered"]], 1.0),
        ([], 1.0),
    ],
)
def test_a_fact_is_covered_by_one_of_its_alternatives(facts: list[list[str]], share: float) -> None:
    """Alternatives are regular expressions in any case; the coverage is the share of facts, not of patterns."""
    assert fact_coverage("insert_many(docs,\n  ordered=False)", facts) == share
