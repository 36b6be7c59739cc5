"""The child process that builds a generation: reads batches from a pipe, ends when the pipe closes.

It answers every message with a `Built`, or with a text that says what failed. It imports little, so that it starts
in half a second.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import qdrant_edge as edge

from service.adapters import points
from service.adapters.bm25 import Bm25
from service.adapters.points import DENSE, QUESTIONS, SPARSE, Point
from service.domain import Chapter, Chunk, Generation, TermStatistics
from service.ports import Vectors

INDEXED_FIELDS = ("chapter", "section_id")
"""Each costs 4 ms of every load, in which the engine holds the GIL; a reader knows the rest from its chapters."""

CHUNKS = edge.CountRequest(filter=edge.Filter(must=[edge.HasVectorCondition(DENSE)]), exact=True)
"""Counts the chunks: no other point has a vector."""

_UPSERT = 128


@dataclass(frozen=True, slots=True)
class Batch:
    """Chunks to add, their vectors and the vectors of their questions."""

    chunks: list[Chunk]
    vectors: Vectors
    questions: list[Vectors | None]


@dataclass(frozen=True, slots=True)
class Finish:
    """Add the rest, optimize, flush, reopen and count."""

    chapters: list[Chapter]
    statistics: TermStatistics
    generation: Generation


@dataclass(frozen=True, slots=True)
class Built:
    """How many chunks the shard holds."""

    chunks: int


def build(pipe: Connection, folder: str) -> None:
    """Entry of the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle; it closes the pipe
    builder = _Builder(folder)
    while True:
        try:
            message = pipe.recv()
        except EOFError:
            return
        try:
            reply: Built | str = builder.add(message) if isinstance(message, Batch) else builder.finish(message)
        except Exception as error:  # the vendor raises bare exceptions; the parent names the failure
            reply = f"{type(error).__name__}: {error}"
        pipe.send(reply)


class _Builder:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._bm25 = Bm25()
        self._shard: edge.EdgeShard | None = None
        self._chunks = 0

    def add(self, batch: Batch) -> Built:
        if self._shard is None:
            self._shard = edge.EdgeShard.create(self._folder, _config(batch.vectors.shape[1]))
        made = [_edge(p) for p in points.chunk_points(self._bm25, batch.chunks, batch.vectors, batch.questions)]
        self._upsert(made)
        self._chunks += len(made)
        return Built(self._chunks)

    def finish(self, rest: Finish) -> Built:
        assert self._shard is not None
        others = [points.statistics_point(rest.statistics), points.manifest_point(rest.generation)]
        self._upsert([_edge(point) for point in [*map(points.chapter_point, rest.chapters), *others]])
        for field in INDEXED_FIELDS:
            self._shard.update(edge.UpdateOperation.create_field_index(field, edge.PayloadSchemaType.Keyword))
        self._shard.optimize()
        self._shard.flush()
        self._shard.close()
        reopened = edge.EdgeShard.load(self._folder)
        found = reopened.count(CHUNKS)
        reopened.close()
        return Built(found)

    def _upsert(self, made: list[edge.Point]) -> None:
        assert self._shard is not None
        for at in range(0, len(made), _UPSERT):
            self._shard.update(edge.UpdateOperation.upsert_points(made[at : at + _UPSERT]))


def _config(size: int) -> edge.EdgeConfig:
    """No write-ahead log: a generation is flushed once, before it is published, and never changed after.

    Placement `Cold`, since anything warmer maps each 32 MB file of the vector storage whole, however little it holds
    (100 MB of resident memory); searches are as fast from the page cache.
    """
    half, cold = edge.VectorStorageDatatype.Float16, edge.Memory.Cold
    few = edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10)
    return edge.EdgeConfig(
        vectors={
            DENSE: edge.EdgeVectorParams(size=size, distance=edge.Distance.Cosine, datatype=half, memory=cold),
            QUESTIONS: edge.EdgeVectorParams(
                size=size,
                distance=edge.Distance.Cosine,
                datatype=half,
                memory=cold,
                multivector_config=edge.MultiVectorConfig(comparator=edge.MultiVectorComparator.MaxSim),
                hnsw_config=few,
            ),
        },
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        wal_enabled=False,
    )


def _edge(point: Point) -> edge.Point:
    vectors: dict[str, Any] = {}
    if point.dense is not None and point.sparse is not None:
        vectors[DENSE] = point.dense
        vectors[SPARSE] = edge.SparseVector(point.sparse.indices, point.sparse.values)
    if point.questions is not None:
        vectors[QUESTIONS] = point.questions
    return edge.Point(point.id, vectors, dict(point.payload))
