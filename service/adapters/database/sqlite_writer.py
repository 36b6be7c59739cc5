"""The writer of SQLite: a thread that takes a batch, runs its transaction and tells the event loop.

The event loop has no part in beginning a batch. Each time that work passes through a busy loop it waits for a turn of
it: with a task in the loop and a pool of threads that was four turns for an answer kept, here it is two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection

from service.adapters.database.writer import MOST_AT_ONCE, Entry, Writer, apply, failures, tell, wanted

_CHECKPOINT_EVERY = 250
Transact = Callable[[Callable[[Connection], list[Any]]], list[Any]]


class ThreadWriter(Writer):
    """One thread writes; another moves what was written from the log into the file, which may wait for the disk."""

    def __init__(self, place: object, transact: Transact, checkpoint: Callable[[], None]) -> None:
        super().__init__(place)
        self._transact = transact
        self._checkpoint = checkpoint
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._ended = self._loop.create_future()
        self._due = Event()
        self._written = 0
        self._threads = [
            Thread(target=self._write_all, name="database writer", daemon=True),
            Thread(target=self._move_all, name="database checkpoints", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _enter(self, entry: Entry) -> None:
        self._queue.put(entry)

    async def close(self) -> None:
        """Write what is waiting, then end both threads."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _write_all(self) -> None:
        last = False
        while not last:
            batch, last = self._next()
            if batch := wanted(batch):
                self._commit(batch)
        self._due.set()
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _next(self) -> tuple[list[Entry], bool]:
        """All that waits now, and whether it is the last; waits for something to come."""
        batch: list[Entry] = []
        entry = self._queue.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == MOST_AT_ONCE:
                break
            try:
                entry = self._queue.get_nowait()
            except Empty:
                break
        return batch, entry is None

    def _commit(self, batch: Sequence[Entry]) -> None:
        try:
            results: list[Any] | None = self._transact(lambda connection: apply(connection, batch))
        except Exception as error:
            results = failures(self.place, batch, error)
        if results is None:
            for entry in batch:
                self._commit([entry])
            return
        self._loop.call_soon_threadsafe(tell, batch, results)
        self._written += len(batch)
        if self._written >= _CHECKPOINT_EVERY:
            self._written = 0
            self._due.set()

    def _move_all(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            self._checkpoint()
