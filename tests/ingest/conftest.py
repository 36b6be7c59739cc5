"""The bundled model's tokenizer, and the plain chapters, read once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ingest.folder import scan
from ingest.sources import Source
from ingest.token_counts import TokenCounts
from service.adapters.local_embedder import LocalEmbedder
from service.settings import BUNDLED_MODEL

from ..small_index import PLAIN


@pytest.fixture(scope="session")
def count() -> Iterator[TokenCounts]:
    """Tokens of a text as the bundled model counts them."""
    embedder = LocalEmbedder(BUNDLED_MODEL)
    yield TokenCounts(embedder.count_tokens)
    asyncio.run(embedder.close())


@pytest.fixture(scope="session")
def plain_sources() -> list[Source]:
    """The plain chapters as they stand on disk."""
    sources, problems = scan(PLAIN)
    assert problems == []
    return sources
