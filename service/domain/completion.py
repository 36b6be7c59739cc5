"""What comes back from a chat model: text as it is written, then one outcome, and what it cost.

Outcome
├── Answered      the whole text, as the schema asks for it
├── Refused       the model declines; `detail` is its reason
├── CutByLength   the limit of output tokens was reached; `text` is what came until then
├── Filtered      the provider's content filter stopped it
├── Malformed     text that is not what the schema asks for; `detail` is the validation error
└── Failed        no usable response; `passing` where the same call may work later
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's provider counts them; cached and cache-write tokens are part of the input tokens."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Bill:
    """What calls cost together: tokens, US dollars (None where a price is unknown) and how many calls there were."""

    usage: Usage = Usage()
    cost: Decimal | None = Decimal(0)
    calls: int = 0

    def __add__(self, other: Bill) -> Bill:
        known = self.cost is not None and other.cost is not None
        cost = self.cost + other.cost if known else None  # type: ignore[operator]
        return Bill(self.usage + other.usage, cost, self.calls + other.calls)


NOTHING = Bill()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the text that a model writes."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended. `usage` is None where the provider did not say; `bill` adds up every call it took."""

    model: str
    text: str = ""
    detail: str = ""
    usage: Usage | None = None
    bill: Bill = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Outcome):
    """The whole text, as the schema asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Outcome):
    """The model declines to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutByLength(Outcome):
    """The limit of output tokens was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered(Outcome):
    """The provider's content filter stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Outcome):
    """The text is not what the schema asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Outcome):
    """No usable response. `code` is stable; `retry_after` is what the provider asked for, in seconds.

    `begun` tells that text had come before it failed.
    """

    code: str = "model_unreachable"
    passing: bool = False
    retry_after: float | None = None
    begun: bool = False


class Purpose(StrEnum):
    """What a call was for."""

    ANSWER = "answer"
    REPAIR = "repair"
    REWRITE = "rewrite"
    REPLAY = "replay"
    QUESTIONS = "questions"
    EMBED_QUESTION = "embed_question"
    EMBED_CHAPTERS = "embed_chapters"
