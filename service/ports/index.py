"""The index: generations are written, published, and searched."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from service.domain import Chapter, Chunk, Generation, Hit, SearchFilter, TermStatistics
from service.ports.embedding import Vector, Vectors


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
