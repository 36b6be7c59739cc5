"""Dynamic batching: what is batched with what, that the model never waits for the event loop, and failures."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from service.adapters.batcher import BATCH, Batcher
from service.errors import EmbeddingFailed
from service.ports import Vectors

PATIENCE = 10.0  # seconds for what takes a millisecond


class GatedModel:
    """A text's vector is its length. Every batch waits until it is let through."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        self.begun.release()
        assert self.gate.acquire(timeout=PATIENCE)
        if "damaged" in texts:
            raise EmbeddingFailed("the model failed")
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    def let_through(self, batches: int = 100) -> None:
        """Batches that need not wait."""
        self.gate.release(batches)

    def has_begun(self) -> bool:
        """Whether one more batch begins within the test's patience."""
        return self.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def model() -> GatedModel:
    """The model under the batcher."""
    return GatedModel()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """The threads that it runs in."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool


@pytest.fixture
def batcher(model: GatedModel, threads: ThreadPoolExecutor) -> Batcher:
    """What is tested."""
    return Batcher(model, threads)


async def asked(batcher: Batcher, model: GatedModel, texts: Sequence[str]) -> list[asyncio.Task[Vectors]]:
    """The texts, each in a task: the first is in the model's hands, the others wait in this order."""
    tasks = [asyncio.create_task(batcher.vector_of(texts[0]))]
    await asyncio.to_thread(model.has_begun)
    tasks += [asyncio.create_task(batcher.vector_of(text)) for text in texts[1:]]
    await asyncio.sleep(0)
    return tasks


async def test_the_longest_waiting_is_batched_with_what_is_nearest_to_it_in_length(
    batcher: Batcher, model: GatedModel
) -> None:
    """A short question isn't padded to a long one while others of its length wait, and none is left behind."""
    waiting = ["a" * length for length in (20, 90, 21, 400, 19, 91, 22, 18, 92, 23)]
    tasks = await asked(batcher, model, ["first", *waiting])
    model.let_through()
    vectors = await asyncio.gather(*tasks)
    assert [int(vector[0]) for vector in vectors] == [5, *map(len, waiting)]
    lengths = [list(map(len, batch)) for batch in model.batches]
    assert lengths == [[5], [23, 22, 21, 20, 19, 18], [400, 92, 91, 90]]
    assert max(map(len, lengths)) == BATCH


async def test_the_model_goes_on_while_the_event_loop_is_busy(batcher: Batcher, model: GatedModel) -> None:
    """The next batch begins though the loop has not yet heard of the last one."""
    tasks = await asked(batcher, model, ["first", "second"])
    model.let_through()
    assert model.has_begun()  # this holds the event loop up, on purpose
    await asyncio.gather(*tasks)


async def test_a_failure_is_that_of_its_batch(batcher: Batcher, model: GatedModel) -> None:
    """Those after it get their vectors."""
    failing, *others = await asked(batcher, model, ["damaged", "sound", "also sound"])
    model.let_through()
    with pytest.raises(EmbeddingFailed, match="the model failed"):
        await failing
    assert [int(vector[0]) for vector in await asyncio.gather(*others)] == [5, 10]


async def test_what_nobody_waits_for_is_not_embedded(batcher: Batcher, model: GatedModel) -> None:
    """A reader who leaves costs nothing; who stays gets a vector, also where all others left."""
    first, leaving, staying = await asked(batcher, model, ["first", "leaving", "staying"])
    leaving.cancel()
    await asyncio.sleep(0)
    model.let_through()
    await asyncio.gather(first, staying)
    assert model.batches == [["first"], ["staying"]]
    assert int((await batcher.vector_of("later"))[0]) == 5


async def test_a_closed_model_is_a_named_failure(batcher: Batcher, threads: ThreadPoolExecutor) -> None:
    """No wait without end."""
    threads.shutdown()
    for _ in range(2):
        with pytest.raises(EmbeddingFailed, match="the embedding model is closed"):
            await batcher.vector_of("too late")


def test_threads_outlive_an_event_loop(batcher: Batcher, model: GatedModel) -> None:
    """A loop that is closed while its text is embedded takes nothing with it: the next one is served."""
    asyncio.run(left(batcher, model))
    model.let_through()
    assert int(asyncio.run(batcher.vector_of("next"))[0]) == 4


async def left(batcher: Batcher, model: GatedModel) -> None:
    """Somebody asks, and the loop ends."""
    await asked(batcher, model, ["left"])
