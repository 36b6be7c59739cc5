"""The HTML of the reader: the contents by section and by learning path, and a chapter with what surrounds it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from service.answering.citations import chapter_url
from service.answering.rendering import chapter_html
from service.api.learning_paths import LearningPath
from service.domain import Chapter

_WORDS_A_MINUTE = 200
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)


def contents_html(chapters: Sequence[Chapter], paths: Sequence[LearningPath]) -> str:
    """Every chapter once under its section, and the learning paths below."""
    sections = _by_section(chapters)
    shown = "".join(_section_html(title, inside) for title, inside in sections.items())
    ways = f'<h2 id="m-paths">Learning paths</h2><div class="paths">{"".join(map(_path_html, paths))}</div>'
    return (
        f'<div class="reader wide">{_jumps_html(list(sections), paths)}'
        '<div class="contents" data-title="Contents"><header class="contents-head"><h1>Contents</h1>'
        f'<p class="lede">{len(chapters)} chapters in {len(sections)} sections.</p></header>'
        f'<div class="sections">{shown}</div>{ways if paths else ""}</div></div>'
    )


def chapter_page_html(chapter: Chapter, chapters: Sequence[Chapter]) -> str:
    """A chapter with its contents beside it, and where to read on after it."""
    paths = [one.path for one in chapters]
    at = paths.index(chapter.path) if chapter.path in paths else 0
    before = chapters[at - 1] if at > 0 else None
    after = chapters[at + 1] if at + 1 < len(chapters) else None
    ask = f"/?chapter={quote(chapter.path)}"
    return (
        f'<div class="reader">{_outline_html(chapter)}'
        f'<article class="chapter" data-path="{escape(chapter.path)}" data-title="{escape(chapter.title)}">'
        f'<div class="chapter-head"><p class="crumbs"><a href="/read">Contents</a>'
        f'<span aria-hidden="true"> › </span><a href="/read#{_section_id(chapter.section)}">{escape(chapter.section)}'
        f'</a></p><p class="facts">{_facts(chapter)}</p>'
        f'<a class="button quiet" href="{ask}">Ask about this chapter</a></div>'
        f'<div class="prose" data-prose>{chapter_html(chapter)}</div>'
        f'<footer class="chapter-foot">{_prerequisites_html(chapter, chapters)}'
        f'<a class="button quiet" href="{ask}">Ask about this chapter</a>'
        f'<nav class="pager" aria-label="Chapters before and after">{_neighbour(before, "Previous")}'
        f"{_neighbour(after, 'Next')}</nav></footer></article></div>"
    )


def search_index(chapters: Sequence[Chapter]) -> bytes:
    """What the page searches in while somebody types: path, title, section and headings of every chapter, as JSON."""
    rows = [
        [one.path, one.title, one.section, [[heading.text, heading.anchor] for heading in one.headings[1:]]]
        for one in chapters
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def _by_section(chapters: Sequence[Chapter]) -> dict[str, list[Chapter]]:
    sections: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        sections.setdefault(chapter.section, []).append(chapter)
    return sections


def _section_id(section: str) -> str:
    return "m-section-" + (re.sub(r"[^a-z0-9]+", "-", section.lower()).strip("-") or "none")


def _jumps_html(sections: Sequence[str], paths: Sequence[LearningPath]) -> str:
    """The sections by name, to go to one at once."""
    places = [(_section_id(title), title or "Other chapters") for title in sections]
    places += [("m-paths", "Learning paths")] if paths else []
    items = "".join(f'<li><a href="#{id_}">{escape(name)}</a></li>' for id_, name in places)
    return (
        '<nav class="outline" aria-label="Sections"><details open><summary>Sections</summary>'
        f"<ol>{items}</ol></details></nav>"
    )


def _section_html(title: str, chapters: Sequence[Chapter]) -> str:
    items = "".join(
        f'<li><a href="{chapter_url(one.path)}">{escape(one.title)}</a>'
        f"{f'<p>{escape(one.summary)}</p>' if one.summary else ''}"
        f'<span class="level">{escape(one.level.capitalize())}</span></li>'
        for one in chapters
    )
    return f'<section><h2 id="{_section_id(title)}">{escape(title or "Other chapters")}</h2><ul>{items}</ul></section>'


def _path_html(path: LearningPath) -> str:
    steps = "".join(
        f"<li><p>{escape(step.words)}</p><ul>"
        + "".join(f'<li><a href="{chapter_url(one.path)}">{escape(one.title)}</a></li>' for one in step.chapters)
        + "</ul></li>"
        for step in path.steps
    )
    return f"<section><h3>{escape(path.name)}</h3><ol>{steps}</ol></section>"


def _outline_html(chapter: Chapter) -> str:
    """The headings of the second and third level; the first is the chapter's own title."""
    items = "".join(
        f'<li class="depth-{heading.level}"><a href="#{quote(heading.anchor)}">{escape(heading.text)}</a></li>'
        for heading in chapter.headings
        if heading.level in (2, 3) and heading.anchor
    )
    if not items:
        return ""
    return (
        '<nav class="outline" aria-label="In this chapter"><details open><summary>In this chapter</summary>'
        f"<ol>{items}</ol></details></nav>"
    )


def _facts(chapter: Chapter) -> str:
    words = len(_FENCE.sub(" ", chapter.text).split())
    facts = [chapter.level.capitalize(), f"{max(1, round(words / _WORDS_A_MINUTE))} min read"]
    facts += [f"{name} {version}" for name, version in chapter.versions.items()]
    return " · ".join(escape(fact) for fact in facts if fact)


def _prerequisites_html(chapter: Chapter, chapters: Sequence[Chapter]) -> str:
    needed = [one for one in chapters if one.path in chapter.prerequisites]
    links = "".join(f'<li><a href="{chapter_url(one.path)}">{escape(one.title)}</a></li>' for one in needed)
    return f'<section class="prerequisites"><h2>Read before this</h2><ul>{links}</ul></section>' if links else ""


def _neighbour(chapter: Chapter | None, word: str) -> str:
    if chapter is None:
        return "<span></span>"
    rel = "prev" if word == "Previous" else "next"
    name = f"<small>{word}</small><span>{escape(chapter.title)}</span>"
    return f'<a class="{word.lower()}" rel="{rel}" href="{chapter_url(chapter.path)}">{name}</a>'
