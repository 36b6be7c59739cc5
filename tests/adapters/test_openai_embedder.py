"""The embedding adapter over the real SDK: batches, retries that resume, and answers that are not embeddings."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from service.adapters.bookkeeping import Bookkeeper
from service.adapters.openai_embedder import BATCH, BATCH_TOKENS, OpenAIEmbedder, Origin
from service.adapters.pricing import load_prices
from service.adapters.vector_cache import CachedEmbedder
from service.domain import Budgets, Purpose, Usage
from service.errors import BudgetSpent, EmbeddingFailed
from service.ports import Embedder, Vectors

from ..fakes.ledger import FakeLedger
from ..fakes.openai_server import KEY, OpenAIServer, Reply, embeddings, failure
from ..fakes.played_model import Sleeps
from ..fakes.upstream import Provider, named
from ..fakes.upstream.billing import tokens
from ..waiting import until

MODEL = "text-embedding-3-small"
TEXTS = [f"text {number}" for number in range(2 * BATCH + 7)]


def embedder(server: OpenAIServer, size: int = 2, **more: Any) -> OpenAIEmbedder:
    """The adapter over a server; it does not really wait."""
    return OpenAIEmbedder(server.client(), MODEL, size, "openai", **({"sleep": Sleeps()} | more))


def by_number(request: httpx2.Request) -> httpx2.Response:
    """The vector of `text n` is (1, n), of no particular length."""
    return embeddings([[1.0, int(text.split()[1])] for text in json.loads(request.content)["input"]])


def assert_of(texts: list[str], vectors: Vectors) -> None:
    """The vectors are those of the texts, brought to length 1."""
    expected = np.array([[1.0, int(text.split()[1])] for text in texts])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=2e-3)


async def collected(source: Embedder, texts: list[str]) -> Vectors:
    """All vectors, in the order of the texts."""
    vectors = np.full((len(texts), 2), np.nan, dtype=np.float32)
    async for positions, batch in source.embed_documents(texts):
        vectors[positions] = batch
    return vectors


async def test_texts_are_sent_in_batches_and_come_back_as_unit_vectors() -> None:
    """Each request holds the model and at most a batch of texts; nothing is sent twice."""
    server = OpenAIServer(by_number)
    source = embedder(server)
    assert_of(TEXTS, await collected(source, TEXTS))
    assert [set(body) for body in server.bodies] == [{"model", "input", "encoding_format"}] * 3
    assert {body["model"] for body in server.bodies} == {"text-embedding-3-small"}
    assert [text for body in server.bodies for text in body["input"]] == TEXTS
    assert [len(body["input"]) for body in server.bodies] == [BATCH, BATCH, 7]
    assert_of(["text 3"], np.array([await source.embed_query("text 3")]))
    await source.close()


async def test_the_order_is_that_of_the_index() -> None:
    """A server may answer in any order, or in base 64."""

    def shuffled(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(by_number(request).content)
        for row in body["data"]:
            row["embedding"] = base64.b64encode(np.array(row["embedding"], dtype=np.float32).tobytes()).decode()
        body["data"].reverse()
        return httpx2.Response(200, json=body)

    source = embedder(OpenAIServer(shuffled))
    assert_of(TEXTS[:5], await collected(source, TEXTS[:5]))
    await source.close()


@pytest.mark.parametrize("fault", [failure(429, "rate_limit_exceeded"), failure(503), httpx2.ReadTimeout("slow")])
async def test_after_a_passing_fault_the_batch_is_sent_again_and_no_other(fault: Reply) -> None:
    """A rate limit in the middle costs one more request; what came before is not asked for twice."""
    server = OpenAIServer(by_number, fault, by_number)
    source = embedder(server)
    assert_of(TEXTS, await collected(source, TEXTS))
    assert [len(body["input"]) for body in server.bodies] == [BATCH, BATCH, BATCH, 7]
    assert server.bodies[1] == server.bodies[2]
    await source.close()


async def test_a_question_is_tried_twice() -> None:
    """Somebody waits for it: after the second fault it is given up."""
    server = OpenAIServer(failure(503))
    source = embedder(server)
    with pytest.raises(EmbeddingFailed, match="answered 503"):
        await source.embed_query("text 1")
    assert len(server.requests) == 2
    await source.close()


async def test_what_was_embedded_before_a_lasting_fault_is_kept(tmp_path: Path) -> None:
    """The quota ends after a batch: the next run pays for the rest alone."""
    server = OpenAIServer(by_number, failure(429, "insufficient_quota"), by_number)
    cache = CachedEmbedder(embedder(server), tmp_path / "vectors.sqlite")
    with pytest.raises(EmbeddingFailed, match="insufficient_quota") as raised:
        await collected(cache, TEXTS)
    assert KEY not in str(raised.value)
    assert len(server.requests) == 2
    assert cache.missing(TEXTS) == list(range(BATCH, len(TEXTS)))
    assert_of(TEXTS, await collected(cache, TEXTS))
    assert [text for body in server.bodies[2:] for text in body["input"]] == TEXTS[BATCH:]
    await cache.close()


def rows(*rows: dict[str, object]) -> httpx2.Response:
    """An answer with these rows of data."""
    return httpx2.Response(200, json={"object": "list", "data": list(rows)})


NOT_EMBEDDINGS: dict[str, tuple[Reply, str]] = {
    "a wrong key": (failure(401, "invalid_api_key"), "401 (invalid_api_key)"),
    "an unknown model": (failure(404), "404"),
    "a web page": (httpx2.Response(200, html="<html>It works!"), "OPENAI_BASE_URL"),
    "another JSON": (httpx2.Response(200, json={"hello": "world"}), "OPENAI_BASE_URL"),
    "no rows": (rows(), "OPENAI_BASE_URL"),
    "words for numbers": (rows({"index": 0, "embedding": ["a", "b"]}), "OPENAI_BASE_URL"),
    "a row without a vector": (rows({"index": 0}), "vectors of shape"),
    "another size": (embeddings([[1.0, 2.0, 3.0]]), "vectors of shape (1, 3), not (1, 2)"),
    "a vector too many": (embeddings([[1.0, 2.0], [3.0, 4.0]]), "vectors of shape (2, 2), not (1, 2)"),
    "a vector of zeros": (embeddings([[0.0, 0.0]]), "without a direction"),
}


@pytest.mark.parametrize(("reply", "said"), NOT_EMBEDDINGS.values(), ids=NOT_EMBEDDINGS)
async def test_an_answer_that_is_no_embedding_is_one_error_and_one_request(reply: Reply, said: str) -> None:
    """Nothing that the server sends gets into an index as a vector, and what will not pass is not tried again."""
    server = OpenAIServer(reply)
    source = embedder(server)
    with pytest.raises(EmbeddingFailed) as raised:
        await source.embed_query("text 1")
    assert said in str(raised.value)
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(server.requests) == 1
    await source.close()


async def test_half_an_answer_is_an_error() -> None:
    """Fewer vectors than texts are not spread over the texts."""
    source = embedder(OpenAIServer(embeddings([[1.0, 0.0]])))
    with pytest.raises(EmbeddingFailed, match="vectors of shape"):
        await collected(source, TEXTS[:3])
    await source.close()


def test_the_fingerprint_tells_models_servers_and_sizes_apart() -> None:
    """Vectors of another model, from another server or of another size never mix."""
    client = OpenAIServer(by_number).client()
    made = [("small", 2, "openai"), ("large", 2, "openai"), ("small", 3, "openai"), ("small", 2, "models.test")]
    assert len({OpenAIEmbedder(client, *one).fingerprint for one in made}) == 4


def test_tokens_are_counted_as_the_model_counts() -> None:
    """By tiktoken's table for it."""
    source = embedder(OpenAIServer(by_number))
    assert source.count_tokens(["", "hello", "hello " * 100]) == [0, 1, 101]


async def test_a_batch_is_limited_by_its_tokens_too() -> None:
    """Long texts go in smaller batches; one that is too long for any goes alone."""
    server = OpenAIServer(lambda request: embeddings([[1.0, 0.0]] * len(json.loads(request.content)["input"])))
    source = embedder(server)
    long, short = "word " * (BATCH_TOKENS // 2 - 10), "word"
    [batch async for batch in source.embed_documents([long, long, long, long * 3, short])]
    assert [len(body["input"]) for body in server.bodies] == [2, 1, 1, 1]
    await source.close()


async def test_the_servers_wish_is_waited_for() -> None:
    """A rate limit in the middle of an ingest pauses it as long as the server asks."""
    sleeps = Sleeps()
    server = OpenAIServer(by_number, failure(429, headers={"retry-after": "42"}), by_number)
    source = embedder(server, sleep=sleeps)
    assert_of(TEXTS, await collected(source, TEXTS))
    assert sleeps.slept == [42.0]
    await source.close()


async def test_a_wish_that_is_too_long_ends_it_and_says_so() -> None:
    """An hour is not waited for; whoever runs the ingest can come back."""
    server = OpenAIServer(failure(429, headers={"retry-after": "3600"}))
    source = embedder(server)
    with pytest.raises(EmbeddingFailed, match="asks to wait 3600 seconds"):
        await collected(source, TEXTS)
    assert len(server.requests) == 1
    await source.close()


TOO_LARGE: dict[str, httpx2.Response] = {
    "by status": failure(413),
    "by words": httpx2.Response(422, json={"error": "batch size 128 > maximum allowed batch size 32"}),
    "as OpenAI says it": httpx2.Response(400, json={"error": {"message": "max 300000 tokens per request"}}),
}


@pytest.mark.parametrize("refusal", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_batch_that_the_server_finds_too_large_is_halved_until_it_fits(refusal: httpx2.Response) -> None:
    """What it takes is remembered, so that each later batch goes right away; every text is sent once."""

    def at_most_32(request: httpx2.Request) -> httpx2.Response:
        if len(json.loads(request.content)["input"]) > 32:
            return httpx2.Response(refusal.status_code, content=refusal.content, headers=refusal.headers)
        return by_number(request)

    server = OpenAIServer(at_most_32)
    source = embedder(server)
    assert_of(TEXTS, await collected(source, TEXTS))
    sizes = [len(body["input"]) for body in server.bodies]
    assert sizes[:2] == [128, 64]
    assert set(sizes[2:-1]) == {32}
    assert [text for body in server.bodies[2:] for text in body["input"]] == TEXTS
    await source.close()


async def test_one_text_that_is_too_large_is_an_error() -> None:
    """There is nothing to halve."""
    server = OpenAIServer(failure(413))
    source = embedder(server)
    with pytest.raises(EmbeddingFailed, match="413"):
        await collected(source, TEXTS[:1])
    assert len(server.requests) == 1
    await source.close()


def booked(server: OpenAIServer, budgets: Budgets | None = None, **more: Any) -> tuple[FakeLedger, OpenAIEmbedder]:
    """The adapter with a ledger."""
    ledger = FakeLedger()
    return ledger, embedder(server, books=Bookkeeper(ledger, budgets or Budgets(), load_prices()), **more)


async def test_every_request_is_a_row() -> None:
    """Chapters and questions, with what the provider counted and for whom; a failed try cost nothing."""
    server = OpenAIServer(by_number, failure(500), by_number)
    ledger, source = booked(server, origin=lambda: Origin("ann", "trace-1"))
    await collected(source, TEXTS)
    await source.embed_query("text 1")
    rows = list(ledger.rows.values())
    assert ledger.outcomes == ["answered", "failed", "answered", "answered", "answered"]
    assert [row.call.purpose for row in rows] == [Purpose.EMBED_CHAPTERS] * 4 + [Purpose.EMBED_QUESTION]
    assert [row.call.attempt for row in rows] == [1, 1, 2, 1, 1]
    assert {(row.call.caller, row.call.trace_id, row.call.model) for row in rows} == {("ann", "trace-1", MODEL)}
    assert [row.call.estimated.input_tokens for row in rows] == [3 * BATCH, 3 * BATCH, 3 * BATCH, 3 * 7, 3]
    assert [settled.usage.input_tokens for settled in ledger.settlements] == [3, 0, 3, 3, 3]
    assert ledger.settlements[0].cost == 3 * Decimal("0.02") / 1_000_000
    assert all(settled.reported for settled in ledger.settlements)
    await source.close()


async def test_without_an_origin_each_call_is_a_request_of_its_own() -> None:
    """A budget for one request does not add up a whole ingest."""
    ledger, source = booked(OpenAIServer(by_number))
    await collected(source, TEXTS)
    assert len({row.call.trace_id for row in ledger.rows.values()}) == 3
    await source.close()


async def test_what_the_provider_does_not_report_is_counted_here() -> None:
    """A timeout, and an answer without usage, are booked at what was sent."""
    bare = httpx2.Response(200, json={"data": [{"index": 0, "embedding": [1.0, 0.0]}]})
    ledger, source = booked(OpenAIServer(httpx2.ReadTimeout("slow"), bare))
    await source.embed_query("text 1")
    assert [(one.outcome, one.usage.input_tokens, one.reported) for one in ledger.settlements] == [
        ("failed", 3, False),
        ("answered", 3, False),
    ]
    await source.close()


async def test_a_cancelled_embedding_is_booked() -> None:
    """Somebody left while it was made."""
    reached = asyncio.Event()

    class Silent(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            reached.set()
            await asyncio.Event().wait()
            yield b""

    ledger, source = booked(OpenAIServer(httpx2.Response(200, stream=Silent())))
    task = asyncio.ensure_future(source.embed_query("text 1"))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ledger.outcomes, ledger.used) == (["cancelled"], Usage(input_tokens=3))
    await source.close()


async def test_a_budget_stops_an_ingest_before_it_is_overspent() -> None:
    """What came before stays with the caller: one batch costs 384 tokens, and 400 may be spent."""

    def counted(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(by_number(request).content)
        used = 3 * len(body["data"])
        return httpx2.Response(200, json=body | {"usage": {"prompt_tokens": used, "total_tokens": used}})

    server = OpenAIServer(counted)
    _, source = booked(server, Budgets(per_day=400 * Decimal("0.02") / 1_000_000))
    batches = source.embed_documents(TEXTS)
    positions, _ = await anext(batches)
    assert positions == list(range(BATCH))
    with pytest.raises(BudgetSpent):
        await anext(batches)
    assert len(server.requests) == 1
    await source.close()


INGEST = """
import asyncio, sys
from pathlib import Path
from openai import AsyncOpenAI
from service.adapters.openai_embedder import OpenAIEmbedder
from service.adapters.vector_cache import CachedEmbedder

async def main(url, file, count):
    inner = OpenAIEmbedder(AsyncOpenAI(base_url=url, api_key="none", max_retries=0), "mine", 64, "loopback")
    cache = CachedEmbedder(inner, Path(file))
    async for _ in cache.embed_documents([f"text {number}" for number in range(count)]):
        pass
    await cache.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_an_ingest_that_is_killed_between_batches_pays_nothing_twice(
    upstream: tuple[Provider, str], tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    """The process dies while the second batch is on its way; the next run asks for what is missing, and no more.

    The first run meets a rate limit as well: the provider served every text once, and its bill says so.
    """
    provider, url = upstream
    provider.play(named("429-now,well,stall-before"))
    command = [sys.executable, "-c", INGEST, url, str(tmp_path / "vectors.sqlite"), str(len(TEXTS))]
    project = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, cwd=project, env=clean_environment)
    await until(lambda: len(provider.requests) == 3)
    process.kill()
    await process.wait()
    provider.script = named("well")
    again = await asyncio.create_subprocess_exec(*command, cwd=project, env=clean_environment)
    assert await again.wait() == 0
    limited, first, lost, *rest = [request.body["input"] for request in provider.requests]
    assert (limited, first) == (TEXTS[:BATCH], TEXTS[:BATCH])
    assert lost == TEXTS[BATCH : 2 * BATCH]
    assert [text for batch in rest for text in batch] == TEXTS[BATCH:]
    assert sum(one.input_tokens for one in provider.bill) == sum(tokens(text) for text in TEXTS)
