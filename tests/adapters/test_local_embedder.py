"""The bundled model: unit vectors, the right text for each, 256 tokens and no more, and files that are damaged."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from service.adapters.local_embedder import MAX_TOKENS, LocalEmbedder
from service.errors import EmbeddingFailed
from service.ports import Vectors
from service.settings import BUNDLED_MODEL

TEXTS = [
    "How do I rotate refresh tokens?",
    "",
    "Motor is the asynchronous driver of MongoDB for Python.",
    "word " * 400,
    "await session.execute(select(User).where(User.id == user_id))",
    "数据库 連接池 🚀 naïve café",
    "x",
    "Rotating a refresh token means issuing a new one and revoking the old one at each use.",
    "docker compose up --build",
    "\n\t  \n",
    "A cache stampede happens when many requests miss the same key at once.",
]


@pytest.fixture(scope="module")
def model() -> Iterator[LocalEmbedder]:
    """The bundled model, loaded once."""
    made = LocalEmbedder(BUNDLED_MODEL)
    yield made
    asyncio.run(made.close())


async def collected(model: LocalEmbedder, texts: list[str]) -> Vectors:
    """All vectors, in the order of the texts; each position must come once."""
    vectors = np.full((len(texts), model.size), np.nan, dtype=np.float32)
    async for positions, batch in model.embed_documents(texts):
        assert np.isnan(vectors[positions]).all()
        vectors[positions] = batch
    return vectors


async def test_vectors_have_length_one(model: LocalEmbedder) -> None:
    """Every text has a direction, also an empty one."""
    vectors = await collected(model, TEXTS)
    assert vectors.shape == (len(TEXTS), model.size)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


async def test_each_text_gets_its_own_vector_though_they_are_sorted_by_length(model: LocalEmbedder) -> None:
    """A text embedded among others has the vector that it has alone."""
    vectors = await collected(model, TEXTS)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(vector, await model.embed_query(text), atol=1e-4)


async def test_like_meanings_are_near(model: LocalEmbedder) -> None:
    """It is the model that it says it is: a question is nearest to the sentence that answers it."""
    question, *others = await collected(model, [TEXTS[0], TEXTS[2], TEXTS[7], TEXTS[8], TEXTS[10]])
    assert int(np.argmax(np.array(others) @ question)) == 1


async def test_no_more_than_256_tokens_are_read(model: LocalEmbedder) -> None:
    """What comes after the 254th token of a text changes nothing, the 254th does."""
    most = "word " * (MAX_TOKENS - 2)
    same, more, other = await collected(model, [most, most + "tail " * 50, "word " * (MAX_TOKENS - 3) + "tail"])
    np.testing.assert_allclose(same, more, atol=1e-5)
    assert np.abs(same - other).max() > 1e-3


async def test_vectors_are_those_of_fastembed(model: LocalEmbedder) -> None:
    """The same files in fastembed give the same vectors: tokens, mask, pooling and length are right."""
    from fastembed import TextEmbedding  # noqa: PLC0415 - takes 2 s, and only this test needs it

    reference = TextEmbedding("sentence-transformers/all-MiniLM-L6-v2", specific_model_path=str(BUNDLED_MODEL))
    np.testing.assert_allclose(await collected(model, TEXTS), list(reference.embed(TEXTS, batch_size=4)), atol=1e-4)


async def test_nothing_to_embed_is_no_error(model: LocalEmbedder) -> None:
    """An empty list gives no batch."""
    assert (await collected(model, [])).shape == (0, model.size)


async def test_questions_may_come_at_once(model: LocalEmbedder) -> None:
    """Threads share the model: each question gets its own answer."""
    vectors = await asyncio.gather(*(model.embed_query(text) for text in TEXTS))
    np.testing.assert_allclose(vectors, await collected(model, TEXTS), atol=1e-4)


def test_tokens_are_counted_without_markers_and_without_end(model: LocalEmbedder) -> None:
    """The count is what the chunker needs: words and pieces, also beyond what the model reads."""
    texts = ["", "hello world", "word " * 400]
    assert model.count_tokens(texts) == [0, 2, 400]
    assert model.count_tokens(texts * 300) == [0, 2, 400] * 300
    assert model.count_tokens([]) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.onnx", None),
        ("model.onnx", b""),
        ("model.onnx", b"version https://git-lfs.github.com/spec/v1"),
        ("model.onnx", "half"),
        ("tokenizer.json", None),
        ("tokenizer.json", b"{"),
    ],
)
async def test_a_damaged_model_is_named(tmp_path: Path, file: str, content: bytes | str | None) -> None:
    """A missing, empty, half-fetched or broken file is named, with what to do, at the latest by the first text."""
    for part in ("model.onnx", "tokenizer.json"):
        (tmp_path / part).symlink_to(BUNDLED_MODEL / part)
    (tmp_path / file).unlink()
    if content == "half":
        whole = (BUNDLED_MODEL / file).read_bytes()
        (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        (tmp_path / file).write_bytes(content)

    async def load_and_embed() -> None:
        model = LocalEmbedder(tmp_path)
        try:
            await model.embed_query("why")
        finally:
            await model.close()

    with pytest.raises(EmbeddingFailed, match=rf"the bundled model .*{tmp_path}.*; restore ") as raised:
        await load_and_embed()
    assert str(raised.value).count("the bundled model") == 1


async def test_another_model_in_its_place_has_another_fingerprint_and_fails_by_name(
    tmp_path: Path, model: LocalEmbedder
) -> None:
    """A valid ONNX file that is not this model: no index of the right one is taken for its own, no traceback."""
    (tmp_path / "tokenizer.json").symlink_to(BUNDLED_MODEL / "tokenizer.json")
    (tmp_path / "model.onnx").write_bytes(identity_model())
    other = LocalEmbedder(tmp_path)
    assert other.fingerprint != model.fingerprint
    with pytest.raises(EmbeddingFailed, match="the bundled model failed"):
        await other.embed_query("why")
    await other.close()


def identity_model() -> bytes:
    """An ONNX model of one node, y = x for a vector of one float, written by hand."""

    def part(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return bytes([number << 3, content])
        return bytes([number << 3 | 2, len(content)]) + content

    shape = part(1, part(1, 1))  # one dimension, of length 1
    kind = part(1, part(1, 1) + part(2, shape))  # float
    node = part(1, b"x") + part(2, b"y") + part(4, b"Identity")
    ends = part(11, part(1, b"x") + part(2, kind)) + part(12, part(1, b"y") + part(2, kind))
    graph = part(1, node) + part(2, b"g") + ends
    return part(1, 8) + part(7, graph) + part(8, part(2, 17))


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")
async def test_embedding_does_not_interrupt_the_event_loop(model: LocalEmbedder) -> None:
    """Its threads are scheduled as batch work, this one is not."""
    await model.embed_query("ready")
    policies = {
        os.sched_getscheduler(thread.native_id)
        for thread in threading.enumerate()
        if thread.name.startswith("embed_") and thread.native_id
    }
    assert policies == {os.SCHED_BATCH}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


async def test_questions_that_come_together_are_embedded_together(model: LocalEmbedder) -> None:
    """Each gets its own vector, whatever waited beside it, also when one of them has left meanwhile."""
    questions = [f"How do I limit {'very ' * number}long queues?" for number in range(20)]
    alone = [await model.embed_query(question) for question in questions]
    asked = [asyncio.create_task(model.embed_query(question)) for question in questions]
    await asyncio.sleep(0)
    asked[7].cancel()
    together = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(together.pop(7), asyncio.CancelledError)
    del alone[7]
    for one, other in zip(alone, together, strict=True):
        assert float(np.asarray(one) @ np.asarray(other)) > 0.99999
