"""A block over the limit -> pieces of it, cut between its own lines and each able to stand alone.

A piece of a fence is fenced again and a piece of a table gets the table's head again. A cut falls on a blank line if
one is near, else before an unindented line; only a single line that is over the limit by itself is cut inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ingest.markdown import fenced
from service.domain import Block, BlockKind

CountTokens = Callable[[str], int]


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


def pieces_of(block: Block, room: int, count: CountTokens) -> list[Block]:
    """Cut a block into pieces of at most `room` tokens; each knows its part and its own lines."""
    lines, head = _lines(block)
    cost = count("\n".join(head)) + (count(fenced("", block.language)) if block.kind is BlockKind.CODE else 0)
    if cost > room // 2:
        head, cost = [], 0
    runs = list(_runs(lines, max(8, room - cost - 2), count))
    return [_piece(block, head, run, part, len(runs)) for part, run in enumerate(runs, 1)]


def _lines(block: Block) -> tuple[list[_Line], list[str]]:
    """The block's lines with their numbers in the file, and the head that every piece repeats."""
    texts = block.text.split("\n")
    if block.kind is BlockKind.CODE:
        indented = block.end_line - block.start_line + 1 < len(texts)  # code without a fence of its own in the file
        first = block.start_line + (not indented)
        return [_Line(number, text) for number, text in enumerate(texts[1:-1], first)], []
    if block.kind is BlockKind.TABLE:
        return [_Line(number, text) for number, text in enumerate(texts[2:], block.start_line + 2)], texts[:2]
    if len(texts) == 1 and len(block.sentences) > 1:
        return [_Line(sentence.start_line, sentence.text) for sentence in block.sentences], []
    return [_Line(min(number, block.end_line), text) for number, text in enumerate(texts, block.start_line)], []


def _piece(block: Block, head: list[str], run: list[_Line], part: int, parts: int) -> Block:
    while run[0].blank:
        run = run[1:]
    while run[-1].blank:
        run = run[:-1]
    body = "\n".join(line.text for line in run)
    text = fenced(body, block.language) if block.kind is BlockKind.CODE else "\n".join([*head, body])
    first, last = run[0].number, run[-1].number
    folded = re.sub(r"\s+", " ", text)
    sentences = tuple(
        sentence
        for sentence in block.sentences
        if first <= sentence.start_line <= last and (block.kind is BlockKind.CODE or sentence.text in folded)
    )
    return replace(block, text=text, start_line=first, end_line=last, sentences=sentences, part=part, parts=parts)


def _runs(lines: list[_Line], room: int, count: CountTokens) -> Iterator[list[_Line]]:
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


def _short(line: _Line, room: int, count: CountTokens) -> Iterator[_Line]:
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
