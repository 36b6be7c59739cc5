"""Answers made by hand, in the service's own types, for states that the real service is seldom in."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from service.answering.citations import chapter_url
from service.answering.rendering import to_html
from service.domain import Answer, Citation, CodeBlock, CodeCheck, Latency, Mode, Passage, PassageUse, Receipt, Status
from service.domain.completion import Usage

CACHE = "07_caching_layer/cache_strategies.md"
TITLE = "Cache Strategies with Redis 缓存策略"
OWNS = "Read the cache, on a miss read the database and fill the cache; the code owns both steps."
TOGETHER = (
    "Write-through updates cache and database together; write-behind answers after the cache write and saves to the "
    "database later."
)

CITATIONS = (
    Citation(1, CACHE, TITLE, "Cache-Aside", "cache-aside", chapter_url(CACHE, "cache-aside"), OWNS, 7, 7),
    Citation(
        2,
        CACHE,
        TITLE,
        "Write-Through & Write-Behind",
        "write-through--write-behind",
        chapter_url(CACHE, "write-through--write-behind"),
        TOGETHER,
        66,
        66,
    ),
)
PASSAGES = (
    Passage(CACHE, TITLE, "Cache-Aside", "cache-aside", 5, 7, 0.91, OWNS, PassageUse.CITED),
    Passage(
        CACHE,
        TITLE,
        "Write-Through & Write-Behind",
        "write-through--write-behind",
        64,
        66,
        0.74,
        TOGETHER,
        PassageUse.CITED,
    ),
    Passage("notes/random_tips.md", "Random tips", "Random tips", "", 1, 4, 0.31, "Tips.", PassageUse.RANKED_LOWER),
)
TEXT = (
    "With cache-aside the code reads the cache first and fills it on a miss [1].\n\n"
    "Write-behind answers after the cache write and saves to the database later [2].\n\n"
    "```python\nvalue = await cache.get(key)\n```\n"
)
USAGE = Usage(1200, 400, 0, 180)


def receipt(**changes: Any) -> Receipt:
    """A receipt of one call of a model."""
    made = Receipt(
        prompt="answer/v2",
        prompt_hash="3f2a",
        model="gpt-6-luna",
        index_generation="20261125T100000-abc123",
        embedding_model="all-MiniLM-L6-v2",
        retrieval_query="cache aside",
        usage=USAGE,
        cost_usd="0.000174",
        latency_ms=Latency(12.4, 1830.0, 1850.2, 420.0),
        attempts=1,
        dropped_citations=0,
        trace_id="trace",
    )
    return replace(made, **changes)


def answer(question: str, text: str = TEXT, **changes: Any) -> Answer:
    """An answer that a model wrote out of the chapter on caches."""
    citations = changes.get("citations", CITATIONS)
    made = Answer(
        id=str(uuid.uuid4()),
        question=question,
        status=Status.ANSWERED,
        answer=text,
        answer_html=to_html(text, citations),
        citations=citations,
        passages=PASSAGES,
        follow_ups=("When should a key be deleted instead of overwritten?",),
        mode=Mode.LLM,
        degraded=False,
        receipt=receipt(),
        code=(CodeBlock(1, "python", CodeCheck.PASSED),),
    )
    return replace(made, **changes)
