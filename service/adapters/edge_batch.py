"""Searches of one turn of the event loop, run by the engine as one batch.

The engine holds the GIL while its own threads search, and those wait for a core while the embedding model has both. Six
questions that were embedded together would wait six times; in a batch they wait once, and share the pass over the
vectors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import qdrant_edge as edge

from service.domain import Hit

Found = Sequence[list[edge.ScoredPoint]]


@dataclass(frozen=True, slots=True)
class _Search:
    requests: Sequence[edge.QueryRequest]
    read: Callable[[Found], list[Hit]]
    hits: asyncio.Future[list[Hit]]

    def end(self, found: Found) -> None:
        try:
            self.hits.set_result(self.read(found))
        except Exception as error:  # the vendor raises bare exceptions
            self.hits.set_exception(error)


class SearchBatch:
    """Collects the searches of a shard until the event loop comes round."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard
        self._waiting: list[_Search] = []

    async def search(self, requests: Sequence[edge.QueryRequest], read: Callable[[Found], list[Hit]]) -> list[Hit]:
        """What `read` makes of the points that each request found; it is called before the shard can be closed.

        What the engine raises, it raises for all of a batch.
        """
        loop = asyncio.get_running_loop()
        search = _Search(requests, read, loop.create_future())
        if not self._waiting:
            loop.call_soon(self.run)
        self._waiting.append(search)
        return await search.hits

    def run(self) -> None:
        """Run what waits. Before a shard is closed nothing may be left waiting."""
        waiting, self._waiting = [search for search in self._waiting if not search.hits.done()], []
        if not waiting:
            return
        try:
            found = iter(self._shard.query_batch(edge.QueryBatchRequest([r for one in waiting for r in one.requests])))
        except Exception as error:  # the vendor raises bare exceptions
            for search in waiting:
                search.hits.set_exception(error)
            return
        for search in waiting:
            search.end(list(islice(found, len(search.requests))))
