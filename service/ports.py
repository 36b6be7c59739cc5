"""Protocols for everything outside: what the inner rooms need, whoever provides it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from service.domain import Chapter, Chunk, Fingerprint, Generation, Hit, SearchFilter, TermStatistics, Usage

Vector = NDArray[np.float32]
"""A unit vector of shape (size,)."""

Vectors = NDArray[np.float32]
"""Unit vectors of shape (n, size)."""


class Embedder(Protocol):
    """Text -> unit vectors."""

    @property
    def name(self) -> str:
        """Model name for receipts."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: model name and hash of its weights."""

    @property
    def size(self) -> int:
        """Length of a vector."""

    def count_tokens(self, text: str) -> int:
        """Tokens the model reads for this text, without its own markers."""

    async def embed_query(self, text: str) -> Vector:
        """The vector of one question.

        Raises:
            EmbeddingFailed: the model cannot be loaded or reached.
        """

    def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Vectors of many texts, in batches as they are ready: positions in `texts`, and their vectors.

        Raises:
            EmbeddingFailed: the model cannot be loaded or reached; batches given before stay valid.
        """

    async def close(self) -> None:
        """Let go of threads and connections."""


class CachingEmbedder(Embedder, Protocol):
    """An embedder that keeps what it computed."""

    def missing(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts whose vectors must be computed."""

    def cost(self, tokens: int) -> Decimal | None:
        """What embedding so many tokens costs in US dollars; None where it costs nothing, or the price is unknown."""


class Terms(Protocol):
    """Text -> the terms that lexical matching compares (stemmed, without stop words), as ids."""

    def terms(self, text: str) -> frozenset[int]:
        """The set of a text's term ids."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a chat model returned."""

    text: str
    usage: Usage
    model: str


class ChatModel(Protocol):
    """Prompt -> text by a schema."""

    @property
    def name(self) -> str:
        """Model name for receipts."""

    async def complete(self, prompt: str, schema: type[BaseModel]) -> Completion:
        """One call.

        Raises:
            ModelUnreachable, ModelRejected, ModelMalformed
        """

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars; None where the model's price is not known."""

    async def close(self) -> None:
        """Close connections."""


class VectorIndex(Protocol):
    """The generation being served, read only."""

    async def generation(self) -> Generation:
        """The generation that answers now.

        Raises:
            IndexMissing, IndexMismatch, IndexCorrupted, IndexUnreachable
        """

    async def refresh(self) -> bool:
        """Move to a newer generation if one was published; whether that happened."""

    async def search(self, text: str, vector: Vector, limit: int, where: SearchFilter) -> list[Hit]:
        """Hybrid search: dense, BM25 and the chapters' own questions, fused by the engine; best first."""

    async def section(self, chapter: str, section_id: str) -> list[Chunk]:
        """All chunks of one section, in reading order."""

    async def chapters(self) -> list[Chapter]:
        """Every chapter, in the order of their paths, without their texts."""

    async def chapter(self, path: str) -> Chapter | None:
        """One chapter with its text."""

    async def statistics(self) -> TermStatistics:
        """In how many chunks each term occurs."""

    async def close(self) -> None:
        """Let go of files and connections."""


class GenerationWriter(Protocol):
    """A new generation being built. Leaving the context without `publish` removes every trace of it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def add(self, chunks: Sequence[Chunk], vectors: Vectors, question_vectors: Sequence[Vectors | None]) -> None:
        """Add chunks with their vectors, and for each the vectors of its questions, if it has any."""

    async def publish(self, generation: Generation, chapters: Sequence[Chapter], statistics: TermStatistics) -> None:
        """Finish, verify the count and switch to this generation atomically.

        Raises:
            IngestFailed: it could not be completed or verified; the old generation still serves.
        """


class IndexStore(Protocol):
    """Where generations are kept."""

    async def current(self) -> Generation | None:
        """The published generation, whatever its fingerprint; None before the first ingest.

        Raises:
            IndexCorrupted, IndexUnreachable
        """

    def lock(self) -> IngestLock:
        """Held while ingesting, so that two ingests never run at once."""

    def write(self, id_: str) -> GenerationWriter:
        """Begin a new generation under this id."""


class IngestLock(Protocol):
    """Raises `IndexBusy` on entry when another process ingests."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


__all__ = [
    "CachingEmbedder",
    "ChatModel",
    "Completion",
    "Embedder",
    "Fingerprint",
    "GenerationWriter",
    "IndexStore",
    "IngestLock",
    "Terms",
    "Vector",
    "VectorIndex",
    "Vectors",
]
