"""What is kept: answers, what calls cost, conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from service.domain import (
    Answer,
    AnswerRecord,
    Budgets,
    BudgetState,
    Call,
    Conversation,
    Exchange,
    Feedback,
    Settlement,
    UsageRow,
)

GroupBy = Literal["day", "model", "prompt", "caller", "purpose"]


class AnswerStore(Protocol):
    """Every answer that was given. All methods raise `StateProblem` when the database cannot be used."""

    async def save(self, record: AnswerRecord) -> None:
        """Keep an answer; returns once it is durable. Answers that come together share a transaction."""

    async def get(self, id_: str) -> AnswerRecord:
        """One answer.

        Raises:
            AnswerNotFound
        """

    async def cached(self, key: str) -> AnswerRecord | None:
        """The newest answer that may stand for this key; never one that was rated down."""

    async def rate(self, id_: str, feedback: Feedback) -> None:
        """Keep what a reader says of an answer; replaces what was said before.

        Raises:
            AnswerNotFound
        """


class Ledger(Protocol):
    """Every call that could be billed. All methods raise `StateProblem` when the database cannot be used."""

    async def open(self, call: Call, budgets: Budgets) -> None:
        """Book a call before it is made, if the budgets allow its estimate beside all that is booked today.

        Checked and booked in one transaction, so that calls at the same time cannot overspend together. A call that
        is never settled (the process died) stays booked with its estimate.

        Raises:
            BudgetSpent, RequestTooCostly
        """

    async def afford(self, call: Call, budgets: Budgets) -> None:
        """The same check without booking anything.

        Raises:
            BudgetSpent, RequestTooCostly
        """

    async def settle(self, id_: str, settlement: Settlement) -> None:
        """What became of a call."""

    async def usage(self, by: GroupBy, since: datetime | None = None, until: datetime | None = None) -> list[UsageRow]:
        """What was used, by day (newest first) or by another heading (dearest first)."""

    async def budgets(self, budgets: Budgets, caller: str) -> list[BudgetState]:
        """What is left of each budget today."""


class ConversationStore(Protocol):
    """Conversations. All methods raise `StateProblem` when the database cannot be used."""

    async def create(self, title: str, caller: str) -> Conversation:
        """Begin one of this caller's."""

    async def list(
        self, caller: str, query: str = "", limit: int = 50, before: datetime | None = None
    ) -> Sequence[Conversation]:
        """The caller's own, the newest first, of those whose title or questions contain the words of `query`.

        `before` pages on. Any other method takes any conversation's id: who was given it may read along.
        """

    async def get(self, id_: str, last: int | None = None) -> tuple[Conversation, Sequence[Exchange]]:
        """One with all that was said, or only with its last so many exchanges.

        Raises:
            ConversationNotFound
        """

    async def rename(self, id_: str, title: str) -> Conversation:
        """Give it another title.

        Raises:
            ConversationNotFound
        """

    async def delete(self, id_: str) -> None:
        """Hide it; `restore` brings it back, until it is purged a day later.

        Raises:
            ConversationNotFound
        """

    async def restore(self, id_: str) -> Conversation:
        """Undo `delete`.

        Raises:
            ConversationNotFound
        """

    async def ask(self, id_: str, question: str, answer_id: str) -> None:
        """Add a question whose answer is being made.

        Raises:
            ConversationNotFound
        """

    async def answered(self, id_: str, answer: Answer) -> None:
        """Its answer is there (and saved)."""

    async def failed(self, id_: str, answer_id: str, error: str) -> None:
        """There will be no answer; `error` says why, for people."""
