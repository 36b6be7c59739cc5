"""A `ChatModel` that plays a script: pieces of text, then an outcome; it remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal

from service.domain import Answered, Bill, Outcome, TextDelta, Usage
from service.errors import MasteryError
from service.ports import ChatCall, ChatModel

MODEL = "scripted-model-2026-11-01"
USAGE = Usage(input_tokens=1200, cached_tokens=200, output_tokens=80)
BILL = Bill(USAGE, Decimal("0.08"), 1)


def answered(text: str) -> Answered:
    """The outcome of a call that went well."""
    return Answered(model=MODEL, text=text, usage=USAGE, bill=BILL)


class ScriptedModel(ChatModel):
    """Plays one reply a call, in order; the last one again and again.

    A reply is a text (streamed in pieces of `piece` characters and then answered), an outcome (its text is streamed
    first), or an error of ours, which is raised before anything is streamed.
    """

    name = "scripted-model"

    def __init__(
        self,
        *replies: str | Outcome | MasteryError,
        piece: int = 7,
        unaffordable: MasteryError | None = None,
    ) -> None:
        assert replies, "a script has at least one reply"
        self._replies: Sequence[str | Outcome | MasteryError] = replies
        self._piece = piece
        self._unaffordable = unaffordable
        self.calls: list[ChatCall] = []
        self.open_streams = 0
        self.closed = False

    @property
    def prompts(self) -> list[str]:
        """The text of every call, all messages together."""
        return ["\n\n".join(message.content for message in call.messages) for call in self.calls]

    async def afford(self, call: ChatCall) -> None:
        """Raise what the script says costs too much."""
        if self._unaffordable is not None:
            raise self._unaffordable

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """Play the next reply."""
        reply = self._replies[min(len(self.calls), len(self._replies) - 1)]
        self.calls.append(call)
        if isinstance(reply, MasteryError):
            raise reply
        outcome = answered(reply) if isinstance(reply, str) else reply
        self.open_streams += 1
        try:
            for start in range(0, len(outcome.text), self._piece):
                yield TextDelta(outcome.text[start : start + self._piece])
            yield outcome
        finally:
            self.open_streams -= 1

    async def close(self) -> None:
        """Remember it."""
        self.closed = True
