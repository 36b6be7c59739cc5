"""What the provider counts and charges, by code of its own: the product's ledger is held against it."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiktoken import Encoding


@dataclass(frozen=True, slots=True)
class Billed:
    """One request that was served, in whole or in part."""

    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int


def tokens(text: str) -> int:
    """As the newer models count."""
    return len(_encoding().encode_ordinary(text))


def input_tokens(body: dict[str, Any]) -> int:
    """Messages (four tokens around each, three before the reply) and the schema."""
    count = 3
    for message in body["messages"]:
        count += 4 + tokens(message["content"])
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return count + (tokens(json.dumps(schema, separators=(",", ":"), ensure_ascii=False)) if schema else 0)


@functools.cache
def _encoding() -> Encoding:
    import tiktoken  # noqa: PLC0415 - costs what no other test should pay

    folder = distribution("llama-index-core").locate_file("llama_index/core/_static/tiktoken_cache")
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    return tiktoken.get_encoding("o200k_base")
