"""An answer by a model: passages in, a draft by schema out, every quote checked before anything is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.registry import Prompt
from service.answering.citations import citation, resolve
from service.domain import Chunk, Citation, Status, Usage
from service.errors import ModelMalformed
from service.ports import ChatModel

_MARKER = re.compile(r"\s?\[(\d{1,2})\](?!\()")
_FENCED = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)", re.DOTALL)


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
    """A checked draft: markers renumbered in order of first use, only citations that hold."""

    answer: str
    citations: tuple[Citation, ...]
    status: Status
    follow_ups: tuple[str, ...]
    dropped: int
    usage: Usage
    model: str


async def draft(model: ChatModel, prompt: Prompt, question: str, sections: Sequence[Sequence[Chunk]]) -> Draft:
    """Ask the model. `sections` are the passages in the order of their numbers, each a run of chunks.

    Raises:
        ModelProblem: no usable answer came back.
    """
    passages = "\n\n".join(_numbered(number, section) for number, section in enumerate(sections, 1))
    completion = await model.complete(prompt.fill({"question": question, "passages": passages}), AnswerDraft)
    try:
        said = AnswerDraft.model_validate_json(completion.text)
    except ValidationError as error:
        raise ModelMalformed(f"the model's answer does not fit its schema: {error.errors()[0]['msg']}") from error
    answer, citations, dropped = _checked(said, sections)
    follow_ups = tuple(text.strip() for text in said.follow_ups if text.strip())[:3]
    return Draft(answer, citations, Status(said.status), follow_ups, dropped, completion.usage, completion.model)


def _numbered(number: int, section: Sequence[Chunk]) -> str:
    """A passage as delimited data; its own closing tag cannot end it."""
    first = section[0]
    text = "\n\n".join(chunk.text for chunk in section).replace("</passage", "<\u200b/passage")
    return f'<passage number="{number}" source="{first.title} › {first.heading}">\n{text}\n</passage>'


def _checked(said: AnswerDraft, sections: Sequence[Sequence[Chunk]]) -> tuple[str, tuple[Citation, ...], int]:
    """Drop what does not resolve, number what does in order of first use."""
    places: dict[int, tuple[Chunk, str, tuple[int, int]]] = {}
    dropped = 0
    for cited in said.citations:
        section = sections[cited.passage - 1] if 1 <= cited.passage <= len(sections) else ()
        found = resolve(cited.quote, section)
        if found is None:
            dropped += 1
        else:
            places.setdefault(cited.passage, (found[0], cited.quote, found[1]))
    numbers: dict[int, int] = {}

    def renumbered(marker: re.Match[str]) -> str:
        passage = int(marker[1])
        if passage not in places:
            return ""
        numbers.setdefault(passage, len(numbers) + 1)
        return f" [{numbers[passage]}]"

    pieces = _FENCED.split(said.answer)
    answer = "".join(piece if at % 2 else _MARKER.sub(renumbered, piece) for at, piece in enumerate(pieces))
    citations = tuple(citation(number, *places[passage]) for passage, number in numbers.items())
    return answer.strip(), citations, dropped


def budgeted(
    hits: Sequence[Chunk], sections: Mapping[str, Sequence[Chunk]], tokens: int, count: int = 8
) -> list[Sequence[Chunk]]:
    """The best sections, whole where they fit the budget (about 4 characters a token), else their best chunk."""
    chosen: dict[str, Sequence[Chunk]] = {}
    left = tokens * 4
    for chunk in hits:
        if chunk.section_id in chosen or len(chosen) == count:
            continue
        whole = sections.get(chunk.section_id) or (chunk,)
        for part in (whole, (chunk,)):
            size = sum(len(piece.text) for piece in part)
            if size <= left:
                chosen[chunk.section_id] = part
                left -= size
                break
    return list(chosen.values())
