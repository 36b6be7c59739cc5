"""The ledger: budgets that hold, sums that are exact."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from service.adapters.database import Database
from service.domain import Budgets, BudgetState, Purpose, Usage, UsageRow
from service.errors import BudgetSpent, RequestTooCostly, StateProblem

from .conftest import NOON, Clock, Where
from .samples import at, call, settlement

UNLIMITED = Budgets()
HALF = Budgets(per_day=Decimal("0.50"))


async def _spent(database: Database, caller: str = "anonymous") -> list[Decimal]:
    return [state.spent for state in await database.ledger.budgets(UNLIMITED, caller)]


async def test_a_call_is_booked_with_its_estimate_and_settled_with_its_cost(database: Database) -> None:
    """Until it is settled the estimate counts; then what it cost, to the last digit."""
    made = call(estimated_cost=Decimal("0.01"))
    await database.ledger.open(made, UNLIMITED)
    assert await _spent(database) == [Decimal("0.01")] * 2
    open_row = UsageRow("anonymous", 1, 0, 0, Usage(1000, 0, 0, 500), Decimal("0.01"), 0, 1)
    assert await database.ledger.usage("caller") == [open_row]
    await database.ledger.settle(made.id, settlement(cost=Decimal("0.000135000001")))
    assert await _spent(database) == [Decimal("0.000135000001")] * 2
    settled = UsageRow("anonymous", 1, 1, 0, Usage(900, 100, 10, 50), Decimal("0.000135000001"), 0, 0)
    assert await database.ledger.usage("caller") == [settled]


async def test_two_hundred_at_once_get_as_many_calls_as_the_budget_is_for(database: Database) -> None:
    """Fifty calls of a cent fit into half a dollar, whoever comes first; the others are told when to come again."""
    ended = await asyncio.gather(*(database.ledger.open(call(), HALF) for _ in range(200)), return_exceptions=True)
    refused = [end for end in ended if isinstance(end, BudgetSpent)]
    assert (ended.count(None), len(refused)) == (50, 150)
    assert {error.retry_after for error in refused} == {12 * 3600}
    assert await _spent(database) == [Decimal("0.5")] * 2


async def test_a_refused_call_is_not_in_the_ledger(database: Database) -> None:
    """Nothing was sent, nothing is counted."""
    with pytest.raises(BudgetSpent):
        await database.ledger.open(call(estimated_cost=Decimal("0.51")), HALF)
    assert await database.ledger.usage("day") == []
    assert await _spent(database) == [Decimal(0)] * 2


async def test_a_budget_may_be_used_up_to_its_last_cent(database: Database) -> None:
    """Exactly the limit fits; one part in 1e12 more does not."""
    await database.ledger.open(call(estimated_cost=Decimal("0.50")), HALF)
    with pytest.raises(BudgetSpent) as raised:
        await database.ledger.open(call(estimated_cost=Decimal("0.000000000001")), HALF)
    assert "$0.50 a day" in str(raised.value)
    assert "MASTERY_BUDGET_DAY_USD" in str(raised.value)


async def test_what_a_call_cost_less_than_estimated_is_free_again(database: Database) -> None:
    """The budget is held against what was spent, not against what was feared."""
    first = call(estimated_cost=Decimal("0.40"))
    await database.ledger.open(first, HALF)
    with pytest.raises(BudgetSpent):
        await database.ledger.open(call(estimated_cost=Decimal("0.20")), HALF)
    await database.ledger.settle(first.id, settlement(cost=Decimal("0.10")))
    await database.ledger.open(call(estimated_cost=Decimal("0.20")), HALF)
    assert await _spent(database) == [Decimal("0.3")] * 2


async def test_callers_have_budgets_of_their_own(database: Database) -> None:
    """One that spent its own does not stop another; the day's is shared."""
    budgets = Budgets(per_day=Decimal("0.05"), per_caller_day=Decimal("0.02"))
    for _ in range(2):
        await database.ledger.open(call(caller="a"), budgets)
    with pytest.raises(BudgetSpent, match=r"a day for a .*MASTERY_BUDGET_KEY_DAY_USD"):
        await database.ledger.open(call(caller="a"), budgets)
    for caller in "bbc":
        await database.ledger.open(call(caller=caller), budgets)
    with pytest.raises(BudgetSpent, match="MASTERY_BUDGET_DAY_USD"):
        await database.ledger.open(call(caller="c"), budgets)
    assert await database.ledger.budgets(budgets, "a") == [
        BudgetState("per_day", Decimal("0.05"), Decimal("0.05"), Decimal(0)),
        BudgetState("per_caller_day", Decimal("0.02"), Decimal("0.02"), Decimal(0)),
    ]
    assert (await database.ledger.budgets(budgets, "c"))[1].left == Decimal("0.01")


async def test_a_day_is_a_day_of_utc(database: Database, clock: Clock) -> None:
    """What was spent before midnight in UTC does not count after it, wherever the caller is."""
    late = at("2026-11-25T23:59:59.200000+00:00")
    await database.ledger.open(call(at=late, estimated_cost=Decimal("0.50")), HALF)
    with pytest.raises(BudgetSpent) as raised:
        await database.ledger.open(call(at=late), HALF)
    assert raised.value.retry_after == 1
    await database.ledger.open(call(at=at("2026-11-25T20:00:00-04:00")), HALF)
    clock.now = at("2026-11-26T00:00:00+00:00")
    assert (await database.ledger.budgets(HALF, "anonymous"))[0].left == Decimal("0.49")
    assert [row.key for row in await database.ledger.usage("day")] == ["2026-11-26", "2026-11-25"]


async def test_one_request_has_a_budget_over_all_its_calls(database: Database) -> None:
    """A retry or a repair counts to what the request cost already; another request begins anew."""
    budgets = Budgets(per_request=Decimal("0.02"))
    for attempt in (1, 2):
        await database.ledger.open(call(trace_id="t", attempt=attempt), budgets)
    with pytest.raises(RequestTooCostly, match=r"\$0\.01 beside \$0\.02 .* \$0\.02"):
        await database.ledger.open(call(trace_id="t", attempt=3), budgets)
    await database.ledger.open(call(trace_id="u"), budgets)
    with pytest.raises(RequestTooCostly, match=r"\$0\.03"):
        await database.ledger.open(call(estimated_cost=Decimal("0.03")), budgets)


async def test_affording_books_nothing(database: Database) -> None:
    """The check before a stream opens says the same as the booking, and changes nothing."""
    for _ in range(3):
        await database.ledger.afford(call(estimated_cost=Decimal("0.50")), HALF)
    assert await database.ledger.usage("day") == []
    with pytest.raises(BudgetSpent):
        await database.ledger.afford(call(estimated_cost=Decimal("0.51")), HALF)
    with pytest.raises(RequestTooCostly):
        await database.ledger.afford(call(), Budgets(per_request=Decimal("0.001")))


async def test_a_call_without_a_price_is_listed_and_counts_nothing(database: Database) -> None:
    """Unknown is not zero: it is said. A budget that is used up stops it all the same."""
    await database.ledger.open(call(estimated_cost=None), HALF)
    settled = call(estimated_cost=None)
    await database.ledger.open(settled, HALF)
    await database.ledger.settle(settled.id, settlement(cost=None))
    (row,) = await database.ledger.usage("model")
    assert (row.calls, row.unpriced, row.cost) == (2, 2, Decimal(0))
    await database.ledger.open(call(estimated_cost=Decimal("0.50")), HALF)
    with pytest.raises(BudgetSpent):
        await database.ledger.open(call(estimated_cost=None), HALF)


async def test_settling_again_replaces_what_was_said(database: Database) -> None:
    """The provider's count may come after our own estimate."""
    made = call()
    await database.ledger.open(made, UNLIMITED)
    await database.ledger.settle(made.id, settlement(outcome="cancelled", cost=Decimal("0.30"), reported=False))
    await database.ledger.settle(made.id, settlement(cost=Decimal("0.20")))
    assert await _spent(database) == [Decimal("0.2")] * 2
    (row,) = await database.ledger.usage("day")
    assert (row.calls, row.answers, row.estimated, row.cost) == (1, 1, 0, Decimal("0.2"))


async def test_settling_what_was_never_opened_is_an_error(database: Database) -> None:
    """Money that appears from nowhere is a fault, not a row; what comes with it is settled."""
    made = call()
    await database.ledger.open(made, UNLIMITED)
    ended = await asyncio.gather(
        database.ledger.settle("nowhere", settlement()),
        database.ledger.settle(made.id, settlement()),
        return_exceptions=True,
    )
    assert isinstance(ended[0], StateProblem)
    assert "'nowhere'" in str(ended[0])
    assert ended[1] is None


@pytest.mark.parametrize("cost", ["-0.01", "NaN", "Infinity", "9000001"])
async def test_a_cost_that_cannot_be_is_refused(database: Database, cost: str) -> None:
    """A price table that was typed wrong does not corrupt the sums."""
    made = call()
    await database.ledger.open(made, UNLIMITED)
    with pytest.raises(StateProblem, match="cannot be booked"):
        await database.ledger.settle(made.id, settlement(cost=Decimal(cost)))
    assert await _spent(database) == [Decimal("0.01")] * 2


async def test_sums_are_exact(database: Database) -> None:
    """A thousand odd amounts add up to what decimal arithmetic says, in the rows and in what the budgets see."""
    rng = random.Random(3)
    costs = [Decimal(rng.randrange(10**9)).scaleb(-12) for _ in range(1000)]
    made = [call(caller=rng.choice("abc"), model=rng.choice("xyz")) for _ in costs]

    async def spend(number: int) -> None:
        await database.ledger.open(made[number], UNLIMITED)
        await database.ledger.settle(made[number].id, settlement(cost=costs[number]))

    await asyncio.gather(*map(spend, range(1000)))
    for by in ("day", "model", "prompt", "caller", "purpose"):
        assert sum(row.cost for row in await database.ledger.usage(by)) == sum(costs)  # type: ignore[arg-type]
    assert (await _spent(database))[0] == sum(costs)
    by_caller = {row.key: row.cost for row in await database.ledger.usage("caller")}
    assert [(await _spent(database, caller))[1] for caller in "abc"] == [by_caller[caller] for caller in "abc"]


async def test_usage_counts_answers_by_request_and_says_what_failed(database: Database) -> None:
    """Two attempts at one answer are one answer; a repair is none; what was cancelled did not fail."""
    outcomes = [
        ("t1", Purpose.ANSWER, "failed"),
        ("t1", Purpose.ANSWER, "answered"),
        ("t1", Purpose.ANSWER, "answered"),
        ("t2", Purpose.ANSWER, "malformed"),
        ("t2", Purpose.REPAIR, "answered"),
        ("t3", Purpose.ANSWER, "cancelled"),
        ("t4", Purpose.ANSWER, None),
    ]
    for trace, purpose, outcome in outcomes:
        made = call(trace_id=trace, purpose=purpose, prompt=None if purpose is Purpose.REPAIR else "answer/v1")
        await database.ledger.open(made, UNLIMITED)
        if outcome:
            await database.ledger.settle(made.id, settlement(outcome=outcome))
    (day,) = await database.ledger.usage("day")
    assert (day.calls, day.answers, day.failed, day.estimated) == (7, 1, 2, 1)
    assert [row.key for row in await database.ledger.usage("prompt")] == ["answer/v1", "none"]
    assert {row.key: row.calls for row in await database.ledger.usage("purpose")} == {"answer": 6, "repair": 1}


async def test_usage_is_sorted_and_cut_by_time(database: Database) -> None:
    """Days newest first, anything else dearest first; the beginning is included and the end is not."""
    for day, (model, cost) in enumerate([("cheap", "0.01"), ("dear", "0.30"), ("cheap", "0.02")]):
        made = call(at=NOON + timedelta(days=day), model=model)
        await database.ledger.open(made, UNLIMITED)
        await database.ledger.settle(made.id, settlement(cost=Decimal(cost)))
    assert [row.key for row in await database.ledger.usage("day")] == ["2026-11-27", "2026-11-26", "2026-11-25"]
    assert [row.key for row in await database.ledger.usage("model")] == ["dear", "cheap"]
    since, until = NOON + timedelta(days=1), NOON + timedelta(days=2)
    assert [row.key for row in await database.ledger.usage("day", since, until)] == ["2026-11-26"]
    assert [row.key for row in await database.ledger.usage("day", since)] == ["2026-11-27", "2026-11-26"]


async def test_an_open_call_stays_booked_when_the_process_is_gone(where: Where) -> None:
    """Nobody knows what it cost, so its estimate counts."""
    async with where.open() as first:
        await first.ledger.open(call(), UNLIMITED)
    async with where.open() as second:
        assert await _spent(second) == [Decimal("0.01")] * 2


async def test_who_gives_up_while_booking_books_nothing(database: Database) -> None:
    """A request that is cancelled before its call was made leaves no money held, whenever that happens."""
    for delay in (0, 0, 0.0005, 0.001, 0.002):
        tasks = [asyncio.create_task(database.ledger.open(call(), UNLIMITED)) for _ in range(20)]
        await asyncio.sleep(delay)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        made = call(caller="last")
        await database.ledger.open(made, UNLIMITED)  # what was posted before it is through
        await database.ledger.settle(made.id, settlement(cost=Decimal(0)))
        total = (await _spent(database))[0]
        assert total == Decimal("0.01") * ended.count(None)
        for row in await database.ledger.usage("caller"):
            assert row.key in ("anonymous", "last")
        if ended.count(None):
            return  # from here on calls got through before they were cancelled
