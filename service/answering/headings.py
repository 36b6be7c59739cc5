"""Headings that stand in a question, word for word: who pastes an error message has named the section about it.

Of 25 such pairs in the golden questions, 23 were right. Such a section may be missing among the candidates, since the
words of an error are common ones and the rest of a log line drowns them; so it is looked up by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain import Chapter, Hit, SearchFilter
from service.ports import Vector, VectorIndex

_FEWEST_WORDS = 3
_MOST = 3
_LOOKED_UP = 10
_MARKS = re.compile(r"[`*\"'“”‘’]")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Named:
    """A heading that a question quotes."""

    chapter: str
    anchor: str
    text: str


class Headings:
    """The headings of the generation that is being served."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._generation = ""
        self._known: dict[str, list[tuple[str, Named]]] = {}

    async def named_in(self, question: str) -> list[Named]:
        """The headings that stand in a question, the longest first; of those in one chapter only that one."""
        generation = await self._index.generation()
        if generation.id != self._generation:
            self._known = _known(await self._index.chapters())
            self._generation = generation.id
        asked = _folded(question)
        candidates = (pair for word in set(_WORD.findall(asked)) for pair in self._known.get(word, ()))
        quoted = [(folded, named) for folded, named in candidates if folded in asked and _whole(folded, asked)]
        found: dict[str, Named] = {}
        for _, named in sorted(quoted, key=lambda pair: (-len(pair[0]), pair[1].chapter)):
            found.setdefault(named.chapter, named)
        return list(found.values())[:_MOST]

    async def with_named(
        self, hits: Sequence[Hit], named: Sequence[Named], vector: Vector, where: SearchFilter
    ) -> list[Hit]:
        """The hits, and those of named sections that are not among them."""
        extended = list(hits)
        for heading in named:
            if any(_is_of(hit, heading) for hit in hits) or heading.chapter not in (
                where.chapters or [heading.chapter]
            ):
                continue
            near = replace(where, chapters=(heading.chapter,))
            found = await self._index.search(heading.text, vector, _LOOKED_UP, near)
            extended += [hit for hit in found if _is_of(hit, heading)]
        return extended


def _is_of(hit: Hit, heading: Named) -> bool:
    return (hit.chunk.chapter, hit.chunk.anchor) == (heading.chapter, heading.anchor)


def _whole(part: str, text: str) -> bool:
    """Whether a part begins and ends where words do."""
    before, _, after = text.partition(part)
    return not (before[-1:].isalnum() or after[:1].isalnum())


def _known(chapters: Sequence[Chapter]) -> dict[str, list[tuple[str, Named]]]:
    """Headings of some words by the first of them: a question is compared with few of the thousand."""
    known: dict[str, list[tuple[str, Named]]] = {}
    for chapter in chapters:
        for heading in chapter.headings:
            folded = _folded(heading.text)
            first = _WORD.search(folded)
            if first and len(folded.split()) >= _FEWEST_WORDS:
                known.setdefault(first[0], []).append((folded, Named(chapter.path, heading.anchor, heading.text)))
    return known


def _folded(text: str) -> str:
    """White space, quotation marks, emphasis and case made alike."""
    return " ".join(_MARKS.sub("", text).casefold().split())
