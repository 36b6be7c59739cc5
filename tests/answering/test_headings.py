"""Headings that stand in a question, word for word."""

from __future__ import annotations

import pytest

from service.answering.headings import Headings
from service.answering.retrieval import Retriever
from service.domain import EVERYWHERE, SearchFilter

from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOGGED = (
    "under load the workers log pymongo.errors.WaitQueueTimeoutError: Timed out while checking out a connection from "
)
POOL = "WaitQueueTimeoutError: Timed out while checking out a connection from connection pool"


@pytest.mark.parametrize(
    "question",
    [
        f"{LOGGED}connection pool, twice a day, and a restart of the pods helps for some hours",
        f"{LOGGED}\n  `connection pool`".upper(),
    ],
)
async def test_a_pasted_error_names_the_section_about_it(parts: Parts, question: str) -> None:
    """Whatever stands around it, in any case, over several lines and with marks: that section comes first."""
    (named,) = await Headings(parts.index).named_in(question)
    assert named.text == POOL
    found = await Retriever(parts.index, parts.embedder, parts.terms).find(question, EVERYWHERE)
    assert found.hits[0].chunk.heading == POOL


async def test_a_short_heading_names_nothing(parts: Parts) -> None:
    """Two words stand in many questions: only headings of three words and more are looked for, and whole ones."""
    assert await Headings(parts.index).named_in("what are the next steps after the summary of common errors") == []


@pytest.mark.parametrize("question", [f"Un{POOL}", f"{POOL}s"])
async def test_a_heading_within_longer_words_is_not_quoted(parts: Parts, question: str) -> None:
    """It begins and ends where a word does."""
    assert await Headings(parts.index).named_in(question) == []


async def test_a_named_section_that_was_not_found_is_looked_up(parts: Parts) -> None:
    """It is added to the hits, unless a filter keeps its chapter out."""
    headings = Headings(parts.index)
    named = await headings.named_in(f"{LOGGED}connection pool")
    vector = await parts.embedder.embed_query("something else")
    (added, *_) = await headings.with_named([], named, vector, EVERYWHERE)
    assert added.chunk.heading == POOL
    elsewhere = SearchFilter(chapters=("no/such.md",))
    assert await headings.with_named([], named, vector, elsewhere) == []
