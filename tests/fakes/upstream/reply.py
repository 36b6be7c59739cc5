"""What the provider does with a request, as data, and scripts that choose it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "sk-upstream-0123456789abcdef"
"""The key that the provider repeats in its errors, as real ones do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply. Without anything set it answers well: out of the passages of the prompt, by the schema.

    `stall_after` and `cut_after` count pieces of text: after so many the provider says nothing more until the caller
    leaves, or breaks the connection off (`cut_after=-1`: before the status line). Times are in seconds.
    """

    status: int = 200
    error: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    piece: int = 12
    refusal: str | None = None
    finish: str | None = "stop"
    usage: bool = True
    cached: int = 0
    choices: bool = True
    delay: float = 0.0
    gap: float = 0.0
    stall_after: int | None = None
    cut_after: int | None = None
    raw: str | None = None
    raw_type: str = "text/event-stream"
    split: int | None = None
    refuses: tuple[str, ...] = ()
    most_inputs: int = 2048


Script = Callable[[int, dict[str, Any]], Reply]
"""Number of the request (from 0) and its body -> the reply."""


def always(reply: Reply) -> Script:
    """The same to everybody."""
    return lambda number, body: reply


def in_turn(*replies: Reply) -> Script:
    """One after another, the last one for ever."""
    return lambda number, body: replies[min(number, len(replies) - 1)]


def by_chance(rate: float, seed: int = 1) -> Script:
    """Fails so often, in every way that passes; the others are answered well."""
    chance = random.Random(seed)
    kinds = [NAMED[name] for name in ("429", "429-now", "500", "503", "cut-before", "cut", "no-finish")]
    return lambda number, body: chance.choice(kinds) if chance.random() < rate else Reply()


def failure(status: int, code: str | None = None, kind: str = "server_error", **headers: str) -> Reply:
    """An error as OpenAI words it; the text holds the key."""
    error = {"message": f"Something is wrong with {KEY}.", "type": kind, "code": code, "param": None}
    return Reply(status=status, error=error, headers={name.replace("_", "-"): value for name, value in headers.items()})


NAMED: dict[str, Reply] = {
    "well": Reply(),
    "no-usage": Reply(usage=False),
    "cached": Reply(cached=64),
    "401": failure(401, "invalid_api_key", "invalid_request_error"),
    "403": failure(403, None, "permission_error"),
    "404": failure(404, "model_not_found", "invalid_request_error"),
    "408": failure(408, None, "timeout"),
    "409": failure(409, None, "conflict"),
    "429": failure(429, "rate_limit_exceeded", "requests"),
    "429-now": failure(429, "rate_limit_exceeded", "requests", retry_after="0"),
    "429-soon": failure(429, "rate_limit_exceeded", "requests", retry_after="2"),
    "429-later": failure(429, "rate_limit_exceeded", "requests", retry_after="3600"),
    "insufficient-quota": failure(429, "insufficient_quota", "insufficient_quota"),
    "500": failure(500),
    "503": failure(503, "overloaded"),
    "slow": Reply(delay=3.0),
    "stall": Reply(stall_after=2),
    "stall-before": Reply(stall_after=0),
    "cut": Reply(cut_after=2),
    "cut-before": Reply(cut_after=-1),
    "no-finish": Reply(finish=None, usage=False),
    "malformed-json": Reply(raw='data: {"id": "c1", "choices": [{"delta": {"content": "{\\"ans\n\ndata: [DONE]\n\n'),
    "wrong-schema": Reply(text='{"answer": 7, "sources": "none"}'),
    "not-json": Reply(text="I would rather tell you in plain words."),
    "refusal": Reply(refusal="I cannot help with that."),
    "length": Reply(finish="length", text='{"answer": "It begins well and then'),
    "content-filter": Reply(finish="content_filter", text='{"answer": "It'),
    "empty-choices": Reply(choices=False),
    "empty-text": Reply(text=""),
    "unicode-split": Reply(split=1),
    "web-page": Reply(raw="<html>It works!</html>", raw_type="text/html"),
    "error-event": Reply(raw='data: {"error": {"message": "busy", "type": "server_error"}}\n\n'),
    "no-json-schema": Reply(refuses=("json_schema",)),
    "no-response-format": Reply(refuses=("response_format",)),
    "no-stream-options": Reply(refuses=("stream_options",)),
    "no-max-completion-tokens": Reply(refuses=("max_completion_tokens",)),
    "bare": Reply(refuses=("response_format", "stream_options", "max_completion_tokens")),
}


def named(script: str) -> Script:
    """`NAME,NAME,…` in turn, or a JSON list of replies (names, or objects with a reply's fields), or a file of such."""
    if script.endswith(".json"):
        script = Path(script).read_text(encoding="utf-8")
    if script.lstrip().startswith("["):
        return in_turn(*(_from_json(one) for one in json.loads(script)))
    return in_turn(*(_from_json(name.strip()) for name in script.split(",")))


def _from_json(one: str | dict[str, Any]) -> Reply:
    if isinstance(one, str):
        if one not in NAMED:
            raise SystemExit(f"there is no reply {one}; there are {', '.join(NAMED)}")
        return NAMED[one]
    return Reply(**{name: tuple(value) if name == "refuses" else value for name, value in one.items()})
