"""`GET /api/usage`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from service.domain import Budgets, Usage
from service.keys import Keyring, hash_of

from ...adapters.database.conftest import NOON
from ...adapters.database.samples import call, settlement
from .conftest import StateService


async def _spend(service: StateService, cost: str | None, **changes: object) -> None:
    made = call(**changes)
    await service.ledger.open(made, Budgets())
    amount = Decimal(cost) if cost else None
    await service.ledger.settle(made.id, settlement(cost=amount, usage=Usage(900, 100, 10, 50)))


async def test_usage_and_budgets_come_as_documented(client: httpx.AsyncClient, service: StateService) -> None:
    """Money is text in plain decimals, however small."""
    await _spend(service, "0.0000001")
    await _spend(service, None, model="unknown")
    response = await client.get("/api/usage", params={"by": "model"})
    assert response.status_code == 200
    tokens = {"input_tokens": 900, "cached_tokens": 100, "cache_write_tokens": 10, "output_tokens": 50}
    row = {"calls": 1, "answers": 1, "failed": 0, "usage": tokens, "estimated": 0}
    assert response.json() == {
        "rows": [
            row | {"key": "gpt-6-luna", "cost": "0.0000001", "unpriced": 0},
            row | {"key": "unknown", "cost": "0", "unpriced": 1},
        ],
        "budgets": [
            {"name": "per_day", "limit": "0.50", "spent": "0.0000001", "left": "0.4999999"},
            {"name": "per_caller_day", "limit": None, "spent": "0.0000001", "left": None},
        ],
    }


async def test_nothing_used_is_an_empty_list(client: httpx.AsyncClient) -> None:
    """With the budgets whole."""
    document = (await client.get("/api/usage")).json()
    assert document["rows"] == []
    assert document["budgets"][0] == {"name": "per_day", "limit": "0.50", "spent": "0", "left": "0.5"}


async def test_days_are_days_of_utc_and_the_last_is_left_out(client: httpx.AsyncClient, service: StateService) -> None:
    """Days, times and times with a zone are understood."""
    for day in range(3):
        await _spend(service, "0.01", at=NOON + timedelta(days=day))

    async def days(**query: str) -> list[str]:
        response = await client.get("/api/usage", params=query)
        assert response.status_code == 200, response.text
        return [row["key"] for row in response.json()["rows"]]

    assert await days() == ["2026-11-27", "2026-11-26", "2026-11-25"]
    assert await days(since="2026-11-26") == ["2026-11-27", "2026-11-26"]
    assert await days(since="2026-11-26", until="2026-11-27") == ["2026-11-26"]
    assert await days(until="2026-11-25T12:00:00") == []
    assert await days(until="2026-11-25T14:00:01+02:00") == ["2026-11-25"]


async def test_each_caller_sees_what_is_left_to_it(client: httpx.AsyncClient, service: StateService) -> None:
    """The key decides whose budget is shown."""
    service.keyring = Keyring.parse(f"editor:{hash_of('k')}", required=False)
    service.budgets = Budgets(per_caller_day=Decimal(1))
    await _spend(service, "0.25", caller="editor")
    mine = (await client.get("/api/usage", headers={"Authorization": "Bearer k"})).json()["budgets"]
    assert mine[1] == {"name": "per_caller_day", "limit": "1", "spent": "0.25", "left": "0.75"}
    assert (await client.get("/api/usage")).json()["budgets"][1]["left"] == "1"


@pytest.mark.parametrize("query", ["by=moon", "since=yesterday", "until=2026-13-01"])
async def test_what_cannot_be_read_is_a_problem(client: httpx.AsyncClient, query: str) -> None:
    """It names the parameter."""
    response = await client.get(f"/api/usage?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert query.partition("=")[0] in response.json()["detail"]
