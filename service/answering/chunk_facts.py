"""What ranking asks about a chunk whatever the question is, found out once: the same ones are found again and again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.domain import BlockKind, Chunk
from service.ports import Terms

STUB_WORDS = 15

_REMEMBERED = 20_000
_SYMPTOM = re.compile(r"\b[A-Za-z.]+(?:Error|Exception|Warning)\b|^\W*[45]\d\d\b")
_EXPLAINS_ONE = re.compile(r"^\W*(this|the) (error|exception|warning)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChunkFacts:
    """A chunk's terms with those of its own questions, whether it is about one error, and whether it is a stub."""

    terms: frozenset[int]
    is_about_an_error: bool
    is_stub: bool


class FactBook:
    """The facts of chunks by their ids, which change with their texts, and their questions."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._facts: dict[tuple[str, tuple[str, ...]], ChunkFacts] = {}

    def of(self, chunk: Chunk) -> ChunkFacts:
        """The facts of one chunk."""
        key = (chunk.id, chunk.questions)
        if key not in self._facts:
            if len(self._facts) >= _REMEMBERED:  # many generations later
                self._facts.clear()
            self._facts[key] = ChunkFacts(
                terms=self._terms.terms(" ".join([chunk.embedded_text, *chunk.questions])),
                is_about_an_error=explains_an_error(chunk),
                is_stub=is_stub(chunk),
            )
        return self._facts[key]


def explains_an_error(chunk: Chunk) -> bool:
    """Whether a chunk is about one error, by its heading or its first words (`This error is raised when`)."""
    first = next((sentence.text for block in chunk.blocks for sentence in block.sentences), "")
    return is_symptom(chunk.heading) or bool(_EXPLAINS_ONE.match(first))


def is_symptom(heading: str) -> bool:
    """Whether a section is about one error, which its heading names: it answers who met it, and few others."""
    return bool(_SYMPTOM.search(heading))


def is_stub(chunk: Chunk) -> bool:
    """Whether a chunk has a few words and no code: its headings are most of what was matched."""
    words = 0
    for block in chunk.blocks:
        for sentence in block.sentences:
            words += len(sentence.text.split())
            if words >= STUB_WORDS:
                return False
    return all(block.kind is not BlockKind.CODE for block in chunk.blocks)
