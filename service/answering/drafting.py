"""An answer by a model: passages in, a draft by schema out, every quote checked before it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from service.answering.citations import citation, resolve
from service.answering.guarding import plain_questions
from service.answering.shown_text import shown
from service.domain import Block, BlockKind, Chunk, Citation, Reading, Status

MOST_PASSAGES = 8
_CHARACTERS_PER_TOKEN = 4
_ADDRESS = re.compile(r"https?://[^\s)>\]\"'`]+")


class DraftCitation(BaseModel):
    """A marker's passage and the words in it."""

    model_config = ConfigDict(extra="forbid")

    passage: int
    quote: str


class AnswerDraft(BaseModel):
    """What the model is asked to return; `answer` stands first so that it can be streamed."""

    model_config = ConfigDict(extra="forbid")

    answer: str
    citations: list[DraftCitation]
    status: Literal["answered", "partial", "not_in_knowledge_base"]
    follow_ups: list[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked draft: markers numbered in order of first use, only citations that hold; `dropped` counts the rest."""

    answer: str
    citations: tuple[Citation, ...]
    status: Status
    follow_ups: tuple[str, ...]
    dropped: int


class Passages:
    """The numbered passages of one prompt: each a run of chunks of one section."""

    def __init__(self, sections: Sequence[Sequence[Chunk]]) -> None:
        self._sections = sections
        self._addresses = {address for run in sections for chunk in run for address in _ADDRESS.findall(chunk.text)}

    def __len__(self) -> int:
        return len(self._sections)

    @property
    def section_ids(self) -> frozenset[str]:
        """The sections that they are of."""
        return frozenset(chunk.section_id for run in self._sections for chunk in run)

    def readings(self) -> tuple[Reading, ...]:
        """What the model reads, as it is kept for a replay."""
        return tuple(_reading(number, section) for number, section in enumerate(self._sections, 1))

    def section(self, number: int) -> Sequence[Chunk]:
        """The chunks under a number; none for a number that was not given."""
        return self._sections[number - 1] if 1 <= number <= len(self._sections) else ()

    def holds_link(self, address: str) -> bool:
        """Whether a passage has this very link."""
        return address in self._addresses


def reread(readings: Sequence[Reading]) -> Passages:
    """Passages as they were given before, for a replay: each is one chunk, whatever the index holds now."""
    return Passages([[_chunk(reading)] for reading in readings])


class Numbering:
    """Passages' numbers -> the numbers that are shown, given out in order of first use."""

    def __init__(self, allowed: set[int]) -> None:
        self._allowed = allowed
        self.shown: dict[int, int] = {}
        self.left_out: set[int] = set()

    def __call__(self, passage: int) -> int | None:
        """The shown number of a passage; None where it may not be cited."""
        if passage not in self._allowed:
            self.left_out.add(passage)
            return None
        return self.shown.setdefault(passage, len(self.shown) + 1)


def check(said: AnswerDraft, passages: Passages) -> Draft:
    """Drop what does not resolve: a number that was not given, a quote that does not stand in its passage.

    A marker that no citation backs is dropped, too.
    """
    places: dict[int, tuple[Chunk, str, tuple[int, int]]] = {}
    dropped = 0
    for cited in said.citations:
        found = resolve(cited.quote, passages.section(cited.passage))
        if found is None:
            dropped += 1
        else:
            places.setdefault(cited.passage, (found[0], cited.quote, found[1]))
    numbering = Numbering(set(places))
    answer = shown(said.answer, numbering, passages.holds_link)
    dropped += len(numbering.left_out - {cited.passage for cited in said.citations})
    citations = tuple(citation(number, *places[passage]) for passage, number in numbering.shown.items())
    return Draft(answer.strip(), citations, Status(said.status), plain_questions(said.follow_ups), dropped)


def _reading(number: int, section: Sequence[Chunk]) -> Reading:
    first = section[0]
    return Reading(
        number=number,
        chapter=first.chapter,
        title=first.title,
        heading=first.heading,
        anchor=first.anchor,
        start_line=first.start_line,
        end_line=section[-1].end_line,
        text="\n\n".join(chunk.text for chunk in section),
    )


def _chunk(reading: Reading) -> Chunk:
    block = Block(BlockKind.PROSE, reading.text, reading.start_line, reading.end_line)
    return Chunk(
        id=str(reading.number),
        chapter=reading.chapter,
        title=reading.title,
        section="",
        level="",
        headings=(reading.heading,),
        anchor=reading.anchor,
        section_id=str(reading.number),
        position=0,
        start_line=reading.start_line,
        end_line=reading.end_line,
        blocks=(block,),
        context="",
        content_hash="",
    )


def budgeted(
    hits: Sequence[Chunk], sections: Mapping[str, Sequence[Chunk]], tokens: int
) -> tuple[list[Sequence[Chunk]], set[str]]:
    """The best sections, whole where they fit the budget, else their best chunk; and the ids of those that did not."""
    chosen: dict[str, Sequence[Chunk]] = {}
    over: set[str] = set()
    left = tokens * _CHARACTERS_PER_TOKEN
    for chunk in hits:
        if chunk.section_id in chosen or len(chosen) == MOST_PASSAGES:
            continue
        whole = sections.get(chunk.section_id) or (chunk,)
        part = next((part for part in (whole, (chunk,)) if sum(len(piece.text) for piece in part) <= left), None)
        if part is None:
            over.add(chunk.section_id)
        else:
            chosen[chunk.section_id] = part
            left -= sum(len(piece.text) for piece in part)
    return list(chosen.values()), over - chosen.keys()
