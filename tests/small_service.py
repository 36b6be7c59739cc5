"""A service out of given parts, with everything that is kept in memory."""

from __future__ import annotations

from service.answering.desk import Desk
from service.parts import budgets_of, make_answerer, make_keyring
from service.ports import ChatModel, Embedder, VectorIndex
from service.settings import Settings
from service.wiring import Service

from .fakes.ledger import FakeLedger
from .fakes.stores import MemoryAnswers, MemoryConversations


def service_of(settings: Settings, index: VectorIndex, embedder: Embedder, model: ChatModel | None = None) -> Service:
    """The service as `open_service` makes it, but for what is kept and the model."""
    answers, conversations, ledger = MemoryAnswers(), MemoryConversations(), FakeLedger()
    answerer = make_answerer(settings, index, embedder, model, answers)
    return Service(
        settings=settings,
        index=index,
        answerer=answerer,
        desk=Desk(answerer, conversations),
        keyring=make_keyring(settings),
        answers=answers,
        conversations=conversations,
        ledger=ledger,
        budgets=budgets_of(settings),
    )
