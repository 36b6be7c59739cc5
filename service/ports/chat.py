"""A chat model: messages -> text as it is written, then one outcome."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel

from service.domain import Outcome, Purpose, TextDelta


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a call."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatCall:
    """What is asked of a model, for what and by whom.

    `schema` is the form that the text must have, as JSON. `prompt` is the id of the prompt's version, for the ledger.
    `deadline` is the moment of `time.monotonic()` at which the whole request ends, retries included. `attempt` numbers
    the calls that one request takes, from 1; layers that call again count on.
    """

    messages: tuple[Message, ...]
    schema: type[BaseModel]
    purpose: Purpose
    prompt: str | None
    caller: str
    trace_id: str
    deadline: float
    max_output_tokens: int
    attempt: int = 1


class ChatModel(Protocol):
    """Messages -> text by a schema. Layers (metering, breaker, retries, fallback) wrap one another behind this port."""

    @property
    def name(self) -> str:
        """Model name, as it is asked for."""

    async def afford(self, call: ChatCall) -> None:
        """Check the budgets before anything is sent, so that a refusal is an error status and not half a stream.

        Raises:
            BudgetSpent, RequestTooCostly
        """

    def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """The text as it is written, then exactly one `Outcome`, which is the last item.

        Close the generator (`contextlib.aclosing`) to cancel the call: the connection is closed and what was used is
        booked. What goes wrong upstream is an outcome and never an exception.

        Raises:
            BudgetSpent, RequestTooCostly: nothing was sent.
            StateProblem: the ledger cannot be written; nothing was sent.
        """

    async def close(self) -> None:
        """Close connections."""
