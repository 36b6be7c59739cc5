"""What is particular to SQLite: how its connections are set up, and where what was written goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from service.adapters.database import open_database
from service.adapters.database.engine import open_engine
from service.adapters.database.place import SqlitePlace
from service.errors import StateProblem

from ...waiting import until
from .samples import answer, record


def _settings(connection: Connection) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


async def test_connections_are_set_up(tmp_path: Path) -> None:
    """A write-ahead log, foreign keys, a time to wait for others; what reads cannot write by mistake."""
    engine = open_engine(SqlitePlace(tmp_path / "state.sqlite"), 3.0)
    try:
        written = await engine.write(_settings)
        read = await engine.read(_settings)
        common = {"journal_mode": "wal", "busy_timeout": 3000}
        assert written == {"synchronous": 1, "foreign_keys": 1, "query_only": 0} | common
        assert {name: read[name] for name in (*common, "query_only")} == common | {"query_only": 1}
        with pytest.raises(StateProblem, match="readonly"):
            await engine.read(lambda connection: connection.execute(text("CREATE TABLE t (x)")))
    finally:
        await engine.close()


async def test_the_log_is_moved_into_the_file_while_it_is_used(tmp_path: Path) -> None:
    """A service that runs for months does not grow a log of months; after closing there is no log."""
    file = tmp_path / "state.sqlite"
    async with open_database(None, tmp_path) as database:
        text_ = "long " * 4_000
        await asyncio.gather(*(database.answers.save(record(answer(answer=text_))) for _ in range(300)))
        await until(lambda: file.stat().st_size > 3_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]  # noqa: ASYNC240
