"""The ledger: a row for every call that could be billed, booked before it is made and settled after it.

What is booked on a day is kept beside the rows as a sum for each caller, changed in the same transactions, so that a
budget is checked by reading a few rows. The check and the booking hold one lock: `BEGIN IMMEDIATE` in SQLite, an
advisory lock in Postgres. So calls from any number of tasks and processes cannot overspend together.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from service.adapters.database.budgeting import Booked, day_of, refusal, states
from service.adapters.database.columns import storable, to_parts
from service.adapters.database.engine import Engine
from service.adapters.database.schema import calls, spending
from service.adapters.database.upserting import upserts
from service.adapters.database.usage import rows_by
from service.adapters.database.writer import Writer
from service.domain import Budgets, BudgetState, Call, Settlement, Usage, UsageRow
from service.errors import BudgetSpent, RequestTooCostly, StateProblem
from service.ports import GroupBy

_LOCK = 2
_SETTLED = ("outcome", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "cost", "reported")
_BOOKED = select(spending.c.caller, spending.c.booked).where(spending.c.day == bindparam("day"))
_TRACE = select(func.coalesce(func.sum(calls.c.cost), 0)).where(calls.c.trace_id == bindparam("trace"))
_OPEN = calls.insert()
_FIND = select(calls.c.id, calls.c.day, calls.c.caller, calls.c.cost).where(
    calls.c.id.in_(bindparam("ids", expanding=True))
)
_SETTLE = (
    update(calls)
    .where(calls.c.id == bindparam("settled"))
    .values({name: bindparam(name) for name in (*_SETTLED, "milliseconds")})
)
_ADD = upserts(spending, lambda new: {"booked": spending.c.booked + new.booked})
_NEVER_MADE = Settlement("cancelled", Usage(), Decimal(0), reported=True, milliseconds=0.0)

Order = tuple[Call, Budgets]
Refusal = BudgetSpent | RequestTooCostly


class DatabaseLedger:
    """The port `Ledger`."""

    def __init__(self, engine: Engine, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock

    async def open(self, call: Call, budgets: Budgets) -> None:
        """See the port. Cancelled while it waits, it books nothing, or settles what is booked as never made."""
        try:
            await self._writer.write(self._book, (call, budgets))
        except asyncio.CancelledError:
            with suppress(StateProblem):  # the database is being closed
                self._writer.post(self._settle, (call.id, _NEVER_MADE))
            raise

    async def afford(self, call: Call, budgets: Budgets) -> None:
        """See the port."""
        refused = await self._engine.read(lambda connection: refusal(call, budgets, _booked(connection, call, budgets)))
        if refused:
            raise refused

    async def settle(self, id_: str, settlement: Settlement) -> None:
        """See the port. Settling again replaces what was said before.

        Raises:
            StateProblem: also where the call was never booked.
        """
        await self._writer.write(self._settle, (id_, settlement))

    async def usage(self, by: GroupBy, since: datetime | None = None, until: datetime | None = None) -> list[UsageRow]:
        """See the port. `since` is included and `until` is not; a call without a prompt stands under `none`."""
        return await self._engine.read(lambda connection: rows_by(connection, by, since, until))

    async def budgets(self, budgets: Budgets, caller: str) -> list[BudgetState]:
        """See the port: `per_day` and `per_caller_day`."""
        today = day_of(self._clock())
        booked = await self._engine.read(lambda connection: Booked(_on_day(connection, today)))
        return states(budgets, storable(caller), booked)

    def _book(self, connection: Connection, orders: Sequence[Order]) -> list[Refusal | None]:
        """Check one after the other, each beside those before it; then write all that are allowed."""
        self._engine.lock(connection, _LOCK)
        days: dict[str, dict[str, int]] = {}
        traces: Counter[str] = Counter()
        found: list[Refusal | None] = []
        allowed: list[Call] = []
        for call, budgets in orders:
            day = _day(days, connection, call)
            trace = _on_trace(connection, call, budgets) + traces[call.trace_id]
            refused = refusal(call, budgets, Booked(day, trace))
            found.append(refused)
            if refused is None:
                cost = _parts(call.estimated_cost) or 0
                caller = storable(call.caller)
                day[caller] = day.get(caller, 0) + cost
                traces[call.trace_id] += cost
                allowed.append(call)
        if allowed:
            connection.execute(_OPEN, [_row(call) for call in allowed])
            _add(
                connection,
                ((day_of(call.at), storable(call.caller), _parts(call.estimated_cost) or 0) for call in allowed),
            )
        return found

    def _settle(
        self, connection: Connection, settlements: Sequence[tuple[str, Settlement]]
    ) -> list[StateProblem | None]:
        self._engine.lock(connection, _LOCK)
        ids = sorted({id_ for id_, _ in settlements})
        booked = {row.id: (row.day, row.caller, row.cost or 0) for row in connection.execute(_FIND, {"ids": ids})}
        found: list[StateProblem | None] = []
        changes: list[dict[str, Any]] = []
        moved: list[tuple[str, str, int]] = []
        for id_, settlement in settlements:
            if id_ not in booked:
                found.append(StateProblem(f"{self._engine.place}: there is no call {id_!r} to settle; was it opened?"))
                continue
            day, caller, before = booked[id_]
            cost = _parts(settlement.cost)
            moved.append((day, caller, (cost or 0) - before))
            booked[id_] = (day, caller, cost or 0)
            changes.append(_change(id_, settlement, cost))
            found.append(None)
        if changes:
            connection.execute(_SETTLE, changes)
            _add(connection, moved)
        return found


def _day(days: dict[str, dict[str, int]], connection: Connection, call: Call) -> dict[str, int]:
    name = day_of(call.at)
    if name not in days:
        days[name] = _on_day(connection, name)
    return days[name]


def _booked(connection: Connection, call: Call, budgets: Budgets) -> Booked:
    return Booked(_on_day(connection, day_of(call.at)), _on_trace(connection, call, budgets))


def _on_day(connection: Connection, day: str) -> dict[str, int]:
    rows = connection.execute(_BOOKED, {"day": day}).all()
    return {row.caller: row.booked for row in rows}


def _on_trace(connection: Connection, call: Call, budgets: Budgets) -> int:
    if budgets.per_request is None:
        return 0
    return int(connection.execute(_TRACE, {"trace": call.trace_id}).scalar_one())


def _add(connection: Connection, amounts: Iterable[tuple[str, str, int]]) -> None:
    """Change the sums, in the order of their keys, so that no two processes wait for each other."""
    sums: Counter[tuple[str, str]] = Counter()
    for day, caller, amount in amounts:
        sums[day, caller] += amount
    rows = [{"day": day, "caller": caller, "booked": amount} for (day, caller), amount in sorted(sums.items())]
    connection.execute(_ADD[connection.dialect.name], rows)


def _parts(cost: Decimal | None) -> int | None:
    return None if cost is None else to_parts(cost)


def _row(call: Call) -> dict[str, Any]:
    cost = _parts(call.estimated_cost)
    return {
        "id": call.id,
        "at": call.at,
        "day": day_of(call.at),
        "trace_id": call.trace_id,
        "purpose": call.purpose.value,
        "model": storable(call.model),
        "prompt": call.prompt,
        "caller": storable(call.caller),
        "attempt": call.attempt,
        "estimated_input_tokens": call.estimated.input_tokens,
        "estimated_output_tokens": call.estimated.output_tokens,
        "estimated_cost": cost,
        **_tokens(call.estimated),
        "cost": cost,
        "outcome": None,
        "reported": False,
        "milliseconds": None,
    }


def _change(id_: str, settlement: Settlement, cost: int | None) -> dict[str, Any]:
    return {
        "settled": id_,
        "outcome": settlement.outcome,
        **_tokens(settlement.usage),
        "cost": cost,
        "reported": settlement.reported,
        "milliseconds": settlement.milliseconds,
    }


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }
