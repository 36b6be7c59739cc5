"""The list of conversations, searched and paged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, exists, func, or_, select

from service.adapters.database.columns import folded
from service.adapters.database.schema import conversations, exchanges

_MOST_WORDS = 32


def find_conversations(
    dialect: str, columns: Sequence[Column[Any]], caller: str, query: str, limit: int, before: datetime | None
) -> Select[Any]:
    """A caller's own, the newest first; each word of the query stands in the title or in one of the questions."""
    statement = select(*columns).where(conversations.c.caller == caller, conversations.c.deleted_at.is_(None))
    for word in list(dict.fromkeys(folded(query).split()))[:_MOST_WORDS]:
        asked = exists().where(
            exchanges.c.conversation_id == conversations.c.id, _contains(dialect, exchanges.c.folded, word)
        )
        statement = statement.where(or_(_contains(dialect, conversations.c.folded, word), asked))
    if before is not None:
        statement = statement.where(conversations.c.updated_at < before)
    return statement.order_by(conversations.c.updated_at.desc(), conversations.c.id).limit(limit)


def _contains(dialect: str, column: Column[str], word: str) -> ColumnElement[bool]:
    """`LIKE` would need escapes and refuses long patterns; what is searched is folded already."""
    place = func.strpos if dialect == "postgresql" else func.instr
    return place(column, word) > 0
