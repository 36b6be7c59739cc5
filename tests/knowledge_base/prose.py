"""The rules for a chapter's text: length, form, links, and what no two chapters may share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from ingest.chapters import body_of
from ingest.chunking import chunk
from ingest.markdown import outline
from ingest.token_counts import TokenCounts
from service.domain import BlockKind, Chapter

from .contents import contents
from .library import Library
from .text import Passage, folded, passages_of, sections_of, under, words

MINIMUM_WORDS = 1_200
MAXIMUM_SECTION_WORDS = 450
MINIMUM_PROBLEMS = 4
SHARED_PARAGRAPH_WORDS = 12
REASON_WORDS = 2
REQUIRED_SECTIONS = ("When it goes wrong", "Trade-offs", "In an interview", "See also")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u231a\u231b\u23e9-\u23f3\u2600-\u2604\u2614\u2615\u2648-\u2653\u26a0\u26a1\u26bd-\u26fd"
    "\u2705\u270a-\u270d\u2728\u274c\u274e\u2753-\u2757\u2764\u2795-\u2797\u2b50\u2b55\ufe0f]"
)
_UNDEFINED_REFERENCE = re.compile(r"\[[^\]]+\]\[[^\]]*\]")
_ANNOUNCEMENT = re.compile(
    r"\bin this (chapter|section|article),? (we|you)\b|\bthis (chapter|section) will\b", re.IGNORECASE
)


def length_problems(chapter: Chapter) -> list[str]:
    """A chapter that is too short, and sections too long to be one answer."""
    problems = []
    total = sum(words(passage.text) for passage in passages_of(chapter))
    if total < MINIMUM_WORDS:
        problems.append(f"{chapter.path}: {total} words outside code; at least {MINIMUM_WORDS} are needed")
    for section in sections_of(chapter):
        count = sum(words(passage.text) for passage in section.passages if passage.kind == "paragraph")
        if count > MAXIMUM_SECTION_WORDS:
            place = f"{chapter.path}:{section.heading.line}" if section.heading else chapter.path
            problems.append(f"{place}: {count} words of prose under one heading; at most {MAXIMUM_SECTION_WORDS}")
    return problems


def cut_problems(chapter: Chapter, count: TokenCounts) -> list[str]:
    """Paragraphs and list items too long for one chunk: the chunker would cut them inside.

    Code and tables are cut too, but between their lines, and each piece gets its fence or its head again.
    """
    return [
        f"{chapter.path}:{block.start_line}: this {block.kind} is cut in {block.parts}; make it shorter"
        for piece in chunk(chapter, count)
        for block in piece.blocks
        if block.parts > 1 and block.part == 1 and block.kind not in (BlockKind.CODE, BlockKind.TABLE)
    ]


def opening_problems(chapter: Chapter) -> list[str]:
    """The body opens with its only `#` title, and the title is followed by a paragraph."""
    tops = [heading for heading in chapter.headings if heading.level == 1]
    if len(tops) != 1:
        return [f"{chapter.path}: {len(tops)} headings of level 1; a chapter has one, its title"]
    sections = outline(body_of(chapter), chapter.body_line).sections
    problems = []
    if chapter.headings[0] != tops[0] or not sections[0].trail:
        problems.append(f"{chapter.path}:{tops[0].line}: there is text or a heading above the title")
    first = next((section for section in sections if section.trail[-1:] == (tops[0],)), None)
    if first is None or first.blocks[0].kind is not BlockKind.PROSE:
        problems.append(f"{chapter.path}:{tops[0].line}: the title is not followed by a paragraph")
    return problems


def heading_problems(chapter: Chapter) -> list[str]:
    """Headings that read the same."""
    problems = []
    seen: dict[str, int] = {}
    for heading in chapter.headings:
        line = seen.setdefault(folded(heading.text), heading.line)
        if line != heading.line:
            problems.append(f"{chapter.path}:{heading.line}: heading `{heading.text}` stands in line {line} already")
    return problems


def form_problems(chapter: Chapter) -> list[str]:
    """The four closing sections: there, and filled."""
    present = {folded(heading.text) for heading in chapter.headings if heading.level == 2}
    missing = [title for title in REQUIRED_SECTIONS if folded(title) not in present]
    problems = [f"{chapter.path}: no section `## {title}`" for title in missing]
    if "When it goes wrong" not in missing:
        entries = [s for s in under(chapter, "When it goes wrong") if s.heading and s.heading.level == 3 and s.passages]
        if len(entries) < MINIMUM_PROBLEMS:
            problems.append(f"{chapter.path}: {len(entries)} `###` entries with text under `When it goes wrong`")
    cells = [p for section in under(chapter, "Trade-offs") for p in section.passages if p.kind == "cell"]
    if "Trade-offs" not in missing and not cells:
        problems.append(f"{chapter.path}: no table under `Trade-offs`")
    if "In an interview" not in missing and not any(s.passages for s in under(chapter, "In an interview")):
        problems.append(f"{chapter.path}: nothing under `In an interview`")
    return problems if "See also" in missing else problems + _see_also_problems(chapter)


def _see_also_problems(chapter: Chapter) -> list[str]:
    """See also leads to neighbours, with a reason each, and to documentation."""
    linked = [passage for section in under(chapter, "See also") for passage in section.passages if passage.links]
    inner = [passage for passage in linked if any(_is_inner(link.target) for link in passage.links)]
    problems = []
    if not inner:
        problems.append(f"{chapter.path}: no neighbouring chapter under `See also`")
    if not any(not _is_inner(link.target) for passage in linked for link in passage.links):
        problems.append(f"{chapter.path}: no official documentation under `See also`")
    for passage in inner:
        if not _says_why(passage):
            problems.append(f"{chapter.path}:{passage.line}: a link under `See also` without a reason")
    return problems


def _says_why(passage: Passage) -> bool:
    """Some words more than the titles of the linked chapters."""
    titles = sum(words(_title_of(link.target)) for link in passage.links)
    return words(passage.text) >= titles + REASON_WORDS


def _title_of(target: str) -> str:
    name = posixpath.basename(urlsplit(target).path)
    return next((entry.title for path, entry in contents().items() if posixpath.basename(path) == name), "")


def _is_inner(target: str) -> bool:
    return not urlsplit(target).scheme


def link_problems(chapter: Chapter, library: Library) -> list[str]:
    """Links that lead nowhere: off the contents page, or to an anchor that a written chapter does not have."""
    problems = []
    for passage in passages_of(chapter):
        for link in passage.links:
            if problem := _link_problem(chapter, link.target, library):
                problems.append(f"{chapter.path}:{link.line}: {problem}")
        if found := _UNDEFINED_REFERENCE.search(passage.prose):
            problems.append(f"{chapter.path}:{passage.line}: nothing defines the link {found[0]}")
    return problems


def _link_problem(chapter: Chapter, target: str, library: Library) -> str:
    parts = urlsplit(target)
    if parts.scheme:
        known = parts.scheme in ("http", "https", "mailto") and (parts.netloc or parts.scheme == "mailto")
        return "" if known else f"no such kind of link: {target}"
    path = unquote(parts.path)
    if not path and not parts.fragment:
        return "link without a target"
    if path.startswith("/") or parts.netloc:
        return f"link from the root, not from the chapter: {target}"
    goal = posixpath.normpath(posixpath.join(posixpath.dirname(chapter.path), path)) if path else chapter.path
    if goal not in contents():
        return f"not on the contents page: {target}"
    written = chapter if goal == chapter.path else library.chapters.get(goal)
    if not parts.fragment or written is None:
        return ""
    anchors = {heading.anchor for heading in written.headings}
    return "" if unquote(parts.fragment) in anchors else f"no such heading: {target}"


def wording_problems(chapter: Chapter) -> list[str]:
    """Emoji, and sentences that announce instead of saying."""
    problems = []
    for passage in passages_of(chapter):
        if found := _EMOJI.search(passage.prose):
            problems.append(f"{chapter.path}:{passage.line}: emoji {found[0]!r}")
        if found := _ANNOUNCEMENT.search(passage.prose):
            problems.append(f"{chapter.path}:{passage.line}: `{found[0]}` announces; say it instead")
    return problems


def sharing_problems(chapter: Chapter, library: Library) -> list[str]:
    """Paragraphs of more than twelve words that another chapter, or another place of this one, has as well."""
    mine = {_key(passage): passage.line for passage in passages_of(chapter) if _is_long(passage)}
    problems = []
    for key, places in _paragraphs(library).items():
        others = [place for place in places if place != (chapter.path, mine.get(key))]
        if key in mine and others:
            path, line = others[0]
            problems.append(f"{chapter.path}:{mine[key]}: this paragraph also stands in {path}:{line}")
    return problems


@lru_cache(maxsize=4)  # one index for all chapters of a library
def _paragraphs(library: Library) -> Mapping[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for chapter in library.chapters.values():
        for passage in filter(_is_long, passages_of(chapter)):
            found.setdefault(_key(passage), []).append((chapter.path, passage.line))
    return found


def _is_long(passage: Passage) -> bool:
    return passage.kind == "paragraph" and words(passage.text) > SHARED_PARAGRAPH_WORDS


def _key(passage: Passage) -> str:
    return folded(passage.text)
