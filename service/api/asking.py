"""`POST /api/ask`, whole or as a stream, and `POST /api/search`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from service.answering.events import Delta, Done, Event, Sources
from service.api.callers import Caller
from service.api.dependencies import Running
from service.api.problems import Problem, problem_of
from service.api.streaming import EventStream, unless_gone, with_pings
from service.domain import Answer, Ask, Passage, SearchFilter, Turn
from service.errors import MasteryError
from service.wiring import Service

router = APIRouter(prefix="/api", tags=["ask"])

ANSWER = TypeAdapter(Answer)
PASSAGES = TypeAdapter(list[Passage])
_SOURCES = TypeAdapter(Sources)
_DELTA = TypeAdapter(Delta)
_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 404, 422, 429, 503)}
_STREAMED = {"text/event-stream": {"example": 'event: delta\ndata: {"text": "Run it ", "citations": []}\n\n'}}
_RESPONSES: dict[int | str, dict[str, Any]] = _PROBLEMS | {200: {"content": _STREAMED}}
_Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TurnIn(_Request):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=100_000)


class FiltersIn(_Request):
    """Keep to these sections (title, folder or number), levels and chapters (path or file name)."""

    sections: list[_Value] = Field(default_factory=list, max_length=50, examples=[["12"]])
    levels: list[_Value] = Field(default_factory=list, max_length=10, examples=[[]])
    chapters: list[_Value] = Field(default_factory=list, max_length=200, examples=[[]])

    def as_filter(self) -> SearchFilter:
        """The domain's filter."""
        return SearchFilter(tuple(self.sections), tuple(self.levels), tuple(self.chapters))


class AskIn(_Request):
    """A question, and what it follows."""

    question: str = Field(max_length=1_000_000, examples=["How do I call a blocking library from async code?"])
    history: list[TurnIn] = Field(default_factory=list, max_length=200, examples=[[]])
    filters: FiltersIn = Field(default_factory=FiltersIn)
    prompt: int | None = Field(None, ge=1, description="Version of the answer prompt; the newest if left out.")
    limit: int = Field(8, ge=0, le=50, description="How many retrieved passages come with the answer.")
    conversation: str | None = Field(
        None,
        max_length=64,
        examples=[None],
        description="The conversation that it belongs to, whose history then counts. Such an answer is finished and "
        "kept also if the connection is lost.",
    )
    html: bool = Field(default=False, description="Streamed pieces bring the HTML of the blocks that they change.")

    def as_ask(self, caller: str, *, fresh: bool) -> Ask:
        """The domain's question."""
        history = tuple(Turn(turn.role, turn.content) for turn in self.history)
        where = self.filters.as_filter()
        return Ask(self.question, history, where, self.prompt, self.limit, caller, self.conversation, fresh)


class SearchIn(_Request):
    """Words to look for."""

    query: str = Field(max_length=1_000_000, examples=["thread pool of 40"])
    filters: FiltersIn = Field(default_factory=FiltersIn)
    limit: int = Field(10, ge=1, le=50)


@router.post("/ask", response_model=Answer, responses=_RESPONSES)
async def ask(
    body: AskIn,
    request: Request,
    service: Running,
    caller: Caller,
    accept: Annotated[str, Header()] = "application/json",
    cache_control: Annotated[str, Header(description="`no-cache` asks for a fresh answer.")] = "",
) -> Response:
    """Answer a question out of the knowledge base, with citations.

    With `Accept: text/event-stream` the answer is streamed: `sources` first, then `delta`s of its text, then the whole
    `answer`, or an `error` (a problem document) in its place.
    """
    asked = body.as_ask(caller, fresh="no-cache" in cache_control)
    if "text/event-stream" not in accept:
        return await unless_gone(request, _whole(service, asked))
    prepared = await service.desk.take(asked)
    events = service.desk.events(prepared, html=body.html)
    return EventStream(with_pings(_encoded(request, events)))


async def _whole(service: Service, asked: Ask) -> Response:
    return Response(ANSWER.dump_json(await service.desk.answer(asked)), media_type="application/json")


async def _encoded(request: Request, events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
    """Events as they go over the wire; what goes wrong on the way is the last of them."""
    async with aclosing(events):
        try:
            async for event in events:
                yield _wire(event)
        except MasteryError as error:
            problem = problem_of(request, error)
            yield format_sse_event(event="error", data_str=problem.model_dump_json())


def _wire(event: Event) -> bytes:
    match event:
        case Sources():
            name, data = "sources", _SOURCES.dump_json(event)
        case Delta():
            name, data = "delta", _DELTA.dump_json(event)
        case Done():
            name, data = "answer", ANSWER.dump_json(event.answer)
    return format_sse_event(event=name, data_str=data.decode())


@router.post("/search", response_model=list[Passage], responses=_PROBLEMS)
async def search(body: SearchIn, service: Running, _: Caller) -> Response:
    """Find passages, best first."""
    passages = await service.answerer.search(body.query, body.filters.as_filter(), body.limit)
    return Response(PASSAGES.dump_json(passages), media_type="application/json")
