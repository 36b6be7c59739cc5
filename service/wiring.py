"""The parts, put together and closed in order: what answers, what ingests, what repeats an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.adapters.bm25 import Bm25
from service.adapters.vector_cache import CachedEmbedder
from service.answering.answerer import Answerer
from service.answering.desk import Desk
from service.answering.replaying import Replayer
from service.domain import Budgets, Fingerprint
from service.errors import CannotReplay, NoModel
from service.keys import Keyring
from service.parts import (
    budgets_of,
    embedding_price,
    fingerprint_for,
    make_answerer,
    make_chat_model,
    make_database,
    make_embedder,
    make_index,
    make_keyring,
    make_prompting,
    make_store,
)
from service.ports import (
    AnswerStore,
    CachingEmbedder,
    ChatModel,
    ConversationStore,
    IndexStore,
    Ledger,
    Terms,
    VectorIndex,
)
from service.settings import BUNDLED_MODEL, Settings

SHIPPED_VECTORS = BUNDLED_MODEL / "vectors.npz"


@dataclass(frozen=True, slots=True)
class Service:
    """What a surface (HTTP, command line) works with."""

    settings: Settings
    index: VectorIndex
    answerer: Answerer
    desk: Desk
    keyring: Keyring
    answers: AnswerStore
    conversations: ConversationStore
    ledger: Ledger
    budgets: Budgets


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an ingest works with."""

    store: IndexStore
    embedder: CachingEmbedder
    terms: Terms
    fingerprint: Fingerprint


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Everything that answers; closed in reverse order. The index itself is opened by its first use."""
    async with AsyncExitStack() as stack:
        keyring = make_keyring(settings)
        database = await stack.enter_async_context(make_database(settings))
        embedder = make_embedder(settings, database.ledger)
        stack.push_async_callback(embedder.close)
        index = make_index(settings, fingerprint_for(embedder))
        stack.push_async_callback(index.close)
        budgets = budgets_of(settings)
        model = make_chat_model(settings, database.ledger, budgets)
        if model:
            stack.push_async_callback(model.close)
        answerer = make_answerer(settings, index, embedder, model, database.answers)
        desk = Desk(answerer, database.conversations)
        stack.push_async_callback(desk.close)
        yield Service(
            settings=settings,
            index=index,
            answerer=answerer,
            desk=desk,
            keyring=keyring,
            answers=database.answers,
            conversations=database.conversations,
            ledger=database.ledger,
            budgets=budgets,
        )


@asynccontextmanager
async def open_chat_model(settings: Settings) -> AsyncIterator[ChatModel]:
    """The model that is configured, in all its layers.

    Raises:
        NoModel: there is none.
    """
    async with make_database(settings) as database:
        model = make_chat_model(settings, database.ledger, budgets_of(settings))
        if model is None:
            raise NoModel
        try:
            yield model
        finally:
            await model.close()


@asynccontextmanager
async def open_replayer(settings: Settings) -> AsyncIterator[tuple[AnswerStore, Replayer]]:
    """What repeats an answer.

    Raises:
        CannotReplay: no model is configured.
    """
    async with make_database(settings) as database:
        model = make_chat_model(settings, database.ledger, budgets_of(settings))
        if model is None:
            raise CannotReplay("no model is configured; set OPENAI_API_KEY or OPENAI_BASE_URL")
        try:
            yield (
                database.answers,
                Replayer(
                    model,
                    make_prompting(settings),
                    seconds=settings.request_deadline_seconds,
                    output_tokens=settings.max_output_tokens,
                ),
            )
        finally:
            await model.close()


@asynccontextmanager
async def open_workshop(settings: Settings) -> AsyncIterator[Workshop]:
    """Everything that ingests."""
    async with AsyncExitStack() as stack:
        paid = settings.embedding_model != "local"
        database = await stack.enter_async_context(make_database(settings)) if paid else None
        inner = make_embedder(settings, database.ledger if database else None)
        price = embedding_price(settings)
        embedder = CachedEmbedder(inner, settings.data_dir / "vectors.sqlite", SHIPPED_VECTORS, price)
        stack.push_async_callback(embedder.close)
        store = make_store(settings)
        yield Workshop(store, embedder, Bm25(), fingerprint_for(embedder))
