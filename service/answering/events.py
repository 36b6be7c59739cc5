"""What happens while a question is answered, in this order: sources, pieces of text, the answer."""

from __future__ import annotations

from dataclasses import dataclass

from service.answering.live_html import LiveBlock
from service.domain import Answer, Citation, Passage


@dataclass(frozen=True, slots=True)
class Sources:
    """What retrieval found, before a word is written; `id` is the answer's."""

    id: str
    retrieval_query: str
    index_generation: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer's Markdown.

    `citations` are those whose number stands in it for the first time. Their quotes come with the answer, once they
    are checked; a number that does not hold is missing then. `html` has the blocks that changed, if it was asked for.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    html: tuple[LiveBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer, checked and stored. It replaces what was shown of it."""

    answer: Answer


Event = Sources | Delta | Done
