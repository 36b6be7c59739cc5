"""Which chunk each question of a chapter belongs to: the one that answers it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from service.domain import Chapter, Chunk
from service.ports import Vectors


def texts_of(chapters: Sequence[Chapter], chunks: Sequence[Chunk]) -> list[str]:
    """All texts that are embedded: the chunks, then the questions, chapter by chapter."""
    questions = [question for chapter in chapters for question in _places(chapter)]
    return [*(chunk.embedded_text for chunk in chunks), *questions]


def with_questions(
    chapters: Sequence[Chapter], chunks: Sequence[Chunk], vectors: Vectors
) -> list[tuple[Chunk, Vectors | None]]:
    """Give every question to a chunk, with its vector; `vectors` has a row for each of `texts_of`.

    Where it is known which section answers it, the nearest chunk of that section; otherwise of the whole chapter.
    """
    rows: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for row, chunk in enumerate(chunks):
        rows[chunk.chapter, chunk.anchor].append(row)
        rows[chunk.chapter, None].append(row)
    given: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    at = len(chunks)
    for chapter in chapters:
        for question, anchor in _places(chapter).items():
            if own := rows.get((chapter.path, anchor)) or rows.get((chapter.path, None)):
                nearest = own[int(np.argmax(vectors[own] @ vectors[at]))]
                given[nearest].append((question, at))
            at += 1
    return [
        (replace(chunk, questions=tuple(text for text, _ in given[row])), vectors[[n for _, n in given[row]]])
        if row in given
        else (chunk, None)
        for row, chunk in enumerate(chunks)
    ]


def _places(chapter: Chapter) -> dict[str, str | None]:
    """Every question of a chapter, and the anchor of the section that answers it, where that is known."""
    places: dict[str, str | None] = dict.fromkeys(chapter.questions)
    for anchor, questions in chapter.asked.items():
        places |= dict.fromkeys(questions, anchor)
    return places
