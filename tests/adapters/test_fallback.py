"""When a second model is asked, and what the reader sees of it."""

from __future__ import annotations

import pytest

from service.adapters.fallback import FallbackChat
from service.domain import Answered, CutByLength, Failed, Filtered, Malformed, Outcome, Refused, TextDelta
from service.errors import RequestTooCostly

from ..fakes.played_model import HANG, PAID, ScriptedModel, call, failed, said

WELL = [TextDelta('{"a'), TextDelta('"}'), Answered(model="second", text='{"a"}', bill=PAID)]


def both(primary: ScriptedModel, fallback: ScriptedModel) -> FallbackChat:
    """One behind the other."""
    return FallbackChat(primary, fallback)


async def test_a_failure_before_the_first_word_is_not_seen() -> None:
    """The fallback's text streams as the primary's would have; both are on the bill."""
    second = ScriptedModel(WELL, name="second")
    pieces, outcome = await said(both(ScriptedModel([failed()]), second))
    assert pieces == ['{"a', '"}']
    assert outcome == Answered(model="second", text='{"a"}', bill=PAID + PAID)
    assert [one.attempt for one in second.calls] == [2]


async def test_after_the_primary_had_begun_the_fallback_writes_silently() -> None:
    """No second text goes on from the first one's beginning; the outcome has it whole."""
    first = ScriptedModel([TextDelta('{"other'), failed("model_unreachable", begun=True)])
    pieces, outcome = await said(both(first, ScriptedModel(WELL)))
    assert pieces == ['{"other']
    assert (type(outcome), outcome.text) == (Answered, '{"a"}')


OWN: list[Outcome] = [
    Answered(model="m"),
    Refused(model="m"),
    CutByLength(model="m"),
    Filtered(model="m"),
    Malformed(model="m"),
    failed("model_quota", passing=False),
    failed("model_unauthorized", passing=False),
]


@pytest.mark.parametrize("outcome", OWN, ids=lambda outcome: getattr(outcome, "code", type(outcome).__name__))
async def test_any_other_outcome_is_the_primarys(outcome: Outcome) -> None:
    """A refusal is an answer, and an account without credit or a wrong key has none for another model either."""
    second = ScriptedModel(WELL)
    assert (await said(both(ScriptedModel([outcome]), second)))[1] == outcome
    assert second.calls == []


async def test_a_model_that_the_key_may_not_use_has_a_fallback() -> None:
    """A rejection may be of this model alone."""
    _, outcome = await said(both(ScriptedModel([failed("model_rejected", passing=False)]), ScriptedModel(WELL)))
    assert isinstance(outcome, Answered)


async def test_where_both_fail_the_failure_is_the_primarys_with_both_reasons() -> None:
    """The shorter wait counts, and it may pass if either may."""
    first = ScriptedModel([failed("model_rejected", passing=False, detail="no such model")])
    second = ScriptedModel([failed(detail="busy", retry_after=3.0)])
    _, outcome = await said(both(first, second))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing, outcome.retry_after) == ("model_rejected", True, 3.0)
    assert outcome.detail == "no such model; the fallback: busy"
    assert outcome.bill == PAID + PAID


async def test_without_time_left_it_is_not_asked() -> None:
    """One deadline for all."""
    second = ScriptedModel(WELL)
    await said(both(ScriptedModel([failed()]), second), call(-1))
    assert second.calls == []


async def test_a_fallback_that_the_budget_does_not_allow_leaves_the_primarys_failure() -> None:
    """The reader is told both."""
    second = ScriptedModel([RequestTooCostly("it would cost too much")])
    _, outcome = await said(both(ScriptedModel([failed(detail="busy")]), second))
    assert outcome == failed(detail="busy; another call was not made: it would cost too much", passing=False)


async def test_it_has_the_primarys_name_and_closes_both() -> None:
    """Receipts name the model that was asked for."""
    first, second = ScriptedModel([TextDelta("{"), HANG], name="first"), ScriptedModel(WELL, name="second")
    chat = both(first, second)
    assert chat.name == "first"
    stream = chat.stream(call())
    await anext(stream)
    await stream.aclose()
    await chat.close()
    assert (first.closed, first.shut, second.shut) == (1, True, True)
