"""A block over the limit -> pieces of it, cut between its own lines and each able to stand alone.

A piece of a fence is fenced again and a piece of a table gets the table's head again. A cut falls on a blank line if
one is near, else before an unindented line; only a single line that is over the limit by itself is cut inside.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from service.domain import Block, BlockKind, Sentence

CountTokens = Callable[[str], int]
_Waiting = deque[tuple[Sentence, str]]
_LOOK_AHEAD = 20  # sentences that may be missing from a piece before the rest is left to the next one


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
    lines, head, tail = _lines(block)
    cost = sum(count(line.text) for line in (*head, *tail))
    if cost > room // 2:  # the head of a very wide table is cut like its rows
        lines, head, tail, cost = [*head, *lines], [], [], 0
    runs = list(_runs(lines, room - cost - 2, count))
    waiting = deque((sentence, _folded(sentence.text)) for sentence in block.sentences)
    return [_piece(block, head, run, tail, part, len(runs), waiting) for part, run in enumerate(runs, 1)]


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


def _piece(
    block: Block, head: list[_Line], run: list[_Line], tail: list[_Line], part: int, parts: int, waiting: _Waiting
) -> Block:
    while run[0].blank:
        run = run[1:]
    while run[-1].blank:
        run = run[:-1]
    text = "\n".join(line.text for line in (*head, *run, *tail))
    first, last = run[0].number, run[-1].number
    shows_head = block.kind is BlockKind.TABLE and head and part == 1
    return replace(
        block,
        text=text,
        start_line=head[0].number if shows_head else first,
        end_line=last,
        sentences=tuple(_sentences(block.kind, first, last, text, waiting)),
        part=part,
        parts=parts,
    )


def _sentences(kind: BlockKind, first: int, last: int, text: str, waiting: _Waiting) -> Iterator[Sentence]:
    """Take, of the sentences that wait, those that begin on these lines and stand whole in this text."""
    folded, at = _folded(text), 0
    missed: list[tuple[Sentence, str]] = []
    while waiting and waiting[0][0].start_line <= last and len(missed) < _LOOK_AHEAD:
        sentence, wanted = waiting.popleft()
        found = at if kind is BlockKind.CODE else folded.find(wanted, at)
        if found >= 0 and sentence.start_line >= first:
            at = found + (0 if kind is BlockKind.CODE else len(wanted))
            missed.clear()  # they were cut
            yield sentence
        elif sentence.start_line >= first:
            missed.append((sentence, wanted))
    waiting.extendleft(reversed(missed))


def _folded(text: str) -> str:
    """White space and the marks of quotes as one space each."""
    return re.sub(r"[\s>]+", " ", text).strip()


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
