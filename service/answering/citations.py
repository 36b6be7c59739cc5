"""Quotes -> places. What does not stand in a passage is never cited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote as url_quote

from service.domain import Chunk, Citation

_FOLDS = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "‹": "<", "⁅": "["})
_COMMENT_MARK = re.compile(r"^\s*(?:#+|//+|--+|\*)\s?", re.MULTILINE)


def chapter_url(path: str, anchor: str = "") -> str:
    """Where the chapter opens in the page, at a heading."""
    fragment = f"#{url_quote(anchor)}" if anchor else ""
    return f"/read/{url_quote(path.removesuffix('.md'))}{fragment}"


def fold(text: str) -> str:
    """White space and quotation marks made alike."""
    return re.sub(r"\s+", " ", text.translate(_FOLDS)).strip()


def stands_in(quote: str, text: str) -> bool:
    """Whether a quote is in a passage, word for word; comments may be quoted without their marks."""
    wanted = fold(quote)
    if len(wanted) < 8:
        return False
    return wanted in fold(text) or wanted in fold(_COMMENT_MARK.sub("", text))


def citation(number: int, chunk: Chunk, quote: str, lines: tuple[int, int] | None = None) -> Citation:
    """A citation of a chunk; `lines` where the quote's own lines are known."""
    start, end = lines or _lines_of(quote, [chunk]) or (chunk.start_line, chunk.end_line)
    return Citation(
        number=number,
        chapter=chunk.chapter,
        title=chunk.title,
        heading=chunk.heading,
        anchor=chunk.anchor,
        url=chapter_url(chunk.chapter, chunk.anchor),
        quote=quote,
        start_line=start,
        end_line=end,
    )


def _lines_of(quote: str, chunks: Sequence[Chunk]) -> tuple[int, int] | None:
    """The lines of the block that holds the quote."""
    for chunk in chunks:
        for block in chunk.blocks:
            if stands_in(quote, block.text):
                return block.start_line, block.end_line
    return None


def resolve(quote: str, section: Sequence[Chunk]) -> tuple[Chunk, tuple[int, int]] | None:
    """The chunk of a section in which a quote stands, and its lines; None where it stands in none."""
    for chunk in section:
        if stands_in(quote, chunk.text):
            return chunk, _lines_of(quote, [chunk]) or (chunk.start_line, chunk.end_line)
    whole = "\n\n".join(chunk.text for chunk in section)
    if section and stands_in(quote, whole):
        return section[0], (section[0].start_line, section[-1].end_line)
    return None
