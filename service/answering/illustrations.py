"""The code block or the table that belongs to an extractive answer, whole."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import takewhile

from service.answering.excerpts import Excerpt
from service.answering.retrieval import Found
from service.answering.units import notes_in
from service.answering.weighing import Weigher
from service.domain import Block, BlockKind, Chunk

MAX_CODE_LINES = 80

_WANTS_CODE = re.compile(
    r"\b(how (do|to|can|should|would|does)|example|snippet|code|show|implement|write|set ?up|configure|create|add"
    r"|use|using|sample|syntax|build|make)\b",
    re.IGNORECASE,
)
_ASKS_FOR_WORDS = re.compile(
    r"\s*((and|but|so|ok|hi|hello|please)\W+)*(what|why|which|when|who|whose|where|is|are|was|were|does|did|has|have|am|do|will"
    r"|explain|describe|compare|tell|difference)\b",
    re.IGNORECASE,
)
_WANTS_TABLE = re.compile(
    r"^\W*when\b|\b(vs\.?|versus|compare|comparison|difference|better|or|trade-?offs?|which|choose|when (should|to))\b",
    re.IGNORECASE,
)
_DATA = frozenset({"json", "yaml", "toml", "ini", "xml", "csv", "text", "txt", "console", "output"})
_NESTED = re.compile(
    r"^(?P<indent> +)(?P<fence>`{3,}|~{3,})(?P<language>[\w+-]*)[^\n]*\n.*?^(?P=indent)(?P=fence)[`~]* *$",
    re.MULTILINE | re.DOTALL,
)
_ERROR_TEXT = re.compile(r"\b\w*(Error|Exception|Warning)\b|Traceback|^\s+at |\b[45]\d\d\b")


def code_for(
    found: Found, section: Sequence[Chunk], excerpts: Sequence[Excerpt], weigh: Weigher
) -> tuple[Chunk, Block] | None:
    """The code block that belongs to the answer, whole: where the question asks how, or the code is the answer."""
    whole = _whole_codes(section)
    units = [unit for excerpt in excerpts for unit in excerpt.units]
    quoted = [unit.block for unit in units if unit.block.kind is BlockKind.CODE]
    best_first = sorted(units, key=lambda unit: -unit.score)
    announced = [place[1] for unit in best_first if (place := unit.announced(BlockKind.CODE))]
    quoted += sorted(announced, key=lambda block: block.language in _DATA)  # what is done with a file, before the file
    best = found.hits[0].chunk
    task = not _ASKS_FOR_WORDS.match(found.query)  # "leave out what is None": people say what they want to do
    asked = task or _WANTS_CODE.search(found.query) or _ERROR_TEXT.search(found.query) or _mostly_code(best)
    if asked:
        quoted += [code for unit in best_first for code in _nested_in(unit.block)]
    for piece in quoted:
        for chunk, block in whole:
            if block.start_line <= piece.start_line <= block.end_line:
                return chunk, block
    if not whole or not asked:
        return None
    last = max((excerpt.lines[1] for excerpt in excerpts if excerpt.chunk.chapter == best.chapter), default=0)

    def worth(block: Block) -> float:
        near = 0.3 if block.start_line <= best.end_line and best.start_line <= block.end_line else 0.0
        near += 0.2 if 0 <= block.start_line - last <= 3 else 0.0
        return weigh.overlap(block.text) + near - (0.3 if block.language in _DATA or not block.language else 0.0)

    chunk, block = max(whole, key=lambda place: worth(place[1]))
    return (chunk, block) if worth(block) > 0.1 else None


def _nested_in(block: Block) -> list[Block]:
    """The code blocks that stand inside a list item, free of its indentation."""
    if block.kind is not BlockKind.ITEM:
        return []
    codes = []
    for found in _NESTED.finditer(block.text):
        start = block.start_line + block.text.count("\n", 0, found.start())
        text = textwrap.dedent(found[0])
        codes.append(Block(BlockKind.CODE, text, start, start + text.count("\n"), found["language"].lower()))
    return codes


def notes_on(code: Block, section: Sequence[Chunk], excerpts: Sequence[Excerpt]) -> tuple[Block, ...]:
    """The notes that explain numbered lines of a code block, but for those that are quoted anyway."""
    after = [block for chunk in section for block in chunk.blocks if block.start_line > code.end_line]
    notes = notes_in([code, *after])
    quoted = [unit.block for excerpt in excerpts for unit in excerpt.units]
    return tuple(block for block in takewhile(notes.__contains__, after) if block not in quoted)


def _mostly_code(chunk: Chunk) -> bool:
    """Whether a chunk explains itself in code rather than in prose."""
    code = sum(len(block.text) for block in chunk.blocks if block.kind is BlockKind.CODE)
    return code > 0.5 * len(chunk.text)


def _whole_codes(section: Sequence[Chunk]) -> list[tuple[Chunk, Block]]:
    """The section's code blocks; those that were cut into pieces are put together again if they are not too long."""
    whole: list[tuple[Chunk, Block]] = []
    for chunk in section:
        for block in chunk.blocks:
            if block.kind is not BlockKind.CODE:
                whole += [(chunk, code) for code in _nested_in(block)]
                continue
            previous = whole[-1][1] if whole else None
            if block.part > 1 and previous and previous.parts == block.parts:
                joined = _joined(previous, block)
                if len(joined.text.split("\n")) <= MAX_CODE_LINES + 2:
                    whole[-1] = (whole[-1][0], joined)
                    continue
            whole.append((chunk, block))
    return whole


def _joined(first: Block, second: Block) -> Block:
    """Two pieces of one fence as one block again."""
    opening, *body = first.text.split("\n")[:-1]
    more = second.text.split("\n")[1:-1]
    gap = [""] * max(0, second.start_line - first.end_line - 1)
    fence = re.match(r"`+", opening)
    text = "\n".join([opening, *body, *gap, *more, fence[0] if fence else "```"])
    return Block(
        first.kind, text, first.start_line, second.end_line, first.language,
        (*first.sentences, *second.sentences), second.part, second.parts,
    )  # fmt: skip


def table_for(query: str, section: Sequence[Chunk], excerpts: Sequence[Excerpt]) -> tuple[Chunk, Block] | None:
    """The table that a quoted sentence leads to; where the question compares or chooses, the section's one table."""
    units = [unit for excerpt in excerpts for unit in excerpt.units]
    for unit in units:
        if place := unit.announced(BlockKind.TABLE):
            return place
    quoted = any(unit.block.kind is BlockKind.TABLE for unit in units)
    if quoted or not _WANTS_TABLE.search(query):
        return None
    tables = [(chunk, block) for chunk in section for block in chunk.blocks if block.kind is BlockKind.TABLE]
    return tables[0] if len(tables) == 1 and len(tables[0][1].text.split("\n")) <= 14 else None
