"""In which form a server takes a call: how much of OpenAI's Chat Completions it understands.

A compatible server may refuse the strict schema, the JSON mode, the usage at the end of a stream or the newer name of
the limit of output tokens. Each refusal that names such a parameter takes one step down; what a server is known to
refuse is not sent to it again. A server that takes the schema and then answers in plain words is told it in words too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import openai
from pydantic import BaseModel

from service.ports import ChatCall, Message

_REFUSALS = (400, 404, 422)
_TOO_LARGE = re.compile(r"too large|too high|at most|maximum|exceed|less than|greater than|above|below", re.IGNORECASE)
_STEP: dict[str, Literal["json_object", "text"]] = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True, slots=True)
class Form:
    """What is sent beside model and messages. `words` adds the schema to the messages where it is sent by itself."""

    answer: Literal["json_schema", "json_object", "text"] = "json_schema"
    limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    usage: bool = True
    words: bool = False

    def messages(self, call: ChatCall) -> tuple[Message, ...]:
        """The messages as they are sent: with the schema in words where it is not sent by itself, or has no effect."""
        return _with_schema(call) if self.words or self.answer != "json_schema" else call.messages

    def schema(self, call: ChatCall) -> str:
        """The schema as it is sent beside the messages; empty where it is part of them."""
        if self.answer != "json_schema":
            return ""
        return json.dumps(strict_schema(call.schema), separators=(",", ":"), ensure_ascii=False)

    def body(self, model: str, call: ChatCall) -> dict[str, Any]:
        """The request as it goes over the wire, but for `stream`."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in self.messages(call)],
            self.limit: call.max_output_tokens,
        }
        if self.usage:
            body["stream_options"] = {"include_usage": True}
        if self.answer == "json_schema":
            named = {"name": call.schema.__name__, "strict": True, "schema": strict_schema(call.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.answer == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def after(self, status: int, body: object) -> Form:
        """The form for a server that refused this one; the same form where the refusal is about something else."""
        if status not in _REFUSALS:
            return self
        named, said = _complaint(body)
        if self.answer != "text" and re.search(r"response_format|json_schema|json_object", named):
            return replace(self, answer=_STEP[self.answer])
        if self.usage and re.search(r"stream_options|include_usage", named):
            return replace(self, usage=False)
        if self.limit == "max_completion_tokens" and self.limit in named and not _TOO_LARGE.search(said):
            return replace(self, limit="max_tokens")
        return self

    def at_most(self, other: Form) -> Form:
        """What both forms allow: calls that run at the same time each learn something."""
        return Form(
            answer=max(self.answer, other.answer, key=("json_schema", "json_object", "text").index),
            limit=max(self.limit, other.limit, key=("max_completion_tokens", "max_tokens").index),
            usage=self.usage and other.usage,
            words=self.words or other.words,
        )


@lru_cache(maxsize=32)
def strict_schema(model: type[BaseModel]) -> dict[str, object]:
    """A Pydantic model's JSON schema as strict mode wants it: every field required, no others. Never change it."""
    parameters = openai.pydantic_function_tool(model)["function"]["parameters"]
    assert isinstance(parameters, dict)
    return parameters


def _with_schema(call: ChatCall) -> tuple[Message, ...]:
    """The messages, with the schema in words added to the first system message."""
    wanted = (
        "Reply with one JSON object and nothing else: no Markdown fence, no words before or after it. "
        f"It must fit this JSON schema:\n{json.dumps(strict_schema(call.schema), ensure_ascii=False)}"
    )
    first, *rest = call.messages
    if first.role == "system":
        return (Message("system", f"{first.content}\n\n{wanted}"), *rest)
    return (Message("system", wanted), *call.messages)


def _complaint(body: object) -> tuple[str, str]:
    """What an error is about: the parameter it names (or all its text, where it names none), and all its text.

    Never looks at an echo of the request (FastAPI's `input`), which names every parameter.
    """
    if not isinstance(body, dict):
        return str(body)[:2000], str(body)[:2000]
    said = " ".join(
        _words(body[key]) for key in ("message", "detail", "error", "msg", "loc", "param", "code") if body.get(key)
    )
    param = body.get("param")
    return (param if isinstance(param, str) and param else said)[:2000], said[:2000]


def _words(part: object) -> str:
    if isinstance(part, dict):
        return _complaint(part)[1]
    if isinstance(part, list | tuple):
        return " ".join(_words(inner) for inner in part)
    return str(part)
