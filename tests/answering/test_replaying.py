"""An answer once more: the same passages and prompt, and what is different."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prompts.registry import Registry
from service.answering.prompting import Prompting
from service.answering.replaying import Replayer
from service.domain import AnswerRecord, Ask, Purpose, Refused
from service.errors import CannotReplay

from ..fakes.drafts import drafted
from ..fakes.scripted_model import MODEL, USAGE, ScriptedModel
from ..fakes.stores import MemoryAnswers
from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination with a cursor work?"


async def _record(parts: Parts, model: ScriptedModel | None) -> AnswerRecord:
    answers = MemoryAnswers()
    answer = await parts.answerer(model, answers).ask(Ask(QUESTION))
    return await answers.get(answer.id)


async def _quote(parts: Parts) -> str:
    record = await _record(parts, ScriptedModel(drafted("", status="not_in_knowledge_base")))
    return next(line for line in record.readings[0].text.split("\n") if len(line.split()) >= 6)


def _replayer(model: ScriptedModel) -> Replayer:
    return Replayer(model, Prompting(Registry()), seconds=60, output_tokens=2000)


async def test_the_same_prompt_goes_out_again(parts: Parts) -> None:
    """Message for message, whatever the index holds by now; and it is booked as a replay."""
    reply = drafted("Remember the last row [1].", [(1, await _quote(parts))])
    model = ScriptedModel(reply)
    record = await _record(parts, model)
    again = ScriptedModel(reply)
    replay = await _replayer(again).replay(record)
    assert again.calls[0].messages == model.calls[0].messages
    assert again.calls[0].purpose is Purpose.REPLAY
    assert (replay.answer, replay.diff(), replay.citation_changes()) == (record.answer.answer, [], ([], []))
    assert replay.bill.usage == USAGE


async def test_what_is_different_is_shown(parts: Parts) -> None:
    """Changed lines, and citations that came or went."""
    quote = await _quote(parts)
    record = await _record(parts, ScriptedModel(drafted("Remember the last row [1].", [(1, quote)])))
    replay = await _replayer(ScriptedModel(drafted("It just works."))).replay(record)
    assert "-Remember the last row [1]." in replay.diff()
    assert "+It just works." in replay.diff()
    gone, new = replay.citation_changes()
    assert (len(gone), new) == (1, [])


async def test_a_model_that_fails_now_is_a_result(parts: Parts) -> None:
    """The replay says what it said instead."""
    record = await _record(parts, ScriptedModel(drafted("", status="not_in_knowledge_base")))
    replay = await _replayer(ScriptedModel(Refused(model=MODEL, detail="I would rather not"))).replay(record)
    assert replay.problem == "I would rather not"


async def test_an_answer_without_a_model_cannot_be_replayed(parts: Parts) -> None:
    """There is nothing that a model read."""
    with pytest.raises(CannotReplay, match="made without a model"):
        await _replayer(ScriptedModel("x")).replay(await _record(parts, None))


async def test_a_changed_prompt_is_noticed(parts: Parts) -> None:
    """Another text under the same version would not be the same experiment."""
    record = await _record(parts, ScriptedModel(drafted("", status="not_in_knowledge_base")))
    receipt = replace(record.answer.receipt, prompt_hash="0" * 16)
    changed = replace(record, answer=replace(record.answer, receipt=receipt))
    with pytest.raises(CannotReplay, match="was changed since"):
        await _replayer(ScriptedModel("x")).replay(changed)
