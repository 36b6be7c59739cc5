"""A conversation: questions and their answers, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.domain.answer import Answer


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it stands in the list; `turns` is how many questions it holds."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of a conversation. `answer` is None while it is being answered, and where that failed."""

    position: int
    question: str
    answer_id: str
    asked_at: datetime
    answer: Answer | None = None
    error: str | None = None
