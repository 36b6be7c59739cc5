"""`GET /api/chapters` and `GET /api/chapters/{path}`."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from service.api.dependencies import Running
from service.api.problems import Problem
from service.domain import Chapter
from service.errors import ChapterNotFound

router = APIRouter(prefix="/api/chapters", tags=["chapters"])

_CHAPTER = TypeAdapter(Chapter)
_CHAPTERS = TypeAdapter(list[Chapter])


@router.get("", response_model=list[Chapter], responses={503: {"model": Problem}})
async def list_chapters(service: Running) -> Response:
    """Every chapter in the order of the paths, with its headings and without its text."""
    return Response(_CHAPTERS.dump_json(await service.index.chapters()), media_type="application/json")


@router.get("/{path:path}", response_model=Chapter, responses={404: {"model": Problem}, 503: {"model": Problem}})
async def get_chapter(path: str, service: Running) -> Response:
    """One chapter with its Markdown as written; the path may leave `.md` out."""
    for candidate in (path, f"{path}.md"):
        if chapter := await service.index.chapter(candidate):
            return Response(_CHAPTER.dump_json(chapter), media_type="application/json")
    raise ChapterNotFound(f"there is no chapter {path!r}; GET /api/chapters lists them all")
