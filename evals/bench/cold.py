"""Cold embedding in a process that does nothing else: prints texts a second by the embedder and by the model alone.

Three rounds of each in turn, the best of each counts: what else runs on the machine only ever slows them down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ingest.chapters import parse
from ingest.chunking import chunk
from ingest.folder import scan
from ingest.token_counts import TokenCounts
from service.adapters.local_embedder import LocalEmbedder
from service.settings import BUNDLED_MODEL, PROJECT

_TEXTS, _ROUNDS = 400, 3


async def _pipeline(embedder: LocalEmbedder, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    async for _ in embedder.embed_documents(texts):
        pass
    return len(texts) / (time.perf_counter() - started)


def _alone(embedder: LocalEmbedder, texts: Sequence[str]) -> float:
    """The model with nothing around it."""
    ordered = sorted(texts, key=len, reverse=True)
    started = time.perf_counter()
    embedder.embed_all(ordered)
    return len(texts) / (time.perf_counter() - started)


async def _measure() -> None:
    embedder = LocalEmbedder(BUNDLED_MODEL)
    count = TokenCounts(embedder.count_tokens)
    chapters = (parse(source)[0] for source in scan(PROJECT / "knowledge_base")[0])
    chunks = (made for chapter in chapters for made in chunk(chapter, count))
    texts = [made.embedded_text for made, _ in zip(chunks, range(_TEXTS), strict=False)]
    await embedder.embed_query("ready")
    rates = [(await _pipeline(embedder, texts), _alone(embedder, texts)) for _ in range(_ROUNDS)]
    print(*(max(column) for column in zip(*rates, strict=True)))
    await embedder.close()


if __name__ == "__main__":
    asyncio.run(_measure())
