"""A composition -> the Markdown of the answer and its citations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.answering.citations import chapter_url, citation
from service.answering.excerpts import Excerpt, is_cut
from service.answering.extractive import Composition, Pointer
from service.answering.units import NUMBERED, Unit
from service.domain import Block, BlockKind, Chunk, Citation

NO_MODEL = "Quoted from the chapters; no model was used."

_SMALL_TABLE = 14

_RELATIVE_LINK = re.compile(r"!?\[([^\]]*)\]\((?!https?://)[^)]*\)")
_CODE_SPAN = re.compile(r"((?<!`)`+(?!`).+?(?<!`)`+(?!`))")
# What a heading must not be read as; `to_thread` is a name.
_MARKUP = re.compile(r"[\\`*\[\]<>~]|(?<![^\W_])_+|_+(?![^\W_])")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")


def present(composition: Composition) -> tuple[str, list[Citation]]:
    """The answer as Markdown with `[n]` markers, and the citations behind them."""
    citations: list[Citation] = []
    places: list[str] = []
    parts: list[str] = []
    section = composition.excerpts[0].chunk.section_id if composition.excerpts else ""
    for excerpt in composition.excerpts:
        known = next((at for at, place in enumerate(places) if place == excerpt.chunk.id), None)
        if known is None:
            places.append(excerpt.chunk.id)
            citations.append(citation(len(places), excerpt.chunk, excerpt.text, excerpt.lines))
            known = len(places) - 1
        parts.append(_heading_over(excerpt.chunk, section) + _excerpt(excerpt, known + 1))
        section = excerpt.chunk.section_id
    if composition.table:
        parts.append(_whole(*composition.table, (), citations))
    if composition.code:
        parts.append(_whole(*composition.code, composition.notes, citations))
    if composition.further:
        parts.append("\n".join(["Read on:", "", *map(_pointer, composition.further)]))
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


def _pointer(further: Pointer) -> str:
    """A list item: the link is the source of the sentence behind it."""
    says = f": {_shown(further.says).removesuffix(':')}" if further.says else ""  # its code is there, not here
    return f"- {link_to(further.chunk)}{says}"


def _heading_over(chunk: Chunk, section_before: str) -> str:
    """The heading over what is quoted from another section: read alone, it may seem to belong to the one before."""
    if chunk.section_id == section_before:
        return ""
    heading = _MARKUP.sub(lambda found: "".join(f"\\{mark}" for mark in found[0]), chunk.heading)
    return f"**{heading}**\n\n"


def _whole(chunk: Chunk, block: Block, notes: Sequence[Block], citations: list[Citation]) -> str:
    """A table or code as it stands, the notes on its numbered lines, and where it is from."""
    items = [f"{_number(note)}. {_shown(' '.join(sentence.text for sentence in note.sentences))}" for note in notes]
    end = max(piece.end_line for piece in (block, *notes))
    parts = [block.text, *(["\n".join(items)] if items else []), _caption(chunk, block.start_line, end, citations)]
    return "\n\n".join(parts)


def _caption(chunk: Chunk, start: int, end: int, citations: list[Citation]) -> str:
    """The marker under a code block or table: the number of its passage, a new one if it is not cited yet."""
    for cited in citations:
        if (cited.chapter, cited.anchor) == (chunk.chapter, chunk.anchor):
            return f"From {link_to(chunk)}, lines {start}–{end} [{cited.number}]"
    number = len(citations) + 1
    lines = (line for line in chunk.text.split("\n") if line.strip() and not line.startswith(("```", "~~~")))
    quote = next(lines, chunk.heading)
    citations.append(citation(number, chunk, quote, (start, end)))
    return f"From {link_to(chunk)}, lines {start}–{end} [{number}]"


def _excerpt(excerpt: Excerpt, number: int) -> str:
    """Sentences of paragraphs run on, list items stay a list, rows of a table stay in it."""
    parts: list[str] = []
    previous: Unit | None = None
    for unit in excerpt.units:
        text = _shown(unit.sentence.text)
        kind = unit.block.kind
        same = previous is not None and previous.block is unit.block
        if kind is BlockKind.TABLE:
            if not same:
                parts.append("\n\n" * bool(parts) + _table_around(unit))
        elif same or (previous and previous.block.kind is kind is BlockKind.PROSE and _close(previous, unit)):
            parts.append(f" {text}")
        elif kind is BlockKind.ITEM:
            apart = "\n" if previous and previous.block.kind is kind else "\n\n"
            parts.append(apart * bool(parts) + f"{_marker(unit)} {text}")
        else:
            parts.append("\n\n" * bool(parts) + text)
        previous = unit
    ends_in_table = excerpt.units[-1].block.kind is BlockKind.TABLE
    if is_cut(excerpt):
        step = _number(excerpt.units[-1].block)
        parts.append(f"\n{int(step) + 1}. …" if step else "\n- …")
    return "".join(parts) + ("\n\n" if ends_in_table else " ") + f"[{number}]"


def _marker(item: Unit) -> str:
    """A step keeps its number: who reads "3." knows that there are others before it."""
    number = _number(item.block)
    return f"{number}." if number else "-"


def _number(item: Block) -> str:
    found = NUMBERED.match(item.text)
    return found[1] if found else ""


def _table_around(unit: Unit) -> str:
    """The quoted row under its head; a small table is shown whole, since its rows are read together."""
    lines = unit.block.text.split("\n")
    return unit.block.text if len(lines) <= _SMALL_TABLE else "\n".join([*lines[:2], unit.sentence.text])


def _close(previous: Unit, unit: Unit) -> bool:
    return unit.sentence.start_line - previous.sentence.end_line <= 2


def _shown(text: str) -> str:
    """A sentence as it can stand alone: links within the chapters become their text, half an emphasis is dropped."""
    text = _RELATIVE_LINK.sub(r"\1", _IMAGE.sub(r"\1", text)).replace("<br>", "")
    pieces = _CODE_SPAN.split(text)
    outside = "".join(pieces[::2])
    for mark in ("**", "__", "`"):
        if outside.count(mark) % 2:
            pieces[::2] = [piece.replace(mark, "") for piece in pieces[::2]]
    return "".join(pieces)
