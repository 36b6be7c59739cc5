"""Run by Alembic: the migrations on the connection that was handed over, in the transaction it is in.

SQLite can undo changes of the schema as Postgres can, once the driver leaves transactions alone (`sqlite.py`).
"""

from __future__ import annotations

from alembic import context

from service.adapters.database.schema import metadata


def migrate() -> None:
    """All that is missing, or nothing."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    context.run_migrations()


migrate()
