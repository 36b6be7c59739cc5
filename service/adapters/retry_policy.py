"""What is tried again, how often and how long after, as data; tenacity does the counting.

Only a failure that may pass is tried again, and only while nothing of the answer was passed on. No wait goes beyond
the caller's deadline: a server that asks for more is not asked again at all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, AttemptManager, RetryCallState, retry_if_result

from service.domain import Failed

Sleep = Callable[[float], Awaitable[None]]

PASSING = frozenset({"model_unreachable", "model_overloaded", "model_timeout"})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Times are in seconds. Waits double from `first_wait` to `longest_wait`, each between half and the whole of it.

    A server's own wish (Retry-After) counts where it is longer, up to `longest_wish`; what it asks for beyond that,
    or beyond the deadline, ends the tries.
    """

    attempts: int
    first_wait: float
    longest_wait: float
    longest_wish: float
    codes: frozenset[str] = PASSING

    def again(self, result: object) -> bool:
        """Whether such a result may be tried again."""
        return isinstance(result, Failed) and result.passing and not result.begun and result.code in self.codes

    def wait(self, attempt: int, asked: float | None) -> float:
        """How long after the attempt of this number, counted from 1."""
        backoff: float = min(self.first_wait * 2 ** (attempt - 1), self.longest_wait)
        return max(backoff * random.uniform(0.5, 1), asked or 0)  # noqa: S311 - spreads load, guards nothing

    def tries(self, deadline: float, sleep: Sleep = asyncio.sleep) -> AsyncGenerator[Try]:
        """One `Try` after another, until one has a result that ends them; `deadline` is of the monotonic clock."""

        def upcoming(state: RetryCallState) -> float:
            return self.wait(state.attempt_number, _failed(state).retry_after)

        def over(state: RetryCallState) -> bool:
            late = time.monotonic() + state.upcoming_sleep >= deadline
            too_long = (_failed(state).retry_after or 0) > self.longest_wish
            return late or too_long or state.attempt_number >= self.attempts

        return _tries(
            AsyncRetrying(
                retry=retry_if_result(self.again),
                wait=upcoming,
                stop=over,
                sleep=sleep,
                retry_error_callback=lambda _: None,
            )
        )


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt; tell it what came of it."""

    _attempt: AttemptManager

    def ended(self, result: object) -> None:
        """The result: a `Failed` may be tried again, anything else ends the tries."""
        self._attempt.retry_state.set_result(result)


async def _tries(retrying: AsyncRetrying) -> AsyncGenerator[Try]:
    """Tenacity's attempts, without its `with`: that would swallow the closing of a generator."""
    async for attempt in retrying:
        yield Try(attempt)


def _failed(state: RetryCallState) -> Failed:
    assert state.outcome is not None
    result = state.outcome.result()
    assert isinstance(result, Failed)
    return result


ANSWER = RetryPolicy(attempts=3, first_wait=0.5, longest_wait=8, longest_wish=20)
"""Somebody waits for it."""

EMBED_QUESTION = RetryPolicy(attempts=2, first_wait=0.25, longest_wait=1, longest_wish=2)
"""Somebody waits for it, and the answer itself is still to come."""

EMBED_CHAPTERS = RetryPolicy(attempts=8, first_wait=1, longest_wait=60, longest_wish=300)
"""An ingest has time: a rate limit is waited for."""
