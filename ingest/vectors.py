"""`make vectors`: rebuilds the vectors that are shipped for the chapters that are shipped.

Content-addressed: an entry is found by its text's hash, so stale ones are never used and new texts are computed.
"""

from __future__ import annotations

import asyncio

import numpy as np
from rich.progress import Progress

from ingest import node_parser
from ingest.chapters import parse
from ingest.folder import scan
from ingest.placing import texts_of
from ingest.token_counts import TokenCounts
from service.adapters.local_embedder import LocalEmbedder
from service.adapters.vector_cache import CachedEmbedder, ShippedVectors, key_of
from service.ports import Vector
from service.settings import BUNDLED_MODEL, PROJECT, load_settings
from service.wiring import SHIPPED_VECTORS


def texts_of_shipped_chapters(embedder: LocalEmbedder) -> list[str]:
    """Every text that an ingest of `knowledge_base/` embeds."""
    chapters = [parse(source)[0] for source in scan(PROJECT / "knowledge_base")[0]]
    chunks = node_parser.run(chapters, TokenCounts(embedder.count_tokens), lambda: None)
    return list(dict.fromkeys(texts_of(chapters, chunks)))


async def _rebuild() -> None:
    embedder = LocalEmbedder(BUNDLED_MODEL)
    cached = CachedEmbedder(embedder, load_settings().data_dir / "vectors.sqlite", SHIPPED_VECTORS)
    texts = texts_of_shipped_chapters(embedder)
    vectors: dict[bytes, Vector] = {}
    with Progress() as progress:
        task = progress.add_task("Embedding", total=len(texts))
        async for positions, batch in cached.embed_documents(texts):
            vectors.update({key_of(texts[position]): vector for position, vector in zip(positions, batch, strict=True)})
            progress.advance(task, len(positions))
    await cached.close()
    ShippedVectors.save(SHIPPED_VECTORS, embedder.fingerprint, vectors)
    size = np.array(list(vectors.values()), dtype=np.float16).nbytes
    print(f"{len(vectors)} vectors, {size / 1e6:.1f} MB, {cached.computed} of them new")


if __name__ == "__main__":
    asyncio.run(_rebuild())
