"""An OpenAI server that says what the test tells it to, behind the real SDK."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import openai

KEY = "sk-test-0123456789abcdef"

Reply = Exception | httpx2.Response | Callable[[httpx2.Request], httpx2.Response]


class OpenAIServer:
    """Gives each request the next reply, and the last one for ever; `bodies` are what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = deque(replies)
        self.requests: list[httpx2.Request] = []

    @property
    def bodies(self) -> list[Any]:
        """The requests' JSON bodies."""
        return [json.loads(request.content) for request in self.requests]

    def client(self, key: str = KEY) -> openai.AsyncOpenAI:
        """The SDK's client, as the product makes it, but over this server."""
        transport = httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))
        return openai.AsyncOpenAI(api_key=key, base_url="http://openai.test/v1", max_retries=0, http_client=transport)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        reply = self._replies[0] if len(self._replies) == 1 else self._replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx2.Response) else reply(request)


def chunk(content: object = None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of a streamed completion with one choice."""
    choice = {"index": 0, "delta": {"content": content} if content is not None else {}, "finish_reason": finish_reason}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-6-luna-2026-10-01"}
    return body | {"choices": [choice]} | more


USED = chunk() | {
    "choices": [],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100},
    },
}
"""The chunk with the usage, after the last choice."""


def streamed(*chunks: object, done: bool = True) -> httpx2.Response:
    """A stream of events: dicts as JSON, text as it is."""
    events = [one if isinstance(one, str) else json.dumps(one) for one in chunks]
    body = "".join(f"data: {event}\n\n" for event in [*events, *(["[DONE]"] if done else [])])
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=body.encode())


def completion(content: str, finish_reason: str | None = "stop") -> httpx2.Response:
    """A whole streamed completion, in two pieces, with its usage."""
    half = len(content) // 2
    return streamed(chunk(content[:half]), chunk(content[half:]), chunk(finish_reason=finish_reason), USED)


def embeddings(vectors: Sequence[Sequence[float]]) -> httpx2.Response:
    """Vectors in the order of their index."""
    data = [{"object": "embedding", "index": n, "embedding": list(vector)} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return httpx2.Response(200, json={"object": "list", "model": "m", "data": data, "usage": usage})


def failure(
    status: int,
    code: str | None = None,
    kind: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> httpx2.Response:
    """An error as OpenAI words it: its text holds the key."""
    error = {"message": f"Incorrect API key provided: {KEY}.", "type": kind, "code": code, "param": param}
    return httpx2.Response(status, json={"error": error}, headers=headers)
