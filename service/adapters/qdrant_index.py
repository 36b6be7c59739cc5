"""A Qdrant server or cluster, reading: the generation under the alias, by the same hybrid query as the embedded one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from qdrant_client import AsyncQdrantClient, models

from service.adapters import points
from service.adapters.bm25 import Bm25
from service.adapters.hybrid import PREFETCH, Ranking, fuse, hits_of
from service.adapters.points import DENSE, QUESTIONS, SPARSE
from service.adapters.qdrant_store import NotThere, aliased, condition, reaching, read_manifest
from service.domain import Chapter, Chunk, Fingerprint, Generation, Hit, SearchFilter, TermStatistics
from service.errors import IndexCorrupted, IndexMismatch, IndexMissing, IndexUnreachable
from service.ports import Vector

_Read = TypeVar("_Read")


class QdrantIndex:
    """A `VectorIndex` on a Qdrant server.

    A generation's collection is searched by its own name, so that one answer never mixes two generations; the alias
    tells which one is current. An ingest drops the old collection as soon as the alias has moved: who still reads it
    moves on to the new one and reads again.
    """

    def __init__(self, client: AsyncQdrantClient, alias: str, expected: Fingerprint) -> None:
        self._client = client
        self._alias = alias
        self._expected = expected
        self._bm25 = Bm25()
        self._open: _Collection | None = None
        self._opening = asyncio.Lock()

    async def generation(self) -> Generation:
        """The generation that answers now."""
        return (await self._collection()).generation

    async def refresh(self) -> bool:
        """Move to the collection under the alias, if it is another one."""
        async with reaching("reading the alias"):
            name = await aliased(self._client, self._alias)
        async with self._opening:
            if self._open and name == self._open.name:
                return False
            self._open = await self._load()
        return True

    async def search(self, text: str, vector: Vector, limit: int, where: SearchFilter) -> list[Hit]:
        """One query for each way of matching, in one request."""
        return await self._reading(lambda collection: self._search(collection, text, vector, limit, where))

    async def _search(
        self, collection: _Collection, text: str, vector: Vector, limit: int, where: SearchFilter
    ) -> list[Hit]:
        condition_ = _filter(where)
        sparse = self._bm25.query(text)
        dense = vector.tolist()
        queries: dict[str, models.NearestQuery] = {
            DENSE: models.NearestQuery(nearest=dense),
            SPARSE: models.NearestQuery(nearest=models.SparseVector(indices=sparse.indices, values=sparse.values)),
            QUESTIONS: models.NearestQuery(nearest=[dense]),
        }
        requests = [
            models.QueryRequest(query=query, using=way, limit=PREFETCH, filter=condition_)
            for way, query in queries.items()
        ]
        async with reaching("searching"):
            responses = await self._client.query_batch_points(collection.name, requests)
        if len(responses) != len(requests):
            raise IndexUnreachable(f"Qdrant answered {len(responses)} of {len(requests)} queries")
        rankings = (_ranking(response.points) for response in responses)
        ways = dict(zip(queries, rankings, strict=True))
        fused = fuse(ways, limit)
        chunks = await self._chunks(collection, fused.ids)
        there = [id_ for id_ in fused.ids if id_ in chunks]
        kept = Ranking(there, [score for id_, score in zip(fused.ids, fused.scores, strict=True) if id_ in chunks])
        return hits_of(kept, ways, chunks.__getitem__)

    async def section(self, chapter: str, section_id: str) -> list[Chunk]:
        """All chunks of one section, in reading order, read once a generation."""
        return await self._reading(lambda collection: self._section(collection, section_id))

    async def _section(self, collection: _Collection, section_id: str) -> list[Chunk]:
        if section_id not in collection.sections:
            records = await self._scroll(collection.name, condition("section_id", section_id))
            found = sorted((points.chunk_of(record.payload or {}) for record in records), key=lambda c: c.position)
            collection.sections[section_id] = found
        return collection.sections[section_id]

    async def chapters(self) -> list[Chapter]:
        """Every chapter without its text, read once a generation."""
        return await self._reading(self._chapters)

    async def _chapters(self, collection: _Collection) -> list[Chapter]:
        if collection.chapters is None:
            records = await self._scroll(collection.name, condition("kind", "chapter"))
            found = (points.without_text(points.chapter_of(record.payload or {})) for record in records)
            collection.chapters = sorted(found, key=lambda chapter: chapter.path)
        return collection.chapters

    async def chapter(self, path: str) -> Chapter | None:
        """One chapter with its text."""
        return await self._reading(lambda collection: self._chapter(collection, path))

    async def _chapter(self, collection: _Collection, path: str) -> Chapter | None:
        async with reaching("reading a chapter"):
            found = await self._client.retrieve(collection.name, [points.chapter_id(path)], with_payload=True)
        return points.chapter_of(found[0].payload or {}) if found else None

    async def statistics(self) -> TermStatistics:
        """Term statistics, read once a generation."""
        return (await self._collection()).statistics

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def _collection(self) -> _Collection:
        if self._open is None:
            async with self._opening:
                if self._open is None:
                    self._open = await self._load()
        return self._open

    async def _reading(self, read: Callable[[_Collection], Awaitable[_Read]]) -> _Read:
        try:
            return await read(await self._collection())
        except NotThere:
            await self.refresh()
            return await read(await self._collection())

    async def _load(self) -> _Collection:
        try:
            return await self._loaded()
        except NotThere:  # dropped while it was being opened
            return await self._loaded()

    async def _loaded(self) -> _Collection:
        async with reaching("opening the index"):
            name = await aliased(self._client, self._alias)
            if name is None:
                raise IndexMissing("nothing is ingested yet; run `mastery ingest`")
            generation = await read_manifest(self._client, name)
            if differences := generation.fingerprint.differences(self._expected):
                raise IndexMismatch(
                    f"the index was built with {'; '.join(differences)}; run `mastery ingest` to rebuild it"
                )
            counted = await self._client.count(name, count_filter=condition("kind", "chunk"), exact=True)
            found = await self._client.retrieve(name, [points.STATISTICS_ID], with_payload=True)
        if counted.count != generation.chunks or not found:
            raise IndexCorrupted(
                f"collection {name} holds {counted.count} of {generation.chunks} chunks; run `mastery ingest --rebuild`"
            )
        return _Collection(name, generation, points.statistics_of(found[0].payload or {}))

    async def _chunks(self, collection: _Collection, ids: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id; those that were read before are not read again."""
        missing = [id_ for id_ in ids if id_ not in collection.chunks]
        if missing:
            async with reaching("reading chunks"):
                records = await self._client.retrieve(collection.name, missing, with_payload=True)
            for record in records:
                collection.chunks[str(record.id)] = points.chunk_of(record.payload or {})
        return {id_: collection.chunks[id_] for id_ in ids if id_ in collection.chunks}

    async def _scroll(self, name: str, where: models.Filter) -> list[models.Record]:
        records: list[models.Record] = []
        offset = None
        async with reaching("reading the collection"):
            while True:
                page, offset = await self._client.scroll(
                    name, scroll_filter=where, limit=256, offset=offset, with_payload=True
                )
                records.extend(page)
                if offset is None:
                    return records


class _Collection:
    """The open generation and what was read out of it."""

    def __init__(self, name: str, generation: Generation, statistics: TermStatistics) -> None:
        self.name = name
        self.generation = generation
        self.statistics = statistics
        self.chunks: dict[str, Chunk] = {}
        self.sections: dict[str, list[Chunk]] = {}
        self.chapters: list[Chapter] | None = None


def _filter(where: SearchFilter) -> models.Filter:
    conditions: list[models.Condition] = [models.FieldCondition(key="kind", match=models.MatchValue(value="chunk"))]
    for field, values in (("section", where.sections), ("level", where.levels), ("chapter", where.chapters)):
        if values:
            conditions.append(models.FieldCondition(key=field, match=models.MatchAny(any=list(values))))
    return models.Filter(must=conditions)


def _ranking(found: Sequence[models.ScoredPoint]) -> Ranking:
    return Ranking([str(point.id) for point in found], [point.score for point in found])
