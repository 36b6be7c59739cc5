"""What changed -> embed -> build a new generation -> switch to it.

Nothing is touched until the new generation is complete and counted; a kill at any moment leaves the old one serving,
and the vectors that were computed so far are kept for the next run.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import numpy as np

from ingest.chapters import check, parse
from ingest.folder import scan
from ingest.placing import texts_of, with_questions
from ingest.report import Changes, IngestReport, chapter_changes, chunk_changes
from ingest.sources import Problem, Source
from ingest.token_counts import TokenCounts
from service.domain import Chapter, Chunk, Fingerprint, Generation, TermStatistics
from service.errors import EmptyKnowledgeBase, IndexCorrupted, IngestFailed
from service.ports import CachingEmbedder, GenerationWriter, IndexStore, Terms, Vectors

_WRITE_BATCH = 256


class Progress(Protocol):
    """Told how far each step is."""

    def step(self, name: str, total: int) -> None:
        """A step begins."""

    def advance(self, count: int = 1) -> None:
        """So much more of the step is done."""

    def estimate(self, chunks: int, tokens: int, cost: Decimal | None) -> None:
        """What will be embedded and what that costs, before it begins."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything an ingest needs."""

    store: IndexStore
    embedder: CachingEmbedder
    terms: Terms
    fingerprint: Fingerprint
    progress: Progress

    async def run(self, folder: Path, *, dry_run: bool = False, rebuild: bool = False) -> IngestReport:
        """Bring the index up to date with a folder.

        Raises:
            MissingKnowledgeBase, EmptyKnowledgeBase: there is nothing to ingest.
            IngestFailed: every chapter has a problem.
            IndexBusy: another ingest is running.
            IndexCorrupted: the current index is damaged and `rebuild` was not asked for.
            EmbeddingFailed, IngestFailed: the old generation still serves; what was embedded is kept.
        """
        started = time.monotonic()
        with nullcontext() if dry_run else self.store.lock():
            sources, problems = scan(folder)
            old = await self._old(rebuild)
            hashes = {source.path: source.content_hash for source in sources}
            changes = chapter_changes(old.hashes if old else {}, hashes)
            if old and changes.none and not rebuild and not old.fingerprint.differences(self.fingerprint):
                problems += [problem for source in sources for problem in check(source)]
                chunks = Changes(unchanged=old.chunks)
                seconds = time.monotonic() - started
                return IngestReport(
                    str(folder), old.id, dry_run, changes, chunks, 0, old.tokens, 0, None, seconds, problems,
                    _shipped(sources),
                )  # fmt: skip
            return await self._build(folder, sources, problems, old, changes, dry_run, started)

    async def _old(self, rebuild: bool) -> Generation | None:
        try:
            return await self.store.current()
        except IndexCorrupted:
            if rebuild:
                return None
            raise

    async def _build(
        self,
        folder: Path,
        sources: Sequence[Source],
        problems: list[Problem],
        old: Generation | None,
        changes: Changes,
        dry_run: bool,
        started: float,
    ) -> IngestReport:
        id_ = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
        async with nullcontext() if dry_run else self.store.write(id_) as writer:
            chapters, found = _parsed(sources)
            problems = problems + found
            chunks = await asyncio.to_thread(self._chunked, chapters)
            if not chunks and problems:
                raise IngestFailed(f"no chapter in {folder} can be used: {'; '.join(map(str, problems[:5]))}")
            if not chunks:
                raise EmptyKnowledgeBase(folder)
            texts = texts_of(chapters, chunks)
            missing = self.embedder.missing(texts)
            missing_tokens = sum(self.embedder.count_tokens([texts[position] for position in missing]))
            cost = self.embedder.cost(missing_tokens)
            self.progress.estimate(len(missing), missing_tokens, cost)
            if writer:
                generation = await self._write(writer, id_, chapters, chunks, await self._embedded(texts))
            else:
                generation = self._generation(id_, chapters, chunks)
        return IngestReport(
            folder=str(folder),
            generation=None if dry_run else generation.id,
            dry_run=dry_run,
            chapters=changes,
            chunks=chunk_changes(old.chunk_hashes if old else {}, generation.chunk_hashes),
            computed=sum(position < len(chunks) for position in missing),
            tokens=generation.tokens,
            computed_tokens=missing_tokens,
            cost_usd=cost,
            seconds=time.monotonic() - started,
            problems=problems,
            shipped_questions=_shipped(sources),
        )

    def _chunked(self, chapters: Sequence[Chapter]) -> list[Chunk]:
        from ingest import node_parser  # noqa: PLC0415 - LlamaIndex takes 1.1 s; an unchanged folder does not need it

        self.progress.step("Reading chapters", len(chapters))
        return node_parser.run(chapters, TokenCounts(self.embedder.count_tokens), self.progress.advance)

    def _generation(self, id_: str, chapters: Sequence[Chapter], chunks: Sequence[Chunk]) -> Generation:
        by_chapter: defaultdict[str, list[str]] = defaultdict(list)
        for chunk in chunks:
            by_chapter[chunk.chapter].append(chunk.content_hash[:16])
        return Generation(
            id=id_,
            fingerprint=self.fingerprint,
            hashes={chapter.path: chapter.content_hash for chapter in chapters},
            chunk_hashes={path: tuple(hashes) for path, hashes in by_chapter.items()},
            chunks=len(chunks),
            tokens=sum(self.embedder.count_tokens([chunk.embedded_text for chunk in chunks])),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    async def _embedded(self, texts: Sequence[str]) -> Vectors:
        self.progress.step("Embedding", len(texts))
        vectors = np.zeros((len(texts), self.embedder.size), dtype=np.float32)
        async for positions, batch in self.embedder.embed_documents(texts):
            vectors[positions] = batch
            self.progress.advance(len(positions))
        return vectors

    async def _write(
        self, writer: GenerationWriter, id_: str, chapters: Sequence[Chapter], chunks: Sequence[Chunk], vectors: Vectors
    ) -> Generation:
        """Hand everything to the writer; what a generation says of itself is counted while it is being built."""
        assigned = with_questions(chapters, chunks, vectors)
        generation, statistics, _ = await asyncio.gather(
            asyncio.to_thread(self._generation, id_, chapters, chunks),
            asyncio.to_thread(self._statistics, chunks),
            self._fill(writer, assigned, vectors),
        )
        await writer.publish(generation, chapters, statistics)
        return generation

    async def _fill(
        self, writer: GenerationWriter, assigned: Sequence[tuple[Chunk, Vectors | None]], vectors: Vectors
    ) -> None:
        self.progress.step("Building the index", len(assigned))
        for at in range(0, len(assigned), _WRITE_BATCH):
            batch = assigned[at : at + _WRITE_BATCH]
            of_batch = vectors[at : at + len(batch)]
            await writer.add([chunk for chunk, _ in batch], of_batch, [asked for _, asked in batch])
            self.progress.advance(len(batch))

    def _statistics(self, chunks: Sequence[Chunk]) -> TermStatistics:
        frequencies: Counter[int] = Counter()
        for chunk in chunks:
            frequencies.update(self.terms.terms(chunk.embedded_text))
        return TermStatistics(len(chunks), dict(frequencies))


def _parsed(sources: Sequence[Source]) -> tuple[list[Chapter], list[Problem]]:
    chapters, problems = [], []
    for source in sources:
        chapter, found = parse(source)
        chapters.append(chapter)
        problems.extend(found)
    return chapters, problems


def _shipped(sources: Sequence[Source]) -> dict[str, int]:
    return dict(Counter(source.shipped for source in sources if source.shipped))
