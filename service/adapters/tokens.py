"""How many tokens a model counts, before it has counted them: tiktoken, offline.

The tables are those that llama-index-core ships; it is not imported. Loading takes a fifth of a second, so it happens
in a thread, at the first count. Models that tiktoken does not know count by o200k_base, the newest table that is here.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterable
from importlib.metadata import distribution
from typing import TYPE_CHECKING

from service.ports import Message

if TYPE_CHECKING:
    from tiktoken import Encoding

_NEWEST = "o200k_base"
_TABLES = {"cl100k_base", _NEWEST}
_MESSAGE_TOKENS = 4  # role, start and end of a message
_REPLY_TOKENS = 3  # every reply begins with them


class TokenCounter:
    """Counts as one model does, or nearly."""

    def __init__(self, model: str) -> None:
        self._model = model

    def count_now(self, text: str) -> int:
        """Tokens of a text; blocks, for a fifth of a second at the first call of a process."""
        return len(_encoding(self._model).encode_ordinary(text))

    async def count(self, *texts: str) -> int:
        """Tokens of all the texts together; in a thread, because a long one takes milliseconds."""
        return await asyncio.to_thread(lambda: sum(map(self.count_now, texts)))

    async def count_each(self, texts: Iterable[str]) -> list[int]:
        """Tokens of each text."""
        return await asyncio.to_thread(lambda: [self.count_now(text) for text in texts])

    async def count_messages(self, messages: Iterable[Message], schema: str) -> int:
        """Input tokens of a call: messages with what stands between them, and the schema."""
        contents = [message.content for message in messages]
        return await self.count(*contents, schema) + _MESSAGE_TOKENS * len(contents) + _REPLY_TOKENS


@functools.cache
def _encoding(model: str) -> Encoding:
    """The model's table; every model that counts alike shares it."""
    import tiktoken  # noqa: PLC0415 - a process that calls no model never needs it

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = _NEWEST
    os.environ["TIKTOKEN_CACHE_DIR"] = _tables()  # its only way to be told; otherwise it downloads the tables
    return tiktoken.get_encoding(name if name in _TABLES else _NEWEST)


def _tables() -> str:
    """The folder of the tables."""
    return str(distribution("llama-index-core").locate_file("llama_index/core/_static/tiktoken_cache"))
