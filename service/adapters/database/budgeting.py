"""What the budgets allow: plain arithmetic on what is booked, in whole 1e-12 dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from service.adapters.database.columns import storable, to_dollars, to_parts
from service.domain import Budgets, BudgetState, Call
from service.errors import BudgetSpent, RequestTooCostly


def day_of(moment: datetime) -> str:
    """The day of UTC, as 2026-11-25."""
    return moment.astimezone(UTC).date().isoformat()


def seconds_left(moment: datetime) -> int:
    """Whole seconds until the day of UTC ends, rounded up."""
    utc = moment.astimezone(UTC)
    midnight = datetime.combine(utc.date() + timedelta(days=1), datetime.min.time(), UTC)
    return max(1, -int((utc - midnight).total_seconds() // 1))


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked already: on the call's day, for each caller; and on its trace. In 1e-12 dollars."""

    callers: Mapping[str, int]
    trace: int = 0


def refusal(call: Call, budgets: Budgets, booked: Booked) -> BudgetSpent | RequestTooCostly | None:
    """Why the call may not be made, or None. A call whose price is not known counts as nothing."""
    if call.estimated_cost is None:
        return _spent_already(call, budgets, booked)
    cost = to_parts(call.estimated_cost)
    if budgets.per_request is not None and booked.trace + cost > to_parts(budgets.per_request):
        spent = f" beside {shown(to_dollars(booked.trace))} that it cost already" if booked.trace else ""
        return RequestTooCostly(
            f"this call may cost {shown(call.estimated_cost)}{spent}, and one request may cost "
            f"{shown(budgets.per_request)}; ask for less, or raise MASTERY_BUDGET_REQUEST_USD"
        )
    for name, limit, spent_parts in _daily(call.caller, budgets, booked):
        if limit is not None and spent_parts + cost > to_parts(limit):
            return _spent(name, limit, spent_parts, call, f", and this call may cost {shown(call.estimated_cost)}")
    return None


def _spent_already(call: Call, budgets: Budgets, booked: Booked) -> BudgetSpent | None:
    """Where nothing is known of a call's price, a budget that is used up still stops it."""
    for name, limit, spent_parts in _daily(call.caller, budgets, booked):
        if limit is not None and spent_parts >= to_parts(limit):
            return _spent(name, limit, spent_parts, call, "")
    return None


def states(budgets: Budgets, caller: str, booked: Booked) -> list[BudgetState]:
    """Each budget of a day, and what is left of it."""
    return [
        BudgetState(name, limit, to_dollars(spent), None if limit is None else _left(limit, spent))
        for name, limit, spent in _daily(caller, budgets, booked)
    ]


def _left(limit: Decimal, spent: int) -> Decimal:
    return to_dollars(max(0, to_parts(limit) - spent))


def _daily(caller: str, budgets: Budgets, booked: Booked) -> tuple[tuple[str, Decimal | None, int], ...]:
    return (
        ("per_day", budgets.per_day, sum(booked.callers.values())),
        ("per_caller_day", budgets.per_caller_day, booked.callers.get(storable(caller), 0)),
    )


_SETTINGS = {"per_day": "MASTERY_BUDGET_DAY_USD", "per_caller_day": "MASTERY_BUDGET_KEY_DAY_USD"}


def _spent(name: str, limit: Decimal, spent: int, call: Call, wanted: str) -> BudgetSpent:
    wait = seconds_left(call.at)
    whose = "a day" if name == "per_day" else f"a day for {call.caller}"
    return BudgetSpent(
        f"the budget of {shown(limit)} {whose} does not allow it: {shown(to_dollars(spent))} are booked{wanted}; "
        f"it begins anew at midnight UTC, in {wait // 3600} h {wait % 3600 // 60} min, or raise {_SETTINGS[name]}",
        wait,
    )


def shown(dollars: Decimal) -> str:
    """Dollars for people: `$0.0042`, at least two digits after the point."""
    plain = f"{dollars:f}"
    whole, _, part = plain.partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"
