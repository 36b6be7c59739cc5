"""Settings -> the parts, put together. The only place that chooses an adapter.

Adapters that cost time to import (openai, fastembed, qdrant_client) are imported where they are chosen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from prompts.experiment import Experiment, parse
from prompts.prompt import PromptError
from prompts.registry import Registry
from service.adapters.bm25 import Bm25
from service.adapters.points import SCHEMA_VERSION
from service.adapters.vector_cache import CachedEmbedder
from service.answering.answerer import Answerer
from service.answering.desk import Desk
from service.answering.preparing import Limits
from service.answering.prompting import Prompting
from service.answering.replaying import Replayer
from service.domain import CHUNKER_VERSION, Budgets, Fingerprint
from service.errors import BadSetting, CannotReplay
from service.keys import Keyring
from service.ports import (
    AnswerStore,
    CachingEmbedder,
    ChatModel,
    ConversationStore,
    Embedder,
    IndexStore,
    Ledger,
    Terms,
    VectorIndex,
)
from service.settings import BUNDLED_MODEL, Settings

if TYPE_CHECKING:
    from service.adapters.database.database import Database

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


def make_chat_model(settings: Settings, ledger: Ledger, budgets: Budgets) -> ChatModel | None:
    """The chat model in all its layers, or None where answers are extractive."""
    if not settings.uses_chat_model:
        return None
    from service.adapters.chat_stack import make_chat_stack  # noqa: PLC0415

    return make_chat_stack(settings, ledger, budgets)


def make_answerer(
    settings: Settings, index: VectorIndex, embedder: Embedder, model: ChatModel | None, answers: AnswerStore
) -> Answerer:
    """What answers, with the limits and prompts that the settings name."""
    return Answerer(
        index,
        embedder,
        Bm25(),
        model,
        answers,
        limits=Limits(
            question_chars=settings.max_question_chars,
            context_tokens=settings.context_tokens,
            output_tokens=settings.max_output_tokens,
            seconds=settings.request_deadline_seconds,
        ),
        prompting=make_prompting(settings),
        caching=settings.answer_cache,
    )


def make_prompting(settings: Settings) -> Prompting:
    """The prompts, and which version of them answers.

    Raises:
        BadSetting: a version does not exist, or the experiment cannot be read.
    """
    registry = Registry()
    experiment: Experiment | None = None
    name = "MASTERY_ANSWER_PROMPT"
    try:
        registry.load("answer", settings.answer_prompt)
        name = "MASTERY_EXPERIMENT"
        if settings.experiment:
            experiment = parse(settings.experiment, registry)
    except PromptError as error:
        raise BadSetting(f"{name}: {error}") from error
    return Prompting(registry, version=settings.answer_prompt, experiment=experiment)


def make_keyring(settings: Settings) -> Keyring:
    """Who may call."""
    given = settings.api_keys.get_secret_value() if settings.api_keys else ""
    return Keyring.parse(given, required=settings.require_key)


def make_database(settings: Settings) -> AbstractAsyncContextManager[Database]:
    """The database of answers, costs and conversations."""
    from service.adapters.database.database import open_database  # noqa: PLC0415

    url = settings.database_url.get_secret_value() if settings.database_url else None
    return open_database(url, settings.data_dir)


def budgets_of(settings: Settings) -> Budgets:
    """The budgets that the settings name."""
    return Budgets(settings.budget_per_request, settings.budget_per_day, settings.budget_per_key_day)


def _embedding_price(settings: Settings) -> Decimal | None:
    from service.adapters.pricing import EMBEDDING_PRICES  # noqa: PLC0415

    return EMBEDDING_PRICES.get(settings.embedding_model)
