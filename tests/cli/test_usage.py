"""`mastery usage`: what was spent, said to people and to scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.adapters.database import open_database
from service.domain import Budgets, Call, Purpose, Settlement, Usage
from service.keys import Keyring
from service.parts import budgets_of
from service.usage_report import print_usage

from ..adapters.database.samples import call, settlement
from ..api.conftest import client_of
from ..api.state.conftest import Desk, StateService, application
from ..small_index import settings_for
from .conftest import Mastery

Spent = tuple[Call, Settlement | None]


def _book(folder: Path, spent: Iterable[Spent]) -> None:
    async def book() -> None:
        async with open_database(None, folder) as database:
            for made, settled in spent:
                await database.ledger.open(made, Budgets())
                if settled:
                    await database.ledger.settle(made.id, settled)

    asyncio.run(book())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Calls of two days and two models: answered, failed, unpriced, open."""
    today = datetime.now(UTC)
    before = today - timedelta(days=1)
    used = Usage(900, 100, 0, 50)
    unpriced = settlement(usage=used, cost=None, reported=False)
    _book(
        tmp_path,
        [
            (call(at=before, model="old"), settlement(usage=used, cost=Decimal("0.25"))),
            (call(at=today), settlement(usage=used, cost=Decimal("0.00173"))),
            (call(at=today), settlement(outcome="failed", usage=Usage(), cost=Decimal(0))),
            (call(at=today, model="home-made", prompt=None, purpose=Purpose.REWRITE, caller="editor"), unpriced),
            (call(at=today, estimated=Usage(1000, 0, 0, 500), estimated_cost=Decimal("0.01")), None),
        ],
    )
    return tmp_path


def _row(out: str, key: str) -> list[str]:
    """The cells of the row that begins with this."""
    return next(line.split() for line in out.splitlines() if line.strip().startswith(key))


def test_people_see_rows_and_their_sum(mastery: Mastery, data: Path) -> None:
    """Today's calls beside yesterday's, every digit of the cost, the total below."""
    done = mastery("usage", MASTERY_DATA_DIR=str(data))
    assert done.code == 0, done.err
    today, yesterday = (f"{datetime.now(UTC) - timedelta(days=day):%Y-%m-%d}" for day in (0, 1))
    assert _row(done.out, today) == [today, "4", "1", "1", "2,800", "200", "600", "$0.01173"]
    assert _row(done.out, yesterday) == [yesterday, "1", "1", "0", "900", "100", "50", "$0.25"]
    assert _row(done.out, "Total") == ["Total", "5", "2", "1", "3,700", "300", "650", "$0.26173"]


def test_what_is_not_known_is_said(mastery: Mastery, data: Path) -> None:
    """Calls without a price are not in the sum, estimated ones are; both are named in words."""
    shown = mastery("usage", MASTERY_DATA_DIR=str(data)).out
    assert "1 call of a model whose price is not known: their cost is not in the sum. Set MASTERY_PRICES" in shown
    assert "2 calls counted by our own estimate" in shown


def test_what_is_left_of_the_budgets_is_said(mastery: Mastery, data: Path) -> None:
    """Of today's, in the day's budget and in the terminal's own."""
    limits = {"MASTERY_BUDGET_DAY_USD": "0.50", "MASTERY_BUDGET_KEY_DAY_USD": "0.20"}
    shown = mastery("usage", MASTERY_DATA_DIR=str(data), **limits).out
    assert "Budget of all callers today: $0.48827 of $0.50 left; $0.01173 are booked." in shown
    assert "Budget of the caller 'terminal' today: $0.20 of $0.20 left; $0.00 are booked." in shown


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("model", ["old", "gpt-6-luna", "home-made"]),
        ("prompt", ["answer/v1", "none"]),
        ("caller", ["anonymous", "editor"]),
        ("purpose", ["answer", "rewrite"]),
    ],
)
def test_every_heading_is_dearest_first(mastery: Mastery, data: Path, by: str, keys: list[str]) -> None:
    """For people and in the JSON alike."""
    rows = mastery("usage", "--by", by, "--json", MASTERY_DATA_DIR=str(data)).json["rows"]
    assert [row["key"] for row in rows] == keys
    shown = mastery("usage", "--by", by, MASTERY_DATA_DIR=str(data)).out
    places = [shown.index(f" {key} ") for key in keys]
    assert places == sorted(places)


def test_times_cut_the_list(mastery: Mastery, data: Path) -> None:
    """`--since` takes the day with it, `--until` does not."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    def keys(*options: str) -> list[Any]:
        return [row["key"] for row in mastery("usage", *options, "--json", MASTERY_DATA_DIR=str(data)).json["rows"]]

    assert keys("--since", today) == [today]
    assert today not in keys("--until", today)
    assert len(keys("--until", today)) == 1
    assert keys("--until", "2020-01-01T00:00:00+02:00") == []


def test_nothing_used_is_said(mastery: Mastery, tmp_path: Path) -> None:
    """An empty ledger is no empty table."""
    done = mastery("usage", MASTERY_DATA_DIR=str(tmp_path))
    assert done.code == 0
    assert "No call to a model was booked in this time." in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "moon"), "--by: 'moon' is not one of day, model, prompt, caller, purpose"),
        (("--since", "yesterday"), "--since: 'yesterday' is not a day such as 2026-11-01"),
        (("--until", "2026-02-30"), "--until: '2026-02-30' is not a day"),
    ],
)
def test_wrong_use_is_named(mastery: Mastery, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """One line, exit code 2."""
    done = mastery("usage", *options, MASTERY_DATA_DIR=str(tmp_path))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


def test_a_database_that_cannot_be_used_is_named(mastery: Mastery, tmp_path: Path) -> None:
    """One line, exit code 1, no password."""
    done = mastery("usage", MASTERY_DATA_DIR=str(tmp_path), DATABASE_URL="postgresql://me:s3cret@127.0.0.1:9/x")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "postgresql://127.0.0.1:9/x: nothing listens there" in done.err
    assert "s3cret" not in done.err


async def test_the_json_is_that_of_the_api(data: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Byte for byte, but for the caller whose budget is shown."""
    settings = settings_for(data)
    await print_usage(settings, "model", None, None, as_json=True)
    printed = capsysbinary.readouterr().out
    async with open_database(None, data) as database:
        ring = Keyring.parse("", required=False)
        stores = (database.answers, database.ledger, database.conversations)
        service = StateService(*stores, Desk(), ring, budgets_of(settings))
        async with client_of(application(service)) as client:
            response: httpx.Response = await client.get("/api/usage?by=model")
    ours, theirs = printed.strip(), response.content
    assert ours.split(b'"per_caller_day"')[0] == theirs.split(b'"per_caller_day"')[0]
