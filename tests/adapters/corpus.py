"""The plain fixture chapters as an index is given them: chunks, vectors, a chapter's own questions, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ingest.chapters import parse
from ingest.chunking import chunk
from ingest.folder import scan
from ingest.token_counts import TokenCounts
from service.adapters.bm25 import Bm25
from service.domain import Chapter, Chunk, Fingerprint, Generation, TermStatistics
from service.ports import IndexStore, Vectors

from ..fakes.vectors import WordVectors, vector_of
from ..small_index import PLAIN

FINGERPRINT = Fingerprint(embedding="word-vectors@1", chunker=1, schema=1)
FIRST = "20261101T120000-aaaaaa"
SECOND = "20261102T120000-bbbbbb"


@dataclass(frozen=True)
class Corpus:
    """What a generation is built from; `questions` are the vectors of each chunk's questions."""

    chapters: tuple[Chapter, ...]
    chunks: tuple[Chunk, ...]

    @cached_property
    def vectors(self) -> Vectors:
        """One row a chunk."""
        return np.array([vector_of(made.embedded_text) for made in self.chunks])

    @cached_property
    def questions(self) -> list[Vectors | None]:
        """The vectors of each chunk's questions."""
        return [
            np.array([vector_of(text) for text in made.questions]) if made.questions else None for made in self.chunks
        ]

    @cached_property
    def statistics(self) -> TermStatistics:
        """In how many chunks each term occurs."""
        bm25 = Bm25()
        counts = Counter(term for made in self.chunks for term in bm25.terms(made.embedded_text))
        return TermStatistics(len(self.chunks), dict(counts))

    def generation(self, id_: str, fingerprint: Fingerprint = FINGERPRINT) -> Generation:
        """A generation that holds exactly this."""
        by_chapter = {
            chapter.path: tuple(made.content_hash[:16] for made in self.chunks if made.chapter == chapter.path)
            for chapter in self.chapters
        }
        hashes = {chapter.path: chapter.content_hash for chapter in self.chapters}
        return Generation(id_, fingerprint, hashes, by_chapter, len(self.chunks), 1234, "2026-11-01T12:00:00+00:00")

    def without(self, path: str) -> Corpus:
        """The corpus after a chapter was removed."""
        return Corpus(
            tuple(chapter for chapter in self.chapters if chapter.path != path),
            tuple(made for made in self.chunks if made.chapter != path),
        )


def plain_corpus() -> Corpus:
    """Every plain chapter; each fourth chunk has questions that no other has, and chapters have levels to filter by."""
    chapters, chunks = [], []
    for number, source in enumerate(scan(PLAIN)[0]):
        chapter = replace(parse(source)[0], level="advanced" if number % 2 else "beginner")
        chapters.append(chapter)
        chunks.extend(chunk(chapter, TokenCounts(WordVectors().count_tokens)))
    asked = [
        replace(made, questions=(f"What should I know about {made.heading} {number}?", f"Why {number} {made.heading}?"))
        if number % 4 == 0
        else made
        for number, made in enumerate(chunks)
    ]
    return Corpus(tuple(chapters), tuple(asked))


async def publish(store: IndexStore, corpus: Corpus, generation: Generation, batches: int = 2) -> None:
    """Write a generation the way the pipeline does, in batches."""
    vectors, questions = corpus.vectors, corpus.questions
    step = -(-len(corpus.chunks) // batches)
    async with store.write(generation.id) as writer:
        for at in range(0, len(corpus.chunks), step):
            part = slice(at, at + step)
            await writer.add(corpus.chunks[part], vectors[part], questions[part])
        await writer.publish(generation, corpus.chapters, corpus.statistics)


def ids(chunks: Sequence[Chunk]) -> list[str]:
    """What tells chunks apart."""
    return [made.id for made in chunks]
