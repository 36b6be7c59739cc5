"""Group commit: what is written at the same time shares one transaction, and so one wait for the disk.

While a transaction runs, what arrives queues up and goes into the next one. What is alike in a batch is handed over
together, so that it becomes one statement with many rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.adapters.database.engine import Engine, Result
from service.adapters.database.faults import concerns_all, problem
from service.errors import MasteryError, StateProblem

Item = TypeVar("Item")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result | MasteryError]]
"""Writes items and returns what became of each, in their order: a result, or an error for the one who asked.

An item that gets an error must have changed nothing.
"""

_MOST_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class _Entry:
    handler: Handler[Any, Any]
    item: Any
    done: asyncio.Future[Any]


class Writer:
    """The one task that writes. Start it in the event loop that uses it, and close it there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Entry] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="database writer")

    async def write(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Write one item; returns once it is committed.

        Raises:
            StateProblem: it was not written, or (a connection lost while committing) it is not known to be.
            MasteryError: what the handler says of this item.
        """
        result: Result = await self.post(handler, item)
        return result

    def post(self, handler: Handler[Item, Any], item: Item) -> asyncio.Future[Any]:
        """Write one item without waiting for it. One whose future is cancelled before its turn is left out."""
        if self._closing:
            raise StateProblem(f"{self._engine.place}: it is being closed")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(handler, item, done))
        self._arrived.set()
        return done

    async def close(self) -> None:
        """Write what is waiting, then end."""
        self._closing = True
        self._arrived.set()
        await self._task

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
            wanted = [entry for entry in batch if not entry.done.done()]
            if wanted:
                await self._commit(wanted)

    async def _commit(self, batch: Sequence[_Entry]) -> None:
        """One transaction; if a row of it is refused, each in a transaction of its own, so that only that one fails."""
        try:
            results = await self._engine.transact(lambda connection: _apply(connection, batch))
        except Exception as error:
            if len(batch) > 1 and not concerns_all(error):
                for entry in batch:
                    await self._commit([entry])
                return
            failure = error if isinstance(error, MasteryError) else problem(self._engine.place, error)
            failure.__cause__ = error if failure is not error else error.__cause__
            results = [failure] * len(batch)
        for entry, result in zip(batch, results, strict=True):
            _settle(entry.done, result)


def _apply(connection: Connection, batch: Sequence[_Entry]) -> list[Any]:
    """Hand over what is alike together, in order of arrival; results in the order of the batch."""
    alike: dict[Handler[Any, Any], list[int]] = {}
    for number, entry in enumerate(batch):
        alike.setdefault(entry.handler, []).append(number)
    results: list[Any] = [None] * len(batch)
    for handler, numbers in alike.items():
        found = handler(connection, [batch[number].item for number in numbers])
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _settle(done: asyncio.Future[Any], result: Any) -> None:
    """Tell the one who waits, if somebody still does."""
    if done.done():
        return
    if isinstance(result, Exception):
        done.set_exception(result)
        done.exception()  # whoever posted without waiting need not collect it
    else:
        done.set_result(result)
