"""Chunks, chapters, statistics and the manifest as points of a Qdrant collection, the same for both engines.

A collection holds all that a replica needs to serve: `chunk` points carry vectors; `chapter`, `statistics` and
`manifest` points carry only a payload.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from service.adapters.bm25 import Bm25, SparseVector
from service.domain import Chapter, Chunk, Generation, TermStatistics
from service.ports import Vectors

SCHEMA_VERSION = 3
DENSE, QUESTIONS, SPARSE = "text", "questions", "bm25"
INDEXED_FIELDS = ("kind", "chapter", "section", "level", "section_id")
MANIFEST_ID = str(uuid.UUID(int=1))
STATISTICS_ID = str(uuid.UUID(int=2))

_NAMESPACE = uuid.UUID("0d9a5a3c-5a67-5c7e-8a51-0a6b2f6f3a10")
_CHUNK = TypeAdapter(Chunk)
_CHAPTER = TypeAdapter(Chapter)
_GENERATION = TypeAdapter(Generation)


@dataclass(frozen=True, slots=True)
class Point:
    """A point before a vendor's types: `questions` is a multivector, one row a question."""

    id: str
    payload: Mapping[str, Any]
    dense: list[float] | None = None
    questions: list[list[float]] | None = None
    sparse: SparseVector | None = None


def chunk_points(
    bm25: Bm25, chunks: Sequence[Chunk], vectors: Vectors, questions: Sequence[Vectors | None]
) -> Iterator[Point]:
    """One point a chunk, with its dense, question and sparse vectors."""
    for chunk, vector, asked in zip(chunks, vectors, questions, strict=True):
        yield Point(
            id=chunk.id,
            payload=_chunk_payload(chunk),
            dense=vector.tolist(),
            questions=None if asked is None else asked.tolist(),
            sparse=bm25.document(" ".join([chunk.embedded_text, *chunk.questions])),
        )


def _chunk_payload(chunk: Chunk) -> dict[str, Any]:
    """The fields to filter by, and the whole chunk as one text: the engine takes nested values in one by one."""
    return {
        "kind": "chunk",
        "chapter": chunk.chapter,
        "section": chunk.section,
        "level": chunk.level,
        "section_id": chunk.section_id,
        "chunk": _CHUNK.dump_json(chunk).decode(),
    }


def chapter_id(path: str) -> str:
    """The id of a chapter's point."""
    return str(uuid.uuid5(_NAMESPACE, path))


def chapter_point(chapter: Chapter) -> Point:
    """A chapter with its text."""
    payload = _CHAPTER.dump_python(chapter, mode="json", exclude={"asked"})
    return Point(chapter_id(chapter.path), {"kind": "chapter"} | payload)


def statistics_point(statistics: TermStatistics) -> Point:
    """Term statistics, as one text: a payload of 20,000 keys would be slow."""
    frequencies = json.dumps({str(term): count for term, count in statistics.frequencies.items()})
    return Point(STATISTICS_ID, {"kind": "statistics", "documents": statistics.documents, "frequencies": frequencies})


def manifest_point(generation: Generation) -> Point:
    """What the generation is."""
    return Point(MANIFEST_ID, {"kind": "manifest", "generation": dump_generation(generation)})


def chunk_of(payload: Mapping[str, Any]) -> Chunk:
    """A chunk back out of its payload."""
    return _CHUNK.validate_json(payload["chunk"])


def chapter_of(payload: Mapping[str, Any]) -> Chapter:
    """A chapter back out of its payload; without its text if the payload came without."""
    return _CHAPTER.validate_python({"text": "", **payload})


def statistics_of(payload: Mapping[str, Any]) -> TermStatistics:
    """Statistics back out of their payload."""
    frequencies = {int(term): count for term, count in json.loads(payload["frequencies"]).items()}
    return TermStatistics(payload["documents"], frequencies)


def dump_generation(generation: Generation) -> str:
    """A generation as JSON text."""
    return _GENERATION.dump_json(generation).decode()


def parse_generation(text: str) -> Generation:
    """A generation out of JSON text.

    Raises:
        ValueError: it is not one.
    """
    return _GENERATION.validate_json(text)


def without_text(chapter: Chapter) -> Chapter:
    """For lists of chapters."""
    return replace(chapter, text="")
