"""When an upstream is left alone, and when it is asked again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from service.adapters.breaker import Breaker, BreakingChat
from service.domain import Answered, Failed, Malformed, Outcome, Refused, TextDelta
from service.errors import BudgetSpent

from ..fakes.played_model import HANG, ScriptedModel, call, failed, said
from ..waiting import until

WELL = [TextDelta("{}"), Answered(model="m", text="{}")]


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def behind(model: ScriptedModel, clock: Clock, failures: int = 3) -> BreakingChat:
    """The model behind a breaker of its own."""
    return BreakingChat(model, Breaker(failures, quiet=0, rest=15.0, clock=clock))


async def code(model: BreakingChat) -> str:
    """How a call ended: the failure's code, or the outcome's name."""
    outcome = (await said(model))[1]
    return outcome.code if isinstance(outcome, Failed) else type(outcome).__name__


async def test_failures_in_a_row_open_it_and_callers_are_refused_at_once() -> None:
    """The outcome says how long it lasts; nothing is sent, nothing is billed."""
    model, clock = ScriptedModel([failed()]), Clock()
    chat = behind(model, clock)
    assert [await code(chat) for _ in range(5)] == ["model_overloaded"] * 3 + ["model_circuit_open"] * 2
    assert len(model.calls) == 3
    clock.now += 5
    _, outcome = await said(chat)
    assert isinstance(outcome, Failed)
    assert (outcome.passing, outcome.retry_after, outcome.bill.calls) == (True, 10.0, 0)


async def test_an_answer_in_between_starts_the_count_again() -> None:
    """Only failures in a row count."""
    model = ScriptedModel([failed()], [failed()], WELL, [failed()], [failed()], WELL)
    chat = behind(model, Clock())
    for _ in range(6):
        await said(chat)
    assert len(model.calls) == 6


async def test_failures_that_come_in_a_burst_do_not_open_it_while_answers_are_on_their_way() -> None:
    """They are quicker than answers: only a row of them without any sign of life for a while does."""
    clock = Clock()
    model = ScriptedModel([failed()])
    breaker = Breaker(3, quiet=5.0, rest=15.0, clock=clock)
    chat = BreakingChat(model, breaker)
    for _ in range(20):
        await said(chat)
    clock.now += 4
    breaker.began()
    clock.now += 4
    assert await code(chat) == "model_overloaded"
    clock.now += 1
    assert [await code(chat) for _ in range(2)] == ["model_overloaded", "model_circuit_open"]


async def test_the_first_word_of_an_answer_is_a_sign_of_life() -> None:
    """The end of the answer may be far."""
    clock = Clock()
    model = ScriptedModel([failed()], [failed()], [TextDelta("{"), HANG], [failed()])
    chat = BreakingChat(model, Breaker(3, quiet=5.0, rest=15.0, clock=clock))
    assert [await code(chat) for _ in range(2)] == ["model_overloaded"] * 2
    clock.now += 4
    async with aclosing(chat.stream(call())) as answer:
        await anext(answer)
        clock.now += 4
        assert [await code(chat) for _ in range(2)] == ["model_overloaded"] * 2
        clock.now += 1
        assert [await code(chat) for _ in range(2)] == ["model_overloaded", "model_circuit_open"]


async def test_after_the_rest_one_call_probes_and_its_answer_closes_it() -> None:
    """While the probe runs, everybody else is still refused."""
    model, clock = ScriptedModel([failed()], [failed()], [failed()], WELL), Clock()
    chat = behind(model, clock)
    for _ in range(3):
        await said(chat)
    clock.now += 15
    probe = chat.stream(call())
    assert await anext(probe) == TextDelta("{}")
    assert await code(chat) == "model_circuit_open"
    assert isinstance(await anext(probe), Answered)
    await probe.aclose()
    assert await code(chat) == "Answered"


async def test_a_probe_that_fails_opens_it_for_another_rest() -> None:
    """One failure is enough then."""
    model, clock = ScriptedModel([failed()]), Clock()
    chat = behind(model, clock)
    for _ in range(3):
        await said(chat)
    clock.now += 15
    assert [await code(chat) for _ in range(2)] == ["model_overloaded", "model_circuit_open"]
    clock.now += 15
    assert await code(chat) == "model_overloaded"


async def test_a_probe_that_is_given_up_leaves_the_next_call_to_probe() -> None:
    """A reader who leaves says nothing of the upstream: it neither closes the circuit nor blocks it."""
    model, clock = ScriptedModel([failed()], [failed()], [failed()], [TextDelta("{"), HANG], WELL), Clock()
    chat = behind(model, clock)
    for _ in range(3):
        await said(chat)
    clock.now += 15
    probe = chat.stream(call())
    await anext(probe)
    await probe.aclose()
    assert await code(chat) == "Answered"


SIGNS: dict[str, Outcome] = {
    "a rejection": failed("model_rejected", passing=False),
    "no credit": failed("model_quota", passing=False),
    "a refusal": Refused(model="m"),
    "nonsense": Malformed(model="m"),
}


@pytest.mark.parametrize("outcome", SIGNS.values(), ids=SIGNS)
async def test_what_is_our_own_fault_or_an_answer_never_opens_it(outcome: Outcome) -> None:
    """The upstream is alive."""
    model = ScriptedModel([outcome])
    chat = behind(model, Clock())
    for _ in range(5):
        await said(chat)
    assert len(model.calls) == 5


async def test_cancelled_calls_and_unpaid_ones_do_not_count() -> None:
    """Neither a task that was cancelled nor a budget says anything of the upstream."""
    clock = Clock()
    model = ScriptedModel([failed()], [failed()], [HANG], [BudgetSpent("spent", 1)], WELL)
    chat = behind(model, clock)
    for _ in range(2):
        await said(chat)
    waiting = asyncio.ensure_future(said(chat))
    await until(lambda: len(model.calls) == 3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(BudgetSpent):
        await said(chat)
    assert await code(chat) == "Answered"


async def test_a_timeout_of_a_call_that_had_no_time_is_not_held_against_it() -> None:
    """A deadline that was nearly over when the call began is the caller's."""
    model = ScriptedModel([failed("model_timeout")])
    chat = behind(model, Clock())
    for _ in range(5):
        await said(chat, call(1.0))
    assert len(model.calls) == 5
    for _ in range(4):
        await said(chat, call(60.0))
    assert len(model.calls) == 8


async def test_calls_from_before_the_opening_change_nothing_after_it() -> None:
    """A late answer to an old call does not close it, and late failures do not lengthen its rest."""
    clock = Clock()
    breaker = Breaker(2, quiet=0, rest=15.0, clock=clock)
    early = [breaker.enter() for _ in range(4)]
    assert all(early)
    for given in early[:2]:
        assert given
        breaker.failed(given)
    clock.now += 10
    assert early[2]
    assert early[3]
    breaker.failed(early[2])
    breaker.answered(early[3])
    assert breaker.left == 5.0
    assert breaker.enter() is None
