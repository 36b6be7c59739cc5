"""The writer of Postgres: a task that takes a batch and runs its transaction on one connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from service.adapters.database.writer import MOST_AT_ONCE, Entry, Writer, apply, failures, tell, wanted

Transact = Callable[[Callable[[Connection], list[Any]]], Awaitable[list[Any]]]


class TaskWriter(Writer):
    """One task writes."""

    def __init__(self, place: object, transact: Transact) -> None:
        super().__init__(place)
        self._transact = transact
        self._waiting: deque[Entry] = deque()
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._write_all(), name="database writer")

    def _enter(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._arrived.set()

    async def close(self) -> None:
        """Write what is waiting, then end."""
        self._closing = True
        self._arrived.set()
        await asyncio.shield(self._task)

    async def _write_all(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            if batch := wanted(batch):
                await self._commit(batch)

    async def _commit(self, batch: Sequence[Entry]) -> None:
        try:
            results: list[Any] | None = await self._transact(lambda connection: apply(connection, batch))
        except Exception as error:
            results = failures(self.place, batch, error)
        if results is None:
            for entry in batch:
                await self._commit([entry])
            return
        tell(batch, results)
