"""Chapter -> chunks: cut on headings, then on blocks, to about 200 tokens and at most 256.

A fence, a table and a list item stay whole; one that is over the limit by itself is split on its own lines, each piece
fenced (or given its table head) again. Offered to LlamaIndex as a `NodeParser`, which is imported only when used: it
costs 1.1 s and 100 MB.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.chapters import body_of, words_of
from ingest.markdown import Section, inner_blocks, outline
from ingest.pieces import Count, pieces_of
from ingest.token_counts import TokenCounts
from service.domain import Block, BlockKind, Chapter, Chunk

TARGET_TOKENS = 200
MAX_TOKENS = 254  # the bundled model reads 256, two of which are its own markers
_CONTEXT_TOKENS = 60
_DEEPEST = 8  # lists and quotes inside each other that are taken apart
_NAMESPACE = uuid.UUID("6c1f2a5e-2a53-5d0c-9a36-1f1c7a1d3b52")


def chunk(chapter: Chapter, count: TokenCounts) -> list[Chunk]:
    """Cut one chapter. `count` gives the tokens of a text for the embedding model."""
    sections = outline(body_of(chapter), chapter.body_line).sections
    _count_ahead(sections, count)
    chunks: list[Chunk] = []
    for number, section in enumerate(sections):
        context = _context(chapter, section, count)
        room = MAX_TOKENS - count(context)
        target = min(room, TARGET_TOKENS - count(context) // 2)
        for blocks in _pack(list(_fitting(section.blocks, room, count)), target, room, count):
            chunks.append(_chunk(chapter, section, number, len(chunks), tuple(blocks), context))
    return chunks


def _count_ahead(sections: Sequence[Section], count: TokenCounts) -> None:
    """Count every block, and the lines of those that must be cut: many together are counted in half the time."""
    texts = [block.text for section in sections for block in section.blocks]
    count.ahead(texts)
    count.ahead([line for text in texts if count(text) > MAX_TOKENS for line in text.split("\n")])


def _context(chapter: Chapter, section: Section, count: Count) -> str:
    """`words of the path › title › headings`, cut from the left where headings are very long."""
    headings = [heading.text for heading in section.trail if heading.text != chapter.title]
    parts = [words_of(chapter.path), chapter.title, *headings]
    while count(" › ".join(parts)) > _CONTEXT_TOKENS and len(parts) > 1:
        parts.pop(0)
    text = " › ".join(parts)
    while count(text) > _CONTEXT_TOKENS:
        text = text[: len(text) * 3 // 4]
    return text


def _chunk(
    chapter: Chapter, section: Section, number: int, position: int, blocks: tuple[Block, ...], context: str
) -> Chunk:
    made = Chunk(
        id="",
        chapter=chapter.path,
        title=chapter.title,
        section=chapter.section,
        level=chapter.level,
        headings=tuple(heading.text for heading in section.trail),
        anchor=section.trail[-1].anchor if section.trail else "",
        section_id=str(uuid.uuid5(_NAMESPACE, f"{chapter.path}\n{number}")),
        position=position,
        start_line=blocks[0].start_line,
        end_line=blocks[-1].end_line,
        blocks=blocks,
        context=context,
        content_hash="",
    )
    digest = hashlib.sha256(made.embedded_text.encode()).hexdigest()
    return replace(made, id=str(uuid.uuid5(_NAMESPACE, f"{chapter.path}\n{position}\n{digest}")), content_hash=digest)


def _pack(blocks: Sequence[Block], target: int, room: int, count: Count) -> Iterator[list[Block]]:
    """Group neighbouring blocks up to the target; a lead-in (`…:`) goes with what it leads to."""
    pending: list[Block] = []
    size = 0
    left = sum(count(block.text) + 1 for block in blocks)
    for block in blocks:
        tokens = count(block.text) + 1
        joins_lead = bool(pending) and block.kind is BlockKind.CODE and pending[-1].kind is not BlockKind.CODE
        limit = room if joins_lead or size + left <= room else target
        if pending and size + tokens > limit:
            carried = [pending.pop()] if len(pending) > 1 and _leads(pending[-1]) else []
            yield pending
            pending, size = carried, sum(count(lead.text) + 1 for lead in carried)
            if pending and size + tokens > room:
                yield pending
                pending, size = [], 0
        pending.append(block)
        size += tokens
        left -= tokens
    if pending:
        yield pending


def _leads(block: Block) -> bool:
    return block.kind in (BlockKind.PROSE, BlockKind.ITEM) and block.text.rstrip("* ").endswith(
        (":", "\N{FULLWIDTH COLON}")
    )


def _fitting(blocks: Sequence[Block], room: int, count: Count, depth: int = 0) -> Iterator[Block]:
    """The blocks; of those over the room, list items and quotes come as what they consist of, others in pieces."""
    for block in blocks:
        nests = block.kind in (BlockKind.ITEM, BlockKind.QUOTE) and depth < _DEEPEST
        if count(block.text) <= room:
            yield block
        elif nests and len(inner := inner_blocks(block)) > 1:
            yield from _fitting(inner, room, count, depth + 1)
        else:
            yield from pieces_of(block, room, count)
