"""A `ChatModel` that does at each call what the test says next: items, an error, or a wait that never ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pydantic import BaseModel

from service.domain import Bill, Failed, Outcome, Purpose, TextDelta, Usage
from service.ports import ChatCall, ChatModel, Message

HANG = object()
"""Says nothing more until the generator is closed."""

Turn = Sequence[TextDelta | Outcome | Exception | object]

PAID = Bill(Usage(input_tokens=10, output_tokens=5), calls=1)


class Draft(BaseModel):
    """An answer, as a schema asks for it."""

    answer: str
    passages: list[int]


def call(seconds: float = 30.0, **changes: object) -> ChatCall:
    """A call that may take so long."""
    given: dict[str, object] = {
        "messages": (Message("system", "Answer."), Message("user", "Why?")),
        "schema": Draft,
        "purpose": Purpose.ANSWER,
        "prompt": "answer/v1",
        "caller": "ann",
        "trace_id": "trace-1",
        "deadline": time.monotonic() + seconds,
        "max_output_tokens": 500,
    }
    return ChatCall(**(given | changes))  # type: ignore[arg-type]


def failed(code: str = "model_overloaded", *, passing: bool = True, **changes: object) -> Failed:
    """A failure that was paid for."""
    return Failed(model="m", code=code, passing=passing, **({"bill": PAID} | changes))  # type: ignore[arg-type]


class ScriptedModel(ChatModel):
    """Takes one turn after another, the last one for ever.

    `calls` is what it was asked, `closed` how many of them ended, `shut` whether the model itself was closed.
    """

    name = "m"

    def __init__(self, *turns: Turn, name: str = "m") -> None:
        self.name = name
        self._turns = list(turns)
        self.calls: list[ChatCall] = []
        self.closed = 0
        self.shut = False

    async def afford(self, call: ChatCall) -> None:
        """Everything is affordable."""

    def sent(self, call: ChatCall) -> tuple[tuple[Message, ...], str]:
        """The messages and no schema."""
        return call.messages, ""

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """The next turn."""
        self.calls.append(call)
        turn = self._turns[0] if len(self._turns) == 1 else self._turns.pop(0)
        try:
            for item in turn:
                if isinstance(item, Exception):
                    raise item
                if item is HANG:
                    await asyncio.Event().wait()
                assert isinstance(item, TextDelta | Outcome)
                yield item
        finally:
            self.closed += 1

    async def close(self) -> None:
        """Remember it."""
        self.shut = True


async def said(model: ChatModel, asked: ChatCall | None = None) -> tuple[list[str], Outcome]:
    """The pieces of text and the outcome, which must be the last item and the only one."""
    pieces: list[str] = []
    outcomes: list[Outcome] = []
    async with aclosing(model.stream(asked or call())) as items:
        async for item in items:
            assert not outcomes, "an outcome is the last item"
            if isinstance(item, TextDelta):
                pieces.append(item.text)
            else:
                outcomes.append(item)
    (outcome,) = outcomes
    return pieces, outcome


class Sleeps:
    """Notes how long it should have slept, and does not."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Let the others run."""
        self.slept.append(seconds)
        await asyncio.sleep(0)
