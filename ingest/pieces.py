"""A block over the limit -> pieces of it, cut between its own lines and each able to stand alone.

A piece of a fence is fenced again and a piece of a table gets the table's head again. A cut falls on a blank line if
one is near, else before an unindented line; only a single line that is over the limit by itself is cut inside.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from service.domain import Block, BlockKind, Sentence

Count = Callable[[str], int]
"""Tokens of a text."""

_LOOK_AHEAD = 10_000  # characters of a block that may stand before its next sentence


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def outermost(self) -> bool:
        return self.text[:1] not in (" ", "\t", ")", "]", "}")


def pieces_of(block: Block, room: int, count: Count) -> list[Block]:
    """Cut a block into pieces of at most `room` tokens; each knows its part and its own lines."""
    lines, head, tail = _lines(block)
    cost = sum(count(line.text) for line in (*head, *tail))
    if cost > room // 2:  # the head of a very wide table is cut like its rows
        lines, head, tail, cost = [*head, *lines], [], [], 0
    runs = list(_runs(lines, room - cost - 2, count))
    own = _shared(block, runs)
    return [
        replace(_piece(block, head, run, tail, part), sentences=tuple(own[part - 1]), part=part, parts=len(runs))
        for part, run in enumerate(runs, 1)
    ]


def _lines(block: Block) -> tuple[list[_Line], list[_Line], list[_Line]]:
    """The block's lines with their numbers in the file, and those before and after them that every piece repeats."""
    texts = block.text.split("\n")
    start, end = block.start_line, block.end_line
    if block.kind is BlockKind.CODE:
        indented = end - start + 1 <= len(texts) - 2  # code without a fence of its own in the file
        first = start + (not indented)
        body = [_Line(number, text) for number, text in enumerate(texts[1:-1], first)]
        return body, [_Line(start, texts[0])], [_Line(end, texts[-1])]
    if len(texts) == 1 and len(block.sentences) > 1:
        return [_Line(sentence.start_line, sentence.text) for sentence in block.sentences], [], []
    lines = [_Line(min(number, end), text) for number, text in enumerate(texts, start)]
    return (lines[2:], lines[:2], []) if block.kind is BlockKind.TABLE else (lines, [], [])


def _piece(block: Block, head: list[_Line], run: list[_Line], tail: list[_Line], part: int) -> Block:
    while run[0].blank:
        run = run[1:]
    while run[-1].blank:
        run = run[:-1]
    text = "\n".join(line.text for line in (*head, *run, *tail))
    if block.kind is BlockKind.HTML:  # what it shows are not the lines of the file
        return replace(block, text=text)
    first = head[0] if block.kind is BlockKind.TABLE and head and part == 1 else run[0]
    return replace(block, text=text, start_line=first.number, end_line=run[-1].number)


def _shared(block: Block, runs: Sequence[list[_Line]]) -> list[list[Sentence]]:
    """The block's sentences by the piece that they stand in; what a cut goes through is in none."""
    shared: list[list[Sentence]] = [[] for _ in runs]
    if block.kind is BlockKind.CODE:
        starts = [run[0].number for run in runs]
        for sentence in block.sentences:
            shared[max(0, bisect_right(starts, sentence.start_line) - 1)].append(sentence)
        return shared
    texts = [_folded(" ".join(line.text for line in run)) for run in runs]
    whole, ends, at = " ".join(texts), list(accumulate(len(text) + 1 for text in texts)), 0
    for sentence in block.sentences:
        wanted = _folded(sentence.text)
        found = whole.find(wanted, at, at + len(wanted) + _LOOK_AHEAD)
        if found >= 0:
            at = found + len(wanted)
            piece = bisect_right(ends, found)
            if at < ends[piece]:
                shared[piece].append(sentence)
    return shared


def _folded(text: str) -> str:
    """White space and the marks of quotes as one space each."""
    return re.sub(r"[\s>]+", " ", text).strip()


def _runs(lines: list[_Line], room: int, count: Count) -> Iterator[list[_Line]]:
    """Runs of lines that fit the room."""
    lines = [piece for line in lines for piece in _short(line, room, count)]
    costs = [count(line.text) + 1 for line in lines]
    start = 0
    while start < len(lines):
        stop, size = start, 0
        while stop < len(lines) and (stop == start or size + costs[stop] <= room):
            size += costs[stop]
            stop += 1
        if stop < len(lines):
            stop = _good_break(lines, start, stop)
        if not all(line.blank for line in lines[start:stop]):
            yield lines[start:stop]
        start = stop


def _good_break(lines: list[_Line], start: int, stop: int) -> int:
    """The last good place to part lines in the second half of the range."""
    half = range(stop, start + (stop - start) // 2, -1)
    blank = next((number for number in half if lines[number].blank), None)
    return blank or next((number for number in half if lines[number].outermost), stop)


def _short(line: _Line, room: int, count: Count) -> Iterator[_Line]:
    """The line, cut where it is over the room by itself: between words if it has any, else anywhere."""
    tokens = count(line.text) + 1
    if tokens <= room:
        yield line
        return
    width = max(1, len(line.text) * room // tokens * 3 // 4)
    rest = line.text
    while rest:
        cut = len(rest) if len(rest) <= width else (rest.rfind(" ", width // 2, width) + 1 or width)
        yield from _short(_Line(line.number, rest[:cut]), room, count) if cut < len(line.text) else [line]
        rest = rest[cut:]
