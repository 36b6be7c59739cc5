"""The embedding adapter over the real SDK: batches, retries that resume, and answers that are not embeddings."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx2
import numpy as np
import pytest

from service.adapters.openai_embedder import BATCH, OpenAIEmbedder
from service.adapters.vector_cache import CachedEmbedder
from service.errors import EmbeddingFailed
from service.ports import Embedder, Vectors

from ..fakes.openai_server import KEY, OpenAIServer, Reply, embeddings, failure

TEXTS = [f"text {number}" for number in range(2 * BATCH + 7)]


def embedder(server: OpenAIServer, size: int = 2) -> OpenAIEmbedder:
    """The adapter over a server."""
    return OpenAIEmbedder(server.client(), "text-embedding-3-small", size, "openai")


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


def test_tokens_are_estimated_on_the_safe_side() -> None:
    """More rather than fewer: an English word of five letters with its space counts as two and a bit."""
    source = embedder(OpenAIServer(by_number))
    assert source.count_tokens("") == 1
    assert source.count_tokens("hello " * 100) == 201
