"""What is kept of an answer, so that it can be explained, repeated and judged later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.answer import Answer
from service.domain.question import Ask


class Verdict(StrEnum):
    """Thumbs up or down."""

    UP = "up"
    DOWN = "down"


class Reason(StrEnum):
    """Why an answer is bad."""

    WRONG_CITATION = "wrong_citation"
    WRONG_ANSWER = "wrong_answer"
    MISSING = "missing"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader says of an answer; the latest word counts."""

    verdict: Verdict
    reason: Reason | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A numbered passage as the model was given it, so that a replay reads the same words."""

    number: int
    chapter: str
    title: str
    heading: str
    anchor: str
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer with what it takes to repeat it. `cache_key` is None where the answer may not stand for another."""

    answer: Answer
    ask: Ask
    readings: tuple[Reading, ...]
    created_at: datetime
    cache_key: str | None = None
    feedback: Feedback | None = None
