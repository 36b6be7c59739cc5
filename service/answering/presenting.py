"""A composition -> the Markdown of the answer and its citations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.answering.citations import chapter_url, citation
from service.answering.extractive import Composition, Excerpt, Unit
from service.domain import BlockKind, Chunk, Citation

NO_MODEL = "Quoted from the chapters; no model was used."

_RELATIVE_LINK = re.compile(r"!?\[([^\]]*)\]\((?!https?://)[^)]*\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")


def present(composition: Composition) -> tuple[str, list[Citation]]:
    """The answer as Markdown with `[n]` markers, and the citations behind them."""
    citations: list[Citation] = []
    parts: list[str] = []
    for excerpt in composition.excerpts:
        cited = citation(len(citations) + 1, excerpt.chunk, excerpt.text, excerpt.lines)
        citations.append(cited)
        parts.append(_excerpt(excerpt, cited.number))
    for extra in (composition.table, composition.code):
        if extra:
            chunk, block = extra
            parts.append(f"{block.text}\n\n{_caption(chunk, block.start_line, block.end_line, citations)}")
    if composition.further:
        parts.append(f"Read on: {' · '.join(map(link_to, composition.further))}")
    parts.append(f"*{NO_MODEL}*")
    return "\n\n".join(parts), citations


def not_covered(nearest: Sequence[Chunk]) -> str:
    """What is said when the knowledge base has no answer."""
    said = "The knowledge base does not cover this."
    return f"{said} Nearest: {' · '.join(map(link_to, nearest))}" if nearest else said


def link_to(chunk: Chunk) -> str:
    """A Markdown link to a chunk's place, named by chapter and heading."""
    name = chunk.title if chunk.heading == chunk.title else f"{chunk.title} › {chunk.heading}"
    name = re.sub(r"([\[\]\\])", r"\\\1", name)
    return f"[{name}]({chapter_url(chunk.chapter, chunk.anchor)})"


def _caption(chunk: Chunk, start: int, end: int, citations: list[Citation]) -> str:
    """The marker under a code block or table: the number of its passage, a new one if it is not cited yet."""
    for cited in citations:
        if (cited.chapter, cited.anchor) == (chunk.chapter, chunk.anchor):
            return f"From {link_to(chunk)}, lines {start}–{end} [{cited.number}]"
    number = len(citations) + 1
    quote = next((line for line in chunk.text.split("\n") if line.strip()), chunk.heading)
    citations.append(citation(number, chunk, quote, (start, end)))
    return f"From {link_to(chunk)}, lines {start}–{end} [{number}]"


def _excerpt(excerpt: Excerpt, number: int) -> str:
    """Sentences of paragraphs run on; list items stay a list; comments of code are set off as quoted code."""
    lines: list[str] = []
    previous: Unit | None = None
    for unit in excerpt.units:
        text = _shown(unit.sentence.text)
        same = previous is not None and previous.block is unit.block
        kind = unit.block.kind
        if lines and (same or (previous and previous.block.kind is kind is BlockKind.PROSE and _close(previous, unit))):
            lines[-1] += f" {text}"
        elif kind is BlockKind.ITEM:
            lines.append(f"- {text}")
        else:
            lines.append(text)
        previous = unit
    lines[-1] += f" [{number}]"
    shown = lines[0]
    for before, line in zip(lines, lines[1:], strict=False):
        shown += ("\n" if before.startswith("- ") and line.startswith("- ") else "\n\n") + line
    return shown


def _close(previous: Unit, unit: Unit) -> bool:
    return unit.sentence.start_line - previous.sentence.end_line <= 2


def _shown(text: str) -> str:
    """A sentence as it can stand alone: links within the chapters become their text, half an emphasis is dropped."""
    text = _RELATIVE_LINK.sub(r"\1", _IMAGE.sub(r"\1", text)).replace("<br>", "")
    for mark in ("**", "__", "`"):
        if text.count(mark) % 2:
            text = text.replace(mark, "")
    return text
