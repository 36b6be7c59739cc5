"""`POST /api/ask` and `POST /api/search`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from service.answering.answerer import Ask
from service.api.dependencies import Running
from service.api.problems import Problem
from service.domain import Answer, Passage, SearchFilter, Turn

router = APIRouter(prefix="/api", tags=["ask"])

ANSWER = TypeAdapter(Answer)
PASSAGES = TypeAdapter(list[Passage])
_PROBLEMS: dict[int | str, dict[str, Any]] = {422: {"model": Problem}, 503: {"model": Problem}}
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

    def as_ask(self) -> Ask:
        """The domain's question."""
        history = tuple(Turn(turn.role, turn.content) for turn in self.history)
        return Ask(self.question, history, self.filters.as_filter(), self.prompt, self.limit)


class SearchIn(_Request):
    """Words to look for."""

    query: str = Field(max_length=1_000_000, examples=["thread pool of 40"])
    filters: FiltersIn = Field(default_factory=FiltersIn)
    limit: int = Field(10, ge=1, le=50)


@router.post("/ask", response_model=Answer, responses=_PROBLEMS)
async def ask(body: AskIn, service: Running) -> Response:
    """Answer a question out of the knowledge base, with citations."""
    answer = await service.answerer.ask(body.as_ask())
    return Response(ANSWER.dump_json(answer), media_type="application/json")


@router.post("/search", response_model=list[Passage], responses=_PROBLEMS)
async def search(body: SearchIn, service: Running) -> Response:
    """Find passages, best first."""
    passages = await service.answerer.search(body.query, body.filters.as_filter(), body.limit)
    return Response(PASSAGES.dump_json(passages), media_type="application/json")
