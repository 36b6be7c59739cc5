"""Vectors that are kept: computed once, the same wherever they come from, safe from a kill between two batches."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters.vector_cache import CachedEmbedder, ShippedVectors, key_of
from service.errors import EmbeddingFailed, IngestFailed
from service.ports import Vectors

from ..fakes.embedder import FailingEmbedder
from ..fakes.vectors import BATCH, SIZE, WordVectors, vector_of

ROOT = Path(__file__).parents[2]
TEXTS = [f"text number {number}" for number in range(3 * BATCH)]


async def collected(cache: CachedEmbedder, texts: list[str]) -> Vectors:
    """All vectors, in the order of the texts; each position must come once."""
    vectors = np.full((len(texts), SIZE), np.nan, dtype=np.float32)
    async for positions, batch in cache.embed_documents(texts):
        assert np.isnan(vectors[positions]).all()
        vectors[positions] = batch
    assert not np.isnan(vectors).any()
    return vectors


def rounded(texts: list[str]) -> Vectors:
    """What the cache gives for texts: the model's vectors in half precision."""
    return np.array([vector_of(text) for text in texts]).astype(np.float16).astype(np.float32)


async def test_a_text_is_computed_once(tmp_path: Path) -> None:
    """A second run, also by another process's cache on the same file, asks the model for nothing."""
    inner = WordVectors()
    cache = CachedEmbedder(inner, tmp_path / "vectors.sqlite")
    assert cache.missing(TEXTS) == list(range(len(TEXTS)))
    first = await collected(cache, TEXTS)
    assert sorted(inner.asked) == sorted(TEXTS)
    assert cache.computed == len(TEXTS)
    again = CachedEmbedder(inner, tmp_path / "vectors.sqlite")
    assert again.missing([*TEXTS, "new"]) == [len(TEXTS)]
    np.testing.assert_array_equal(await collected(again, TEXTS), first)
    assert len(inner.asked) == len(TEXTS)
    assert again.computed == 0
    await again.close()
    await cache.close()
    assert inner.closed


async def test_equal_texts_are_computed_once(tmp_path: Path) -> None:
    """A text that stands in several places is asked for, counted and paid once, and every place gets its vector."""
    inner = WordVectors()
    cache = CachedEmbedder(inner, tmp_path / "vectors.sqlite")
    repeated = ["one", "two", "one", "one", "three", "two"]
    assert cache.missing(repeated) == [0, 1, 4]
    vectors = await collected(cache, repeated)
    assert sorted(inner.asked) == ["one", "three", "two"]
    assert cache.computed == 3
    await cache.close()
    np.testing.assert_array_equal(vectors[0], vectors[3])
    np.testing.assert_array_equal(vectors, rounded(repeated))


async def test_a_vector_is_the_same_wherever_it_comes_from(tmp_path: Path) -> None:
    """Computed now, read from this machine's file or from the shipped one: bit for bit equal, in half precision."""
    cache = CachedEmbedder(WordVectors(), tmp_path / "a.sqlite")
    computed = await collected(cache, TEXTS)
    kept = await collected(cache, TEXTS)
    await cache.close()
    shipped = tmp_path / "vectors.npz"
    ShippedVectors.save(shipped, WordVectors().fingerprint, {key_of(text): vector_of(text) for text in TEXTS})
    other = CachedEmbedder(WordVectors(), tmp_path / "b.sqlite", shipped)
    from_file = await collected(other, TEXTS)
    assert other.computed == 0
    await other.close()
    np.testing.assert_array_equal(computed, kept)
    np.testing.assert_array_equal(computed, from_file)
    np.testing.assert_array_equal(computed, computed.astype(np.float16).astype(np.float32))
    assert computed.dtype == np.float32


async def test_vectors_of_another_model_are_not_used(tmp_path: Path) -> None:
    """Neither the shipped ones nor those kept on this machine: the fingerprint must be the same."""
    shipped = tmp_path / "vectors.npz"
    ShippedVectors.save(shipped, "word-vectors@1", {key_of("text"): vector_of("text")})
    old = CachedEmbedder(WordVectors("word-vectors@1"), tmp_path / "vectors.sqlite", shipped)
    await collected(old, ["other"])
    assert old.missing(["text", "other"]) == []
    await old.close()
    new = CachedEmbedder(WordVectors("word-vectors@2"), tmp_path / "vectors.sqlite", shipped)
    assert new.missing(["text", "other"]) == [0, 1]
    await new.close()


async def test_a_shipped_file_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    """Everything is computed then."""
    cache = CachedEmbedder(WordVectors(), tmp_path / "vectors.sqlite", tmp_path / "none.npz")
    assert cache.missing(["text"]) == [0]
    await cache.close()


def test_the_same_vectors_give_the_same_file(tmp_path: Path) -> None:
    """A rebuilt file shows no difference in the repository, whatever the order and the time."""
    vectors = {key_of(text): vector_of(text) for text in TEXTS}
    ShippedVectors.save(tmp_path / "a.npz", "model", vectors)
    ShippedVectors.save(tmp_path / "b.npz", "model", dict(reversed(vectors.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


@pytest.mark.parametrize("damage", ["cut", "flipped", "not an archive", "empty"])
def test_a_damaged_shipped_file_is_named(tmp_path: Path, damage: str) -> None:
    """A half-fetched file stops the ingest with its name, instead of costing a quarter of an hour unnoticed."""
    file = tmp_path / "vectors.npz"
    ShippedVectors.save(file, "word-vectors@1", {key_of(text): vector_of(text) for text in TEXTS})
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {"cut": content[: len(content) // 2], "flipped": content, "not an archive": b"version https://git-lfs"}
    file.write_bytes(damaged.get(damage, b""))
    with pytest.raises(EmbeddingFailed, match=r"vectors\.npz is damaged"):
        CachedEmbedder(WordVectors(), tmp_path / "vectors.sqlite", file)


async def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    """A file that is no database: one line says which, and that it may be deleted."""
    file = tmp_path / "vectors.sqlite"
    file.write_bytes(b"this is no database, " * 100)
    with pytest.raises(IngestFailed, match=r"vectors\.sqlite cannot be used .*delete a damaged file"):
        CachedEmbedder(WordVectors(), file)


async def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where its folder should be."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(IngestFailed, match=r"vectors\.sqlite cannot be used"):
        CachedEmbedder(WordVectors(), tmp_path / "data" / "vectors.sqlite")


async def test_a_failure_keeps_the_batches_before_it(tmp_path: Path) -> None:
    """The provider gives up after two batches: they are not computed again."""
    cache = CachedEmbedder(FailingEmbedder(batches=2), tmp_path / "vectors.sqlite")
    with pytest.raises(EmbeddingFailed, match="rate limit"):
        await collected(cache, TEXTS)
    assert len(cache.missing(TEXTS)) == BATCH
    await cache.close()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from service.adapters.vector_cache import CachedEmbedder
from tests.adapters.test_vector_cache import TEXTS
from tests.fakes.vectors import WordVectors

async def main():
    batches = 0
    async for _ in CachedEmbedder(WordVectors(), Path(sys.argv[1])).embed_documents(TEXTS):
        batches += 1
        if batches == 2:
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_a_kill_between_two_batches_loses_none_that_was_given(tmp_path: Path) -> None:
    """What the ingest had in its hands is in the file when it is killed; the next run computes the rest alone."""
    file = tmp_path / "vectors.sqlite"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    inner = WordVectors()
    cache = CachedEmbedder(inner, file)
    vectors = asyncio.run(collected(cache, TEXTS))
    assert len(inner.asked) == BATCH
    np.testing.assert_allclose(vectors, [vector_of(text) for text in TEXTS], atol=1e-3)
    asyncio.run(cache.close())


async def test_questions_pass_through(tmp_path: Path) -> None:
    """A question is embedded as the model does, and not kept; names, sizes and counts are the model's."""
    cache = CachedEmbedder(WordVectors(), tmp_path / "vectors.sqlite")
    np.testing.assert_array_equal(await cache.embed_query("why"), vector_of("why"))
    assert cache.missing(["why"]) == [0]
    assert (cache.name, cache.size, cache.fingerprint) == ("word-vectors", SIZE, "word-vectors@1")
    assert cache.count_tokens(["three small words"]) == WordVectors().count_tokens(["three small words"])
    await cache.close()


async def test_the_cost_is_tokens_times_price(tmp_path: Path) -> None:
    """Without a price there is no cost, rather than one of nought."""
    free = CachedEmbedder(WordVectors(), tmp_path / "a.sqlite")
    paid = CachedEmbedder(WordVectors(), tmp_path / "b.sqlite", price_per_million=Decimal("0.02"))
    assert free.cost(1_000_000) is None
    assert paid.cost(1_500_000) == Decimal("0.03")
    await free.close()
    await paid.close()


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["", "a", "b b", "c c c", "ünïcode", "数据库", "x" * 500]), max_size=12),
    known=st.sets(st.sampled_from(["", "a", "b b", "数据库"])),
)
def test_every_text_gets_its_own_vector(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], known: set[str]
) -> None:
    """Whatever is known already and however often a text occurs, each position gets the vector of its text, once."""

    async def run() -> None:
        cache = CachedEmbedder(WordVectors(), tmp_path_factory.mktemp("cache") / "vectors.sqlite")
        await collected(cache, sorted(known))
        vectors = await collected(cache, texts)
        for text, vector in zip(texts, vectors, strict=True):
            np.testing.assert_allclose(vector, vector_of(text), atol=1e-3)
        await cache.close()

    asyncio.run(run())
