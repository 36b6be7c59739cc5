"""A `ChatModel` that says what the test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel

from service.domain import Usage
from service.errors import ModelProblem
from service.ports import ChatModel, Completion

USAGE = Usage(input_tokens=1200, cached_tokens=200, output_tokens=80)


def drafted(
    answer: str,
    citations: Sequence[tuple[int, str]] = (),
    status: str = "answered",
    follow_ups: Sequence[str] = (),
) -> str:
    """A completion as the schema asks for it; citations are pairs of passage number and quote."""
    cited = [{"passage": number, "quote": quote} for number, quote in citations]
    return json.dumps({"answer": answer, "citations": cited, "status": status, "follow_ups": list(follow_ups)})


class FakeChatModel(ChatModel):
    """Answers every call with the same text, or fails with the same problem."""

    name = "fake-model"

    def __init__(self, reply: str | ModelProblem) -> None:
        self._reply = reply
        self.prompts: list[str] = []

    async def complete(self, prompt: str, schema: type[BaseModel]) -> Completion:
        """Return or raise the reply."""
        self.prompts.append(prompt)
        if isinstance(self._reply, ModelProblem):
            raise self._reply
        return Completion(self._reply, USAGE, "fake-model-2026-11-01")

    def cost(self, usage: Usage) -> Decimal | None:
        """A thousandth of a dollar for every token that was written."""
        return Decimal(usage.output_tokens) / 1000

    async def close(self) -> None:
        """Nothing is open."""
