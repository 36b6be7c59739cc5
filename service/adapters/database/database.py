"""The database, opened: its schema brought up to date, its stores handed out, closed in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.adapters.database.answers import DatabaseAnswers
from service.adapters.database.conversations import DatabaseConversations
from service.adapters.database.engine import open_engine
from service.adapters.database.ledger import DatabaseLedger
from service.adapters.database.place import find_place
from service.adapters.database.upgrading import bring_up_to_date

_BUSY_SECONDS = 5.0


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Database:
    """The stores over one database; `place` names it, without a password."""

    answers: DatabaseAnswers
    ledger: DatabaseLedger
    conversations: DatabaseConversations
    place: str


@asynccontextmanager
async def open_database(
    url: str | None, data_dir: Path, *, clock: Callable[[], datetime] = utc_now, busy_seconds: float = _BUSY_SECONDS
) -> AsyncIterator[Database]:
    """The database that `url` (`DATABASE_URL`) names, or a file in the data folder, with its schema up to date.

    `busy_seconds` is how long SQLite waits for another process that is writing.

    Raises:
        BadSetting: the URL is wrong.
        StateProblem: the database cannot be used, or a newer version of the product has made it.
    """
    engine = open_engine(find_place(url, data_dir), busy_seconds)
    try:
        await bring_up_to_date(engine)
        writer = engine.start_writer()
        try:
            conversations = DatabaseConversations(engine, writer, clock)
            await conversations.purge()
            ledger = DatabaseLedger(engine, writer, clock)
            yield Database(DatabaseAnswers(engine, writer, clock), ledger, conversations, str(engine.place))
        finally:
            await writer.close()
    finally:
        await engine.close()
