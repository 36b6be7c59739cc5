"""Tokens are counted once a text, and many texts together."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.chunking import MAX_TOKENS, chunk
from ingest.token_counts import TokenCounts

from .written import chapter


class Counter:
    """Words, and how they were asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.asked.append(list(texts))
        return [len(text.split()) for text in texts]


def test_a_text_is_counted_once() -> None:
    """However often it is asked for, and in whatever company."""
    counter = Counter()
    count = TokenCounts(counter)
    count.ahead(["one two", "three", "one two"])
    count.ahead(["three", "four five six"])
    assert [count("one two"), count("three"), count("four five six"), count(""), count("")] == [2, 1, 3, 0, 0]
    assert counter.asked == [["one two", "three"], ["four five six"], [""]]


def test_the_blocks_of_a_chapter_and_the_lines_of_its_long_ones_are_counted_together() -> None:
    """A chapter of any length takes two calls, and a few for its headings and for what is cut inside a line."""
    lines = [f"value_{number} = call of number {number}" for number in range(MAX_TOKENS)]
    blocks = [
        "# T",
        *(f"## S{number}\n\nText {number} here." for number in range(30)),
        "```\n" + "\n".join(lines) + "\n```",
    ]
    counter = Counter()
    made = chunk(chapter("\n\n".join(blocks)), TokenCounts(counter))
    together = [asked for asked in counter.asked if len(asked) > 1]
    assert [len(asked) for asked in together] == [31, len(lines) + 1]  # and the fence
    alone = {text for asked in counter.asked if len(asked) == 1 for text in asked}
    assert not alone & {block.text for one in made for block in one.blocks if block.parts == 1}
