"""Every HTTP request to a chat model, in the ledger: what it may cost before it is sent, what it did cost after it.

What the provider reports is booked as it reports it. Where it reports nothing (a timeout, a cut stream, a reader who
left), what was sent and what was received until then is counted here.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from service.adapters.bookkeeping import Bookkeeper, Ending
from service.adapters.tokens import TokenCounter
from service.domain import Call, Outcome, Refused, TextDelta, Usage
from service.ports import ChatCall, ChatModel, Message


class Sender(ChatModel, Protocol):
    """A chat model that tells what it sends."""

    def sent(self, call: ChatCall) -> tuple[tuple[Message, ...], str]:
        """Messages and schema as they would go out now."""


class MeteredChat:
    """A `ChatModel` around the one that sends; sets the `bill` of each outcome."""

    def __init__(self, inner: Sender, books: Bookkeeper) -> None:
        self._inner = inner
        self._books = books
        self._tokens = TokenCounter(inner.name)
        self.name = inner.name

    async def afford(self, call: ChatCall) -> None:
        """Check the budgets with this call's estimate.

        Raises:
            BudgetSpent, RequestTooCostly
        """
        await self._books.afford(await self._entry(call))
        await self._inner.afford(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """Book, send, settle."""
        entry = await self._entry(call)
        booking = await self._books.open(entry)
        received: list[str] = []
        outcome: Outcome | None = None
        ended = "failed"  # unless something better is known

        async def ending() -> Ending:
            if outcome is not None and outcome.usage is not None:
                return Ending(ended, outcome.model, outcome.usage, reported=True)
            written = await self._tokens.count("".join(received) if outcome is None else _written(outcome))
            counted = Usage(input_tokens=entry.estimated.input_tokens, output_tokens=written)
            return Ending(ended, outcome.model if outcome else self.name, counted, reported=False)

        try:
            async with aclosing(self._inner.stream(call)) as items:
                async for item in items:
                    if isinstance(item, TextDelta):
                        received.append(item.text)
                        yield item
                    else:
                        outcome, ended = item, _snake(type(item).__name__)
        except (asyncio.CancelledError, GeneratorExit):
            ended = "cancelled"
            raise
        finally:
            bill = await booking.settle(ending)
        if outcome is not None:
            yield replace(outcome, bill=bill)

    async def _entry(self, call: ChatCall) -> Call:
        """The call as the ledger books it: the most that it can cost."""
        sent = await self._tokens.count_messages(*self._inner.sent(call))
        most = Usage(input_tokens=sent, output_tokens=call.max_output_tokens)
        return Call(
            id=uuid.uuid4().hex,
            at=datetime.now(UTC),
            trace_id=call.trace_id,
            purpose=call.purpose,
            model=self.name,
            prompt=call.prompt,
            caller=call.caller,
            attempt=call.attempt,
            estimated=most,
            estimated_cost=self._books.estimate(self.name, most),
        )

    async def close(self) -> None:
        """Wait for the ledger, then close connections."""
        await self._books.close()
        await self._inner.close()


def _written(outcome: Outcome) -> str:
    """What the model wrote; the detail of any other outcome than a refusal is ours."""
    return outcome.text or (outcome.detail if isinstance(outcome, Refused) else "")


def _snake(name: str) -> str:
    """`CutByLength` -> `cut_by_length`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
