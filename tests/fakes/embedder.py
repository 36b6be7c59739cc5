"""A `CachingEmbedder` without a model, and an `Embedder` that fails in the middle of its work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import numpy as np

from service.errors import EmbeddingFailed
from service.ports import Vector, Vectors

from .vectors import WordVectors


class RememberingEmbedder(WordVectors):
    """Word vectors that are computed once a text; `asked` holds the texts that were."""

    def __init__(self, fingerprint: str = "word-vectors@1", price: Decimal | None = None) -> None:
        super().__init__(fingerprint)
        self.price = price
        self._known: dict[str, Vector] = {}

    def missing(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts that were never embedded."""
        return [position for position, text in enumerate(texts) if text not in self._known]

    def cost(self, tokens: int) -> Decimal | None:
        """The price of so many tokens."""
        return None if self.price is None else self.price * tokens

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """What is known as one batch, then the rest."""
        if known := [position for position, text in enumerate(texts) if text in self._known]:
            yield known, np.array([self._known[texts[position]] for position in known])
        unknown = self.missing(texts)
        async for positions, batch in super().embed_documents([texts[position] for position in unknown]):
            places = [unknown[position] for position in positions]
            self._known.update(zip((texts[place] for place in places), batch, strict=True))
            yield places, batch


class FailingEmbedder(WordVectors):
    """Gives so many batches and then fails, as a provider does at its rate limit."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._batches = batches

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Batches, and then the failure."""
        given = 0
        async for batch in super().embed_documents(texts):
            if given == self._batches:
                raise EmbeddingFailed("rate limit reached; try again in an hour")
            yield batch
            given += 1
