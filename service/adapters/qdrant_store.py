"""A Qdrant server or cluster, writing: a collection a generation, and an alias that is switched atomically.

    ALIAS                 the alias that every replica searches
    ALIAS_GENERATION      one collection a generation; the one without the alias is being built, or is left over

The lock is a file on the machine that ingests: two machines must not ingest into one cluster at the same time.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from service.adapters import points
from service.adapters.bm25 import Bm25
from service.adapters.lock import IngestFileLock
from service.adapters.points import DENSE, QUESTIONS, SPARSE, Point
from service.domain import Chapter, Chunk, Generation, TermStatistics
from service.errors import IndexCorrupted, IndexUnreachable, IngestFailed
from service.ports import Vectors
from service.settings import Settings

_UPSERT = 128
_ATTEMPTS = 3
_GENERATION_ID = r"\d{8}T\d{6}-[0-9a-f]{6}"  # as the pipeline names them


def make_client(settings: Settings) -> AsyncQdrantClient:
    """A client for the configured server. It does not connect yet."""
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    return AsyncQdrantClient(
        url=str(settings.qdrant_url),
        api_key=key,
        timeout=int(settings.qdrant_timeout_seconds) or 1,
        check_compatibility=False,
    )


class Refused(IndexUnreachable):
    """The server answered, with an error."""


class NotThere(Refused):
    """The server has no such collection: a newer generation has taken its place."""


@asynccontextmanager
async def reaching(what: str) -> AsyncIterator[None]:
    """The vendor's errors as `IndexUnreachable`; of an answer that has no result it only asserts that it has one."""
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise Refused(f"Qdrant answered {error.status_code} while {what}; check QDRANT_API_KEY") from error
        kind = NotThere if error.status_code == 404 else Refused
        raise kind(f"Qdrant answered {error.status_code} while {what}; see its log") from error
    except ResourceExhaustedResponse as error:
        raise Refused(f"Qdrant answered 429 while {what}: it has too much to do") from error
    except (ResponseHandlingException, ApiException, QdrantException, httpx.HTTPError, AssertionError) as error:
        raise IndexUnreachable(f"Qdrant did not answer while {what}; check QDRANT_URL and that it runs") from error


@asynccontextmanager
async def building(what: str) -> AsyncIterator[None]:
    """The vendor's errors as `IngestFailed`: whatever happens to the new collection, the old one serves."""
    try:
        async with reaching(what):
            yield
    except IndexUnreachable as error:
        raise IngestFailed(f"{error}; the old generation still serves") from error


class QdrantStore:
    """An `IndexStore` on a Qdrant server."""

    def __init__(self, client: AsyncQdrantClient, alias: str, lock_folder: Path) -> None:
        self._client = client
        self._alias = alias
        self._lock_folder = lock_folder

    async def current(self) -> Generation | None:
        """The generation under the alias."""
        async with reaching("reading the alias"):
            name = await aliased(self._client, self._alias)
            return await read_manifest(self._client, name) if name else None

    def lock(self) -> IngestFileLock:
        """Held while ingesting."""
        return IngestFileLock(self._lock_folder / f"ingest-{self._alias}.lock")

    def write(self, id_: str) -> QdrantWriter:
        """Begin a new collection."""
        return QdrantWriter(self._client, self._alias, id_)


class QdrantWriter:
    """A `GenerationWriter` that fills a collection and moves the alias to it."""

    def __init__(self, client: AsyncQdrantClient, alias: str, id_: str) -> None:
        self._client = client
        self._alias = alias
        self._name = f"{alias}_{id_}"
        self._bm25 = Bm25()
        self._created = False
        self._published = False
        self._undecided = False

    async def __aenter__(self) -> Self:
        return self

    async def add(self, chunks: Sequence[Chunk], vectors: Vectors, question_vectors: Sequence[Vectors | None]) -> None:
        """Upsert a batch; passing faults are retried, and an upsert may safely come twice.

        Raises:
            IngestFailed: the server does not take it; the old generation still serves.
        """
        if not self._created:
            async with building("creating the collection"):
                await self._create(vectors.shape[1])
        await self._upsert([_struct(p) for p in points.chunk_points(self._bm25, chunks, vectors, question_vectors)])

    async def publish(self, generation: Generation, chapters: Sequence[Chapter], statistics: TermStatistics) -> None:
        """Add the rest, count, move the alias, drop the old collections."""
        others = [points.statistics_point(statistics), points.manifest_point(generation)]
        await self._upsert([_struct(point) for point in [*map(points.chapter_point, chapters), *others]])
        async with building("counting the new collection"):
            found = await self._client.count(self._name, count_filter=condition("kind", "chunk"), exact=True)
        if found.count != generation.chunks:
            raise IngestFailed(
                f"the new collection holds {found.count} chunks instead of {generation.chunks}; "
                "the old one still serves"
            )
        await self._switch()
        self._published = True
        with suppress(IndexUnreachable):  # the next ingest drops what is left
            async with reaching("dropping old collections"):
                await self._drop_others()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._created and not (self._published or self._undecided):
            with suppress(IndexUnreachable):  # the first error matters more; the next ingest drops what is left
                async with reaching("dropping the unfinished collection"):
                    await self._client.delete_collection(self._name)

    async def _create(self, size: int) -> None:
        half = models.Datatype.FLOAT16
        await self._client.create_collection(
            self._name,
            vectors_config={
                DENSE: models.VectorParams(size=size, distance=models.Distance.COSINE, datatype=half),
                QUESTIONS: models.VectorParams(
                    size=size,
                    distance=models.Distance.COSINE,
                    datatype=half,
                    multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
                    hnsw_config=models.HnswConfigDiff(m=0),
                ),
            },
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        self._created = True
        for field in points.INDEXED_FIELDS:
            await self._client.create_payload_index(self._name, field, models.PayloadSchemaType.KEYWORD)

    async def _upsert(self, structs: list[models.PointStruct]) -> None:
        policy = AsyncRetrying(
            retry=retry_if_exception_type(IndexUnreachable),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        )
        for at in range(0, len(structs), _UPSERT):
            async with building("writing points"):
                await policy(self._upsert_once, structs[at : at + _UPSERT])

    async def _upsert_once(self, structs: list[models.PointStruct]) -> None:
        async with reaching("writing points"):
            await self._client.upsert(self._name, structs, wait=True)

    async def _switch(self) -> None:
        """Move the alias. Where the answer is lost, the alias itself tells whether it moved."""
        try:
            async with reaching("switching the alias"):
                await self._move_alias()
        except IndexUnreachable as error:
            self._undecided = not isinstance(error, Refused)  # it may serve yet, and must not be dropped
            with suppress(IndexUnreachable):
                async with reaching("reading the alias"):
                    if await aliased(self._client, self._alias) == self._name:
                        return
            raise IngestFailed(f"{error}; the old generation still serves") from error

    async def _move_alias(self) -> None:
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=self._name, alias_name=self._alias)
        )
        actions: list[models.AliasOperations] = [create]
        if await aliased(self._client, self._alias):
            actions.insert(0, models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias)))
        await self._client.update_collection_aliases(actions)

    async def _drop_others(self) -> None:
        ours = re.compile(f"{re.escape(self._alias)}_{_GENERATION_ID}")  # not those of an alias that begins like it
        for collection in (await self._client.get_collections()).collections:
            if ours.fullmatch(collection.name) and collection.name != self._name:
                await self._client.delete_collection(collection.name)


async def aliased(client: AsyncQdrantClient, alias: str) -> str | None:
    """The collection under an alias."""
    aliases = (await client.get_aliases()).aliases
    return next((entry.collection_name for entry in aliases if entry.alias_name == alias), None)


async def read_manifest(client: AsyncQdrantClient, collection: str) -> Generation:
    """What a collection says it is.

    Raises:
        IndexCorrupted: it does not say it.
    """
    found = await client.retrieve(collection, [points.MANIFEST_ID], with_payload=True)
    try:
        return points.parse_generation((found[0].payload or {})["generation"])
    except (IndexError, KeyError, ValueError) as error:
        raise IndexCorrupted(f"collection {collection} has no manifest; run `mastery ingest --rebuild`") from error


def condition(field: str, value: str) -> models.Filter:
    """Points whose field has this value."""
    return models.Filter(must=[models.FieldCondition(key=field, match=models.MatchValue(value=value))])


def _struct(point: Point) -> models.PointStruct:
    vectors: dict[str, Any] = {}
    if point.dense is not None and point.sparse is not None:
        vectors[DENSE] = point.dense
        vectors[SPARSE] = models.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
    if point.questions is not None:
        vectors[QUESTIONS] = point.questions
    return models.PointStruct(id=point.id, vector=vectors, payload=dict(point.payload))
