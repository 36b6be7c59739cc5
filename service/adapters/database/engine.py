"""How the stores reach a database: work on a connection, in one of two ways, whichever database it is."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.database.faults import translated
from service.adapters.database.place import PostgresPlace, SqlitePlace
from service.adapters.database.writer import Writer

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
"""Statements on one connection; written without `await`, so that SQLite can run all of it in one go in a thread."""

_IMPATIENCE = 60.0


class Engine(ABC):
    """Connections to one database. Its methods raise `StateProblem` when it cannot be used."""

    def __init__(self, place: SqlitePlace | PostgresPlace, reading: AsyncEngine) -> None:
        self.place = place
        self._reading = reading

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._reading.dialect.name

    async def read(self, work: Work[Result]) -> Result:
        """Run statements that change nothing; each sees what was committed before it."""
        with translated(self.place):
            async with asyncio.timeout(_IMPATIENCE), self._reading.connect() as connection:
                return await connection.run_sync(work)

    @abstractmethod
    async def transact(self, work: Work[Result]) -> Result:
        """Run statements in one transaction, committed on return; raises what the driver raises."""

    async def write(self, work: Work[Result]) -> Result:
        """`transact`, with the driver's errors translated."""
        with translated(self.place):
            return await self.transact(work)

    @abstractmethod
    def start_writer(self) -> Writer:
        """What commits in groups; begun in the event loop that uses it."""

    @abstractmethod
    def lock(self, connection: Connection, name: int) -> None:
        """Within a transaction: let no other transaction pass the same lock until this one ends."""

    async def close(self) -> None:
        """Close all connections."""
        await self._reading.dispose()


def open_engine(place: SqlitePlace | PostgresPlace, busy_seconds: float) -> Engine:
    """An engine for this place; it connects when it is first used. SQLite waits so long for another writer."""
    if isinstance(place, SqlitePlace):
        from service.adapters.database.sqlite import SqliteEngine  # noqa: PLC0415 - one driver is enough

        return SqliteEngine(place, busy_seconds)
    from service.adapters.database.postgres import PostgresEngine  # noqa: PLC0415

    return PostgresEngine(place)
