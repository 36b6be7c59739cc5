"""What is stored comes back as it was, through JSON and whatever characters there are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters import points
from service.adapters.bm25 import Bm25
from service.domain import TermStatistics

from .corpus import FIRST, Corpus

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def test_chunks_and_chapters_come_back(corpus: Corpus) -> None:
    """Payloads survive JSON, which is how both engines keep them."""
    for point, chunk in zip(
        points.chunk_points(Bm25(), corpus.chunks, corpus.vectors, corpus.questions), corpus.chunks, strict=True
    ):
        assert points.chunk_of(json.loads(json.dumps(point.payload))) == chunk
        assert (point.questions is None) == (not chunk.questions)
    for chapter in corpus.chapters:
        point = points.chapter_point(chapter)
        assert point.id == points.chapter_id(chapter.path)
        assert points.chapter_of(json.loads(json.dumps(point.payload))) == chapter
        assert points.without_text(chapter) == replace(chapter, text="")


@settings(max_examples=40, deadline=None)
@given(title=TEXT, text=TEXT, tags=st.lists(TEXT, max_size=3), versions=st.dictionaries(TEXT, TEXT, max_size=3))
def test_a_chapter_may_hold_any_characters(
    corpus: Corpus, title: str, text: str, tags: list[str], versions: dict[str, str]
) -> None:
    """Nothing that stands in a file is changed by storing it."""
    chapter = replace(corpus.chapters[0], title=title, text=text, tags=tuple(tags), versions=versions)
    assert points.chapter_of(json.loads(json.dumps(points.chapter_point(chapter).payload))) == chapter


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 10_000), max_size=20), st.integers(0, 10_000))
def test_statistics_come_back(frequencies: dict[int, int], documents: int) -> None:
    """Term ids are numbers again, though JSON makes them texts."""
    statistics = TermStatistics(documents, frequencies)
    assert points.statistics_of(json.loads(json.dumps(points.statistics_point(statistics).payload))) == statistics


def test_a_generation_comes_back_and_nonsense_does_not(corpus: Corpus) -> None:
    """A manifest that is no generation is a `ValueError`, which the adapters name."""
    generation = corpus.generation(FIRST)
    assert points.parse_generation(points.dump_generation(generation)) == generation
    for nonsense in ("", "{", "[]", "null", '{"id": "x"}'):
        with pytest.raises(ValueError, match="validation error"):
            points.parse_generation(nonsense)
