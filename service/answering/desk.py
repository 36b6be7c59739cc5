"""The desk: every answer that is being made, each in a task of its own.

A reader listens to the task. When the reader of a lone question leaves, the task is cancelled and with it the call to
the model; a question of a conversation is answered to the end and kept, so that a lost connection loses no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import structlog

from service.answering.answerer import Answerer
from service.answering.events import Done, Event
from service.answering.preparing import Prepared
from service.domain import Answer, Ask, Turn
from service.errors import InvalidQuestion, MasteryError, Stopped
from service.ports import ConversationStore

_REMEMBERED = 4
"""Exchanges of a conversation that a follow-up may lean on."""

_log = structlog.get_logger()


class Desk:
    """Takes questions, and knows the answers that are being made."""

    def __init__(self, answerer: Answerer, conversations: ConversationStore) -> None:
        self._answerer = answerer
        self._conversations = conversations
        self._open: dict[str, asyncio.Task[None]] = {}

    def is_open(self, id_: str) -> bool:
        """Whether this answer is being made here."""
        return id_ in self._open

    def stop(self, id_: str) -> bool:
        """Stop making an answer; whether it was being made here."""
        task = self._open.get(id_)
        return task is not None and task.cancel()

    async def take(self, ask: Ask) -> Prepared:
        """Make a question ready; one of a conversation is entered there.

        Raises:
            ConversationNotFound, and what `Answerer.prepare` raises.
        """
        if ask.conversation is None:
            return await self._answerer.prepare(ask)
        if ask.history:
            raise InvalidQuestion("give either a conversation or a history, not both")
        _, exchanges = await self._conversations.get(ask.conversation, last=_REMEMBERED)
        history = tuple(
            turn
            for exchange in exchanges
            if exchange.answer
            for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer.answer))
        )
        prepared = await self._answerer.prepare(replace(ask, history=history))
        await self._conversations.ask(ask.conversation, prepared.question, prepared.id)
        return prepared

    async def events(self, prepared: Prepared, *, html: bool = False) -> AsyncGenerator[Event]:
        """Answer it. Closing the generator leaves the work to go on where it is kept, else it ends it.

        Raises:
            Stopped: somebody stopped it.
            MasteryError: what went wrong after the first event.
        """
        kept = prepared.ask.conversation is not None
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(self._work(prepared, queue, html=html))
        task.add_done_callback(_heard)
        self._open[prepared.id] = task
        try:
            while (event := await queue.get()) is not None:
                yield event
            await _result(task)
        finally:
            if not kept:
                task.cancel()
                await asyncio.wait([task])  # what was used is booked before the connection is let go

    async def answer(self, ask: Ask) -> Answer:
        """The whole answer at once; raises what `take` and `events` raise."""
        async with aclosing(self.events(await self.take(ask))) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise Stopped("the answer was stopped before it was whole")

    async def close(self) -> None:
        """Stop everything that is being made."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, prepared: Prepared, queue: asyncio.Queue[Event | None], *, html: bool) -> None:
        """Make one answer and enter it in its conversation, also where nobody listens any more."""
        conversation = prepared.ask.conversation
        try:
            async with aclosing(self._answerer.stream(prepared, html=html)) as events:
                async for event in events:
                    if conversation and isinstance(event, Done):
                        await self._conversations.answered(conversation, event.answer)
                    queue.put_nowait(event)
        except (Exception, asyncio.CancelledError) as error:
            if conversation:
                await self._fail(conversation, prepared.id, error)
            raise
        finally:
            self._open.pop(prepared.id, None)
            queue.put_nowait(None)

    async def _fail(self, conversation: str, answer: str, error: BaseException) -> None:
        """Enter why there is no answer; that this fails as well must not hide the first error."""
        why = str(error) if isinstance(error, MasteryError) else "The answer was stopped."
        try:
            await self._conversations.failed(conversation, answer, why)
        except MasteryError as problem:
            _log.error("failure_not_entered", answer=answer, detail=str(problem))


def _heard(task: asyncio.Task[None]) -> None:
    """Log what ended a task: of a conversation's answer there may be nobody else to hear it."""
    if not task.cancelled() and (error := task.exception()):
        _log.error("answer_failed", code=getattr(error, "code", "internal"), detail=str(error))


async def _result(task: asyncio.Task[None]) -> None:
    """Raise what the task raised; that it was stopped is an error of ours, and not our own cancellation."""
    await asyncio.wait([task])
    if task.cancelled():
        raise Stopped("the answer was stopped before it was whole; ask again to get one")
    if error := task.exception():
        raise error
