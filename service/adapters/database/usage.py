"""What the ledger adds up to, under one heading or another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, distinct, func, or_, select

from service.adapters.database.columns import to_dollars
from service.adapters.database.schema import calls
from service.domain import Purpose, Usage, UsageRow
from service.ports import GroupBy

_FAILED = ("refused", "cutbylength", "cut_by_length", "filtered", "malformed", "failed")
_KEYS = {
    "day": calls.c.day,
    "model": calls.c.model,
    "prompt": func.coalesce(calls.c.prompt, "none"),
    "caller": calls.c.caller,
    "purpose": calls.c.purpose,
}


def rows_by(connection: Connection, by: GroupBy, since: datetime | None, until: datetime | None) -> list[UsageRow]:
    """One row for each day (newest first) or other heading (dearest first)."""
    key = _KEYS[by]
    answered = and_(calls.c.purpose == Purpose.ANSWER.value, calls.c.outcome == "answered")
    statement = select(
        key,
        func.count(),
        func.count(distinct(case((answered, calls.c.trace_id)))),
        func.count(case((calls.c.outcome.in_(_FAILED), 1))),
        func.sum(calls.c.input_tokens),
        func.sum(calls.c.cached_tokens),
        func.sum(calls.c.cache_write_tokens),
        func.sum(calls.c.output_tokens),
        func.coalesce(func.sum(calls.c.cost), 0),
        func.count(case((calls.c.cost.is_(None), 1))),
        func.count(case((or_(calls.c.outcome.is_(None), calls.c.reported.is_(False)), 1))),
    ).group_by(key)
    if since is not None:
        statement = statement.where(calls.c.at >= since)
    if until is not None:
        statement = statement.where(calls.c.at < until)
    rows = [_row(row) for row in connection.execute(statement)]
    if by == "day":
        return sorted(rows, key=lambda row: row.key, reverse=True)
    return sorted(rows, key=lambda row: (-row.cost, -row.calls, row.key))


def _row(row: Sequence[Any]) -> UsageRow:
    key, number, answers, failed, taken, cached, written, given, cost, unpriced, estimated = row
    usage = Usage(int(taken), int(cached), int(written), int(given))
    return UsageRow(key, number, answers, failed, usage, to_dollars(int(cost)), unpriced, estimated)
