"""One suite for both engines: whatever stands behind the ports, it keeps and finds the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient

from service.adapters.hybrid import PREFETCH, RRF_K, WEIGHTS
from service.adapters.points import DENSE, QUESTIONS, SPARSE
from service.domain import Hit, SearchFilter
from service.errors import IndexMismatch, IndexMissing, IngestFailed
from service.ports import VectorIndex

from ..fakes.vectors import vector_of
from .corpus import FINGERPRINT, FIRST, SECOND, Corpus
from .engines import EdgeEngine, Engine, QdrantEngine

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning")

MOTOR = "06_nosql_mongodb/motor_async_driver_setup.md"
TIPS = "notes/random_tips.md"
EVERYWHERE = SearchFilter()
HALF_PRECISION = 1e-3  # the embedded engine and the server keep half-precision vectors, local mode does not
QUERIES = [
    "How do I set up Motor with FastAPI?",
    "keyset pagination instead of offset",
    "What should I know about rotating refresh tokens?",
    "websocket ping pong heartbeat",
    "cache stampede",
    "AsyncIOMotorClient",
    "x",
]


async def find(reader: VectorIndex, text: str, limit: int = 10, where: SearchFilter = EVERYWHERE) -> list[Hit]:
    """Search for a text and its own vector."""
    return await reader.search(text, vector_of(text), limit, where)


async def test_an_empty_store_has_no_generation_and_says_how_to_make_one(engine: Engine) -> None:
    """Before the first ingest there is no generation, and a reader's error names the command that makes one."""
    assert await engine.store.current() is None
    with pytest.raises(IndexMissing, match="run `mastery ingest`"):
        await engine.reader().generation()


async def test_what_was_written_comes_back_whole(filled: Engine, corpus: Corpus) -> None:
    """Generation, statistics, chapters and chunks are read as they were written."""
    reader = filled.reader()
    assert await reader.generation() == await filled.store.current() == corpus.generation(FIRST)
    assert await reader.statistics() == corpus.statistics
    chapters = await reader.chapters()
    assert [chapter.path for chapter in chapters] == sorted(chapter.path for chapter in corpus.chapters)
    assert all(chapter.text == "" for chapter in chapters)
    for chapter in corpus.chapters:
        assert await reader.chapter(chapter.path) == chapter
    hits = await reader.search("mongodb", vector_of("mongodb"), len(corpus.chunks), EVERYWHERE)
    written = {made.id: made for made in corpus.chunks}
    assert len(hits) > 50
    assert all(hit.chunk == written[hit.chunk.id] for hit in hits)


async def test_an_unknown_chapter_is_none(filled: Engine) -> None:
    """A chapter that is not there is no error."""
    assert await filled.reader().chapter("no/such_chapter.md") is None


async def test_a_section_is_read_in_its_order(filled: Engine, corpus: Corpus) -> None:
    """All chunks of a section come in reading order, and no others."""
    reader = filled.reader()
    sections = {made.section_id: made.chapter for made in corpus.chunks}
    longest = max(sections, key=lambda section: sum(made.section_id == section for made in corpus.chunks))
    expected = [made for made in corpus.chunks if made.section_id == longest]
    assert len(expected) > 2
    assert await reader.section(sections[longest], longest) == expected
    assert await reader.section(MOTOR, "00000000-0000-0000-0000-000000000000") == []


async def test_a_chunk_is_found_by_its_words_its_vector_and_its_question(filled: Engine, corpus: Corpus) -> None:
    """Each way of matching finds what only it can find, and its score stands in the hit."""
    asked = next(made for made in corpus.chunks if made.chapter == MOTOR and made.questions)
    reader = filled.reader()
    first = (await find(reader, asked.questions[0]))[0]
    assert first.chunk == asked
    assert first.question == pytest.approx(1.0, abs=HALF_PRECISION)
    only_words = await reader.search("AsyncMongoClient", vector_of("zzz"), 10, EVERYWHERE)
    assert any(hit.lexical and "AsyncMongoClient" in hit.chunk.text for hit in only_words)
    embedded = next(made for made in corpus.chunks if made.chapter == TIPS)
    only_vector = await reader.search("", vector_of(embedded.embedded_text), 10, EVERYWHERE)
    nearest = max(only_vector, key=lambda hit: hit.dense or 0)
    assert nearest.chunk == embedded
    assert nearest.dense == pytest.approx(1.0, abs=HALF_PRECISION)
    assert all(hit.lexical is None for hit in only_vector)


async def test_a_question_without_terms_is_matched_by_its_vector(filled: Engine) -> None:
    """Where nothing is left to match by words, the other ways still answer."""
    reader = filled.reader()
    for text in ("", "the of and to", "¿¡…", "数据库"):
        hits = await find(reader, text, limit=5)
        assert len(hits) == 5
        assert all(hit.lexical is None and (hit.dense or hit.question) for hit in hits)


async def test_no_more_hits_than_asked_for(filled: Engine) -> None:
    """The limit holds, and hits come best first."""
    reader = filled.reader()
    for limit in (1, 3, 10):
        hits = await find(reader, "mongodb connection", limit)
        assert len(hits) == limit
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_filters_keep_to_sections_levels_and_chapters(filled: Engine, corpus: Corpus) -> None:
    """Only chunks of the named sections, levels and chapters are found; several filters must all hold."""
    section = next(chapter.section for chapter in corpus.chapters if chapter.path == MOTOR)
    level = next(chapter.level for chapter in corpus.chapters if chapter.path == MOTOR)
    other = next(chapter for chapter in corpus.chapters if chapter.level != level)
    reader = filled.reader()
    by_section = await find(reader, "connection", where=SearchFilter(sections=(section,)))
    assert by_section
    assert {hit.chunk.section for hit in by_section} == {section}
    by_level = await find(reader, "connection", 50, SearchFilter(levels=(level,)))
    assert {hit.chunk.level for hit in by_level} == {level}
    assert len({hit.chunk.chapter for hit in by_level}) > 1
    by_chapters = await find(reader, "connection", 50, SearchFilter(chapters=(MOTOR, other.path)))
    assert {hit.chunk.chapter for hit in by_chapters} == {MOTOR, other.path}
    both = SearchFilter(chapters=(MOTOR, other.path), levels=(level,))
    assert {hit.chunk.chapter for hit in await find(reader, "connection", 50, both)} == {MOTOR}


async def test_filters_that_contradict_each_other_find_nothing(filled: Engine, corpus: Corpus) -> None:
    """No hit is better than a hit that the filter forbids."""
    other = next(chapter for chapter in corpus.chapters if chapter.path != MOTOR)
    where = SearchFilter(sections=(other.section,), chapters=(MOTOR,))
    assert await find(filled.reader(), "mongodb", where=where) == []


async def test_hits_are_fused_by_weighted_reciprocal_rank(filled: Engine, corpus: Corpus) -> None:
    """The engine's score is Σ 1 / (rank / weight + k - 1) over the ways of matching, ranks counted from 1."""
    reader = filled.reader()
    for query in QUERIES:
        hits = await find(reader, query, len(corpus.chunks))
        for hit in hits:
            low, high = _fused(hit, hits)
            assert low - 1e-6 <= hit.score <= high + 1e-6


@pytest.mark.parametrize("where", [EVERYWHERE, SearchFilter(levels=("beginner",))], ids=["all", "beginner"])
async def test_both_engines_rank_alike(linked: Path, corpus: Corpus, where: SearchFilter) -> None:
    """Every way of matching ranks the same chunks in the same order with the same scores, ties aside."""
    edge = EdgeEngine(linked)
    server = QdrantEngine(AsyncQdrantClient(location=":memory:"), "parity", linked)
    await server.fill(corpus, corpus.generation(FIRST))
    our_reader, their_reader = edge.reader(), server.reader()
    tie = 3 * (1 / RRF_K - 1 / (RRF_K + 1))  # what a chunk loses that swaps places with its neighbour in each way
    for query in QUERIES:
        ours = await find(our_reader, query, len(corpus.chunks), where)
        theirs = await find(their_reader, query, len(corpus.chunks), where)
        for way in (DENSE, SPARSE, QUESTIONS):
            _assert_same_order(_ranked(ours, way), _ranked(theirs, way))
        by_chance = _last(ours) | _last(theirs)
        our_scores, their_scores = (
            {hit.chunk.id: hit.score for hit in hits if hit.chunk.id not in by_chance} for hits in (ours, theirs)
        )
        assert len(our_scores) > 20
        _assert_same_order(our_scores, their_scores, tie)
    await edge.close()
    await server.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"embedding": "another-model@2"}, "embedding model word-vectors@1 instead of another-model@2"),
        ({"chunker": 2}, "chunker version 1 instead of 2"),
        ({"schema": 9}, "index schema 1 instead of 9"),
    ],
)
async def test_another_fingerprint_is_refused_with_the_command_that_mends_it(
    filled: Engine, changed: dict[str, str | int], said: str
) -> None:
    """An index built with another model, chunker or schema is not served; the message says what differs."""
    reader = filled.reader(replace(FINGERPRINT, **changed))
    with pytest.raises(IndexMismatch, match="run `mastery ingest` to rebuild it") as refused:
        await reader.search("motor", vector_of("motor"), 3, EVERYWHERE)
    assert said in str(refused.value)


async def test_a_reader_moves_to_a_new_generation_when_told_to_look(filled: Engine, corpus: Corpus) -> None:
    """After a publish the new generation is the only one kept, and open readers move to it by `refresh`."""
    reader = filled.reader()
    assert await reader.chapter(TIPS)
    assert await reader.refresh() is False
    smaller = corpus.without(TIPS)
    await filled.fill(smaller, smaller.generation(SECOND))
    assert await filled.kept() == {SECOND}
    assert await filled.store.current() == smaller.generation(SECOND)
    assert (await reader.generation()).id == FIRST
    assert await reader.refresh() is True
    assert await reader.refresh() is False
    assert (await reader.generation()).id == SECOND
    assert await reader.chapter(TIPS) is None
    assert len(await reader.chapters()) == len(corpus.chapters) - 1
    assert (await reader.statistics()).documents == len(smaller.chunks)
    hits = await reader.search("tips", vector_of("tips"), len(corpus.chunks), EVERYWHERE)
    assert TIPS not in {hit.chunk.chapter for hit in hits}


async def test_a_generation_that_lacks_chunks_is_not_published(filled: Engine, corpus: Corpus) -> None:
    """The count is compared before the switch: the ingest fails, its traces go, the old generation serves."""
    short = replace(corpus.generation(SECOND), chunks=len(corpus.chunks) + 3)
    with pytest.raises(IngestFailed, match=rf"{len(corpus.chunks)} chunks instead of {short.chunks}.*still serves"):
        await filled.fill(corpus, short)
    assert await filled.kept() == {FIRST}
    reader = filled.reader()
    assert (await reader.generation()).id == FIRST
    assert await find(reader, "motor")


async def test_a_writer_that_is_left_without_publishing_leaves_nothing(filled: Engine, corpus: Corpus) -> None:
    """An error between two batches removes what was written; the old generation serves."""
    chunks, vectors, questions = corpus.chunks[:5], corpus.vectors[:5], corpus.questions[:5]

    async def fail_after_the_first_batch() -> None:
        async with filled.store.write(SECOND) as writer:
            await writer.add(chunks, vectors, questions)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_the_first_batch()
    assert await filled.kept() == {FIRST}
    assert (await filled.reader().generation()).id == FIRST


def _ranked(hits: Sequence[Hit], way: str) -> dict[str, float]:
    """Scores by chunk of one way of matching, best first."""
    field = {DENSE: "dense", SPARSE: "lexical", QUESTIONS: "question"}[way]
    found = [(hit.chunk.id, getattr(hit, field)) for hit in hits if getattr(hit, field) is not None]
    return dict(sorted(found, key=lambda pair: -pair[1]))


def _last(hits: Sequence[Hit]) -> set[str]:
    """Chunks that tie with the last one of a way that found more than is fetched: chance decides who is in."""
    last = set()
    for way in WEIGHTS:
        scores = _ranked(hits, way)
        if len(scores) == PREFETCH:
            least = min(scores.values()) + 2 * HALF_PRECISION
            last |= {id_ for id_, score in scores.items() if score <= least}
    return last


def _fused(hit: Hit, hits: Sequence[Hit]) -> tuple[float, float]:
    """The least and the greatest fused score that a hit may have, whichever way ties were broken."""
    low = high = 0.0
    for way, weight in WEIGHTS.items():
        scores = _ranked(hits, way)
        if (own := scores.get(hit.chunk.id)) is None:
            continue
        best = 1 + sum(score > own for score in scores.values())
        worst = sum(score >= own for score in scores.values())
        low += 1 / (worst / weight + RRF_K - 1)
        high += 1 / (best / weight + RRF_K - 1)
    return low, high


def _assert_same_order(ours: Mapping[str, float], theirs: Mapping[str, float], tie: float = 2 * HALF_PRECISION) -> None:
    """The same members and the same order, but for those whose scores are as good as equal."""
    for one, other in ((ours, theirs), (theirs, ours)):
        last = min(other.values(), default=0.0)
        for id_, score in one.items():
            assert other.get(id_, last) == pytest.approx(score, abs=tie)
    order = list(ours)
    for first, second in pairwise(order):
        if first in theirs and second in theirs:
            assert theirs[first] > theirs[second] - tie
