"""What is called again, when, and what it costs together."""

from __future__ import annotations

import pytest

from service.adapters.retry_policy import ANSWER, EMBED_CHAPTERS, EMBED_QUESTION, RetryPolicy
from service.adapters.retrying import RetryingChat
from service.domain import Answered, CutByLength, Filtered, Malformed, Outcome, Refused, TextDelta
from service.errors import BudgetSpent, StateProblem

from ..fakes.played_model import HANG, PAID, ScriptedModel, Sleeps, call, failed, said

WELL = [TextDelta("{}"), Answered(model="m", text="{}", bill=PAID)]


async def test_a_passing_failure_is_tried_again_and_everything_is_on_the_bill() -> None:
    """The caller sees one text and one outcome; attempts are numbered through."""
    sleeps = Sleeps()
    model = ScriptedModel([failed()], [failed("model_timeout")], WELL)
    pieces, outcome = await said(RetryingChat(model, ANSWER, sleeps))
    assert (pieces, type(outcome), outcome.bill) == (["{}"], Answered, PAID + PAID + PAID)
    assert [one.attempt for one in model.calls] == [1, 2, 3]
    first, second = sleeps.slept
    assert 0.25 <= first <= 0.5 <= second <= 1.0
    assert model.closed == 3


LASTING: dict[str, Outcome] = {
    "a rejection": failed("model_rejected", passing=False),
    "no credit": failed("model_quota", passing=False),
    "an open circuit": failed("model_circuit_open"),
    "a failure in the middle of the text": failed("model_unreachable", begun=True),
    "a refusal": Refused(model="m"),
    "a cut": CutByLength(model="m"),
    "a filter": Filtered(model="m"),
    "nonsense": Malformed(model="m"),
}


@pytest.mark.parametrize("outcome", LASTING.values(), ids=LASTING)
async def test_what_cannot_succeed_is_not_tried_again(outcome: Outcome) -> None:
    """One call, no wait, and the outcome as it was."""
    sleeps = Sleeps()
    model = ScriptedModel([outcome])
    assert (await said(RetryingChat(model, ANSWER, sleeps)))[1] == outcome
    assert (len(model.calls), sleeps.slept) == (1, [])


async def test_the_tries_end_with_the_last_failure() -> None:
    """Three attempts, two waits, and the bill of all three."""
    sleeps = Sleeps()
    _, outcome = await said(RetryingChat(ScriptedModel([failed()]), ANSWER, sleeps))
    assert outcome == failed(bill=PAID + PAID + PAID)
    assert len(sleeps.slept) == 2


async def test_the_servers_wish_is_honoured() -> None:
    """It waits as long as it was asked to, where that is longer than its own pause."""
    sleeps = Sleeps()
    await said(RetryingChat(ScriptedModel([failed(retry_after=7.0)], [failed(retry_after=0.0)], WELL), ANSWER, sleeps))
    assert sleeps.slept[0] == 7.0
    assert sleeps.slept[1] <= 1.0


@pytest.mark.parametrize(("seconds", "asked"), [(5.0, 10.0), (600.0, 30.0)], ids=["deadline", "cap"])
async def test_a_wish_beyond_the_deadline_or_the_cap_ends_the_tries_at_once(seconds: float, asked: float) -> None:
    """There is no use in waiting, nor in asking before the time."""
    sleeps = Sleeps()
    model = ScriptedModel([failed(retry_after=asked)], WELL)
    _, outcome = await said(RetryingChat(model, ANSWER, sleeps), call(seconds))
    assert outcome == failed(retry_after=asked)
    assert (len(model.calls), sleeps.slept) == (1, [])


async def test_all_tries_share_one_deadline() -> None:
    """A backoff that would end after it is not begun."""
    patient = RetryPolicy(attempts=9, first_wait=60, longest_wait=60, longest_wish=60)
    model = ScriptedModel([failed()])
    await said(RetryingChat(model, patient, Sleeps()), call(20))
    assert len(model.calls) == 1


async def test_a_budget_that_ends_between_tries_leaves_the_failure() -> None:
    """The reader is told what went wrong with the model, and that no more could be spent on it."""
    model = ScriptedModel([failed(detail="it is busy")], [BudgetSpent("today's budget is spent", 60)])
    _, outcome = await said(RetryingChat(model, ANSWER, Sleeps()))
    expected = "it is busy; another call was not made: today's budget is spent"
    assert outcome == failed(detail=expected, passing=False)


@pytest.mark.parametrize("problem", [BudgetSpent("spent", 60), StateProblem("no disk")])
async def test_a_first_call_that_may_not_be_made_is_the_callers_to_know(problem: Exception) -> None:
    """Nothing was sent: the error goes up as it is."""
    with pytest.raises(type(problem)):
        await said(RetryingChat(ScriptedModel([problem]), ANSWER, Sleeps()))


async def test_closing_it_in_the_middle_closes_what_it_calls() -> None:
    """A reader who leaves ends the call below, and no other one begins."""
    model = ScriptedModel([TextDelta("{"), HANG])
    stream = RetryingChat(model, ANSWER, Sleeps()).stream(call())
    assert await anext(stream) == TextDelta("{")
    await stream.aclose()
    assert (model.closed, len(model.calls)) == (1, 1)


def test_waits_double_up_to_their_longest() -> None:
    """Each lies between half and the whole of its step, so that callers do not come back together."""
    waits = [ANSWER.wait(attempt, None) for attempt in range(1, 9)]
    steps = [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))
    assert len({ANSWER.wait(5, None) for _ in range(20)}) > 1


def test_who_waits_decides_how_long() -> None:
    """A question gives up soon, an ingest late."""
    assert EMBED_QUESTION.attempts < ANSWER.attempts < EMBED_CHAPTERS.attempts
    assert EMBED_QUESTION.longest_wish < ANSWER.longest_wish < EMBED_CHAPTERS.longest_wish


async def test_closing_goes_down() -> None:
    """Connections are closed by the innermost."""
    model = ScriptedModel(WELL)
    await RetryingChat(model).close()
    assert model.shut
