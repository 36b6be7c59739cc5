"""Money: what every call cost, and how much may be spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain.completion import Purpose, Usage


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to be made, as the ledger books it before it is made.

    The estimate is what is held against the budgets until the call is settled.
    """

    id: str
    at: datetime
    trace_id: str
    purpose: Purpose
    model: str
    prompt: str | None
    caller: str
    attempt: int
    estimated: Usage
    estimated_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a call.

    `outcome` is the outcome's name in lower case, or `cancelled`. `reported` tells that the usage is the provider's
    own count; otherwise it is our estimate of what was used.
    """

    outcome: str
    usage: Usage
    cost: Decimal | None
    reported: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most that may be spent, in US dollars; None where nothing limits it. A day is a day of UTC."""

    per_request: Decimal | None = None
    per_day: Decimal | None = None
    per_caller_day: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used under one heading, such as a day or a model.

    `cost` adds up the calls whose price is known, `unpriced` counts the others. `estimated` counts the calls whose
    usage the provider did not report.
    """

    key: str
    calls: int
    answers: int
    failed: int
    usage: Usage
    cost: Decimal
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget and what is left of it today; `limit` and `left` are None where nothing limits it."""

    name: str
    limit: Decimal | None
    spent: Decimal
    left: Decimal | None
