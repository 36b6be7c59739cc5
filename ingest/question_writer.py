"""A chapter -> what people would ask of each of its sections, written by a model.

Chapters are put to the model in pieces of a few sections, each with a number; it answers by numbers, so that it cannot
name a section that is not there.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.prompt import Prompt
from service.answering.delimiting import passage
from service.answering.outcomes import outcome_of
from service.domain import Answered, Chapter, Outcome, Purpose
from service.errors import QuestionsFailed
from service.ports import ChatCall, ChatModel, Message

CALLER = "terminal"

_PIECE = 20_000  # characters of a call: about 5,000 tokens, and some ten sections to write for
_LONGEST = 160  # characters of a question; what is longer nobody types
_MOST = 8  # questions a section


class SectionDraft(BaseModel):
    """The questions of one section."""

    model_config = ConfigDict(extra="forbid")

    number: int
    questions: list[str]


class SheetDraft(BaseModel):
    """What the model is asked to return."""

    model_config = ConfigDict(extra="forbid")

    sections: list[SectionDraft]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sections of a chapter, in reading order: heading and text by anchor."""

    chapter: str
    sections: Mapping[str, tuple[str, str]]


class QuestionWriter:
    """Writes the questions of chapters."""

    def __init__(self, model: ChatModel, prompt: Prompt, *, seconds: float) -> None:
        """`seconds` is what one call may take, retries included."""
        self._model = model
        self._prompt = prompt
        self._seconds = seconds

    def messages(self, piece: Piece) -> tuple[Message, ...]:
        """What the model is told and asked about a piece."""
        passages = [
            passage(number, f"{piece.chapter} › {heading}", text)
            for number, (heading, text) in enumerate(piece.sections.values(), 1)
        ]
        filled = self._prompt.fill({"passages": "\n\n".join(passages)})
        return tuple(Message(role, content) for role, content in filled)

    async def write(self, pieces: Sequence[Piece]) -> dict[str, list[str]]:
        """The questions of a chapter, by anchor; a section that the model left out is not among them.

        Raises:
            QuestionsFailed: the model failed, or wrote what cannot be read.
            BudgetSpent, RequestTooCostly, StateProblem: nothing was sent.
        """
        asked: dict[str, list[str]] = {}
        for piece in pieces:
            draft = _read(await self._outcome(piece))
            anchors = list(piece.sections)
            for section in draft.sections:
                if 0 < section.number <= len(anchors) and (good := _usable(section.questions, asked.values())):
                    asked.setdefault(anchors[section.number - 1], []).extend(good)
        return asked

    async def _outcome(self, piece: Piece) -> Outcome | None:
        call = ChatCall(
            messages=self.messages(piece),
            schema=SheetDraft,
            purpose=Purpose.QUESTIONS,
            prompt=self._prompt.id,
            caller=CALLER,
            trace_id=uuid.uuid4().hex,
            deadline=time.monotonic() + self._seconds,
            max_output_tokens=self._prompt.hints.max_output_tokens or 4000,
        )
        return await outcome_of(self._model, call)


def pieces_of(chapter: Chapter) -> list[Piece]:
    """A chapter's sections, as many a piece as one call takes; the text of a huge one is cut."""
    pieces: list[Piece] = []
    sections: dict[str, tuple[str, str]] = {}
    size = 0
    for anchor, heading, text in _sections(chapter):
        if sections and size + len(text) > _PIECE:
            pieces.append(Piece(chapter.title, sections))
            sections, size = {}, 0
        sections[anchor] = (heading, text[:_PIECE])
        size += len(text)
    return [*pieces, Piece(chapter.title, sections)] if sections else pieces


def _sections(chapter: Chapter) -> Iterator[tuple[str, str, str]]:
    """Anchor, heading and text of every section that has a text; what stands before the first heading has no anchor."""
    lines = chapter.text.split("\n")
    starts = [heading.line for heading in chapter.headings] + [len(lines) + 1]
    if text := "\n".join(lines[chapter.body_line - 1 : starts[0] - 1]).strip():
        yield "", chapter.title, text
    for heading, end in zip(chapter.headings, starts[1:], strict=True):
        if text := "\n".join(lines[heading.line : end - 1]).strip():
            yield heading.anchor, heading.text, text


def _read(outcome: Outcome | None) -> SheetDraft:
    if not isinstance(outcome, Answered):
        raise QuestionsFailed(f"{type(outcome).__name__}: {outcome.detail}" if outcome else "no outcome came")
    try:
        return SheetDraft.model_validate_json(outcome.text)
    except ValidationError as error:
        raise QuestionsFailed(f"the reply cannot be read: {error.errors()[0]['msg']}") from error


def _usable(questions: Sequence[str], known: Iterable[Sequence[str]]) -> list[str]:
    """Questions of one line that are short enough to be typed and were not written yet."""
    seen = {_folded(text) for texts in known for text in texts}
    good: dict[str, str] = {}
    for question in questions:
        text = " ".join(question.split())
        if 3 < len(text) <= _LONGEST and _folded(text) not in seen:
            good.setdefault(_folded(text), text)
    return list(good.values())[:_MOST]


def _folded(text: str) -> str:
    return text.casefold().rstrip("?!. ")
