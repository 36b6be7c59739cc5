"""Vectors that were computed before: those shipped with the model and those of earlier ingests on this machine.

Content-addressed by the text's hash and the model's fingerprint, kept in half precision. A vector computed now is
rounded the same way, so that an index does not depend on where its vectors came from. Every batch is stored as soon
as it is there: an ingest that is cut off, or meets a rate limit, pays for nothing twice.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.errors import EmbeddingFailed, IngestFailed
from service.ports import Embedder, Vector, Vectors

KEY_BYTES = 16


def key_of(text: str) -> bytes:
    """The address of a text's vector."""
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


class ShippedVectors:
    """A read-only file of keys (n, 16) and half-precision vectors (n, size), made by `make vectors`."""

    def __init__(self, file: Path, fingerprint: str) -> None:
        """Read the file, if it is there and was made with the same model.

        Raises:
            EmbeddingFailed: it is damaged.
        """
        self._rows: dict[bytes, int] = {}
        self._vectors: NDArray[np.float16] | None = None
        if not file.is_file():
            return
        try:
            with file.open("rb") as stream, np.load(stream) as stored:
                if str(stored["fingerprint"]) == fingerprint:
                    self._vectors = stored["vectors"]
                    self._rows = {bytes(key): row for row, key in enumerate(stored["keys"])}
        except Exception as error:  # numpy, zipfile and zlib each raise their own
            raise EmbeddingFailed(f"{file} is damaged ({error}); restore it or delete it") from error

    def get(self, key: bytes) -> Vector | None:
        """The vector under a key."""
        row = self._rows.get(key)
        return None if row is None or self._vectors is None else self._vectors[row].astype(np.float32)

    @staticmethod
    def save(file: Path, fingerprint: str, vectors: dict[bytes, Vector]) -> None:
        """Write the file; the same vectors give the same bytes."""
        keys = sorted(vectors)
        np.savez(
            file,
            fingerprint=np.array(fingerprint),
            keys=np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, KEY_BYTES),
            vectors=np.array([vectors[key] for key in keys], dtype=np.float16),
        )


class CachedEmbedder:
    """An embedder that asks its cache first. `computed` counts the texts that were not in it."""

    def __init__(
        self, inner: Embedder, file: Path, shipped: Path | None = None, price_per_million: Decimal | None = None
    ) -> None:
        """Open the cache's file, or make it.

        Raises:
            EmbeddingFailed: the shipped vectors are damaged.
            IngestFailed: the file cannot be read or written.
        """
        self._inner = inner
        self.name, self.fingerprint, self.size = inner.name, inner.fingerprint, inner.size
        self.computed = 0
        self._price = price_per_million
        self._shipped = ShippedVectors(shipped, inner.fingerprint) if shipped else None
        self._file = file
        with self._usable():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = _opened(file)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the model counts."""
        return self._inner.count_tokens(texts)

    async def embed_query(self, text: str) -> Vector:
        """As the model embeds; questions are not kept."""
        return await self._inner.embed_query(text)

    def cost(self, tokens: int) -> Decimal | None:
        """US dollars for so many tokens; None without a price."""
        return None if self._price is None else self._price * tokens / 1_000_000

    def missing(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts that are in no cache; of equal texts the first one's."""
        first = {text: position for position, text in reversed(list(enumerate(texts)))}
        return [
            position
            for position, text in enumerate(texts)
            if first[text] == position and self._get(key_of(text)) is None
        ]

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """First everything that is known, as one batch, then the rest as the model computes it."""
        known: dict[int, Vector] = {}
        for position, text in enumerate(texts):
            if (vector := self._get(key_of(text))) is not None:
                known[position] = vector
        if known:
            yield list(known), np.array(list(known.values()))
        places: dict[str, list[int]] = {}
        for position, text in enumerate(texts):
            if position not in known:
                places.setdefault(text, []).append(position)
        unknown = list(places)
        async for positions, vectors in self._inner.embed_documents(unknown):
            rounded = vectors.astype(np.float16)
            batch = [unknown[position] for position in positions]
            self._put(list(map(key_of, batch)), rounded)
            self.computed += len(batch)
            counts = [len(places[text]) for text in batch]
            yield [place for text in batch for place in places[text]], np.repeat(rounded, counts, 0).astype(np.float32)

    def _get(self, key: bytes) -> Vector | None:
        if self._shipped and (vector := self._shipped.get(key)) is not None:
            return vector
        with self._usable():
            row = self._database.execute(
                "SELECT vector FROM vectors WHERE model = ? AND key = ?", (self.fingerprint, key)
            ).fetchone()
        return np.frombuffer(row[0], dtype=np.float16).astype(np.float32) if row else None

    def _put(self, keys: Sequence[bytes], vectors: NDArray[np.float16]) -> None:
        with self._usable(), self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(self.fingerprint, key, vector.tobytes()) for key, vector in zip(keys, vectors, strict=True)],
            )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise IngestFailed(
                f"the vector cache {self._file} cannot be used ({error}); free disk space, or delete a damaged file"
            ) from error

    async def close(self) -> None:
        """Close the file and the model."""
        self._database.close()
        await self._inner.close()


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=10, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS vectors"
            " (model TEXT, key BLOB, vector BLOB, PRIMARY KEY (model, key)) WITHOUT ROWID"
        )
    except sqlite3.Error:
        database.close()
        raise
    return database
