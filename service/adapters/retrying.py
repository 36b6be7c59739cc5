"""Calls a chat model again after a failure that may pass, as a policy says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from service.adapters.retry_policy import ANSWER, RetryPolicy, Sleep
from service.domain import NOTHING, Failed, Outcome, TextDelta
from service.errors import BudgetSpent, RequestTooCostly
from service.ports import ChatCall, ChatModel


class RetryingChat:
    """A `ChatModel` that tries again; its outcome is the last one, with the bill of all."""

    def __init__(self, inner: ChatModel, policy: RetryPolicy = ANSWER, sleep: Sleep = asyncio.sleep) -> None:
        self._inner = inner
        self._policy = policy
        self._sleep = sleep
        self.name = inner.name

    async def afford(self, call: ChatCall) -> None:
        """As the inner model: a retry's budget is checked when it is due."""
        await self._inner.afford(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """Until an outcome that is no passing failure, the last try, or the deadline."""
        spent, last = NOTHING, None
        async with aclosing(self._policy.tries(call.deadline, self._sleep)) as tries:
            async for attempt in tries:
                again = replace(call, attempt=call.attempt + spent.calls)
                try:
                    async with aclosing(self._inner.stream(again)) as items:
                        async for item in items:
                            if isinstance(item, TextDelta):
                                yield item
                            else:
                                last = item
                except (BudgetSpent, RequestTooCostly) as refusal:
                    if last is None:
                        raise
                    yield not_afforded(last, refusal)
                    return
                assert last is not None
                spent += last.bill
                last = replace(last, bill=spent)
                attempt.ended(last)
        assert last is not None
        yield last

    async def close(self) -> None:
        """Close the inner model."""
        await self._inner.close()


def not_afforded(last: Outcome, refusal: BudgetSpent | RequestTooCostly) -> Outcome:
    """An outcome that would have been followed by another call, had the budget allowed it."""
    detail = f"{last.detail}; another call was not made: {refusal}"
    return replace(last, detail=detail, passing=False) if isinstance(last, Failed) else replace(last, detail=detail)
