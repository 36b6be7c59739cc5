"""Embeddings by OpenAI or any server that speaks its API, for those who choose it by MASTERY_EMBEDDING_MODEL.

Each batch is its own call: booked, sent, settled, and tried again by itself. What came before a failure stays with
the caller, so that nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

import httpx2
import numpy as np
import openai
from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse

from service.adapters.bookkeeping import Booking, Bookkeeper, Ending
from service.adapters.openai_errors import failure
from service.adapters.retry_policy import EMBED_CHAPTERS, EMBED_QUESTION, RetryPolicy, Sleep
from service.adapters.tokens import TokenCounter
from service.domain import Call, Failed, Purpose, Usage
from service.errors import EmbeddingFailed
from service.ports import Vector, Vectors

BATCH = 128
BATCH_TOKENS = 30_000
SIZES = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}

_TOO_LARGE = "batch_too_large"
_NO_LIST = "something that is no list of embeddings; check OPENAI_BASE_URL"
_SAYS_TOO_LARGE = re.compile(r"batch|too (large|many|long|big)|maximum|\bmax\b|max_|exceed", re.IGNORECASE)
_BATCH_SECONDS = 900.0
_QUESTION_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Origin:
    """For whom an embedding is made, as the ledger wants to know; by itself, each call is a request of its own."""

    caller: str = "local"
    trace_id: str = field(default_factory=lambda: uuid.uuid4().hex)


class OpenAIEmbedder:
    """An `Embedder` over the openai SDK. `size` must be known before the first call."""

    def __init__(
        self,
        client: AsyncOpenAI,
        model: str,
        size: int,
        server: str,
        *,
        books: Bookkeeper | None = None,
        origin: Callable[[], Origin] = Origin,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`origin` tells, at each call, for whom it is made; without `books` nothing is booked."""
        self._client = client
        self._books = books
        self._origin = origin
        self._sleep = sleep
        self._tokens = TokenCounter(model)
        self._most = BATCH
        self.name = model
        self.size = size
        self.fingerprint = f"{model}@{server}/{size}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As tiktoken counts for the model."""
        return [self._tokens.count_now(text) for text in texts]

    async def embed_query(self, text: str) -> Vector:
        """The unit vector of one question."""
        tokens = await self._tokens.count(text)
        deadline = time.monotonic() + _QUESTION_SECONDS
        made = await self._embed([text], tokens, EMBED_QUESTION, Purpose.EMBED_QUESTION, deadline)
        return cast(Vector, self._vectors(made)[0])

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Batches in order, by number of texts and tokens; one that the server finds too large is halved."""
        sizes = await self._tokens.count_each(texts)
        at = 0
        while at < len(texts):
            count = _fitting(sizes[at:], self._most)
            deadline = time.monotonic() + _BATCH_SECONDS
            tokens = sum(sizes[at : at + count])
            purpose = Purpose.EMBED_CHAPTERS
            made = await self._embed(texts[at : at + count], tokens, EMBED_CHAPTERS, purpose, deadline)
            if isinstance(made, Failed) and made.code == _TOO_LARGE and count > 1:
                self._most = count // 2
                continue
            yield list(range(at, at + count)), self._vectors(made)
            at += count

    async def _embed(
        self, texts: Sequence[str], tokens: int, policy: RetryPolicy, purpose: Purpose, deadline: float
    ) -> Vectors | Failed:
        """The vectors, or the last failure."""
        made: Vectors | Failed | None = None
        number = 0
        async with aclosing(policy.tries(deadline, self._sleep)) as tries:
            async for attempt in tries:
                number += 1
                made = await self._booked(texts, tokens, purpose, number, deadline)
                attempt.ended(made)
        assert made is not None
        return made

    async def _booked(
        self, texts: Sequence[str], tokens: int, purpose: Purpose, attempt: int, deadline: float
    ) -> Vectors | Failed:
        """One request, in the ledger where there is one."""
        if self._books is None:
            return (await self._call(texts, deadline))[0]
        booking = await self._books.open(self._entry(tokens, purpose, attempt))
        ending = Ending("cancelled", self.name, Usage(input_tokens=tokens), reported=False)
        try:
            made, used = await self._call(texts, deadline)
            ending = _ending(self.name, made, used, tokens)
        finally:
            await _settle(booking, ending)
        return made

    def _entry(self, tokens: int, purpose: Purpose, attempt: int) -> Call:
        origin, most = self._origin(), Usage(input_tokens=tokens)
        assert self._books is not None
        return Call(
            id=uuid.uuid4().hex,
            at=datetime.now(UTC),
            trace_id=origin.trace_id,
            purpose=purpose,
            model=self.name,
            prompt=None,
            caller=origin.caller,
            attempt=attempt,
            estimated=most,
            estimated_cost=self._books.estimate(self.name, most),
        )

    async def _call(self, texts: Sequence[str], deadline: float) -> tuple[Vectors | Failed, Usage | None]:
        """One request: what it gave, and the tokens that the provider counted."""
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                response = await self._client.embeddings.create(model=self.name, input=list(texts))
        except (openai.OpenAIError, httpx2.HTTPError, OSError, UnicodeEncodeError) as error:
            failed = failure(error, self.name, f"the embedding model {self.name}")
            return replace(failed, code=_TOO_LARGE) if _too_large(error) else failed, failed.usage
        except (ValueError, AttributeError, TypeError):  # what parsing meets, the SDK lets out
            return self._unreadable(_NO_LIST), None
        return self._read(response, len(texts)), _used(response)

    def _read(self, response: CreateEmbeddingResponse, count: int) -> Vectors | Failed:
        """The vectors in the order of the texts; the SDK checks nothing of them."""
        try:
            rows = sorted(response.data, key=lambda row: row.index or 0)  # some servers leave it out
            vectors = np.array([row.embedding for row in rows], dtype=np.float32)
        except (ValueError, AttributeError, TypeError):
            return self._unreadable(_NO_LIST)
        if vectors.shape != (count, self.size):
            return self._unreadable(f"vectors of shape {vectors.shape}, not {(count, self.size)}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            return self._unreadable("a vector without a direction")
        return cast(Vectors, vectors / lengths)

    def _unreadable(self, sent: str) -> Failed:
        """An answer that was given, and is paid for, but cannot be used."""
        return Failed(model=self.name, code="model_malformed", detail=f"the embedding model {self.name} sent {sent}")

    @staticmethod
    def _vectors(made: Vectors | Failed) -> Vectors:
        if isinstance(made, Failed):
            wait = f"; it asks to wait {made.retry_after:.0f} seconds" if made.retry_after else ""
            raise EmbeddingFailed(f"{made.detail}{wait}")
        return made

    async def close(self) -> None:
        """Close connections, once the ledger is written."""
        if self._books:
            await self._books.close()
        await self._client.close()


def _fitting(sizes: Sequence[int], most: int) -> int:
    """How many of the next texts make a batch: at least one."""
    total = 0
    for count, size in enumerate(sizes[:most]):
        total += size
        if total > BATCH_TOKENS and count:
            return count
    return min(most, len(sizes))


def _too_large(error: Exception) -> bool:
    """Whether a smaller batch may pass."""
    if not isinstance(error, openai.APIStatusError):
        return False
    says = error.status_code in (400, 422) and _SAYS_TOO_LARGE.search(str(error.body)[:2000])
    return error.status_code == 413 or bool(says)


def _used(response: CreateEmbeddingResponse) -> Usage | None:
    tokens = getattr(getattr(response, "usage", None), "prompt_tokens", None)
    return Usage(input_tokens=tokens) if isinstance(tokens, int) else None


def _ending(model: str, made: Vectors | Failed, used: Usage | None, tokens: int) -> Ending:
    outcome = "failed" if isinstance(made, Failed) else "answered"
    return Ending(outcome, model, used or Usage(input_tokens=tokens), reported=used is not None)


async def _settle(booking: Booking, ending: Ending) -> None:
    async def known() -> Ending:
        return ending

    await booking.settle(known)
