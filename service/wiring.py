"""Settings -> the parts, put together. The only place that chooses an adapter.

Adapters that cost time to import (openai, fastembed, qdrant_client) are imported where they are chosen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from service.adapters.bm25 import Bm25
from service.adapters.points import SCHEMA_VERSION
from service.adapters.vector_cache import CachedEmbedder
from service.answering.answerer import Answerer
from service.domain import CHUNKER_VERSION, Fingerprint
from service.errors import BadSetting
from service.ports import CachingEmbedder, ChatModel, Embedder, IndexStore, Terms, VectorIndex
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
        keyring = Keyring.parse(_secret(settings.api_keys), required=settings.require_key)
        embedder = make_embedder(settings)
        stack.push_async_callback(embedder.close)
        index = make_index(settings, fingerprint_for(embedder))
        stack.push_async_callback(index.close)
        database = await stack.enter_async_context(make_database(settings))
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
async def open_workshop(settings: Settings) -> AsyncIterator[Workshop]:
    """Everything that ingests."""
    async with AsyncExitStack() as stack:
        inner = make_embedder(settings)
        price = _embedding_price(settings)
        embedder = CachedEmbedder(inner, settings.data_dir / "vectors.sqlite", SHIPPED_VECTORS, price)
        stack.push_async_callback(embedder.close)
        store = make_store(settings)
        yield Workshop(store, embedder, Bm25(), fingerprint_for(embedder))


def fingerprint_for(embedder: Embedder) -> Fingerprint:
    """What an index must have been built with to be served with this embedder."""
    return Fingerprint(embedder.fingerprint, CHUNKER_VERSION, SCHEMA_VERSION)


def make_embedder(settings: Settings) -> Embedder:
    """The embedding model that the settings name."""
    name = settings.embedding_model
    if name == "local":
        from service.adapters.local_embedder import LocalEmbedder  # noqa: PLC0415

        return LocalEmbedder(BUNDLED_MODEL)
    if name.startswith("text-embedding-") or settings.embedding_size:
        return _openai_embedder(settings, name)
    from service.adapters.fastembed_embedder import FastembedEmbedder  # noqa: PLC0415

    return FastembedEmbedder(name)


def _openai_embedder(settings: Settings, name: str) -> Embedder:
    from service.adapters.openai_client import make_client  # noqa: PLC0415
    from service.adapters.openai_embedder import SIZES, OpenAIEmbedder  # noqa: PLC0415

    if not settings.uses_chat_model:
        raise BadSetting(
            f"MASTERY_EMBEDDING_MODEL: {name} needs OPENAI_API_KEY or OPENAI_BASE_URL (or set it to local)"
        )
    size = settings.embedding_size or SIZES.get(name)
    if size is None:
        raise BadSetting(f"MASTERY_EMBEDDING_SIZE: must be set for {name}, whose vector size is not known")
    server = settings.openai_base_url.host if settings.openai_base_url else "openai"
    return OpenAIEmbedder(make_client(settings), name, size, str(server))


def make_store(settings: Settings) -> IndexStore:
    """Where generations are kept."""
    if settings.qdrant_url:
        from service.adapters.qdrant_store import QdrantStore, make_client  # noqa: PLC0415

        return QdrantStore(make_client(settings), settings.qdrant_alias, settings.data_dir)
    from service.adapters.edge_store import EdgeStore  # noqa: PLC0415

    return EdgeStore(settings.index_dir)


def make_index(settings: Settings, expected: Fingerprint) -> VectorIndex:
    """The index that is searched."""
    if settings.qdrant_url:
        from service.adapters.qdrant_index import QdrantIndex  # noqa: PLC0415
        from service.adapters.qdrant_store import make_client  # noqa: PLC0415

        return QdrantIndex(make_client(settings), settings.qdrant_alias, expected)
    from service.adapters.edge_index import EdgeIndex  # noqa: PLC0415
    from service.adapters.edge_store import EdgeStore  # noqa: PLC0415

    return EdgeIndex(EdgeStore(settings.index_dir), expected)


def make_chat_model(settings: Settings) -> ChatModel | None:
    """The chat model, or None where answers are extractive."""
    if not settings.uses_chat_model:
        return None
    from service.adapters.openai_chat import OpenAIChat  # noqa: PLC0415
    from service.adapters.openai_client import make_client  # noqa: PLC0415
    from service.adapters.pricing import CHAT_PRICES  # noqa: PLC0415

    return OpenAIChat(make_client(settings), settings.chat_model, CHAT_PRICES)


def _embedding_price(settings: Settings) -> Decimal | None:
    from service.adapters.pricing import EMBEDDING_PRICES  # noqa: PLC0415

    return EMBEDDING_PRICES.get(settings.embedding_model)
