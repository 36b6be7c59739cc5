"""`/api/conversations`: list, search, rename, delete with undo, export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from service.api.callers import Caller, calling
from service.api.dependencies import Running
from service.api.exporting import as_markdown
from service.api.problems import Problem
from service.domain import Conversation, Exchange

router = APIRouter(prefix="/api/conversations", tags=["conversations"], dependencies=[Depends(calling)])

_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 404, 422, 503)}
_GENERAL: dict[int | str, dict[str, Any]] = {status: _PROBLEMS[status] for status in (401, 422, 503)}
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]+')

ConversationId = Annotated[str, Path(max_length=64, examples=["9f1c2d3e4a5b4c6d8e7f0a1b2c3d4e5f"])]
_Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConversationIn(_Request):
    """A conversation to begin; one without a title takes its first question's words for one."""

    title: _Title = Field("", examples=["Pagination"])


class TitleIn(_Request):
    """Another title."""

    title: Annotated[_Title, StringConstraints(min_length=1)] = Field(examples=["Keyset pagination"])


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with all that was said."""

    conversation: Conversation
    exchanges: Sequence[Exchange]


_CONVERSATION = TypeAdapter(Conversation)
_CONVERSATIONS = TypeAdapter(list[Conversation])
_THREAD = TypeAdapter(Thread)


def _json(document: bytes, status: int = 200) -> Response:
    return Response(document, status, media_type="application/json")


@router.get("", response_model=list[Conversation], responses=_GENERAL)
async def list_conversations(
    service: Running,
    caller: Caller,
    q: Annotated[str, Query(max_length=200, description="Words of titles or questions; all must be there.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[
        datetime | None,
        Query(description="The next page: `updated_at` of the last one of this.", examples=["2026-11-25T12:00:00Z"]),
    ] = None,
) -> Response:
    """The caller's conversations, the one that was used last first."""
    if before and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    return _json(_CONVERSATIONS.dump_json(list(await service.conversations.list(caller, q, limit, before))))


@router.post("", status_code=201, response_model=Conversation, responses=_GENERAL)
async def create_conversation(body: ConversationIn, service: Running, caller: Caller) -> Response:
    """Begin one; give its id with each question."""
    return _json(_CONVERSATION.dump_json(await service.conversations.create(body.title, caller)), 201)


@router.get("/{conversation_id}", response_model=Thread, responses=_PROBLEMS)
async def get_conversation(conversation_id: ConversationId, service: Running) -> Response:
    """One with all that was said. An exchange without answer and error is being answered."""
    return _json(_THREAD.dump_json(Thread(*await service.conversations.get(conversation_id))))


@router.patch("/{conversation_id}", response_model=Conversation, responses=_PROBLEMS)
async def rename_conversation(conversation_id: ConversationId, body: TitleIn, service: Running) -> Response:
    """Give it another title."""
    return _json(_CONVERSATION.dump_json(await service.conversations.rename(conversation_id, body.title)))


@router.delete("/{conversation_id}", status_code=204, responses=_PROBLEMS)
async def delete_conversation(conversation_id: ConversationId, service: Running) -> None:
    """Delete it. For a day it can be restored; then it is gone, and its answers with it."""
    await service.conversations.delete(conversation_id)


@router.post("/{conversation_id}/restore", response_model=Conversation, responses=_PROBLEMS)
async def restore_conversation(conversation_id: ConversationId, service: Running) -> Response:
    """Undo a deletion of the last day."""
    return _json(_CONVERSATION.dump_json(await service.conversations.restore(conversation_id)))


_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A file to keep.",
        "content": {
            "text/markdown": {"example": "# Pagination\n\n## 1. How does keyset pagination work?\n"},
            "application/json": {"schema": {"$ref": "#/components/schemas/Thread"}},
        },
    }
}


@router.get("/{conversation_id}/export", response_class=Response, responses=_PROBLEMS | _FILES)
async def export_conversation(
    conversation_id: ConversationId,
    request: Request,
    service: Running,
    format_: Annotated[Literal["markdown", "json"], Query(alias="format")] = "markdown",
) -> Response:
    """The conversation as a file: Markdown to read, with numbered sources and links; or JSON, as `GET` gives it."""
    conversation, exchanges = await service.conversations.get(conversation_id)
    if format_ == "json":
        content, kind, ending = _THREAD.dump_json(Thread(conversation, exchanges)), "application/json", "json"
    else:
        text = as_markdown(conversation, exchanges, str(request.base_url).rstrip("/"))
        content, kind, ending = text.encode("utf-8", "replace"), "text/markdown; charset=utf-8", "md"
    return Response(content, headers={"Content-Disposition": _attachment(conversation.title, ending)}, media_type=kind)


def _attachment(title: str, ending: str) -> str:
    """The file's name, twice: in plain letters for old clients, and as it is (RFC 6266)."""
    name = " ".join(_FORBIDDEN_IN_NAMES.sub(" ", title).split()).strip(" .")[:80].strip() or "conversation"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "conversation"
    return f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(name, safe='')}.{ending}"
