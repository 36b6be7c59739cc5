"""A call whose form was refused goes out again, right away and in the next form."""

from __future__ import annotations

import pytest

from service.adapters.openai_chat import FORM_REFUSED
from service.adapters.stepping_down import SteppingDownChat
from service.domain import Answered, Failed, TextDelta
from service.errors import BudgetSpent

from ..fakes.played_model import PAID, ScriptedModel, call, failed, said

REFUSED = failed(FORM_REFUSED, passing=False, detail="no schema")
WELL = [TextDelta("{}"), Answered(model="m", text="{}", bill=PAID)]


async def test_each_refusal_is_a_step_and_all_are_on_the_bill() -> None:
    """Attempts are counted on from the call's own number."""
    model = ScriptedModel([REFUSED], [REFUSED], WELL)
    pieces, outcome = await said(SteppingDownChat(model), call(attempt=3))
    assert (pieces, type(outcome), outcome.bill) == (["{}"], Answered, PAID + PAID + PAID)
    assert [one.attempt for one in model.calls] == [3, 4, 5]


async def test_any_other_failure_is_left_to_the_layers_above() -> None:
    """It is no matter of form."""
    model = ScriptedModel([failed()])
    assert (await said(SteppingDownChat(model)))[1] == failed()
    assert len(model.calls) == 1


async def test_a_server_that_refuses_every_form_is_asked_no_more_than_there_are_forms() -> None:
    """There is an end to it even with a server that is never content."""
    model = ScriptedModel([REFUSED])
    _, outcome = await said(SteppingDownChat(model))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing, len(model.calls)) == (FORM_REFUSED, False, 5)


async def test_a_budget_that_ends_between_steps_leaves_the_refusal() -> None:
    """Before the first step it is the caller's to know; after it, it is the reason why there was no other."""
    spent = BudgetSpent("today's budget is spent", 60)
    _, outcome = await said(SteppingDownChat(ScriptedModel([REFUSED], [spent])))
    assert outcome.detail == "no schema; another call was not made: today's budget is spent"
    with pytest.raises(BudgetSpent):
        await said(SteppingDownChat(ScriptedModel([spent])))
