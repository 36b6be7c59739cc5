"""The stores over an empty database: a file of SQLite, and Postgres where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from service.adapters.database import Database, open_database

from .postgres_server import PostgresServer, find_binaries

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_by(self, **much: float) -> None:
        """Move on, as `timedelta` takes it."""
        self.now += timedelta(**much)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a database is, so that it can be opened again and by others."""

    url: str | None
    data_dir: Path
    clock: Clock

    def open(self, busy_seconds: float = 5.0) -> AbstractAsyncContextManager[Database]:
        """Open it."""
        return open_database(self.url, self.data_dir, clock=self.clock, busy_seconds=busy_seconds)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server."""
    binaries = find_binaries()
    if binaries is None:  # a database that few machines have; every test of it also runs on SQLite
        pytest.skip("Postgres is not installed (initdb and postgres are not found)")
    server = PostgresServer(binaries)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def clock() -> Clock:
    """Noon, until a test moves it."""
    return Clock()


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def where(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Where:
    """An empty database of each kind, not opened yet."""
    if request.param == "sqlite":
        return Where(None, tmp_path / "data", clock)
    server: PostgresServer = request.getfixturevalue("postgres")
    return Where(await server.create_database(), tmp_path / "data", clock)


@pytest_asyncio.fixture
async def database(where: Where) -> AsyncIterator[Database]:
    """An empty database of each kind, opened."""
    async with where.open() as opened:
        yield opened
