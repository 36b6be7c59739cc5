"""A `Ledger` in memory, with the budgets of the real one; `rows` can be looked at."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain import Budgets, BudgetState, Call, Settlement, Usage, UsageRow
from service.errors import BudgetSpent, RequestTooCostly, StateProblem
from service.ports import GroupBy, Ledger


@dataclass(slots=True)
class Row:
    """A call and what became of it; None while it is open."""

    call: Call
    settlement: Settlement | None = None

    @property
    def held(self) -> Decimal:
        """What it takes of the budgets."""
        cost = self.settlement.cost if self.settlement else self.call.estimated_cost
        return cost or Decimal(0)


class FakeLedger(Ledger):
    """Checks and books at once, as the real one does in a transaction.

    `gate` holds everything back until it is set; `broken` and `unsettling` say what the database cannot do.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False
        self.unsettling = False
        self.waiting = 0

    @property
    def outcomes(self) -> list[str | None]:
        """What became of each call, in the order of their booking."""
        return [row.settlement.outcome if row.settlement else None for row in self.rows.values()]

    @property
    def settlements(self) -> list[Settlement]:
        """All that are settled."""
        return [row.settlement for row in self.rows.values() if row.settlement]

    @property
    def used(self) -> Usage:
        """All tokens that were settled."""
        total = Usage()
        for settlement in self.settlements:
            total += settlement.usage
        return total

    async def open(self, call: Call, budgets: Budgets) -> None:
        """Check and book."""
        await self._reached()
        self._check(call, budgets)
        self.rows[call.id] = Row(call)

    async def afford(self, call: Call, budgets: Budgets) -> None:
        """Check."""
        await self._reached()
        self._check(call, budgets)

    async def settle(self, id_: str, settlement: Settlement) -> None:
        """Replace the estimate; a call is settled once."""
        await self._reached()
        if self.unsettling:
            raise StateProblem("the disk is full")
        row = self.rows[id_]
        assert row.settlement is None, f"{row.call} is settled twice"
        row.settlement = settlement

    async def _reached(self) -> None:
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.broken:
            raise StateProblem("the database cannot be opened")

    def _check(self, call: Call, budgets: Budgets) -> None:
        cost = call.estimated_cost or Decimal(0)
        trace = sum((row.held for row in self.rows.values() if row.call.trace_id == call.trace_id), Decimal(0))
        if budgets.per_request is not None and trace + cost > budgets.per_request:
            raise RequestTooCostly("the request would cost too much")
        day = [row for row in self.rows.values() if row.call.at.date() == call.at.date()]
        whole = sum((row.held for row in day), Decimal(0))
        own = sum((row.held for row in day if row.call.caller == call.caller), Decimal(0))
        for limit, spent in ((budgets.per_day, whole), (budgets.per_caller_day, own)):
            if limit is not None and spent + cost > limit:
                raise BudgetSpent("today's budget is spent", 3600)

    async def usage(self, by: GroupBy, since: datetime | None = None, until: datetime | None = None) -> list[UsageRow]:
        """Sums are the real ledger's to show, which is tested on SQLite and Postgres."""
        raise AssertionError("a test that needs sums takes the real ledger")

    async def budgets(self, budgets: Budgets, caller: str) -> list[BudgetState]:
        """Sums are the real ledger's to show, which is tested on SQLite and Postgres."""
        raise AssertionError("a test that needs sums takes the real ledger")
