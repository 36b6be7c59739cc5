"""The knowledge base: chapters, and what they are cut into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

CHUNKER_VERSION = 5
"""Raised whenever the same chapter would be cut differently; an index cut by another version is not served."""


class BlockKind(StrEnum):
    """What a block of Markdown is; decides how it may be cut and quoted."""

    PROSE = "prose"
    CODE = "code"
    TABLE = "table"
    ITEM = "item"
    QUOTE = "quote"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a chapter, with the anchor GitHub would give it."""

    level: int
    text: str
    anchor: str
    line: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """The smallest thing an answer may quote: a sentence, or a comment of a code block, and where it stands."""

    text: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list item, table, quote or code fence, or a piece of one that was over the limit.

    `text` is Markdown that stands alone: a piece of a fence is fenced again. `sentences` are the units an answer
    may quote; for code they are its comments and docstrings. `part` of `parts` tells pieces of one block apart.
    """

    kind: BlockKind
    text: str
    start_line: int
    end_line: int
    language: str = ""
    sentences: tuple[Sentence, ...] = ()
    part: int = 1
    parts: int = 1


def join_blocks(blocks: Sequence[Block]) -> str:
    """Put blocks back into one Markdown text: items of a list close together, everything else apart."""
    text = ""
    previous: Block | None = None
    for block in blocks:
        if previous is not None:
            tight = previous.kind is block.kind is BlockKind.ITEM
            text += "\n" if tight else "\n\n"
        text += block.text
        previous = block
    return text


@dataclass(frozen=True, slots=True)
class Chapter:
    """One Markdown file: its text as written and what its front matter says.

    `questions` are those that it suggests to readers; it `brings_questions` where they are its front matter's, so that
    it was written to answer them. `asked` holds what people ask, by the anchor of the section that answers, and is only
    there while the chapter is ingested: its chunks have it afterwards.
    """

    path: str
    title: str
    text: str
    body_line: int
    headings: tuple[Heading, ...] = ()
    section: str = ""
    level: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    brings_questions: bool = False
    prerequisites: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    content_hash: str = ""
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def is_question(text: str) -> bool:
    """Whether a text is written out as a question; people also search in a few words."""
    return text[:1].isupper() and text.endswith(("?", "\N{FULLWIDTH QUESTION MARK}"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of one section that is embedded, matched and cited as a unit."""

    id: str
    chapter: str
    title: str
    section: str
    level: str
    headings: tuple[str, ...]
    anchor: str
    section_id: str
    position: int
    start_line: int
    end_line: int
    blocks: tuple[Block, ...]
    context: str
    content_hash: str
    questions: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The innermost heading, or the chapter's title for text above the first one."""
        return self.headings[-1] if self.headings else self.title

    @property
    def text(self) -> str:
        """The Markdown that is shown."""
        return join_blocks(self.blocks)

    @property
    def embedded_text(self) -> str:
        """What the embedder and BM25 see: the words of the path, the title and headings, then the text."""
        return f"{self.context}\n{self.text}"
