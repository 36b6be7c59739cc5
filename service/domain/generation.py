"""The index: its generations, what is searched in it and what is found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.chapter import Chunk


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an index was built with; one built with anything else must not be served."""

    embedding: str
    chunker: int
    schema: int

    def differences(self, other: Fingerprint) -> list[str]:
        """What differs, in words."""
        pairs = (
            ("embedding model", self.embedding, other.embedding),
            ("chunker version", self.chunker, other.chunker),
            ("index schema", self.schema, other.schema),
        )
        return [f"{name} {mine!s} instead of {theirs!s}" for name, mine, theirs in pairs if mine != theirs]


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete build of the index: its name, what it was built with and what it holds.

    `hashes` gives the content hash of every chapter by its path, `chunk_hashes` those of its chunks.
    """

    id: str
    fingerprint: Fingerprint
    hashes: Mapping[str, str]
    chunk_hashes: Mapping[str, tuple[str, ...]]
    chunks: int
    tokens: int
    created_at: str


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """In how many of the `documents` chunks each term id occurs."""

    documents: int
    frequencies: Mapping[int, int]

    def idf(self, term: int) -> float:
        """Inverse document frequency as BM25 has it: 0 and up, highest for a term never seen."""
        frequency = self.frequencies.get(term, 0)
        return math.log1p((self.documents - frequency + 0.5) / (frequency + 0.5))


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Keep to these sections, levels and chapters (paths); empty means all."""

    sections: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    chapters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found: its fused score, and what each way of matching gave it (None: not among its best)."""

    chunk: Chunk
    score: float
    dense: float | None = None
    lexical: float | None = None
    question: float | None = None

    def scored(self, score: float) -> Hit:
        """The same with another score; `replace` takes four times as long, and every question has some hundred hits."""
        return Hit(self.chunk, score, self.dense, self.lexical, self.question)
