"""What was deleted, a day later: gone for good, and its answers with it. The ledger keeps what they cost."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from service.adapters.database.schema import answers, conversations, exchanges

KEPT = timedelta(days=1)


def purge(connection: Connection, before: datetime) -> None:
    """Delete the conversations that were deleted before this time, and the answers that stand in no other."""
    old = select(conversations.c.id).where(conversations.c.deleted_at <= before)
    if connection.execute(old.limit(1)).first() is None:
        return
    inside = select(exchanges.c.answer_id).where(exchanges.c.conversation_id.in_(old))
    others = select(exchanges.c.answer_id).where(exchanges.c.conversation_id.not_in(old))
    connection.execute(delete(answers).where(answers.c.id.in_(inside), answers.c.id.not_in(others)))
    connection.execute(delete(conversations).where(conversations.c.deleted_at <= before))
