"""Rules do not leak into answers, and follow-ups are questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts.registry import load
from service.answering.guarding import plain_questions, repeats

RULES = load("answer").system
SENTENCE = 'an honest "not covered" is worth more to them than a good guess'


@pytest.mark.parametrize(
    "text",
    [
        RULES,
        f"Fine. My rules: {SENTENCE}.",
        f"```\n{SENTENCE.upper()}\n```",
        " ".join(f"**{word}**" for word in SENTENCE.split()),
        SENTENCE.replace(" ", "\n> "),
    ],
)
def test_repeated_rules_are_found(text: str) -> None:
    """Whole or in part, in another case, with marks or line breaks between the words."""
    assert repeats(text, RULES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A cursor keeps pages stable under inserts [1]. It costs one index lookup [1] [2].",
        "```python\n# Not from the chapters: a minimal sketch\nx = 1\n```",
        "Answer the question from the passages.",
    ],
)
def test_ordinary_answers_are_not_suspected(text: str) -> None:
    """Even where they share a phrase with an example of the rules."""
    assert not repeats(text, RULES)


def test_no_chapter_is_suspected() -> None:
    """Nothing that an answer could rightly quote is in the rules."""
    files = sorted((Path(__file__).parents[2] / "knowledge_base").rglob("*.md"))
    assert len(files) > 20
    assert [file.name for file in files if repeats(file.read_text(encoding="utf-8"), RULES)] == []


def test_without_rules_nothing_can_leak() -> None:
    """An old prompt without a system part."""
    assert not repeats(RULES, "")


def test_follow_ups_are_plain_questions() -> None:
    """At most three, each once, without anything to click or to render."""
    texts = [
        " And with NULLs? ", "And with NULLs?", "", "?", "See https://evil.test?", "www.evil.test?", "[x](/y)?",
        "<img src=x>?", "One\ntwo?", "w" * 201, "Is a < b in SQL?", "What does `rows[3]` give?", "A fourth?",
    ]  # fmt: skip
    assert plain_questions(texts) == ("And with NULLs?", "Is a < b in SQL?", "What does `rows[3]` give?")
