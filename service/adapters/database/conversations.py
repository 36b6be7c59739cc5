"""Conversations and what was asked in them; the answers themselves are the answer store's."""

from __future__ import annotations

import uuid
from builtins import list as List  # noqa: N812 - the port has a method of that name
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, insert, select, update

from service.adapters.database.columns import folded, storable
from service.adapters.database.documents import answer_from_json
from service.adapters.database.engine import Engine
from service.adapters.database.finding import find_conversations
from service.adapters.database.purging import KEPT, purge
from service.adapters.database.schema import answers, conversations, exchanges
from service.adapters.database.writer import Writer
from service.domain import Answer, Conversation, Exchange
from service.errors import ConversationNotFound, MasteryError

TITLE_LENGTH = 80
_Result = TypeVar("_Result")
_PURGE_EVERY = timedelta(hours=1)

_THERE = conversations.c.id == bindparam("sought")
_SHOWN = (conversations.c.deleted_at.is_(None), _THERE)
_COLUMNS = (
    conversations.c.id,
    conversations.c.title,
    conversations.c.created_at,
    conversations.c.updated_at,
    conversations.c.turns,
)
_GET = select(*_COLUMNS).where(*_SHOWN)
_EXCHANGES = (
    select(
        exchanges.c.position,
        exchanges.c.question,
        exchanges.c.answer_id,
        exchanges.c.asked_at,
        exchanges.c.error,
        answers.c.answer,
    )
    .select_from(exchanges.outerjoin(answers, answers.c.id == exchanges.c.answer_id))
    .where(exchanges.c.conversation_id == bindparam("sought"))
)
_IN_ORDER = _EXCHANGES.order_by(exchanges.c.position)
_FROM_THE_END = _EXCHANGES.order_by(exchanges.c.position.desc()).limit(bindparam("most"))
_RENAME = update(conversations).where(*_SHOWN).values(title=bindparam("new"), folded=bindparam("words"))
_DELETE = update(conversations).where(*_SHOWN).values(deleted_at=bindparam("now"))
_RESTORE = update(conversations).where(
    _THERE, conversations.c.deleted_at.is_(None) | (conversations.c.deleted_at > bindparam("oldest"))
).values(deleted_at=None)  # fmt: skip
_TURN = (
    update(conversations)
    .where(*_SHOWN)
    .values(turns=conversations.c.turns + 1, updated_at=bindparam("now"))
    .returning(conversations.c.turns, conversations.c.title)
)
_ASK = insert(exchanges)
_END = (
    update(exchanges)
    .where(exchanges.c.conversation_id == bindparam("sought"), exchanges.c.answer_id == bindparam("answer"))
    .values(error=bindparam("why"))
)
_TOUCH = update(conversations).where(_THERE).values(updated_at=bindparam("now"))


class DatabaseConversations:
    """The port `ConversationStore`."""

    def __init__(self, engine: Engine, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._latest = clock()
        self._purged = self._latest

    async def create(self, title: str, caller: str) -> Conversation:
        """See the port. One without a title takes its first question's words for one."""
        now = self._now()
        made = Conversation(uuid.uuid4().hex, _one_line(title), now, now, 0)
        row = {
            "id": made.id,
            "caller": storable(caller),
            "title": made.title,
            "folded": folded(made.title),
            "created_at": now,
            "updated_at": now,
            "deleted_at": None,
            "turns": 0,
        }
        await self._change(lambda connection: connection.execute(insert(conversations), row))
        if now - self._purged > _PURGE_EVERY:
            await self.purge()
        return made

    async def list(
        self, caller: str, query: str = "", limit: int = 50, before: datetime | None = None
    ) -> Sequence[Conversation]:
        """See the port. Words match anywhere in a word, whatever their case and accents."""
        statement = find_conversations(self._engine.dialect, _COLUMNS, storable(caller), query, limit, before)
        rows = await self._engine.read(lambda connection: connection.execute(statement).all())
        return [Conversation(*row) for row in rows]

    async def get(self, id_: str, last: int | None = None) -> tuple[Conversation, Sequence[Exchange]]:
        """See the port."""

        def work(connection: Connection) -> tuple[Conversation, List[Any]]:
            found = _get(connection, id_)
            if last is None:
                return found, list(connection.execute(_IN_ORDER, {"sought": found.id}))
            return found, list(connection.execute(_FROM_THE_END, {"sought": found.id, "most": last}))[::-1]

        conversation, rows = await self._engine.read(work)
        return conversation, [_exchange(row) for row in rows]

    async def rename(self, id_: str, title: str) -> Conversation:
        """See the port. Its place in the list stays."""
        line = _one_line(title)
        return await self._changed(_RENAME, id_, {"new": line, "words": folded(line)})

    async def delete(self, id_: str) -> None:
        """See the port."""
        now = self._clock()

        def work(connection: Connection) -> None:
            if not connection.execute(_DELETE, {"sought": storable(id_), "now": now}).rowcount:
                raise _missing(id_)

        await self._change(work)
        await self.purge()

    async def restore(self, id_: str) -> Conversation:
        """See the port. One that is not deleted stays as it is."""
        return await self._changed(_RESTORE, id_, {"oldest": self._clock() - KEPT})

    async def ask(self, id_: str, question: str, answer_id: str) -> None:
        """See the port."""
        now = self._now()

        def work(connection: Connection) -> None:
            turn = connection.execute(_TURN, {"sought": storable(id_), "now": now}).first()
            if turn is None:
                raise _missing(id_)
            text = storable(question)
            row = {
                "conversation_id": id_,
                "position": turn.turns,
                "question": text,
                "folded": folded(text),
                "answer_id": answer_id,
                "asked_at": now,
                "error": None,
            }
            connection.execute(_ASK, row)
            if not turn.title:
                title = shortened(text)
                connection.execute(_RENAME, {"sought": id_, "new": title, "words": folded(title)})

        await self._change(work)

    async def answered(self, id_: str, answer: Answer) -> None:
        """See the port. In a conversation that was purged meanwhile there is nothing to do."""
        await self._end(id_, answer.id, None)

    async def failed(self, id_: str, answer_id: str, error: str) -> None:
        """See the port."""
        await self._end(id_, answer_id, storable(error))

    async def purge(self) -> None:
        """Delete for good, with their answers, the conversations that were deleted more than a day ago."""
        self._purged = now = self._clock()
        await self._change(lambda connection: purge(connection, now - KEPT))

    async def _end(self, id_: str, answer_id: str, error: str | None) -> None:
        now = self._now()

        def work(connection: Connection) -> None:
            connection.execute(_END, {"sought": storable(id_), "answer": answer_id, "why": error})
            connection.execute(_TOUCH, {"sought": storable(id_), "now": now})

        await self._change(work)

    async def _changed(self, statement: Any, id_: str, values: dict[str, Any]) -> Conversation:
        def work(connection: Connection) -> Conversation:
            connection.execute(statement, {"sought": storable(id_), **values})
            return _get(connection, id_)

        return await self._change(work)

    async def _change(self, work: Callable[[Connection], _Result]) -> _Result:
        result: _Result = await self._writer.write(_each, work)
        return result

    def _now(self) -> datetime:
        """The time, never twice the same, so that paging by time leaves none out."""
        self._latest = max(self._clock(), self._latest + timedelta(microseconds=1))
        return self._latest


def _each(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> List[Any]:
    """One after the other; what one raises before it changed anything is its own."""
    results: List[Any] = []
    for work in works:
        try:
            results.append(work(connection))
        except MasteryError as error:
            results.append(error)
    return results


def _get(connection: Connection, id_: str) -> Conversation:
    row = connection.execute(_GET, {"sought": storable(id_)}).first()
    if row is None:
        raise _missing(id_)
    return Conversation(*row)


def _exchange(row: Sequence[Any]) -> Exchange:
    position, question, answer_id, asked_at, error, text = row
    return Exchange(position, question, answer_id, asked_at, answer_from_json(text) if text else None, error)


def _missing(id_: str) -> ConversationNotFound:
    return ConversationNotFound(f"there is no conversation {id_!r}; GET /api/conversations lists them all")


def _one_line(title: str) -> str:
    return " ".join(storable(title).split())


def shortened(question: str) -> str:
    """A title out of a question: its words, as many as fit."""
    line = _one_line(question)
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[: TITLE_LENGTH - 1]
    words = cut.rpartition(" ")[0] if " " in cut[TITLE_LENGTH // 2 :] else cut
    return f"{words.rstrip(' ,;:.')}…"
