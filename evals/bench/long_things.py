"""A server of what is longer than anybody asks for by hand: a stream of many tokens, a conversation of many turns."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from service.answering.live_html import LiveHtml
from service.answering.rendering import to_html
from service.domain import Answer, Citation, Exchange, Latency, Mode, Passage, PassageUse, Receipt, Status, Usage

_CHAPTER = "01_introduction/async_vs_sync_backends.md"
_PASSAGE = Passage(
    _CHAPTER, "Async vs Sync Backends", "Threads", "threads", 10, 20, 0.8, "text " * 150, PassageUse.CITED
)
_CITED = Citation(1, _CHAPTER, "Async vs Sync Backends", "Threads", "threads", "/read/x", "A thread waits.", 12, 12)
_USED = Usage(2000, 0, 0, 400)
_RECEIPT = Receipt("answer/v2", "x", "gpt-6-luna", "g", "e", "q", _USED, "0.001", Latency(10, 900, 910, 300), 1, 0, "t")
_PARAGRAPH = "The event loop runs one task at a time, so a call that blocks holds up every request of the process [1]. "
_CODE = "```python\n" + "async def work(number: int) -> int:\n    return await later(number)\n" * 6 + "```"
_TOGETHER = 20
"""Tokens sent before the server lets others run; a provider's network packs them together as well."""


def _markdown(tokens: int) -> list[str]:
    """So many pieces of a text of paragraphs, lists and code."""
    page = f"{_PARAGRAPH * 4}\n\n- {_PARAGRAPH}\n- {_PARAGRAPH}\n\n{_CODE}\n\n"
    words = page.replace(" ", " \0").replace("\n", "\n\0").split("\0")
    words = [word for word in words if word]
    return [words[at % len(words)] for at in range(tokens)]


def _answer(id_: str, markdown: str) -> Answer:
    return Answer(
        id_, "Write much", Status.ANSWERED, markdown, to_html(markdown, [_CITED]), (_CITED,), (_PASSAGE,) * 8, (),
        Mode.LLM, degraded=False, receipt=_RECEIPT,
    )  # fmt: skip


def stream_of(tokens: int) -> list[bytes]:
    """The events of an answer of so many tokens, as the service would send them one by one."""
    pieces, live = _markdown(tokens), LiveHtml()
    passages = TypeAdapter(list[Passage]).dump_python([_PASSAGE] * 8, mode="json")
    events = [_event("sources", {"id": "long", "retrieval_query": "q", "index_generation": "g", "passages": passages})]
    cited = TypeAdapter(Citation).dump_python(_CITED)
    for number, piece in enumerate(pieces):
        html = [{"block": block.block, "html": block.html} for block in live.feed(piece, [_CITED])]
        events.append(_event("delta", {"text": piece, "citations": [cited] if number == 0 else [], "html": html}))
    whole = TypeAdapter(Answer).dump_python(_answer("long", "".join(pieces)), mode="json")
    return [*events, _event("answer", whole)]


def conversation_of(turns: int) -> bytes:
    """A conversation of so many turns, each with a usual answer and eight passages, as the API gives it."""
    markdown = f"{_PARAGRAPH * 4}\n\n{_CODE}\n\n{_PARAGRAPH * 2}"
    moment = "2026-11-25T12:00:00Z"
    exchanges = TypeAdapter(list[Exchange]).dump_python(
        [Exchange(at, f"Question {at}?", str(at), moment, _answer(str(at), markdown)) for at in range(turns)],  # type: ignore[arg-type]
        mode="json",
        warnings=False,
    )
    kept = {"id": "long", "title": "Long", "created_at": moment, "updated_at": moment, "turns": turns}
    return json.dumps({"conversation": kept, "exchanges": exchanges}).encode()


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class _Server(uvicorn.Server):
    """Leaves the signals to the benchmark."""

    def capture_signals(self) -> Any:
        return nullcontext()


@asynccontextmanager
async def serving(tokens: int, turns: int) -> AsyncIterator[int]:
    """The port of a server that has `/stream` and `/long`."""
    events, conversation = stream_of(tokens), conversation_of(turns)
    app = FastAPI()

    @app.post("/stream")
    async def stream() -> StreamingResponse:
        async def paced() -> AsyncIterator[bytes]:
            for number, event in enumerate(events):
                yield event
                if number % _TOGETHER == 0:
                    await asyncio.sleep(0.01)

        return StreamingResponse(paced(), media_type="text/event-stream")

    @app.get("/long")
    async def long() -> Response:
        return Response(conversation, media_type="application/json")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running
