"""The measures, each a plain function; proportions come with a 95 % Wilson interval, means with a bootstrap one."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Figure:
    """A value between 0 and 1, its 95 % interval and what it was measured on; NaN without any."""

    value: float
    low: float
    high: float
    n: int


def proportion(successes: int, n: int) -> Figure:
    """A share, with Wilson's interval."""
    if n == 0:
        return Figure(math.nan, math.nan, math.nan, 0)
    share = successes / n
    centre = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return Figure(share, max(0.0, centre - half), min(1.0, centre + half), n)


def mean(values: Sequence[float], resamples: int = 2000) -> Figure:
    """A mean, with a percentile bootstrap interval (seeded, so that it repeats)."""
    if not values:
        return Figure(math.nan, math.nan, math.nan, 0)
    chance = random.Random(7)  # noqa: S311 - statistics, not secrets
    n = len(values)
    means = sorted(sum(chance.choices(values, k=n)) / n for _ in range(resamples))
    return Figure(sum(values) / n, means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1], n)


def rank_of_first(found: Sequence[Hashable], relevant: set[Hashable]) -> int | None:
    """The 1-based rank of the first relevant place, places that repeat counted once."""
    for rank, place in enumerate(dict.fromkeys(found), 1):
        if place in relevant:
            return rank
    return None


def reciprocal_rank(rank: int | None, cutoff: int = 10) -> float:
    """1/rank up to the cutoff, else 0."""
    return 1 / rank if rank is not None and rank <= cutoff else 0.0


def fact_coverage(answer: str, facts: Sequence[Sequence[str]]) -> float:
    """The share of facts of which one alternative is found in the answer, in any case."""
    covered = sum(any(re.search(pattern, answer, re.IGNORECASE) for pattern in alternatives) for alternatives in facts)
    return covered / len(facts) if facts else 1.0
