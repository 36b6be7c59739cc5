"""A chapter as its reader sees it: paragraphs, links and sections with their lines, the code left out."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.chapters import body_of
from ingest.dialects import to_commonmark
from service.domain import Chapter, Heading

_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link or an image points, and the file's line of the paragraph it stands in."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, list item's paragraph, heading or table cell.

    `text` is what is read; `prose` is the same without code spans; `kind` is `paragraph`, `heading` or `cell`;
    `nested` is true inside a list or quote.
    """

    kind: str
    text: str
    prose: str
    links: tuple[Link, ...]
    line: int
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The passages between a heading and the next one of any level; `heading` is None above the first."""

    heading: Heading | None
    passages: tuple[Passage, ...]


def passages_of(chapter: Chapter) -> tuple[Passage, ...]:
    """Every passage of the chapter in order."""
    return _passages(body_of(chapter), chapter.body_line)


@lru_cache(maxsize=256)  # the prose tests ask for every chapter's passages several times
def _passages(body: str, first_line: int) -> tuple[Passage, ...]:
    tokens = _PARSER.parse("\n".join(to_commonmark(body.split("\n"))))
    found: list[Passage] = []
    line = first_line
    for before, token in itertools.pairwise(tokens):
        if token.map:
            line = first_line + token.map[0]
        if token.type == "inline":
            kind = {"heading_open": "heading", "paragraph_open": "paragraph"}.get(before.type, "cell")
            found.append(_passage(kind, token, line, nested=before.level > 0))
    return tuple(found)


def _passage(kind: str, inline: Token, line: int, nested: bool) -> Passage:
    text, prose, links = "", "", []
    for child in inline.children or []:
        if child.type == "code_inline":
            text += child.content
        elif child.type in ("softbreak", "hardbreak"):
            text, prose = text + " ", prose + " "
        elif child.type in ("text", "text_special", "image"):
            text, prose = text + child.content, prose + child.content
        target = child.attrGet("src" if child.type == "image" else "href")
        if target is not None:
            links.append(Link(str(target), line))
    return Passage(kind, text.strip(), prose.strip(), tuple(links), line, nested)


def sections_of(chapter: Chapter) -> list[Section]:
    """The chapter's passages under their headings; a heading is not among its own passages."""
    sections: list[Section] = []
    headings = {heading.line: heading for heading in chapter.headings}
    for passage in passages_of(chapter):
        if passage.kind == "heading" and passage.line in headings:
            sections.append(Section(headings[passage.line], ()))
        else:
            last = sections.pop() if sections else Section(None, ())
            sections.append(Section(last.heading, (*last.passages, passage)))
    return sections


def words(text: str) -> int:
    """How many words a reader counts: runs that hold a letter or a digit."""
    return sum(any(character.isalnum() for character in run) for run in text.split())


def folded(text: str) -> str:
    """Text without case, punctuation and runs of spaces, for comparing what reads the same."""
    return " ".join(re.sub(r"[^\w]+", " ", unicodedata.normalize("NFKC", text).casefold()).split())


def under(chapter: Chapter, title: str) -> Iterator[Section]:
    """The section of a `##` heading with this title, and those of the headings below it."""
    inside = False
    for section in sections_of(chapter):
        if section.heading is not None and section.heading.level <= 2:
            inside = section.heading.level == 2 and folded(section.heading.text) == folded(title)
        if inside:
            yield section
