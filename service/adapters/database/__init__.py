"""State in a database: answers, what calls cost, conversations. SQLite in the data folder, or Postgres by URL."""

from __future__ import annotations

from service.adapters.database.database import Database, open_database

__all__ = ["Database", "open_database"]
