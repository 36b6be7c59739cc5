"""Leaves an upstream alone that keeps failing, so that callers are refused at once instead of each waiting in vain.

An upstream is one model of one server: providers fail by model, and a fallback on the same server must stay usable.
Only failures that may pass count, in a row. Anything else that the upstream says (an answer, a refusal, an error that
is our own fault) is a sign of life. A call that its caller gave up says nothing.

Failures come back faster than answers do: of fifty calls at a time to an upstream that fails three in ten, the first
fifteen results are all failures. So a row of failures opens the circuit only once the upstream has also been without
a sign of life for a while; the first word of an answer is one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from service.domain import Failed, Outcome, TextDelta
from service.ports import ChatCall, ChatModel

CIRCUIT_OPEN = "model_circuit_open"
_FAIR_SECONDS = 5.0  # a timeout that left the upstream less time than this is not its fault


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to call, in a certain period between two openings; a `probe` decides whether the circuit closes."""

    period: int
    probe: bool


class Breaker:
    """Closed, until `failures` in a row and `quiet` seconds without a sign of life open it.

    After `rest` seconds one call at a time probes the upstream.
    """

    def __init__(
        self,
        failures: int = 5,
        quiet: float = 5.0,
        rest: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._quiet = quiet
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._quiet_since = 0.0
        self._opened_at: float | None = None
        self._period = 0
        self._probing = False

    def enter(self) -> Pass | None:
        """Leave to call; None while the circuit is open."""
        if self._opened_at is None:
            return Pass(self._period, probe=False)
        if self._probing or self.left > 0:
            return None
        self._probing = True
        return Pass(self._period, probe=True)

    @property
    def left(self) -> float:
        """Seconds until the next probe."""
        return 0.0 if self._opened_at is None else max(self._opened_at + self._rest - self._clock(), 0.0)

    def began(self) -> None:
        """The upstream has begun to answer; how that ends is another matter."""
        self._quiet_since = self._clock()

    def failed(self, given: Pass) -> None:
        """The upstream failed. What began before the circuit opened changes nothing after it."""
        if given.period != self._period:
            return
        now = self._clock()
        self._failures += 1
        if self._failures == 1:
            self._quiet_since = now
        if given.probe or (self._failures >= self._most and now - self._quiet_since >= self._quiet):
            self._opened_at = now
            self._turn()

    def answered(self, given: Pass) -> None:
        """The upstream is alive."""
        if given.period != self._period:
            return
        self._failures = 0
        if given.probe:
            self._opened_at = None
            self._turn()

    def abandoned(self, given: Pass) -> None:
        """Nobody waited for the end; the next call probes instead."""
        if given.probe and given.period == self._period:
            self._probing = False

    def _turn(self) -> None:
        self._period += 1
        self._probing = False


class BreakingChat:
    """A `ChatModel` behind a breaker; while it is open, the outcome is a failure and nothing is sent."""

    def __init__(self, inner: ChatModel, breaker: Breaker) -> None:
        self._inner = inner
        self._breaker = breaker
        self.name = inner.name

    async def afford(self, call: ChatCall) -> None:
        """As the inner model."""
        await self._inner.afford(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """As the inner model, if the circuit lets it through."""
        given = self._breaker.enter()
        if given is None:
            left = self._breaker.left
            detail = f"the chat model {self.name} kept failing and is left alone for another {left:.0f} seconds"
            yield Failed(model=self.name, code=CIRCUIT_OPEN, passing=True, detail=detail, retry_after=left)
            return
        patience = call.deadline - time.monotonic()
        outcome: Outcome | None = None
        try:
            async with aclosing(self._inner.stream(call)) as items:
                async for item in items:
                    if isinstance(item, TextDelta):
                        self._breaker.began()
                        yield item
                    else:
                        outcome = item
        finally:
            self._tell(given, outcome, patience)
        if outcome is not None:
            yield outcome

    def _tell(self, given: Pass, outcome: Outcome | None, patience: float) -> None:
        hurried = isinstance(outcome, Failed) and outcome.code == "model_timeout" and patience < _FAIR_SECONDS
        if outcome is None or hurried:
            self._breaker.abandoned(given)
        elif isinstance(outcome, Failed) and outcome.passing:
            self._breaker.failed(given)
        else:
            self._breaker.answered(given)

    async def close(self) -> None:
        """Close the inner model."""
        await self._inner.close()
