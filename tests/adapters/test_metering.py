"""What is booked for each request to a model: before it, after it, and when somebody leaves in the middle."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from service.adapters.bookkeeping import Bookkeeper
from service.adapters.metering import MeteredChat
from service.adapters.pricing import load_prices
from service.domain import (
    Answered,
    Bill,
    Budgets,
    CutByLength,
    Failed,
    Filtered,
    Malformed,
    Outcome,
    Purpose,
    Refused,
    TextDelta,
    Usage,
)
from service.errors import BudgetSpent, RequestTooCostly, StateProblem

from ..fakes.ledger import FakeLedger
from ..fakes.played_model import HANG, ScriptedModel, Turn, call, said
from ..waiting import until

LUNA = "gpt-6-luna"
USED = Usage(input_tokens=1000, cached_tokens=400, output_tokens=50)
SENT = 3 + 2 * 4 + 4  # the reply's beginning, two messages, and their words: "Answer." and "Why?" are two tokens each
DOLLARS = Decimal("0.000089")  # 600 at 0.10, 400 at 0.01, 50 at 0.50 a million


def metered(
    *turns: Turn, model: str = LUNA, budgets: Budgets | None = None
) -> tuple[FakeLedger, ScriptedModel, MeteredChat]:
    """A ledger, a model, and the meter between them."""
    ledger, inner = FakeLedger(), ScriptedModel(*turns, name=model)
    return ledger, inner, MeteredChat(inner, Bookkeeper(ledger, budgets or Budgets(), load_prices()))


async def test_the_call_is_booked_at_its_most_before_it_is_sent() -> None:
    """What is sent is counted, and what may be written is taken for written."""
    ledger, inner, chat = metered([HANG])
    stream = chat.stream(call(attempt=2))
    waiting = asyncio.ensure_future(anext(stream))
    await until(lambda: bool(inner.calls))
    (row,) = ledger.rows.values()
    booked = row.call
    assert (booked.model, booked.prompt, booked.caller, booked.attempt) == (LUNA, "answer/v1", "ann", 2)
    assert (booked.trace_id, booked.purpose, row.settlement) == ("trace-1", Purpose.ANSWER, None)
    assert booked.estimated == Usage(input_tokens=SENT, output_tokens=500)
    assert booked.estimated_cost == (SENT * Decimal("0.10") + 500 * Decimal("0.50")) / 1_000_000
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await chat.close()


OUTCOMES: dict[str, Outcome] = {
    "answered": Answered(model=f"{LUNA}-2026-10-01", text="{}", usage=USED),
    "refused": Refused(model=LUNA, detail="no", usage=USED),
    "cut_by_length": CutByLength(model=LUNA, text="{", usage=USED),
    "filtered": Filtered(model=LUNA, usage=USED),
    "malformed": Malformed(model=LUNA, text="no", detail="no JSON", usage=USED),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_what_the_provider_reports_is_booked_as_it_reports_it(name: str) -> None:
    """Every outcome that was written is paid for, at the rates of its model."""
    ledger, _, chat = metered([TextDelta("{}"), OUTCOMES[name]])
    _, outcome = await said(chat)
    (settlement,) = ledger.settlements
    assert (settlement.outcome, settlement.usage, settlement.cost, settlement.reported) == (name, USED, DOLLARS, True)
    assert settlement.milliseconds > 0
    assert outcome.bill == Bill(USED, DOLLARS, calls=1)


COUNTED: dict[str, tuple[Outcome, int]] = {
    "an answer without usage": (Answered(model=LUNA, text="Hello world"), 2),
    "a refusal without usage": (Refused(model=LUNA, detail="Hello world"), 2),
    "a cut stream": (Failed(model=LUNA, text="Hello", detail="it broke the connection", begun=True), 1),
    "a timeout before the first word": (Failed(model=LUNA, code="model_timeout", detail="too slow"), 0),
    "nonsense": (Malformed(model=LUNA, text="Hello world", detail="no JSON at all"), 2),
}


@pytest.mark.parametrize(("outcome", "written"), COUNTED.values(), ids=COUNTED)
async def test_where_the_provider_does_not_say_what_was_sent_and_received_is_counted(
    outcome: Outcome, written: int
) -> None:
    """And marked as our own count; our words about a failure are not the model's."""
    ledger, _, chat = metered([outcome])
    _, settled = await said(chat)
    (settlement,) = ledger.settlements
    assert settlement.usage == Usage(input_tokens=SENT, output_tokens=written)
    assert (settlement.reported, settled.bill.usage, settled.usage) == (False, settlement.usage, None)


async def test_what_was_never_served_costs_nothing_whatever_the_model() -> None:
    """No connection, or an error status: nothing of an unknown price is still nothing."""
    refused = Failed(model="my-model", usage=Usage())
    ledger, _, chat = metered([refused], model="my-model")
    _, outcome = await said(chat)
    (settlement,) = ledger.settlements
    assert (settlement.outcome, settlement.cost, settlement.usage) == ("failed", 0, Usage())
    assert outcome.bill == Bill(Usage(), Decimal(0), calls=1)


async def test_the_price_of_an_unknown_model_is_unknown() -> None:
    """Neither the estimate nor the bill says that it was free."""
    ledger, _, chat = metered([Answered(model="my-model", text="{}", usage=USED)], model="my-model")
    _, outcome = await said(chat)
    (row,) = ledger.rows.values()
    assert (row.call.estimated_cost, outcome.bill.cost) == (None, None)
    assert row.settlement
    assert (row.settlement.cost, row.settlement.usage) == (None, USED)


async def test_the_name_that_was_asked_for_has_the_first_price_then_the_one_that_answered() -> None:
    """A router that is asked by a name of its own is priced by the model behind it."""
    ledger, _, chat = metered([Answered(model=LUNA, text="{}", usage=USED)], model="router")
    await said(chat)
    assert ledger.settlements[0].cost == DOLLARS


async def test_a_reader_who_leaves_has_used_what_came_until_then() -> None:
    """Closing the stream closes the call, then books it as cancelled."""
    ledger, inner, chat = metered([TextDelta("Hello"), TextDelta(" world"), HANG])
    stream = chat.stream(call())
    assert [(await anext(stream)), (await anext(stream))] == [TextDelta("Hello"), TextDelta(" world")]
    await stream.aclose()
    (settlement,) = ledger.settlements
    assert (settlement.outcome, settlement.reported) == ("cancelled", False)
    assert settlement.usage == Usage(input_tokens=SENT, output_tokens=2)
    assert inner.closed == 1


async def test_a_task_that_is_cancelled_while_the_model_is_silent_books_what_was_sent() -> None:
    """The cancellation goes on; the settlement was written before it."""
    ledger, inner, chat = metered([HANG])
    task = asyncio.ensure_future(said(chat))
    await until(lambda: bool(inner.calls))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ledger.outcomes, ledger.used, inner.closed) == (["cancelled"], Usage(input_tokens=SENT), 1)


async def test_a_second_cancellation_does_not_stop_the_settlement() -> None:
    """The database is slow, and the task is cancelled again while it waits: closing waits for the booking."""
    ledger, inner, chat = metered([HANG])
    task = asyncio.ensure_future(said(chat))
    await until(lambda: bool(inner.calls))
    ledger.gate.clear()
    task.cancel()
    await until(lambda: ledger.waiting == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.outcomes == [None]
    ledger.gate.set()
    await chat.close()
    assert (ledger.outcomes, inner.shut) == (["cancelled"], True)


async def test_a_task_that_is_cancelled_while_it_is_booked_takes_the_booking_back() -> None:
    """Nothing was sent: the row says cancelled, and holds nothing of the budgets."""
    ledger, inner, chat = metered([HANG])
    ledger.gate.clear()
    task = asyncio.ensure_future(said(chat))
    await until(lambda: ledger.waiting == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ledger.gate.set()
    await chat.close()
    assert (ledger.outcomes, ledger.used, inner.calls) == (["cancelled"], Usage(), [])


@pytest.mark.parametrize(
    ("budgets", "problem"),
    [
        (Budgets(per_request=Decimal("0.0001")), RequestTooCostly),
        (Budgets(per_day=Decimal("0.0001")), BudgetSpent),
        (Budgets(per_caller_day=Decimal("0.0001")), BudgetSpent),
    ],
)
async def test_a_call_that_a_budget_does_not_allow_is_not_sent(budgets: Budgets, problem: type[Exception]) -> None:
    """Asked before or at the call, the answer is the same, and nothing is booked."""
    ledger, inner, chat = metered([HANG], budgets=budgets)
    with pytest.raises(problem):
        await chat.afford(call())
    with pytest.raises(problem):
        await said(chat)
    assert (ledger.rows, inner.calls) == ({}, [])


async def test_calls_at_the_same_time_cannot_overspend_together() -> None:
    """The estimate is held from before the call on: of ten, the budget of three lets three through."""
    most = (SENT * Decimal("0.10") + 500 * Decimal("0.50")) / 1_000_000
    answer = Answered(model=LUNA, text="{}", usage=USED)
    ledger, inner, chat = metered([answer], budgets=Budgets(per_day=most * 3))
    done = await asyncio.gather(*(said(chat, call(trace_id=str(n))) for n in range(10)), return_exceptions=True)
    spent = sum(row.held for row in ledger.rows.values())
    assert spent <= most * 3
    assert len(inner.calls) == len(ledger.rows) >= 3
    assert sum(isinstance(one, BudgetSpent) for one in done) == 10 - len(inner.calls)


async def test_a_call_that_can_be_afforded_books_nothing_yet() -> None:
    """It is only asked."""
    ledger, _, chat = metered([HANG], budgets=Budgets(per_day=Decimal(1)))
    await chat.afford(call())
    assert ledger.rows == {}


async def test_a_ledger_that_cannot_be_written_stops_the_call() -> None:
    """What cannot be booked is not spent."""
    ledger, inner, chat = metered([HANG])
    ledger.broken = True
    with pytest.raises(StateProblem):
        await said(chat)
    assert inner.calls == []


async def test_an_answer_is_not_lost_because_its_settlement_could_not_be_written() -> None:
    """It was paid for. The row keeps its estimate, and the log says so."""
    ledger, _, chat = metered([Answered(model=LUNA, text="{}", usage=USED)])
    ledger.unsettling = True
    with capture_logs() as logs:
        _, outcome = await said(chat)
    assert (type(outcome), outcome.bill, ledger.outcomes) == (Answered, Bill(USED, DOLLARS, calls=1), [None])
    assert [(line["event"], line["problem"]) for line in logs] == [("call_not_settled", "the disk is full")]


async def test_an_error_of_our_own_is_booked_as_failed() -> None:
    """It goes up as it is; the call may have been sent."""
    ledger, _, chat = metered([TextDelta("Hello"), RuntimeError("a bug")])
    with pytest.raises(RuntimeError, match="a bug"):
        await said(chat)
    assert (ledger.outcomes, ledger.used) == (["failed"], Usage(input_tokens=SENT, output_tokens=1))
