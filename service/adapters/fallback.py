"""A second model for when the first one fails."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from service.adapters.retrying import not_afforded
from service.domain import Failed, Outcome, TextDelta
from service.errors import BudgetSpent, RequestTooCostly
from service.ports import ChatCall, ChatModel

_HOPELESS = {"model_quota", "model_unauthorized"}  # of the account, which both models share


class FallbackChat:
    """A `ChatModel` that asks the fallback once the primary `Failed`; any other outcome is an answer of its kind.

    Where the primary failed after it had begun to write, the fallback writes silently: a reader who has seen the
    beginning of one text must not see another go on from there, so its deltas are kept back and only the outcome
    holds its text. `name` is the primary's; the outcome's `model` is the one that wrote.
    """

    def __init__(self, primary: ChatModel, fallback: ChatModel) -> None:
        self._primary = primary
        self._fallback = fallback
        self.name = primary.name

    async def afford(self, call: ChatCall) -> None:
        """As the primary: the fallback's budget is checked when it is due."""
        await self._primary.afford(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """The primary's, or the fallback's."""
        shown, failed = False, None
        async with aclosing(self._primary.stream(call)) as items:
            async for item in items:
                if isinstance(item, Failed):
                    failed = item
                else:
                    shown = True
                    yield item
        if failed is None:
            return
        if failed.code in _HOPELESS or call.deadline <= time.monotonic():
            yield failed
            return
        again = replace(call, attempt=call.attempt + failed.bill.calls)
        try:
            async with aclosing(self._fallback.stream(again)) as items:
                async for item in items:
                    if isinstance(item, Outcome):
                        yield _after(failed, item)
                    elif not shown:
                        yield item
        except (BudgetSpent, RequestTooCostly) as refusal:
            yield not_afforded(failed, refusal)

    async def close(self) -> None:
        """Close both."""
        await self._primary.close()
        await self._fallback.close()


def _after(first: Failed, then: Outcome) -> Outcome:
    """The fallback's outcome with the bill of both; where it failed too, the primary's failure with both reasons."""
    bill = first.bill + then.bill
    if not isinstance(then, Failed):
        return replace(then, bill=bill)
    waits = [wait for wait in (first.retry_after, then.retry_after) if wait is not None]
    return replace(
        first,
        detail=f"{first.detail}; the fallback: {then.detail}",
        passing=first.passing or then.passing,
        retry_after=min(waits, default=None),
        begun=first.begun or then.begun,
        bill=bill,
    )
