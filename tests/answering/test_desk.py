"""Answers that are being made: who may leave, who may stop them, and what a conversation keeps of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from service.answering.desk import Desk
from service.answering.events import Delta, Done, Event
from service.domain import Ask, Failed, Mode, Outcome, TextDelta, Turn
from service.errors import ConversationNotFound, InvalidQuestion, Stopped
from service.ports import ChatCall

from ..fakes.drafts import drafted
from ..fakes.scripted_model import MODEL, ScriptedModel
from ..fakes.stores import MemoryAnswers, MemoryConversations
from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination with a cursor work?"
REPLY = drafted("Remember the last row, and ask for what comes after it.")


class HeldModel(ScriptedModel):
    """Writes its first pieces, then waits until it is let go."""

    def __init__(self, *replies: str | Outcome) -> None:
        super().__init__(*replies)
        self.go_on = asyncio.Event()

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        async with aclosing(super().stream(call)) as pieces:
            number = 0
            async for piece in pieces:
                number += 1
                if number > 4:
                    await self.go_on.wait()
                yield piece


class Office:
    """A desk with everything around it."""

    def __init__(self, parts: Parts, model: ScriptedModel | None) -> None:
        self.answers, self.conversations = MemoryAnswers(), MemoryConversations()
        self.desk = Desk(parts.answerer(model, self.answers), self.conversations)

    async def begun(self) -> str:
        """The id of a new conversation."""
        return (await self.conversations.create("Talk", "anna")).id


async def _until_text(events: AsyncGenerator[Event]) -> None:
    async for event in events:
        if isinstance(event, Delta):
            return


async def _rest(desk: Desk) -> None:
    """Let everything that is open end."""
    await asyncio.gather(*desk._open.values())


async def test_an_answer_is_open_while_it_is_made(parts: Parts) -> None:
    """It can be asked for by its id from the first event to the last."""
    office = Office(parts, None)
    prepared = await office.desk.take(Ask(QUESTION))
    assert not office.desk.is_open(prepared.id)
    events = [event async for event in office.desk.events(prepared)]
    assert isinstance(events[-1], Done)
    assert not office.desk.is_open(prepared.id)


async def test_a_lone_question_ends_with_its_reader(parts: Parts) -> None:
    """The call to the model is closed, and nothing is kept."""
    model = HeldModel(REPLY)
    office = Office(parts, model)
    prepared = await office.desk.take(Ask(QUESTION))
    async with aclosing(office.desk.events(prepared)) as events:
        await _until_text(events)
        assert office.desk.is_open(prepared.id)
    assert model.open_streams == 0
    assert not office.desk.is_open(prepared.id)
    assert office.answers.records == {}


async def test_a_conversations_answer_outlives_its_reader(parts: Parts) -> None:
    """It is finished and stored, so that whoever lost the connection finds it."""
    model = HeldModel(REPLY)
    office = Office(parts, model)
    conversation = await office.begun()
    prepared = await office.desk.take(Ask(QUESTION, conversation=conversation))
    async with aclosing(office.desk.events(prepared)) as events:
        await _until_text(events)
    assert office.desk.is_open(prepared.id)
    assert office.conversations.exchanges[conversation][0].answer is None
    model.go_on.set()
    await _rest(office.desk)
    (exchange,) = office.conversations.exchanges[conversation]
    assert exchange.answer is not None
    assert exchange.answer == (await office.answers.get(prepared.id)).answer


@pytest.mark.parametrize("kept", [True, False])
async def test_an_answer_can_be_stopped(parts: Parts, kept: bool) -> None:
    """The model is stopped, the reader is told, and the conversation says so."""
    model = HeldModel(REPLY)
    office = Office(parts, model)
    conversation = await office.begun() if kept else None
    prepared = await office.desk.take(Ask(QUESTION, conversation=conversation))
    async with aclosing(office.desk.events(prepared)) as events:
        await _until_text(events)
        assert office.desk.stop(prepared.id)
        with pytest.raises(Stopped):
            _ = [event async for event in events]
    assert model.open_streams == 0
    assert not office.desk.stop(prepared.id)
    if conversation:
        assert office.conversations.exchanges[conversation][0].error == "The answer was stopped."


async def test_closing_the_desk_stops_everything(parts: Parts) -> None:
    """A service that shuts down leaves no call open and no question without a word."""
    model = HeldModel(REPLY)
    office = Office(parts, model)
    conversation = await office.begun()
    prepared = await office.desk.take(Ask(QUESTION, conversation=conversation))
    async with aclosing(office.desk.events(prepared)) as events:
        await _until_text(events)
        await office.desk.close()
    assert model.open_streams == 0
    assert office.conversations.exchanges[conversation][0].error == "The answer was stopped."


async def test_a_conversations_history_is_its_own(parts: Parts) -> None:
    """The second question is read with the first and its answer, without the client sending them."""
    office = Office(parts, None)
    conversation = await office.begun()
    await office.desk.answer(Ask(QUESTION, conversation=conversation))
    answer = await office.desk.answer(Ask("and why is it faster?", conversation=conversation))
    assert QUESTION in answer.receipt.retrieval_query
    assert [exchange.position for exchange in office.conversations.exchanges[conversation]] == [0, 1]
    record = await office.answers.get(answer.id)
    assert record.ask.history[0] == Turn("user", QUESTION)


async def test_history_and_conversation_exclude_each_other(parts: Parts) -> None:
    """Two histories would contradict each other."""
    office = Office(parts, None)
    ask = Ask(QUESTION, (Turn("user", "Hello there"),), conversation=await office.begun())
    with pytest.raises(InvalidQuestion, match="not both"):
        await office.desk.take(ask)


async def test_an_unknown_conversation_is_refused(parts: Parts) -> None:
    """Nothing is asked in a conversation that does not exist."""
    with pytest.raises(ConversationNotFound):
        await Office(parts, None).desk.take(Ask(QUESTION, conversation="nowhere"))


async def test_a_question_that_is_refused_leaves_no_trace(parts: Parts) -> None:
    """An invalid question does not become part of the conversation."""
    office = Office(parts, None)
    conversation = await office.begun()
    with pytest.raises(InvalidQuestion):
        await office.desk.take(Ask("?", conversation=conversation))
    assert office.conversations.exchanges[conversation] == []


async def test_an_answer_of_a_failing_model_is_an_answer(parts: Parts) -> None:
    """Degraded, it is entered like any other."""
    office = Office(parts, ScriptedModel(Failed(model=MODEL, detail="gone")))
    conversation = await office.begun()
    answer = await office.desk.answer(Ask(QUESTION, conversation=conversation))
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert office.conversations.exchanges[conversation][0].answer == answer
