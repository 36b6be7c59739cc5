"""Searches that come at once: one batch of the engine's, each with its own hits, also where the index is let go of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import qdrant_edge as edge

from service.adapters import edge_index
from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.domain import Hit, SearchFilter

from ..fakes.vectors import vector_of
from .corpus import FINGERPRINT, SECOND
from .test_edge_store import twin

QUESTIONS = ("motor driver", "refresh token", "index on a field", "connection pool", "validation of input", "cache")


class CountingShard:
    """The engine's own shard, which notes how many queries each batch had and can be made to fail."""

    batches: list[int]
    fails = False

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard

    def query_batch(self, request: edge.QueryBatchRequest) -> list[list[edge.ScoredPoint]]:
        """As the engine does it."""
        self.batches.append(len(request.queries))
        if self.fails:
            raise RuntimeError("the engine failed")
        return self._shard.query_batch(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many queries each batch had."""
    made: list[int] = []
    load = edge.EdgeShard.load

    class Loader:
        load = staticmethod(lambda path: CountingShard(load(path)))

    monkeypatch.setattr(CountingShard, "batches", made, raising=False)
    monkeypatch.setattr(edge_index.edge, "EdgeShard", Loader)
    return made


@pytest_asyncio.fixture
async def index(linked: Path, batches: list[int]) -> AsyncIterator[EdgeIndex]:
    """A reader that serves the plain corpus."""
    made = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await made.generation()
    yield made
    await made.close()


async def search(index: EdgeIndex, question: str) -> list[Hit]:
    """The best five."""
    return await index.search(question, vector_of(question), 5, SearchFilter())


async def test_searches_that_come_at_once_are_one_batch_with_the_hits_of_each(
    index: EdgeIndex, batches: list[int]
) -> None:
    """The same hits as one after another, in a sixth of the batches."""
    alone = [await search(index, question) for question in QUESTIONS]
    assert batches == [3] * len(QUESTIONS)
    batches.clear()
    assert await asyncio.gather(*(search(index, question) for question in QUESTIONS)) == alone
    assert batches == [3 * len(QUESTIONS)]


async def test_a_search_that_is_given_up_leaves_the_others(index: EdgeIndex, batches: list[int]) -> None:
    """A reader who leaves is not searched for, and takes nobody along."""
    staying, leaving = (asyncio.create_task(search(index, question)) for question in QUESTIONS[:2])
    asyncio.get_running_loop().call_soon(leaving.cancel)
    assert await staying == await search(index, QUESTIONS[0])
    assert leaving.cancelled()
    assert batches == [3, 3]


async def test_a_failing_engine_fails_every_search_and_the_next_is_served(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    with monkeypatch.context() as patched:
        patched.setattr(CountingShard, "fails", True)
        failed = await asyncio.gather(*(search(index, each) for each in QUESTIONS), return_exceptions=True)
    assert [str(each) for each in failed] == ["the engine failed"] * len(QUESTIONS)
    assert await search(index, QUESTIONS[0])


async def test_what_waits_is_searched_before_the_index_is_closed(index: EdgeIndex) -> None:
    """The service ends in the very turn in which a search came."""
    expected = await search(index, QUESTIONS[0])
    waiting = asyncio.create_task(search(index, QUESTIONS[0]))
    await asyncio.sleep(0)
    await index.close()
    assert await waiting == expected


async def test_searches_go_on_while_generations_change(linked: Path, index: EdgeIndex) -> None:
    """Whenever a search comes, it is answered by the one generation or the other."""
    expected = await search(index, QUESTIONS[0])
    switching = True

    async def keep_asking() -> int:
        asked = 0
        while switching:
            assert await search(index, QUESTIONS[0]) == expected
            asked += 1
        return asked

    asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
    for id_ in (SECOND, "20261103T120000-cccccc", "20261104T120000-dddddd"):
        twin(linked, id_)
        EdgeStore(linked).publish(id_)
        await index.refresh()
    switching = False
    assert all(await asyncio.gather(*asking))
    assert (await index.generation()).id.endswith("dddddd")
