"""The HTTP contract of asking, spoken by a script: streams that pause, break, fail or never end.

Pages, chapters and search are the product's own over the small index; only what a model or a database would do is
scripted. What a question leads to is decided by the question; one that nobody scripted gets a plain answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import TypeAdapter

from service.answering.rendering import to_html
from service.api import chapters, health, pages, problems, reading
from service.domain import Answer
from service.wiring import Service

from . import made_answers as made

ANSWER = TypeAdapter(Answer)


@dataclass
class Script:
    """What becomes of a question. `gates` are waited for before each delta; a delta is a piece of the answer's text."""

    answer: Answer | None = None
    problem: tuple[int, dict[str, Any], dict[str, str]] | None = None
    error: dict[str, Any] | None = None
    pieces: Sequence[str] | None = None
    gate: asyncio.Event | None = None
    before_sources: asyncio.Event | None = None
    cut_after: int | None = None
    ready: asyncio.Event | None = None
    plain: bool = False

    def let_go(self) -> None:
        """Hold nothing back any more."""
        if gate := self.gate:
            self.gate = None
            gate.set()


@dataclass
class Kept:
    """A conversation of the stub."""

    id: str
    title: str
    at: datetime
    exchanges: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        moment = self.at.isoformat()
        return {
            "id": self.id,
            "title": self.title,
            "created_at": moment,
            "updated_at": moment,
            "turns": len(self.exchanges),
        }


class Stub:
    """The scripted service: `scripts` by question, and what was asked of it."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.asked: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.feedback: list[dict[str, Any]] = []
        self.answers: dict[str, tuple[Answer, asyncio.Event | None]] = {}
        self.conversations: dict[str, Kept] = {}
        self.deleted: dict[str, Kept] = {}
        self.usage: dict[str, Any] = {"rows": [], "budgets": []}
        self.keeps_conversations = True

    def keep(self, title: str, answers: Sequence[Answer] = (), days_ago: int = 0) -> Kept:
        """A conversation that was held before."""
        kept = Kept(
            f"c{len(self.conversations) + len(self.deleted)}",
            title,
            datetime.now(UTC) - timedelta(days=days_ago, seconds=len(self.conversations)),
        )
        for one in answers:
            self.answers[one.id] = (one, None)
            kept.exchanges.append(exchange(len(kept.exchanges), one))
        self.conversations[kept.id] = kept
        return kept


def exchange(position: int, answer: Answer, *, done: bool = True) -> dict[str, Any]:
    """An exchange as the API gives it."""
    whole = ANSWER.dump_python(answer, mode="json") if done else None
    moment = datetime.now(UTC).isoformat()
    return {
        "position": position,
        "question": answer.question,
        "answer_id": answer.id,
        "asked_at": moment,
        "answer": whole,
        "error": None,
    }


def event(name: str, data: Any) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def _streamed(script: Script, answer: Answer, kept: Kept | None) -> AsyncIterator[bytes]:
    if script.before_sources:
        await script.before_sources.wait()
    passages = [TypeAdapter(type(one)).dump_python(one, mode="json") for one in answer.passages]
    yield event(
        "sources", {"id": answer.id, "retrieval_query": answer.question, "index_generation": "g", "passages": passages}
    )
    text, shown = "", set[int]()
    pieces = script.pieces if script.pieces is not None else answer.answer.splitlines(keepends=True)
    for at, piece in enumerate(pieces):
        if gate := script.gate:
            await gate.wait()
            gate.clear()
        if script.cut_after == at:
            raise ConnectionResetError  # the connection is closed in mid-answer
        text += piece
        new = [one for one in answer.citations if f"[{one.number}]" in text and one.number not in shown]
        shown |= {one.number for one in new}
        citations = [
            {name: value for name, value in TypeAdapter(type(one)).dump_python(one).items() if name != "quote"}
            for one in new
        ]
        delta: dict[str, Any] = {"text": piece, "citations": citations}
        if not script.plain:
            delta["html"] = _last_blocks(text, answer)
        yield event("delta", delta)
    if gate := script.gate:
        await gate.wait()
    if script.error:
        yield event("error", script.error)
        return
    if kept:
        kept.exchanges[-1] = exchange(len(kept.exchanges) - 1, answer)
    yield event("answer", ANSWER.dump_python(answer, mode="json"))


def _last_blocks(text: str, answer: Answer) -> list[dict[str, Any]]:
    """The block being written, and the one before it, which a new line may have finished."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [{"block": at, "html": to_html(blocks[at], answer.citations)} for at in range(len(blocks))[-2:]]


def app_of(stub: Stub, service: Service) -> FastAPI:
    """The application: the product's pages, the stub's answers."""
    app = FastAPI()
    problems.install(app)

    @app.middleware("http")
    async def running(request: Request, call_next: Any) -> Response:
        request.state.service = service
        return await call_next(request)

    _install_asking(app, stub)
    _install_conversations(app, stub)
    for router in (chapters.router, pages.router, reading.router, health.router):
        app.include_router(router)
    return app


def problem(status: int, code: str, detail: str) -> JSONResponse:
    """A problem document."""
    return JSONResponse({"title": "Problem", "status": status, "code": code, "detail": detail}, status)


def _install_asking(app: FastAPI, stub: Stub) -> None:
    @app.post("/api/ask")
    async def ask(request: Request) -> Response:
        body = await request.json()
        stub.asked.append(body)
        script = stub.scripts.get(body["question"], Script())
        if script.problem:
            status, document, headers = script.problem
            return JSONResponse(document, status, headers)
        answer = script.answer or made.answer(body["question"])
        stub.answers[answer.id] = (answer, script.ready)
        kept = stub.conversations.get(body.get("conversation", ""))
        if kept:
            kept.exchanges.append(exchange(len(kept.exchanges), answer, done=False))
        return StreamingResponse(_streamed(script, answer, kept), media_type="text/event-stream")

    @app.get("/api/answers/{id_}")
    async def get_answer(id_: str) -> Response:
        if id_ not in stub.answers:
            return problem(404, "answer_not_found", "there is no such answer")
        answer, ready = stub.answers[id_]
        if ready and not ready.is_set():
            return JSONResponse({"status": "answering"}, 202)
        whole = ANSWER.dump_python(answer, mode="json")
        return JSONResponse({"answer": whole, "ask": {"question": answer.question}, "feedback": None})

    @app.post("/api/answers/{id_}/stop")
    async def stop(id_: str) -> Response:
        stub.stopped.append(id_)
        return Response(status_code=204)

    @app.post("/api/answers/{id_}/feedback")
    async def feedback(id_: str, request: Request) -> Response:
        stub.feedback.append(await request.json() | {"id": id_})
        return Response(status_code=204)

    @app.get("/api/usage")
    async def usage(by: str) -> Response:
        return JSONResponse(stub.usage.get(by, stub.usage))


def _install_conversations(app: FastAPI, stub: Stub) -> None:
    @app.get("/api/conversations")
    async def listed(q: str = "", limit: int = 50, before: str | None = None) -> Response:
        found = [one for one in stub.conversations.values() if q.lower() in one.title.lower()]
        found = [one for one in found if before is None or one.at < datetime.fromisoformat(before)]
        found.sort(key=lambda one: one.at, reverse=True)
        return JSONResponse([one.as_json() for one in found[:limit]])

    @app.post("/api/conversations")
    async def create(request: Request) -> Response:
        if not stub.keeps_conversations:
            return problem(503, "state_problem", "the database is locked")
        return JSONResponse(stub.keep((await request.json())["title"]).as_json(), 201)

    @app.get("/api/conversations/{id_}")
    async def one(id_: str) -> Response:
        kept = stub.conversations.get(id_)
        if kept is None:
            return problem(404, "conversation_not_found", "there is no such conversation")
        return JSONResponse({"conversation": kept.as_json(), "exchanges": kept.exchanges})

    @app.patch("/api/conversations/{id_}")
    async def rename(id_: str, request: Request) -> Response:
        stub.conversations[id_].title = (await request.json())["title"]
        return JSONResponse(stub.conversations[id_].as_json())

    @app.delete("/api/conversations/{id_}")
    async def delete(id_: str) -> Response:
        stub.deleted[id_] = stub.conversations.pop(id_)
        return Response(status_code=204)

    @app.post("/api/conversations/{id_}/restore")
    async def restore(id_: str) -> Response:
        stub.conversations[id_] = stub.deleted.pop(id_)
        return JSONResponse(stub.conversations[id_].as_json())

    @app.get("/api/conversations/{id_}/export")
    async def export(id_: str, format: str) -> Response:  # noqa: A002 - the contract's name
        kept = stub.conversations[id_]
        return Response(f"# {kept.title}\n" if format == "markdown" else json.dumps(kept.as_json()))
