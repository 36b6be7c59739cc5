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


def completion(content: str | None, finish_reason: str | None = "stop", **message: Any) -> httpx2.Response:
    """A chat completion with one choice."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content} | message,
        "finish_reason": finish_reason,
    }
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 400},
    }
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-6-luna-2026-10-01", "usage": usage}
    return httpx2.Response(200, json=body | {"choices": [choice]})


def embeddings(vectors: Sequence[Sequence[float]]) -> httpx2.Response:
    """Vectors in the order of their index."""
    data = [{"object": "embedding", "index": n, "embedding": list(vector)} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return httpx2.Response(200, json={"object": "list", "model": "m", "data": data, "usage": usage})


def failure(status: int, code: str | None = None, kind: str | None = None) -> httpx2.Response:
    """An error as OpenAI words it: its text holds the key."""
    error = {"message": f"Incorrect API key provided: {KEY}.", "type": kind, "code": code, "param": None}
    return httpx2.Response(status, json={"error": error})
