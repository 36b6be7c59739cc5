"""A `VectorIndex` on which everything goes wrong in a way that nobody foresaw."""

from __future__ import annotations

from service.domain import Chapter, Chunk, Generation, Hit, SearchFilter, TermStatistics
from service.errors import IndexMissing
from service.ports import Vector, VectorIndex


class BrokenIndex(VectorIndex):
    """Says once, at the start, that there is no generation, and fails with the given error at anything after."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._started = False

    async def generation(self) -> Generation:
        """Nothing was ingested."""
        if self._started:
            raise self._error
        self._started = True
        raise IndexMissing("nothing is ingested yet")

    async def refresh(self) -> bool:
        """Nothing is ever new."""
        return False

    async def search(self, text: str, vector: Vector, limit: int, where: SearchFilter) -> list[Hit]:
        """Fail."""
        raise self._error

    async def section(self, chapter: str, section_id: str) -> list[Chunk]:
        """Fail."""
        raise self._error

    async def chapters(self) -> list[Chapter]:
        """Fail."""
        raise self._error

    async def chapter(self, path: str) -> Chapter | None:
        """Fail."""
        raise self._error

    async def statistics(self) -> TermStatistics:
        """Fail."""
        raise self._error

    async def close(self) -> None:
        """Nothing is open."""
