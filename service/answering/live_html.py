"""An answer's Markdown while it is being written -> the HTML of the blocks that changed.

Only the end of the text is rendered again: a block that another one follows is finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.answering.rendering import block_starts, to_html
from service.domain import Citation


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """The sanitised HTML of a top-level block; it replaces what was shown as this block before."""

    block: int
    html: str


class LiveHtml:
    """Feed it the pieces that are shown."""

    def __init__(self) -> None:
        self._open = ""
        self._finished = 0

    def feed(self, text: str, citations: Sequence[Citation]) -> list[LiveBlock]:
        """The blocks that this piece changes: the one that is open, and those that it begins."""
        self._open += text
        starts = block_starts(self._open)
        if not starts:
            return []
        lines = self._open.split("\n")
        stops = [*starts[1:], len(lines)]
        first = self._finished
        last = len(starts) - 1
        changed = [
            LiveBlock(first + number, to_html("\n".join(lines[start:stop]), citations, colours=number < last))
            for number, (start, stop) in enumerate(zip(starts, stops, strict=True))
        ]
        self._finished += len(starts) - 1
        self._open = "\n".join(lines[starts[-1] :])
        return changed
