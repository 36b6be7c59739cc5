"""What to ask next: questions that the chapters answer, of other sections than those that are quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from service.domain import Hit, Turn, is_question

MOST = 3
_CONSIDERED = 12  # hits; further ones are on another subject


def follow_ups(question: str, history: Sequence[Turn], hits: Sequence[Hit], quoted: Collection[str]) -> list[str]:
    """One question of each section that was found, best first; those that are quoted come last, if there are too few.

    `quoted` holds the ids of the sections that the answer quotes: their own questions ask the same in other words. What
    was asked before is not suggested again.
    """
    asked = {_folded(question), *(_folded(turn.content) for turn in history if turn.role == "user")}
    by_section: dict[str, str] = {}
    for hit in hits[:_CONSIDERED]:
        section = hit.chunk.section_id
        fresh = (text for text in hit.chunk.questions if is_question(text) and _folded(text) not in asked)
        if section not in by_section and (first := next(fresh, None)):
            by_section[section] = first
    others = [text for section, text in by_section.items() if section not in quoted]
    own = [text for section, text in by_section.items() if section in quoted]
    return [*others, *own][:MOST]


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
