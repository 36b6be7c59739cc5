"""What a model's answer must not carry, whoever talked it into it: its own rules, and follow-ups that are no questions.

Foreign links, images and markup are dealt with where the text is shown (see `shown_text`), claims without a source
where citations are checked (see `drafting`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_RUN = 10
"""Words in a row that nobody shares with the rules by chance; the rules' own examples are shorter."""

_WORD = re.compile(r"\w+")
_NO_QUESTION = re.compile(r"https?:|www\.|\]\s*\(|<[A-Za-z/!]|\n")
_LONGEST = 200
_MOST = 3


def repeats(text: str, rules: str) -> bool:
    """Whether a text has a run of words out of the rules."""
    return not _runs_of(rules).isdisjoint(_runs(text))


def plain_questions(texts: Iterable[str]) -> tuple[str, ...]:
    """The first three that are a line of plain words: nothing to click, no markup, no essay."""
    stripped = dict.fromkeys(text.strip() for text in texts)
    return tuple(text for text in stripped if 1 < len(text) <= _LONGEST and not _NO_QUESTION.search(text))[:_MOST]


@lru_cache(maxsize=8)
def _runs_of(rules: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_runs(rules))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}
