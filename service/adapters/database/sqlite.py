"""SQLite: many readers through aiosqlite, one writer in a thread of its own (`sqlite_writer.py`).

aiosqlite crosses from the event loop to a thread and back for every call on a cursor, eight times for one insert. A
busy event loop makes each crossing wait: beside tasks that hold it for 3 ms an insert took 58 ms, in one crossing 6 ms
and a quarter of the processor time. So the writer runs a whole transaction in one crossing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import URL, Connection, QueuePool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from service.adapters.database.engine import Engine, Result, Work
from service.adapters.database.place import SqlitePlace
from service.adapters.database.sqlite_writer import ThreadWriter

_READERS = 4
_CHECKPOINT_PAGES = 16_000  # of 4 KB: where the thread that moves them does not keep up, the writer does
_JOURNAL_BYTES = 64_000_000


class SqliteEngine(Engine):
    """A file with a write-ahead log: readers and the writer do not wait for one another."""

    def __init__(self, place: SqlitePlace, busy_seconds: float) -> None:
        reading = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(place.file)),
            isolation_level="AUTOCOMMIT",
            pool_size=_READERS,
            max_overflow=0,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
        super().__init__(place, reading)
        self._file = place.file
        self._writing = create_engine(
            URL.create("sqlite", database=str(place.file)),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=1,  # for moving the log while the writer writes
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )
        milliseconds = int(busy_seconds * 1000)
        pragmas = [
            f"busy_timeout={milliseconds}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"journal_size_limit={_JOURNAL_BYTES}",
            f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
        ]
        _configure(reading.sync_engine.pool, [f"busy_timeout={milliseconds}", "query_only=ON"])
        _configure(self._writing.pool, pragmas)
        event.listen(self._writing, "begin", _begin)

    async def transact(self, work: Work[Result]) -> Result:
        """One crossing: begin, work, commit."""
        return await asyncio.to_thread(self._transact, work)

    def _transact(self, work: Work[Result]) -> Result:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._writing.begin() as connection:
            return work(connection)

    def start_writer(self) -> ThreadWriter:
        """A thread that writes."""
        return ThreadWriter(self.place, self._transact, self._checkpoint)

    def _checkpoint(self) -> None:
        """Move what is in the log into the file, as far as that makes nobody wait; it can be done later as well."""
        with suppress(SQLAlchemyError):
            connection = self._writing.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                connection.close()

    def lock(self, connection: Connection, name: int) -> None:
        """Nothing to do: `BEGIN IMMEDIATE` lets one transaction write at a time."""

    async def close(self) -> None:
        """Close readers, then the writer's connection, which empties the write-ahead log into the file."""
        await super().close()
        await asyncio.to_thread(self._writing.dispose)


def _configure(pool: Any, pragmas: list[str]) -> None:
    @event.listens_for(pool, "connect")
    def connected(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.isolation_level = None  # the module's own habit of beginning transactions is turned off
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later could not wait for it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
