"""`GET /read/{path}`: a chapter as a plain page, so that the link of every citation opens at its heading."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from service.answering.rendering import chapter_html
from service.api.dependencies import Running
from service.errors import ChapterNotFound

router = APIRouter(include_in_schema=False)

_STYLE = (
    "body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}"
    "pre{overflow-x:auto;padding:1rem;border:1px solid #ccc;border-radius:6px}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left}"
    ":target{background:#fff3bf}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'"}


@router.get("/read/{path:path}")
async def read_chapter(path: str, service: Running) -> HTMLResponse:
    """The chapter, rendered and sanitised; no script runs on it."""
    chapter = await service.index.chapter(f"{path}.md") or await service.index.chapter(path)
    if chapter is None:
        raise ChapterNotFound(f"there is no chapter {path!r}; GET /api/chapters lists them all")
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(chapter.title)}</title><style>{_STYLE}</style><main>{chapter_html(chapter)}</main></html>"
    )
    return HTMLResponse(page, headers=_POLICY)
