"""The tables. A change here goes with a new revision in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text

from service.adapters.database.columns import UtcTime

metadata = MetaData()

answers = Table(
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("cache_key", Text),
    Column("generation", Text, nullable=False),
    Column("model", Text),
    Column("prompt", Text),
    Column("status", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("answer", Text, nullable=False),  # JSON of `Answer`; alone, because a conversation reads nothing else
    Column("origin", Text, nullable=False),  # JSON of `Ask` and the readings
    Column("verdict", Text),
    Column("reason", Text),
    Column("comment", Text),
    Column("rated_at", UtcTime),
    Index("ix_answers_cache", "cache_key", "created_at"),
    Index("ix_answers_created", "created_at"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("day", Text, nullable=False),  # of UTC, as 2026-11-25
    Column("trace_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt", Text),
    Column("caller", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("estimated_input_tokens", BigInteger, nullable=False),
    Column("estimated_output_tokens", BigInteger, nullable=False),
    Column("estimated_cost", BigInteger),  # money is in 1e-12 dollars; null: the price is not known
    # What counts now: the estimate while the call is open, then what became of it.
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger),
    Column("outcome", Text),  # null while it is open
    Column("reported", Boolean, nullable=False),
    Column("milliseconds", Float),
    Index("ix_calls_at", "at"),
    Index("ix_calls_trace", "trace_id"),
)

spending = Table(  # the sum of `calls.cost` by day and caller, so that a budget is checked by reading a few rows
    "spending",
    metadata,
    Column("day", Text, primary_key=True),
    Column("caller", Text, primary_key=True),
    Column("booked", BigInteger, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("deleted_at", UtcTime),
    Column("turns", Integer, nullable=False),
    Index("ix_conversations_updated", "caller", "updated_at"),
    Index("ix_conversations_deleted", "deleted_at"),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("question", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("answer_id", Text, nullable=False),  # the answer comes later, or never
    Column("asked_at", UtcTime, nullable=False),
    Column("error", Text),
    Index("ix_exchanges_answer", "answer_id"),
)
