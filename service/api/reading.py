"""The reader: `/read`, `/read/{path}` and the index that its search uses.

Chapters are rendered here and not in the browser, so that they open without a script, with the right title, at the
anchor of a citation. `?part=view` gives the inner part alone, for a page that is already open.
"""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path

from fastapi import APIRouter, Request, Response

from service.api.contents import chapter_page_html, contents_html, search_index
from service.api.dependencies import Running
from service.api.learning_paths import learning_paths
from service.api.shell import compressed, page
from service.domain import Chapter
from service.errors import ChapterNotFound, MasteryError
from service.wiring import Service

router = APIRouter(include_in_schema=False)

_HTML = "text/html; charset=utf-8"
_LONGEST_CONTENTS = 1_000_000


@router.get("/read")
async def contents_page(request: Request, service: Running, part: str = "") -> Response:
    """Every chapter, by section and by learning path."""
    try:
        chapters = await service.index.chapters()
    except MasteryError as error:
        return _problem_page(request, error)
    written = await asyncio.to_thread(_contents_page_of, service.settings.knowledge_base)
    view = contents_html(chapters, learning_paths(written, chapters))
    if part == "view":
        return compressed(request, view.encode(), _HTML)
    return page(request, "read", view, "Contents · Backend Mastery", "All chapters of the knowledge base.")


@router.get("/read/{path:path}")
async def chapter_page(request: Request, path: str, service: Running, part: str = "") -> Response:
    """A chapter, rendered and sanitised."""
    try:
        chapter = await _chapter(service, path)
    except MasteryError as error:
        return _problem_page(request, error)
    view = chapter_page_html(chapter, await service.index.chapters())
    if part == "view":
        return compressed(request, view.encode(), _HTML)
    return page(request, "read", view, f"{chapter.title} · Backend Mastery", chapter.summary or chapter.title)


@router.get("/search-index.json")
async def searched_chapters(request: Request, service: Running) -> Response:
    """Titles and headings of all chapters, for search as one types."""
    return compressed(request, search_index(await service.index.chapters()), "application/json")


async def _chapter(service: Service, path: str) -> Chapter:
    chapter = await service.index.chapter(f"{path}.md") or await service.index.chapter(path)
    if chapter is None:
        raise ChapterNotFound(f"there is no chapter {path!r}; GET /api/chapters lists them all")
    return chapter


def _problem_page(request: Request, error: MasteryError) -> Response:
    """The problem as a page for whoever follows a link; programs get the document that every other route gives."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    main = (
        f'<div class="notice" data-problem="{error.code}"><h1>{escape(error.title)}</h1><p>{escape(str(error))}</p>'
        '<p><a href="/read">All chapters</a> · <a href="/">Ask</a></p></div>'
    )
    return page(request, "read", main, f"{error.title} · Backend Mastery", error.title, error.status)


def _contents_page_of(knowledge_base: Path) -> str:
    """The contents page of the folder; empty where the index is served without its folder."""
    file = knowledge_base / "README.md"
    try:
        if file.stat().st_size > _LONGEST_CONTENTS:
            return ""
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
