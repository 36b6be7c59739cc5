"""Postgres through asyncpg, which understands libpq's own URLs and their options."""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.adapters.database.engine import Engine, Result, Work
from service.adapters.database.faults import problem
from service.adapters.database.place import PostgresPlace
from service.adapters.database.postgres_writer import TaskWriter

_CONNECT_SECONDS = 10.0
_STATEMENT_SECONDS = 30.0
_CONNECTIONS = 5
_OVERFLOW = 10
_LOCK = text("SELECT pg_advisory_xact_lock(:space, :name)")
_SPACE = 0x6D737472  # "mstr": our locks, and nobody else's in the same database


class PostgresEngine(Engine):
    """A pool of connections; one that the server closed meanwhile is noticed and replaced when it is taken out."""

    def __init__(self, place: PostgresPlace) -> None:
        self._dsn = place.dsn
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_pre_ping=True,
            pool_size=_CONNECTIONS,
            max_overflow=_OVERFLOW,
            pool_timeout=_CONNECT_SECONDS,
            hide_parameters=True,
        )
        super().__init__(place, self._engine.execution_options(isolation_level="AUTOCOMMIT"))

    async def _connect(self, *_: Any, **__: Any) -> asyncpg.Connection[Any]:
        try:
            return await asyncpg.connect(self._dsn, timeout=_CONNECT_SECONDS, command_timeout=_STATEMENT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise problem(self.place, error) from error

    async def transact(self, work: Work[Result]) -> Result:
        """Begin, work, commit."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    def start_writer(self) -> TaskWriter:
        """A task that writes."""
        return TaskWriter(self.place, self.transact)

    def lock(self, connection: Connection, name: int) -> None:
        """An advisory lock, held until the transaction ends."""
        connection.execute(_LOCK, {"space": _SPACE, "name": name})

    async def close(self) -> None:
        """Close all connections; the engine for reading shares the pool."""
        await self._engine.dispose()
