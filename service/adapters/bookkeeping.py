"""The ledger's side of one call to a provider: booked before it is sent, settled whatever becomes of it.

Neither is ever left half done: a caller that goes away in the middle waits for the database no longer, but the
booking goes on without it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from service.adapters.pricing import Prices
from service.domain import Bill, Budgets, Call, Settlement, Usage
from service.errors import StateProblem
from service.ports import Ledger

_log = structlog.get_logger()
_CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: the outcome's name, which model answered, and what was used, as `reported` or as we count."""

    outcome: str
    model: str
    usage: Usage
    reported: bool


class Bookkeeper:
    """Books calls against the budgets and settles them at the price table's rates."""

    def __init__(self, ledger: Ledger, budgets: Budgets, prices: Prices) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._prices = prices
        self._unfinished: set[asyncio.Task[Bill]] = set()

    def estimate(self, model: str, usage: Usage) -> Decimal | None:
        """What so many tokens of a model cost; None where its price is unknown."""
        return self._prices.cost(usage, model)

    async def afford(self, call: Call) -> None:
        """Check the budgets and book nothing.

        Raises:
            BudgetSpent, RequestTooCostly, StateProblem
        """
        await self._ledger.afford(call, self._budgets)

    async def open(self, call: Call) -> Booking:
        """Book a call that is about to be made.

        Raises:
            BudgetSpent, RequestTooCostly, StateProblem: it must not be made.
        """
        started = time.perf_counter()
        opening = asyncio.ensure_future(self._ledger.open(call, self._budgets))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._finish(self._take_back(opening, call, started))
            raise
        return Booking(call, started, self._settle)

    async def _take_back(self, opening: asyncio.Future[None], call: Call, started: float) -> Bill:
        """A booking whose call was never made."""
        await asyncio.gather(opening, return_exceptions=True)
        if opening.exception() is not None:
            return Bill()
        return await self._write(call, Ending(_CANCELLED, call.model, Usage(), reported=True), started)

    async def _settle(self, call: Call, started: float, ending: Callable[[], Awaitable[Ending]]) -> Bill:
        async def settled() -> Bill:
            return await self._write(call, await ending(), started)

        return await asyncio.shield(self._finish(settled()))

    def _finish(self, work: Awaitable[Bill]) -> asyncio.Task[Bill]:
        """Do it even if nobody waits for it any longer; `close` does."""
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return task

    async def _write(self, call: Call, ending: Ending, started: float) -> Bill:
        """A settlement that cannot be written leaves the booking at its estimate; the answer is not lost for it."""
        cost = self._prices.cost(ending.usage, call.model, ending.model) if _used(ending.usage) else Decimal(0)
        milliseconds = (time.perf_counter() - started) * 1000
        settlement = Settlement(ending.outcome, ending.usage, cost, ending.reported, milliseconds)
        try:
            await self._ledger.settle(call.id, settlement)
        except StateProblem as problem:
            _log.warning("call_not_settled", call=call.id, model=call.model, problem=str(problem))
        return Bill(ending.usage, cost, calls=1)

    async def close(self) -> None:
        """Wait for what is still being written."""
        while self._unfinished:
            await asyncio.gather(*self._unfinished, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Booking:
    """A call that is booked. Settle it once."""

    call: Call
    _started: float
    _settle: Callable[[Call, float, Callable[[], Awaitable[Ending]]], Awaitable[Bill]]

    async def settle(self, ending: Callable[[], Awaitable[Ending]]) -> Bill:
        """Write down what became of it. `ending` may still have to count, and is waited for in the background too."""
        return await self._settle(self.call, self._started, ending)


def _used(usage: Usage) -> bool:
    """Whether there is anything to pay: nothing costs nothing, also where a price is unknown."""
    return usage.input_tokens > 0 or usage.output_tokens > 0
