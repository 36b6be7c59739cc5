"""Group commit: what is written at the same time shares one transaction, and so one wait for the disk.

While a transaction runs, what arrives queues up and goes into the next one. What is alike in a batch is handed over
together, so that it becomes one statement with many rows. If the database refuses a row, each item of the batch gets a
transaction of its own, so that only that one fails.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.adapters.database.faults import concerns_all, problem
from service.errors import MasteryError, StateProblem

Item = TypeVar("Item")
Result = TypeVar("Result")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result | MasteryError]]
"""Writes items and returns what became of each, in their order: a result, or an error for the one who asked.

An item that gets an error must have changed nothing.
"""

MOST_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that waits to be written, and who waits for it."""

    handler: Handler[Any, Any]
    item: Any
    done: asyncio.Future[Any]


class Writer(ABC):
    """Takes what is to be written. Begin it in the event loop that uses it, and close it there."""

    def __init__(self, place: object) -> None:
        self.place = place
        self._loop = asyncio.get_running_loop()
        self._closing = False

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
            raise StateProblem(f"{self.place}: it is being closed")
        done = self._loop.create_future()
        self._enter(Entry(handler, item, done))
        return done

    @abstractmethod
    def _enter(self, entry: Entry) -> None:
        """Put it in the queue."""

    @abstractmethod
    async def close(self) -> None:
        """Write what is waiting, then end."""


def wanted(batch: Sequence[Entry]) -> list[Entry]:
    """Those that somebody still waits for."""
    return [entry for entry in batch if not entry.done.done()]


def apply(connection: Connection, batch: Sequence[Entry]) -> list[Any]:
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


def failures(place: object, batch: Sequence[Entry], error: Exception) -> list[Any] | None:
    """What a failed transaction means for each item; None where each should be tried alone."""
    if len(batch) > 1 and not concerns_all(error):
        return None
    if isinstance(error, MasteryError):
        return [error] * len(batch)
    found: list[Any] = []
    for _ in batch:  # an exception that several raise would collect all their tracebacks
        failure = problem(place, error)
        failure.__cause__ = error
        found.append(failure)
    return found


def tell(batch: Sequence[Entry], results: Sequence[Any]) -> None:
    """Tell those who wait, if they still do."""
    for entry, result in zip(batch, results, strict=True):
        if entry.done.done():
            continue
        if isinstance(result, Exception):
            entry.done.set_exception(result)
            entry.done.exception()  # whoever posted without waiting need not collect it
        else:
            entry.done.set_result(result)
