"""An answer: what became of a question, on what it rests and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.domain.completion import Usage


class Status(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    NOT_IN_KNOWLEDGE_BASE = "not_in_knowledge_base"


class Mode(StrEnum):
    """Who wrote the answer: a model, or nobody (it is composed of quotations)."""

    LLM = "llm"
    EXTRACTIVE = "extractive"


class PassageUse(StrEnum):
    """What became of a passage that was found."""

    CITED = "cited"
    READ = "read"
    OVER_BUDGET = "over_budget"
    RANKED_LOWER = "ranked_lower"


class CodeCheck(StrEnum):
    """Whether a code block of an answer parses and imports only what exists."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Passage:
    """A place that retrieval returned: a chunk, or the section around it. `text` is its Markdown.

    `use` tells what the answer made of it; None where nothing was answered.
    """

    chapter: str
    title: str
    heading: str
    anchor: str
    start_line: int
    end_line: int
    score: float
    text: str
    use: PassageUse | None = None


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
class CodeBlock:
    """A code block of an answer, by its place among them; `detail` says why a check failed or was not made."""

    number: int
    language: str
    code_check: CodeCheck
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds spent; `first_token` is None where nothing was streamed."""

    retrieve: float
    generate: float
    total: float
    first_token: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an answer came about and what it cost. `cost_usd` is None where the price is not known.

    `usage`, `cost_usd` and `attempts` add up every call that it took, failed ones too. `experiment` names the
    experiment that chose the prompt, `cached` that a stored answer was given again at no cost. `stored` is false where
    the database could not keep this answer. `uncited_sentences` are those that a model wrote without a marker.
    """

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
    experiment: str | None = None
    cached: bool = False
    stored: bool = True
    uncited_sentences: int = 0


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
    code: tuple[CodeBlock, ...] = ()
