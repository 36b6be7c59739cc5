"""`mastery usage`: what calls to models cost, for people in a terminal or as the API's JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast, get_args

from rich import box
from rich.console import Console
from rich.table import Table

from service.domain import BudgetState, Usage, UsageRow
from service.errors import UserError
from service.parts import budgets_of, make_database
from service.ports import GroupBy
from service.settings import Settings

CALLER = "terminal"
_NAMES = {"per_day": "all callers today", "per_caller_day": f"the caller {CALLER!r} today"}


async def print_usage(settings: Settings, by: str, since: str | None, until: str | None, *, as_json: bool) -> None:
    """Print usage by a heading, from one day or time on and before another, and the budgets of today.

    Raises:
        UserError: the heading or a date cannot be read.
        StateProblem: the database cannot be used.
    """
    if by not in get_args(GroupBy):
        raise UserError(f"--by: {by!r} is not one of {', '.join(get_args(GroupBy))}")
    first, last = _moment("--since", since), _moment("--until", until)
    async with make_database(settings) as database:
        rows = await database.ledger.usage(cast(GroupBy, by), first, last)
        budgets = await database.ledger.budgets(budgets_of(settings), CALLER)
    if as_json:
        from service.api.usage import usage_document  # noqa: PLC0415 - only for JSON; it brings FastAPI along

        sys.stdout.buffer.write(usage_document(rows, budgets).model_dump_json().encode() + b"\n")
    else:
        _print(Console(), by, rows, budgets)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option}: {text!r} is not a day such as 2026-11-01 or a time in ISO 8601") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _print(out: Console, by: str, rows: Sequence[UsageRow], budgets: Sequence[BudgetState]) -> None:
    if rows:
        out.print(_table(by, rows))
    else:
        out.print("No call to a model was booked in this time.")
    unpriced, estimated = sum(row.unpriced for row in rows), sum(row.estimated for row in rows)
    if unpriced:
        out.print(
            f"{_calls(unpriced)} of a model whose price is not known: their cost is not in the sum. "
            "Set MASTERY_PRICES to give it a price."
        )
    if estimated:
        out.print(f"{_calls(estimated)} counted by our own estimate: the provider did not report their tokens.")
    out.print()
    for state in budgets:
        out.print(_budget(state), markup=False, highlight=False)


def _table(by: str, rows: Sequence[UsageRow]) -> Table:
    table = Table(show_footer=len(rows) > 1, box=box.SIMPLE, pad_edge=False)
    total = sum((row.usage for row in rows), Usage())
    # A question may cost calls to two models or prompts: then it stands in both rows, and rows do not add up.
    answers = str(sum(row.answers for row in rows)) if by in ("day", "caller", "purpose") else ""
    columns: Sequence[tuple[str, str]] = (
        ("Calls", str(sum(row.calls for row in rows))),
        ("Answers", answers),
        ("Failed", str(sum(row.failed for row in rows))),
        ("Tokens in", f"{total.input_tokens:,}"),
        ("Cached", f"{total.cached_tokens:,}"),
        ("Out", f"{total.output_tokens:,}"),
        ("Cost", dollars(sum((row.cost for row in rows), Decimal(0)))),
    )
    table.add_column(by.capitalize(), "Total", no_wrap=True)
    for name, sum_ in columns:
        table.add_column(name, sum_, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.key,
            str(row.calls),
            str(row.answers),
            str(row.failed),
            f"{row.usage.input_tokens:,}",
            f"{row.usage.cached_tokens:,}",
            f"{row.usage.output_tokens:,}",
            dollars(row.cost),
        )
    return table


def _budget(state: BudgetState) -> str:
    name = _NAMES.get(state.name, state.name)
    if state.limit is None or state.left is None:
        return f"Budget of {name}: no limit; {dollars(state.spent)} are booked."
    return f"Budget of {name}: {dollars(state.left)} of {dollars(state.limit)} left; {dollars(state.spent)} are booked."


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def dollars(amount: Decimal) -> str:
    """`$0.00173`: every digit there is, two at least."""
    whole, _, part = f"{amount:f}".partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"
