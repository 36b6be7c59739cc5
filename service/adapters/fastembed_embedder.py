"""Any other model that fastembed knows, for those who choose it by MASTERY_EMBEDDING_MODEL.

fastembed fetches the model's files once; it takes 2 s to import, so nothing else imports it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
from fastembed import TextEmbedding

from service.errors import BadSetting, EmbeddingFailed
from service.ports import Vector, Vectors

BATCH = 8


class FastembedEmbedder:
    """An `Embedder` over fastembed."""

    def __init__(self, model: str) -> None:
        """Load a model, fetching it the first time.

        Raises:
            BadSetting: fastembed has none of this name.
            EmbeddingFailed: it cannot be fetched or loaded.
        """
        known = {str(entry["model"]): int(entry["dim"]) for entry in TextEmbedding.list_supported_models()}
        if model not in known:
            raise BadSetting(
                f"MASTERY_EMBEDDING_MODEL: neither fastembed nor OpenAI has a model {model!r}; set it to local or to "
                "a name of theirs such as BAAI/bge-small-en-v1.5 (another server's needs MASTERY_EMBEDDING_SIZE, too)"
            )
        try:
            self._model = TextEmbedding(model)
        except Exception as error:  # the vendor raises bare exceptions
            raise EmbeddingFailed(f"the embedding model {model} cannot be loaded: {error}") from error
        self.name = model
        self.fingerprint = f"fastembed:{model}"
        self.size = known[model]
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fastembed")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model's tokenizer counts them."""
        return [self._model.token_count([text]) for text in texts]

    async def embed_query(self, text: str) -> Vector:
        """The unit vector of one question."""
        return cast(Vector, (await self._run([text]))[0])

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Batches of texts of like length."""
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]), reverse=True)
        for at in range(0, len(order), BATCH):
            positions = order[at : at + BATCH]
            yield positions, await self._run([texts[position] for position in positions])

    async def _run(self, texts: Sequence[str]) -> Vectors:
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(self._threads, lambda: list(self._model.embed(list(texts), batch_size=BATCH)))
        vectors = np.array(rows, dtype=np.float32)
        return cast(Vectors, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    async def close(self) -> None:
        """End the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)
