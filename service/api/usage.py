"""`GET /api/usage`: what calls to models cost, and what is left of the budgets. Money is text, to lose no digit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from service.api.callers import Caller
from service.api.dependencies import Running
from service.api.problems import Problem
from service.domain import BudgetState, UsageRow
from service.ports import GroupBy

router = APIRouter(prefix="/api", tags=["usage"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 422, 503)}
_Dollars = Annotated[Decimal, PlainSerializer(lambda dollars: f"{dollars:f}", return_type=str)]


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TokensOut(_Shown):
    """Tokens; cached and cache-write tokens are part of the input tokens."""

    input_tokens: int = Field(examples=[1200])
    cached_tokens: int = Field(examples=[200])
    cache_write_tokens: int = Field(examples=[0])
    output_tokens: int = Field(examples=[90])


class UsageRowOut(_Shown):
    """What was used under one heading. `cost` adds up the calls whose price is known; `unpriced` counts the others."""

    key: str = Field(examples=["2026-11-25"])
    calls: int = Field(examples=[12], description="Calls that could be billed: failed and cancelled ones too.")
    answers: int = Field(examples=[9], description="Questions that a model answered.")
    failed: int = Field(examples=[1], description="Calls that brought nothing usable; cancelled ones are not counted.")
    usage: TokensOut
    cost: _Dollars = Field(examples=["0.00173"], description="US dollars.")
    unpriced: int = Field(examples=[0], description="Calls whose price is not known.")
    estimated: int = Field(examples=[1], description="Calls whose usage is our estimate: the provider did not say.")


class BudgetOut(_Shown):
    """A budget of today (UTC), in US dollars; `limit` and `left` are null where nothing limits it."""

    name: str = Field(examples=["per_day"])
    limit: _Dollars | None = Field(examples=["5"])
    spent: _Dollars = Field(examples=["0.00173"])
    left: _Dollars | None = Field(examples=["4.99827"])


class UsageOut(BaseModel):
    """Usage and budgets."""

    rows: list[UsageRowOut]
    budgets: list[BudgetOut]


def usage_document(rows: Sequence[UsageRow], budgets: Sequence[BudgetState]) -> UsageOut:
    """The document, out of what the ledger says."""
    return UsageOut(
        rows=[UsageRowOut.model_validate(row) for row in rows],
        budgets=[BudgetOut.model_validate(state) for state in budgets],
    )


@router.get("/usage", responses=_PROBLEMS)
async def get_usage(
    service: Running,
    caller: Caller,
    by: Annotated[
        GroupBy, Query(description="The heading; days come newest first, anything else dearest first.")
    ] = "day",
    since: Annotated[datetime | None, Query(description="From this day or time on.", examples=["2026-11-01"])] = None,
    until: Annotated[datetime | None, Query(description="Before this day or time.", examples=["2026-12-01"])] = None,
) -> UsageOut:
    """What calls to models cost, by day, model, prompt version, caller or purpose.

    Days and times without a zone are in UTC.
    """
    rows = await service.ledger.usage(by, in_utc(since), in_utc(until))
    return usage_document(rows, await service.ledger.budgets(service.budgets, caller))


def in_utc(moment: datetime | None) -> datetime | None:
    """A time without a zone is meant in UTC."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
