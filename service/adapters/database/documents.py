"""Answers as JSON text, whole, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from service.adapters.database.columns import storable
from service.domain import Answer, Ask, Reading


@dataclass(frozen=True, slots=True)
class Origin:
    """What an answer was made of: the question as it was posed, and the passages as the model read them."""

    ask: Ask
    readings: tuple[Reading, ...]


_ANSWER = TypeAdapter(Answer)
_ORIGIN = TypeAdapter(Origin)


def answer_to_json(answer: Answer) -> str:
    """JSON; NUL is escaped in it, so that both databases take it."""
    return _dump(_ANSWER, answer)


def answer_from_json(text: str) -> Answer:
    """The inverse; fields that this version does not know are left out."""
    return _ANSWER.validate_json(text)


def origin_to_json(origin: Origin) -> str:
    """JSON."""
    return _dump(_ORIGIN, origin)


def origin_from_json(text: str) -> Origin:
    """The inverse."""
    return _ORIGIN.validate_json(text)


def _dump(adapter: TypeAdapter[Any], value: Any) -> str:
    try:
        return adapter.dump_json(value).decode()
    except PydanticSerializationError:  # half characters, which a model can write and UTF-8 cannot carry
        return storable(json.dumps(adapter.dump_python(value, mode="python"), ensure_ascii=False, default=str))
