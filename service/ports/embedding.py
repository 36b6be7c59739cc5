"""Text -> vectors and terms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""A unit vector of shape (size,)."""

Vectors = NDArray[np.float32]
"""Unit vectors of shape (n, size)."""


class Embedder(Protocol):
    """Text -> unit vectors."""

    @property
    def name(self) -> str:
        """Model name for receipts."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: model name and hash of its weights."""

    @property
    def size(self) -> int:
        """Length of a vector."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens the model reads for each text, without its own markers."""

    async def embed_query(self, text: str) -> Vector:
        """The vector of one question.

        Raises:
            EmbeddingFailed: the model cannot be loaded or reached.
        """

    def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Vectors of many texts, in batches as they are ready: positions in `texts`, and their vectors.

        Raises:
            EmbeddingFailed: the model cannot be loaded or reached; batches given before stay valid.
        """

    async def close(self) -> None:
        """Let go of threads and connections."""


class CachingEmbedder(Embedder, Protocol):
    """An embedder that keeps what it computed."""

    def missing(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts whose vectors must be computed."""

    def cost(self, tokens: int) -> Decimal | None:
        """What embedding so many tokens costs in US dollars; None where it costs nothing, or the price is unknown."""


class Terms(Protocol):
    """Text -> the terms that lexical matching compares (stemmed, without stop words), as ids."""

    def terms(self, text: str) -> frozenset[int]:
        """The set of a text's term ids."""

    def alike(self, term: int) -> frozenset[int]:
        """The terms that mean the same as this one."""
