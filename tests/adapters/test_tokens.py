"""How tokens are counted before the provider has counted them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service.adapters.tokens import TokenCounter
from service.ports import Message

PROJECT = Path(__file__).parents[2]
TEXT = "Keyset pagination keeps pages stable — naïve offsets do not. 🙂"


@pytest.mark.parametrize(
    ("model", "like"),
    [
        ("gpt-6-luna", "gpt-4o"),
        ("gpt-6.1-terra", "gpt-4o"),
        ("my-own-model", "gpt-4o"),
        ("gpt-oss-120b", "gpt-4o"),
        ("text-davinci-003", "gpt-4o"),
        ("text-embedding-3-small", "gpt-4"),
    ],
)
def test_models_count_by_their_table_or_the_newest(model: str, like: str) -> None:
    """What tiktoken does not know, or has no table for here, counts by o200k_base."""
    assert TokenCounter(model).count_now(TEXT) == TokenCounter(like).count_now(TEXT)
    assert TokenCounter("gpt-4o").count_now("привет, как дела?") != TokenCounter("gpt-4").count_now("привет, как дела?")


async def test_messages_count_with_what_stands_between_them() -> None:
    """Four tokens a message, three for the reply, and the schema."""
    counter = TokenCounter("gpt-6-luna")
    messages = [Message("system", "Answer."), Message("user", TEXT)]
    words = await counter.count("Answer.", TEXT)
    assert await counter.count_messages(messages, "") == words + 11
    schema = '{"type":"object"}'
    assert await counter.count_messages(messages, schema) == words + 11 + counter.count_now(schema)


async def test_texts_are_counted_each_or_together() -> None:
    """An empty one is nothing."""
    counter = TokenCounter("gpt-6-luna")
    each = await counter.count_each(["", "Hello world", TEXT])
    assert each[:2] == [0, 2]
    assert sum(each) == await counter.count("", "Hello world", TEXT)


def test_what_looks_like_a_control_token_is_counted_as_text() -> None:
    """A question about `<|endoftext|>` is no error."""
    assert TokenCounter("gpt-6-luna").count_now("<|endoftext|>") > 1
    assert TokenCounter("gpt-6-luna").count_now("\ud800") >= 1


OFFLINE = """
import socket, sys
def no_network(*args, **kwargs):
    raise AssertionError("it wants to connect")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = no_network
from service.adapters.tokens import TokenCounter
assert "tiktoken" not in sys.modules
TokenCounter("gpt-6-luna").count_now("x"), TokenCounter("text-embedding-3-small").count_now("x")
print("imported:", *(name for name in ("llama_index", "nltk", "requests") if name in sys.modules))
"""


def test_the_tables_are_at_hand(clean_environment: dict[str, str], tmp_path: Path) -> None:
    """Without network or a cache, whatever folder the environment names, and without importing LlamaIndex."""
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=PROJECT, env=clean_environment | {"TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "imported:"), done.stderr
    assert list(tmp_path.iterdir()) == []
