"""An answer: what became of a question, on what it rests and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    NOT_IN_KNOWLEDGE_BASE = "not_in_knowledge_base"


class Mode(StrEnum):
    """Who wrote the answer: a model, or nobody (it is composed of quotations)."""

    LLM = "llm"
    EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A place that retrieval returned: a chunk, or the section around it. `text` is its Markdown."""

    chapter: str
    title: str
    heading: str
    anchor: str
    start_line: int
    end_line: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that the answer rests on, and the words of it, verbatim. `url` opens the chapter at that place."""

    number: int
    chapter: str
    title: str
    heading: str
    anchor: str
    url: str
    quote: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's provider counts them."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds spent; `first_token` is None where nothing was streamed."""

    retrieve: float
    generate: float
    total: float
    first_token: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an answer came about and what it cost. `cost_usd` is None where the price is not known."""

    prompt: str | None
    prompt_hash: str | None
    model: str | None
    index_generation: str
    embedding_model: str
    retrieval_query: str
    usage: Usage
    cost_usd: str | None
    latency_ms: Latency
    attempts: int
    dropped_citations: int
    trace_id: str
    degraded_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer type of every surface."""

    id: str
    question: str
    status: Status
    answer: str
    answer_html: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    follow_ups: tuple[str, ...]
    mode: Mode
    degraded: bool
    receipt: Receipt
