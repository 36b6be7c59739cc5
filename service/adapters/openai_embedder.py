"""Embeddings by OpenAI or any server that speaks its API, for those who choose it by MASTERY_EMBEDDING_MODEL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast

import numpy as np
from openai import AsyncOpenAI
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from service.adapters.openai_client import translated
from service.errors import EmbeddingFailed, ModelProblem, ModelUnreachable
from service.ports import Vector, Vectors

BATCH = 128
SIZES = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}


class OpenAIEmbedder:
    """An `Embedder` over the openai SDK. `size` must be known before the first call."""

    def __init__(self, client: AsyncOpenAI, model: str, size: int, server: str) -> None:
        self._client = client
        self.name = model
        self.size = size
        self.fingerprint = f"{model}@{server}/{size}"

    def count_tokens(self, text: str) -> int:
        """An estimate: three characters a token, on the safe side for English and code."""
        return len(text) // 3 + 1

    async def embed_query(self, text: str) -> Vector:
        """The unit vector of one question."""
        return cast(Vector, (await self._embed([text], attempts=2))[0])

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Batches in order; passing faults are retried, and what came before stays with the caller."""
        for at in range(0, len(texts), BATCH):
            batch = texts[at : at + BATCH]
            yield list(range(at, at + len(batch))), await self._embed(batch, attempts=6)

    async def _embed(self, texts: Sequence[str], attempts: int) -> Vectors:
        policy = AsyncRetrying(
            retry=retry_if_exception_type(ModelUnreachable),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.5, max=30),
            reraise=True,
        )
        try:
            return await policy(self._call, texts)
        except ModelProblem as problem:
            raise EmbeddingFailed(str(problem)) from problem

    async def _call(self, texts: Sequence[str]) -> Vectors:
        with translated(f"the embedding model {self.name}"):
            response = await self._client.embeddings.create(model=self.name, input=list(texts))
            rows = sorted(response.data, key=lambda row: row.index or 0)  # some servers leave it out
            vectors = np.array([row.embedding for row in rows], dtype=np.float32)
        if vectors.shape != (len(texts), self.size):
            raise EmbeddingFailed(f"{self.name} gave vectors of shape {vectors.shape}, not {(len(texts), self.size)}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise EmbeddingFailed(f"{self.name} gave a vector without a direction")
        return cast(Vectors, vectors / lengths)

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()
