"""Bring the schema up to date when the database is opened. Alembic is imported only where there is work for it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from service.adapters.database.engine import Engine
from service.errors import StateProblem

REVISIONS = ("0001",)
"""Every revision there was, oldest first; a test compares them with `migrations/versions`."""

HEAD = REVISIONS[-1]
_LOCK = 1


async def bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that are missing, all or none; other processes that start meanwhile wait.

    Raises:
        StateProblem: the database cannot be used, or it was made by a newer version than this one.
    """

    def work(connection: Connection) -> None:
        engine.lock(connection, _LOCK)
        revision = _revision(connection)
        if revision == HEAD:
            return
        if revision is not None and revision not in REVISIONS:
            raise StateProblem(
                f"{engine.place}: a newer version of the product made it (revision {revision}, this one knows "
                f"up to {HEAD}); start that version, or name another database in DATABASE_URL"
            )
        from service.adapters.database.migrations.running import upgrade  # noqa: PLC0415

        upgrade(connection, HEAD)

    await engine.write(work)


def _revision(connection: Connection) -> str | None:
    """The revision that the schema is at; None where there is no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
