"""Stores that keep everything in memory; they break on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from service.domain import Answer, AnswerRecord, Conversation, Exchange, Feedback, Verdict
from service.errors import AnswerNotFound, ConversationNotFound, StateProblem
from service.ports import AnswerStore, ConversationStore


class MemoryAnswers(AnswerStore):
    """Answers in a dictionary. While `broken`, nothing can be saved or looked for."""

    def __init__(self) -> None:
        self.records: dict[str, AnswerRecord] = {}
        self.broken = False

    async def save(self, record: AnswerRecord) -> None:
        """Keep it."""
        if self.broken:
            raise StateProblem("the disk is full")
        self.records[record.answer.id] = record

    async def get(self, id_: str) -> AnswerRecord:
        """One of them."""
        if id_ not in self.records:
            raise AnswerNotFound(f"there is no answer {id_}")
        return self.records[id_]

    async def cached(self, key: str) -> AnswerRecord | None:
        """The newest with this key that nobody rated down."""
        if self.broken:
            raise StateProblem("the disk is full")
        for record in reversed(self.records.values()):
            disliked = record.feedback is not None and record.feedback.verdict is Verdict.DOWN
            if record.cache_key == key and not disliked:
                return record
        return None

    async def rate(self, id_: str, feedback: Feedback) -> None:
        """Replace the feedback."""
        self.records[id_] = replace(await self.get(id_), feedback=feedback)


class MemoryConversations(ConversationStore):
    """Conversations in a dictionary."""

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}
        self.exchanges: dict[str, list[Exchange]] = {}

    async def create(self, title: str, caller: str) -> Conversation:
        """Begin one."""
        now = datetime.now(UTC)
        made = Conversation(uuid4().hex, title, now, now, 0)
        self.conversations[made.id] = made
        self.exchanges[made.id] = []
        return made

    async def list(
        self, caller: str, query: str = "", limit: int = 50, before: datetime | None = None
    ) -> Sequence[Conversation]:
        """Those whose title has the query."""
        return [one for one in self.conversations.values() if query in one.title][:limit]

    async def get(self, id_: str, last: int | None = None) -> tuple[Conversation, Sequence[Exchange]]:
        """One of them."""
        if id_ not in self.conversations:
            raise ConversationNotFound(f"there is no conversation {id_}")
        return self.conversations[id_], self.exchanges[id_][-last if last else 0 :]

    async def rename(self, id_: str, title: str) -> Conversation:
        """Another title."""
        self.conversations[id_] = replace((await self.get(id_))[0], title=title)
        return self.conversations[id_]

    async def delete(self, id_: str) -> None:
        """Forget it."""
        del self.conversations[id_]

    async def restore(self, id_: str) -> Conversation:
        """Nothing is hidden here."""
        return (await self.get(id_))[0]

    async def ask(self, id_: str, question: str, answer_id: str) -> None:
        """A question without an answer."""
        _, exchanges = await self.get(id_)
        self.exchanges[id_] = [*exchanges, Exchange(len(exchanges), question, answer_id, datetime.now(UTC))]

    async def answered(self, id_: str, answer: Answer) -> None:
        """Enter the answer."""
        self._enter(id_, answer.id, answer=answer)

    async def failed(self, id_: str, answer_id: str, error: str) -> None:
        """Enter the error."""
        self._enter(id_, answer_id, error=error)

    def _enter(self, id_: str, answer_id: str, *, answer: Answer | None = None, error: str | None = None) -> None:
        self.exchanges[id_] = [
            replace(one, answer=answer, error=error) if one.answer_id == answer_id else one
            for one in self.exchanges[id_]
        ]
