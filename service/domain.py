"""What the product talks about, as plain frozen values that import nothing.

Lines are 1-based and inclusive, counted in the chapter's source file. Paths are POSIX, relative to the
knowledge base. Scores are unitless and comparable within one answer only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

CHUNKER_VERSION = 1
"""Raised whenever the same chapter would be cut differently; an index cut by another version is not served."""


class BlockKind(StrEnum):
    """What a block of Markdown is; decides how it may be cut and quoted."""

    PROSE = "prose"
    CODE = "code"
    TABLE = "table"
    ITEM = "item"
    QUOTE = "quote"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a chapter, with the anchor GitHub would give it."""

    level: int
    text: str
    anchor: str
    line: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """The smallest thing an answer may quote: a sentence, or a comment of a code block, and where it stands."""

    text: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list item, table, quote or code fence, or a piece of one that was over the limit.

    `text` is Markdown that stands alone: a piece of a fence is fenced again. `sentences` are the units an answer
    may quote; for code they are its comments and docstrings. `part` of `parts` tells pieces of one block apart.
    """

    kind: BlockKind
    text: str
    start_line: int
    end_line: int
    language: str = ""
    sentences: tuple[Sentence, ...] = ()
    part: int = 1
    parts: int = 1


def join_blocks(blocks: Sequence[Block]) -> str:
    """Put blocks back into one Markdown text: items of a list close together, everything else apart."""
    text = ""
    previous: Block | None = None
    for block in blocks:
        if previous is not None:
            tight = previous.kind is block.kind is BlockKind.ITEM
            text += "\n" if tight else "\n\n"
        text += block.text
        previous = block
    return text


@dataclass(frozen=True, slots=True)
class Chapter:
    """One Markdown file: its text as written and what its front matter says."""

    path: str
    title: str
    text: str
    body_line: int
    headings: tuple[Heading, ...] = ()
    section: str = ""
    level: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of one section that is embedded, matched and cited as a unit."""

    id: str
    chapter: str
    title: str
    section: str
    level: str
    headings: tuple[str, ...]
    anchor: str
    section_id: str
    position: int
    start_line: int
    end_line: int
    blocks: tuple[Block, ...]
    context: str
    content_hash: str
    questions: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The innermost heading, or the chapter's title for text above the first one."""
        return self.headings[-1] if self.headings else self.title

    @property
    def text(self) -> str:
        """The Markdown that is shown."""
        return join_blocks(self.blocks)

    @property
    def embedded_text(self) -> str:
        """What the embedder and BM25 see: the words of the path, the title and headings, then the text."""
        return f"{self.context}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an index was built with; one built with anything else must not be served."""

    embedding: str
    chunker: int
    schema: int

    def differences(self, other: Fingerprint) -> list[str]:
        """What differs, in words."""
        pairs = (
            ("embedding model", self.embedding, other.embedding),
            ("chunker version", self.chunker, other.chunker),
            ("index schema", self.schema, other.schema),
        )
        return [f"{name} {mine!s} instead of {theirs!s}" for name, mine, theirs in pairs if mine != theirs]


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete build of the index: its name, what it was built with and what it holds.

    `hashes` gives the content hash of every chapter by its path, `chunk_hashes` those of its chunks.
    """

    id: str
    fingerprint: Fingerprint
    hashes: Mapping[str, str]
    chunk_hashes: Mapping[str, tuple[str, ...]]
    chunks: int
    tokens: int
    created_at: str


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """In how many of the `documents` chunks each term id occurs."""

    documents: int
    frequencies: Mapping[int, int]

    def idf(self, term: int) -> float:
        """Inverse document frequency as BM25 has it: 0 and up, highest for a term never seen."""
        frequency = self.frequencies.get(term, 0)
        return math.log1p((self.documents - frequency + 0.5) / (frequency + 0.5))


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Keep to these sections, levels and chapters (paths); empty means all."""

    sections: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    chapters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found: its fused score, and what each way of matching gave it (None: not among its best)."""

    chunk: Chunk
    score: float
    dense: float | None = None
    lexical: float | None = None
    question: float | None = None


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
