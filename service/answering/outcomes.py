"""A call to a model whose text is of no use before it is whole."""

from __future__ import annotations

from contextlib import aclosing

from service.domain import Outcome
from service.ports import ChatCall, ChatModel


async def outcome_of(model: ChatModel, call: ChatCall) -> Outcome | None:
    """What came of it: the last item of the stream; None if the stream was empty.

    Raises:
        BudgetSpent, RequestTooCostly, StateProblem: nothing was sent.
    """
    outcome: Outcome | None = None
    async with aclosing(model.stream(call)) as stream:
        async for item in stream:
            if isinstance(item, Outcome):
                outcome = item
    return outcome
