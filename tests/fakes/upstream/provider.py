"""The provider as an ASGI application: it does what its script says, and keeps a bill and a list of its requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from .billing import Billed, input_tokens, tokens
from .drafting import written
from .embedding import embedded
from .reply import Reply, Script, always, by_chance, failure, named

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Request:
    """A request as it came, and whether its caller left before the end."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes
    left: bool = False
    over: bool = False


@dataclass(slots=True)
class Provider:
    """State of one provider; set `script` at any time."""

    script: Script = field(default_factory=lambda: always(Reply()))
    requests: list[Request] = field(default_factory=list)
    bill: list[Billed] = field(default_factory=list)
    _from: int = 0

    def play(self, script: Script) -> None:
        """Begin another script, with an empty bill."""
        self.script, self._from = script, 0
        self.requests.clear()
        self.bill.clear()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        raw = await _body(receive)
        path = scope["path"]
        if path.startswith("/upstream/"):
            await self._control(path, raw, send)
            return
        body = json.loads(raw) if raw else {}
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(path, headers, body, raw)
        number = len(self.requests) - self._from
        self.requests.append(request)
        try:
            await self._serve(request, self.script(number, body), receive, send)
        finally:
            request.over = True

    async def _serve(self, request: Request, reply: Reply, receive: Receive, send: Send) -> None:
        if request.path.endswith("/models"):
            await _json(send, 200, {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model"}]})
        elif reply.error:
            await _json(send, reply.status, {"error": reply.error}, reply.headers)
        elif refused := _refused(reply, request.body):
            error = {"message": f"Unsupported parameter: '{refused}'.", "type": "invalid_request_error"}
            await _json(send, 400, {"error": error | {"param": refused, "code": "unsupported_parameter"}})
        elif request.path.endswith("/embeddings"):
            await self._embed(request, reply, receive, send)
        elif request.path.endswith("/chat/completions"):
            async with _watched(request, receive) as gone:
                await Completion(self, request, reply, send, gone).run()
        else:
            await _json(send, 404, {"error": failure(404).error})

    async def _embed(self, request: Request, reply: Reply, receive: Receive, send: Send) -> None:
        texts = request.body["input"] if isinstance(request.body["input"], list) else [request.body["input"]]
        if len(texts) > reply.most_inputs:
            error = {"message": f"batch size {len(texts)} > maximum allowed batch size {reply.most_inputs}"}
            await _json(send, 413, {"error": error})
            return
        if reply.stall_after is not None:
            await receive()
            request.left = True
            return
        used = sum(map(tokens, texts))
        self.bill.append(Billed(request.body["model"], used, 0, 0))
        await _json(send, 200, embedded(request.body, used))

    async def _control(self, path: str, raw: bytes, send: Send) -> None:
        """`GET /upstream/state` tells the bill; `POST /upstream/script` begins another script and an empty bill."""
        if path == "/upstream/script":
            wanted = json.loads(raw)
            self.play(by_chance(wanted["fail_rate"]) if "fail_rate" in wanted else named(wanted["script"]))
        billed = {
            "input_tokens": sum(one.input_tokens for one in self.bill),
            "cached_tokens": sum(one.cached_tokens for one in self.bill),
            "output_tokens": sum(one.output_tokens for one in self.bill),
            "calls": len(self.bill),
        }
        left = sum(one.left for one in self.requests)
        await _json(send, 200, {"requests": len(self.requests), "left": left, "billed": billed})


@dataclass(slots=True)
class Completion:
    """One chat completion on its way."""

    provider: Provider
    request: Request
    reply: Reply
    send: Send
    gone: asyncio.Event
    said: str = ""

    async def run(self) -> None:
        """Stream it, or send it in one; charge for what was said, however it ends."""
        if self.reply.raw is not None:
            await self._raw(self.reply.raw)
            if self.reply.raw_type != "text/event-stream":
                return
        try:
            if self.reply.raw is None:
                await (self._stream() if self.request.body.get("stream") else self._whole())
        finally:
            body = self.request.body
            used = Billed(body["model"], input_tokens(body), self.reply.cached, tokens(self.said))
            self.provider.bill.append(used)

    @property
    def text(self) -> str:
        """What the model has to say."""
        return written(self.request.body) if self.reply.text is None else self.reply.text

    async def _raw(self, raw: str) -> None:
        await self._start(self.reply.raw_type)
        await self.send({"type": "http.response.body", "body": raw.encode()})

    async def _whole(self) -> None:
        self.said = self.reply.refusal or self.text
        message = {"role": "assistant", "content": None if self.reply.refusal else self.said}
        choice = {"index": 0, "message": message | {"refusal": self.reply.refusal}, "finish_reason": self.reply.finish}
        body = self._chunk([choice] if self.reply.choices else []) | {"object": "chat.completion"}
        await _json(self.send, 200, body | {"usage": self._usage() if self.reply.usage else None})

    async def _stream(self) -> None:
        if self.reply.cut_after == -1:
            self.send.__self__.transport.close()  # type: ignore[attr-defined] # uvicorn would send a status
            await self.gone.wait()
            return
        await self._start("text/event-stream; charset=utf-8")
        await self._pause(self.reply.delay)
        if self.reply.choices:
            await self._event(self._delta({"role": "assistant", "content": ""}))
            if not await self._pieces("refusal" if self.reply.refusal else "content"):
                return
            if self.reply.finish:
                await self._event(self._delta({}, self.reply.finish))
        else:
            await self._event(self._chunk([]))
        if self.reply.usage and (self.request.body.get("stream_options") or {}).get("include_usage"):
            await self._event(self._chunk([]) | {"usage": self._usage()})
        await self._write(b"data: [DONE]\n\n")
        await self.send({"type": "http.response.body", "body": b""})

    async def _pieces(self, field_: str) -> bool:
        """Whether all of it was said."""
        text, size = self.reply.refusal or self.text, self.reply.piece
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        for number, piece in enumerate([*pieces, None]):
            if number == self.reply.cut_after or self.gone.is_set():
                return False
            if number == self.reply.stall_after:
                await self.gone.wait()
                return False
            if piece is not None:
                self.said += piece
                await self._event(self._delta({field_: piece}))
                await self._pause(self.reply.gap)
        return True

    async def _pause(self, seconds: float) -> None:
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), seconds)

    async def _start(self, kind: str) -> None:
        headers = [(b"content-type", kind.encode())]
        await self.send({"type": "http.response.start", "status": self.reply.status, "headers": headers})

    async def _event(self, event: dict[str, Any]) -> None:
        await self._write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())

    async def _write(self, raw: bytes) -> None:
        size = self.reply.split or len(raw)
        for at in range(0, len(raw), size):
            await self.send({"type": "http.response.body", "body": raw[at : at + size], "more_body": True})

    def _delta(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": finish}])

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        model = f"{self.request.body['model']}-2026-10-01"
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices}

    def _usage(self) -> dict[str, Any]:
        used, said = input_tokens(self.request.body), tokens(self.said)
        details = {"cached_tokens": self.reply.cached}
        return {
            "prompt_tokens": used,
            "completion_tokens": said,
            "total_tokens": used + said,
            "prompt_tokens_details": details,
        }


def _refused(reply: Reply, body: dict[str, Any]) -> str | None:
    """The parameter that this provider does not take."""
    kind = (body.get("response_format") or {}).get("type")
    for name in reply.refuses:
        if name in body:
            return name
        if name == kind:
            return "response_format"
    return None


@asynccontextmanager
async def _watched(request: Request, receive: Receive) -> AsyncIterator[asyncio.Event]:
    """An event that is set when the caller leaves."""
    gone = asyncio.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        request.left = not request.over
        gone.set()

    task = asyncio.create_task(watch())
    try:
        yield gone
    finally:
        task.cancel()


async def _body(receive: Receive) -> bytes:
    raw, more = b"", True
    while more:
        message = await receive()
        raw += message.get("body", b"")
        more = message.get("more_body", False)
    return raw


async def _json(send: Send, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    raw = json.dumps(body).encode()
    own = {"content-type": "application/json", "content-length": str(len(raw))} | (headers or {})
    pairs = [(name.encode(), value.encode()) for name, value in own.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": raw})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
