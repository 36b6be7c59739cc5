"""The embedded engine, reading: one published generation served out of this process.

Edge holds the GIL while it searches (0.5 to 3 ms) and may rewrite small files of a directory that it loads. So each
reader opens a view of its own, hard-linked from the generation: readers never get into each other's way, a generation
that is replaced may be deleted while it is still being read, and a second process simply works.

A view's lock is held by its reader, so that what a dead one left can be told from what is in use: process ids would
not do, since every container's first process is number 1.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from filelock import FileLock, Timeout

from service.adapters import points
from service.adapters.bm25 import Bm25
from service.adapters.edge_batch import Found, SearchBatch
from service.adapters.edge_builder import CHUNKS
from service.adapters.edge_store import EdgeStore, StoredGeneration
from service.adapters.hybrid import PREFETCH, Ranking, fuse, hits_of
from service.adapters.points import DENSE, QUESTIONS, SPARSE
from service.domain import Chapter, Chunk, Fingerprint, Generation, Hit, SearchFilter, TermStatistics
from service.errors import IndexCorrupted, IndexMismatch, IndexMissing, IndexProblem
from service.ports import Vector

_LOCK_SECONDS = 5.0  # a new lock is only ever held by another process that sweeps, for a moment


class EdgeIndex:
    """A `VectorIndex` over an `EdgeStore`."""

    def __init__(self, store: EdgeStore, expected: Fingerprint) -> None:
        self._store = store
        self._expected = expected
        self._bm25 = Bm25()
        self._view: _View | None = None
        self._opening = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None

    async def generation(self) -> Generation:
        """The generation that answers now; opens it if none is open."""
        return (await self._open()).generation

    async def refresh(self) -> bool:
        """Open a newer generation if one was published, then let go of the old one."""
        async with self._opening:
            if self._view and self._store.current_id() == self._view.generation.id:
                return False
            fresh = await asyncio.to_thread(self._load)
            old, self._view = self._view, fresh
        if old:
            # Nothing waits between opening and reading but searches for the loop's next turn, which comes before this.
            self._closing = asyncio.create_task(asyncio.to_thread(old.close))
            await asyncio.shield(self._closing)  # `close` waits for it, if this is cut short
        return True

    async def search(self, text: str, vector: Vector, limit: int, where: SearchFilter) -> list[Hit]:
        """One query for each way of matching."""
        view = await self._open()
        condition = view.condition(where)
        sparse = self._bm25.query(text)
        dense = vector.tolist()
        queries = {
            DENSE: edge.Query.Nearest(dense, using=DENSE),
            SPARSE: edge.Query.Nearest(edge.SparseVector(sparse.indices, sparse.values), using=SPARSE),
            QUESTIONS: edge.Query.Nearest([dense], using=QUESTIONS),
        }
        requests = [edge.QueryRequest(query=query, limit=PREFETCH, filter=condition) for query in queries.values()]

        def read(found: Found) -> list[Hit]:
            ways = dict(zip(queries, map(_ranking, found), strict=True))
            fused = fuse(ways, limit)
            view.ensure_chunks(fused.ids)
            return hits_of(fused, ways, view.chunk)

        return await view.searches.search(requests, read)

    async def section(self, chapter: str, section_id: str) -> list[Chunk]:
        """All chunks of one section, in reading order."""
        view = await self._open()
        return view.section(chapter, section_id)

    async def chapters(self) -> list[Chapter]:
        """Every chapter without its text, read once a generation."""
        return (await self._open()).chapters()

    async def chapter(self, path: str) -> Chapter | None:
        """One chapter with its text."""
        payload = (await self._open()).payload(points.chapter_id(path))
        return points.chapter_of(payload) if payload else None

    async def statistics(self) -> TermStatistics:
        """Term statistics, read once a generation."""
        return (await self._open()).statistics()

    async def close(self) -> None:
        """Close and remove this reader's view."""
        async with self._opening:
            if self._closing:
                await self._closing
            if self._view:
                self._view.searches.run()
                self._view.close()
                self._view = None

    async def _open(self) -> _View:
        if self._view is None:
            async with self._opening:
                if self._view is None:
                    self._view = await asyncio.to_thread(self._load)
        return self._view

    def _load(self) -> _View:
        while (stored := self._store.published()) is not None:
            if differences := stored.generation.fingerprint.differences(self._expected):
                raise IndexMismatch(
                    f"the index was built with {'; '.join(differences)}; run `mastery ingest` to rebuild it"
                )
            try:
                return _View(stored, self._store.readers)
            except IndexProblem:
                if self._store.current_id() == stored.generation.id:
                    raise  # else it was replaced, and removed, while it was being opened
        raise IndexMissing("nothing is ingested yet; run `mastery ingest`")


class _View:
    """One reader's hard-linked view of a generation, and what it has already read out of it."""

    def __init__(self, stored: StoredGeneration, readers: Path) -> None:
        self.generation = stored.generation
        self._folder = readers / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lock = _lock_of(self._folder)
        self._chunks: dict[str, Chunk] = {}
        self._sections: dict[str, list[Chunk]] = {}
        self._chapters: list[Chapter] | None = None
        self._statistics: TermStatistics | None = None
        try:
            readers.mkdir(parents=True, exist_ok=True)
            _sweep(readers)
            self._lock.acquire(timeout=_LOCK_SECONDS)
            shutil.copytree(stored.shard, self._folder, copy_function=_link)
            stored.verify(self._folder)
            self.shard = edge.EdgeShard.load(str(self._folder))
            self.searches = SearchBatch(self.shard)
            found = self.shard.count(CHUNKS)
            self.statistics()  # every question needs both: read here, in a thread, and not by the first answer
            self.chapters()
        except IndexCorrupted:
            _remove(self._folder, self._lock)
            raise
        except Exception as error:  # the vendor raises bare exceptions
            _remove(self._folder, self._lock)
            raise _problem(error, readers) from error
        if found != self.generation.chunks:
            self.close()
            raise IndexCorrupted(
                f"the index holds {found} of {self.generation.chunks} chunks; run `mastery ingest --rebuild`"
            )

    def ensure_chunks(self, ids: Sequence[str]) -> None:
        """Read the chunks that were not read before, all at once."""
        missing: list[Any] = [id_ for id_ in ids if id_ not in self._chunks]
        if missing:
            for record in self.shard.retrieve(missing, with_payload=True, with_vector=False):
                self._chunks[str(record.id)] = points.chunk_of(record.payload or {})

    def chunk(self, id_: str) -> Chunk:
        """A chunk that was read."""
        return self._chunks[id_]

    def section(self, chapter: str, section_id: str) -> list[Chunk]:
        """Chunks of a section, in reading order."""
        if section_id not in self._sections:
            records = self._scroll(
                edge.Filter(must=[edge.FieldCondition("section_id", match=edge.MatchValue(section_id))])
            )
            chunks = sorted(
                (points.chunk_of(record.payload or {}) for record in records), key=lambda chunk: chunk.position
            )
            self._sections[section_id] = chunks
        return self._sections[section_id]

    def chapters(self) -> list[Chapter]:
        """Every chapter without its text."""
        if self._chapters is None:
            ids: list[Any] = [points.chapter_id(path) for path in sorted(self.generation.hashes)]
            records = self.shard.retrieve(ids, with_payload=edge.PayloadSelector.Exclude(["text"]), with_vector=False)
            payloads = {str(record.id): record.payload or {} for record in records}
            self._chapters = [points.chapter_of(payloads[id_]) for id_ in ids if id_ in payloads]
        return self._chapters

    def condition(self, where: SearchFilter) -> edge.Filter | None:
        """What a search keeps to, as the chapters that it allows; None without a filter."""
        if where == SearchFilter():
            return None
        allowed: list[Any] = [
            chapter.path
            for chapter in self.chapters()
            if (not where.sections or chapter.section in where.sections)
            and (not where.levels or chapter.level in where.levels)
            and (not where.chapters or chapter.path in where.chapters)
        ]
        return edge.Filter(must=[edge.FieldCondition("chapter", match=edge.MatchAny(allowed))])

    def statistics(self) -> TermStatistics:
        """Term statistics."""
        if self._statistics is None:
            payload = self.payload(points.STATISTICS_ID)
            if payload is None:
                raise IndexCorrupted("the index has no term statistics; run `mastery ingest --rebuild`")
            self._statistics = points.statistics_of(payload)
        return self._statistics

    def payload(self, id_: str) -> dict[str, Any] | None:
        """A point's payload."""
        found = self.shard.retrieve([id_], with_payload=True, with_vector=False)
        return found[0].payload if found else None

    def close(self) -> None:
        """Close the shard and remove the view."""
        self.shard.close()
        _remove(self._folder, self._lock)

    def _scroll(self, condition: edge.Filter) -> list[edge.Record]:
        records: list[edge.Record] = []
        offset = None
        while True:
            page, offset = self.shard.scroll(
                edge.ScrollRequest(limit=256, offset=offset, filter=condition, with_payload=True)
            )
            records.extend(page)
            if offset is None:
                return records


def _link(source: str, target: str) -> str:
    """Link the large files, which loading never changes; copy the small ones, which it may rewrite."""
    if source.endswith(".json"):
        return str(shutil.copy2(source, target))
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
    return target


def _problem(error: Exception, readers: Path) -> IndexProblem:
    """Why a view could not be opened: the index is damaged, unless the view could not even be made."""
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error.strerror
        return IndexProblem(f"{readers} cannot be written ({reason}); free space there, or mend its permissions")
    return IndexCorrupted(f"the index cannot be opened ({error}); run `mastery ingest --rebuild`")


def _sweep(readers: Path) -> None:
    """Remove views whose reader is gone: nobody holds their lock."""
    for view in {entry.with_suffix("") for entry in readers.glob("*-*")}:
        lock = _lock_of(view)
        with suppress(Timeout):
            lock.acquire(timeout=0)
            _remove(view, lock)


def _lock_of(view: Path) -> FileLock:
    """Taken in the thread that opens the view, let go of in the one that closes it."""
    return FileLock(view.with_suffix(".lock"), thread_local=False)


def _remove(view: Path, lock: FileLock) -> None:
    shutil.rmtree(view, ignore_errors=True)
    lock.release()
    with suppress(OSError):  # another process sweeps it at this moment
        Path(lock.lock_file).unlink()


def _ranking(found: list[edge.ScoredPoint]) -> Ranking:
    return Ranking([str(point.id) for point in found], [point.score for point in found])
