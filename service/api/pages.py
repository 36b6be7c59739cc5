"""The chat page: `/`, `/c/{conversation}`, `/a/{answer}`, `/usage`, and the files it is made of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response

from service.api.assets import page_assets
from service.api.dependencies import Running
from service.api.shell import SECURITY_HEADERS, compressed, page
from service.domain import Chapter
from service.errors import IndexProblem

router = APIRouter(include_in_schema=False)

_SUGGESTIONS = 5
_LEVELS = ("beginner", "intermediate", "advanced", "expert")
_FOR_EVER = "public, max-age=31536000, immutable"
_TITLE = "Backend Mastery"
_DESCRIPTION = "Ask about building backends with FastAPI; every answer quotes the chapter it comes from."


@router.get("/")
async def ask_page(request: Request, service: Running, part: str = "") -> Response:
    """The place to ask; `?part=view` gives its inner part alone, for a page that was opened at another place."""
    return await _ask_page(request, service, _TITLE, part)


@router.get("/c/{conversation:path}")
async def conversation_page(request: Request, service: Running, conversation: str) -> Response:  # noqa: ARG001
    """A conversation; the page fetches what was said."""
    return await _ask_page(request, service, f"Conversation · {_TITLE}")


@router.get("/a/{answer:path}")
async def answer_page(request: Request, service: Running, answer: str) -> Response:  # noqa: ARG001
    """One answer by itself, to be shared."""
    return await _ask_page(request, service, f"Answer · {_TITLE}")


@router.get("/usage")
async def usage_page(request: Request) -> Response:
    """What the answers cost; the page fetches the figures."""
    return page(request, "usage", "", f"Usage · {_TITLE}", "What the answers cost, and what is left of the budgets.")


@router.get("/assets/{version}/{name:path}")
async def asset(request: Request, version: str, name: str) -> Response:
    """A file of the page. One asked for under an older version is given as it is now, and not kept."""
    assets = page_assets()
    found = assets.files.get(name)
    if found is None:
        raise HTTPException(404, f"the page has no file {name!r}")
    headers = SECURITY_HEADERS | {"Vary": "Accept-Encoding"}
    headers["Cache-Control"] = _FOR_EVER if version == assets.version else "no-store"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.gzipped, 200, headers | {"Content-Encoding": "gzip"}, found.media_type)
    return Response(found.plain, 200, headers, found.media_type)


async def _ask_page(request: Request, service: Running, title: str, part: str = "") -> Response:
    try:
        chapters: Sequence[Chapter] = await service.index.chapters()
    except IndexProblem as problem:
        main = f'<div data-problem="{problem.code}" data-detail="{escape(str(problem))}"></div>'
    else:
        main = _welcome(chapters) + _filters(chapters, service.settings.max_question_chars)
    if part == "view":
        return compressed(request, main.encode(), "text/html; charset=utf-8")
    return page(request, "ask", main, title, _DESCRIPTION)


def _welcome(chapters: Sequence[Chapter]) -> str:
    """What a first visit shows: questions that the chapters answer, each from another section."""
    items = "".join(
        f'<li><a href="/?q={quote(question)}" data-suggestion>{escape(question)}</a></li>'
        for question in _questions(chapters)
    )
    suggestions = f'<p class="label">Questions the chapters answer</p><ul class="suggestions">{items}</ul>'
    sections = len({chapter.section for chapter in chapters})
    return (
        '<section class="welcome" data-welcome><h1>What do you want to know about FastAPI backends?</h1>'
        f'<p class="lede">Answers come out of <a href="/read">{len(chapters)} chapters in {sections} sections</a>, '
        "and every claim links to the passage it rests on.</p>"
        f"{suggestions if items else ''}</section>"
    )


def _questions(chapters: Sequence[Chapter]) -> list[str]:
    by_section: dict[str, list[str]] = {}
    for chapter in chapters:
        by_section.setdefault(chapter.section, []).extend(chapter.questions)
    asked = [questions for questions in by_section.values() if questions]
    sections = random.sample(asked, min(_SUGGESTIONS, len(asked)))
    return [random.choice(questions) for questions in sections]  # noqa: S311 - which ones is no secret


def _filters(chapters: Sequence[Chapter], longest: int) -> str:
    """Where a question may be kept to; the page makes chips of it."""
    sections = sorted({chapter.section for chapter in chapters if chapter.section})
    levels = {chapter.level for chapter in chapters if chapter.level}
    ordered = [level for level in _LEVELS if level in levels] + sorted(levels.difference(_LEVELS))
    boxes = [("sections", section) for section in sections] + [("levels", level) for level in ordered]
    inputs = "".join(f'<input name="{kind}" value="{escape(value)}">' for kind, value in boxes)
    titles = "".join(f'<option value="{escape(chapter.path)}">{escape(chapter.title)}</option>' for chapter in chapters)
    return f'<template data-filters data-longest="{longest}">{inputs}<select>{titles}</select></template>'
