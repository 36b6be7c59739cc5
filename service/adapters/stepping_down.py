"""Calls a chat model again, right away, when its server refused the form of the call and a lower one is known."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from service.adapters.openai_chat import FORM_REFUSED
from service.adapters.retrying import not_afforded
from service.domain import NOTHING, Failed, Outcome, TextDelta
from service.errors import BudgetSpent, RequestTooCostly
from service.ports import ChatCall, ChatModel

_STEPS = 4  # two of the answer's form, one of the limit's name, one of the usage


class SteppingDownChat:
    """A `ChatModel` around one whose calls may be refused for their form. The refused calls are on the bill too."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner
        self.name = inner.name

    async def afford(self, call: ChatCall) -> None:
        """As the inner model."""
        await self._inner.afford(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """Step by step, at most as often as there are steps."""
        spent, last = NOTHING, None
        for _ in range(_STEPS + 1):
            try:
                async with aclosing(self._inner.stream(replace(call, attempt=call.attempt + spent.calls))) as items:
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
            if not (isinstance(last, Failed) and last.code == FORM_REFUSED):
                break
        assert last is not None
        yield last

    async def close(self) -> None:
        """Close the inner model."""
        await self._inner.close()
