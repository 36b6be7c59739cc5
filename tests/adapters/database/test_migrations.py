"""The schema: made from nothing, brought up to date, refused where it is newer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.adapters.database.engine import open_engine
from service.adapters.database.migrations.running import configuration, upgrade
from service.adapters.database.place import find_place
from service.adapters.database.schema import metadata
from service.adapters.database.upgrading import HEAD, REVISIONS
from service.errors import StateProblem

from .conftest import Where
from .samples import record

PROJECT = Path(__file__).parents[3]


async def _on(where: Where, work: Any) -> Any:
    where.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(find_place(where.url, where.data_dir), 5.0)
    try:
        return await engine.write(work)
    finally:
        await engine.close()


def _differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def test_the_code_knows_every_revision() -> None:
    """The list in the code, which saves importing Alembic, is what the folder holds, in one line of descent."""
    script = ScriptDirectory.from_config(configuration())
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(REVISIONS)
    assert script.get_heads() == [HEAD]


async def test_the_migrations_make_what_the_code_expects(where: Where) -> None:
    """Tables, columns, types and indexes of an empty database that was opened are those of the schema."""
    async with where.open():
        pass
    assert await _on(where, _differences) == []


async def test_a_column_that_no_migration_makes_would_be_found(where: Where) -> None:
    """The comparison sees what it is for."""

    def damage(connection: Connection) -> list[Any]:
        connection.execute(text("ALTER TABLE calls DROP COLUMN milliseconds"))
        connection.execute(text("DROP INDEX ix_calls_trace"))
        return _differences(connection)

    async with where.open():
        pass
    assert {difference[0] for difference in await _on(where, damage)} == {"add_column", "add_index"}


@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_revision_is_brought_up_to_date(where: Where, revision: str) -> None:
    """A database of any earlier version opens, is at the newest afterwards, and takes what is kept."""
    await _on(where, lambda connection: upgrade(connection, revision))
    saved = record()
    async with where.open() as database:
        await database.answers.save(saved)
        assert await database.answers.get(saved.answer.id) == saved
    assert await _on(where, _differences) == []


async def test_a_newer_database_is_refused(where: Where) -> None:
    """It says what is newer and what to do; nothing is changed."""
    async with where.open():
        pass
    await _on(where, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StateProblem, match=r"newer version .*9999.*start that version"):
        async with where.open():
            pass
    version = text("SELECT version_num FROM alembic_version")
    assert await _on(where, lambda connection: connection.execute(version).scalar()) == "9999"


async def test_a_migration_that_fails_leaves_nothing_behind(where: Where) -> None:
    """Changes of the schema are undone too, so that the next start begins where this one did."""

    def half(connection: Connection) -> None:
        upgrade(connection, HEAD)
        raise StateProblem("the power is gone")

    with pytest.raises(StateProblem, match="power"):
        await _on(where, half)
    async with where.open() as database:
        await database.ledger.usage("day")


LIGHT = """
import asyncio, sys
from pathlib import Path
from service.adapters.database import open_database

async def main():
    async with open_database(None, Path(sys.argv[1])):
        print("alembic" in sys.modules, "asyncpg" in sys.modules)

asyncio.run(main())
"""


def test_alembic_is_imported_where_there_is_work_for_it(tmp_path: Path) -> None:
    """The first start migrates; the second looks at one row. Postgres' driver stays out of both."""
    words = [sys.executable, "-c", LIGHT, str(tmp_path)]
    said = [subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert said == ["True False\n", "False False\n"]
