"""Markdown -> the chunks that the chunker makes of it, for tests that need no index."""

from __future__ import annotations

import hashlib

from ingest.chapters import parse
from ingest.chunking import chunk
from ingest.sources import Source
from ingest.token_counts import TokenCounts
from service.domain import Chunk


def chunks_of(markdown: str, path: str = "07_caching_layer/tips.md") -> list[Chunk]:
    """All chunks of one chapter; a token is a word."""
    chapter, _ = parse(Source(path, markdown, hashlib.sha256(markdown.encode()).hexdigest()))
    return chunk(chapter, TokenCounts(lambda texts: [len(text.split()) for text in texts]))
