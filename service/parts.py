"""Settings -> one part each. The only place that chooses an adapter; `wiring` puts the parts together.

Adapters that cost time to import (openai, fastembed, qdrant_client, sqlalchemy) are imported where they are chosen.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import TYPE_CHECKING

from prompts.experiment import Experiment, parse
from prompts.prompt import PromptError
from prompts.registry import Registry
from service.adapters.bm25 import Bm25
from service.adapters.points import SCHEMA_VERSION
from service.answering.answerer import Answerer
from service.answering.preparing import Limits
from service.answering.prompting import Prompting
from service.domain import CHUNKER_VERSION, Budgets, Fingerprint
from service.errors import BadSetting
from service.keys import Keyring
from service.ports import AnswerStore, ChatModel, Embedder, IndexStore, Ledger, VectorIndex
from service.settings import BUNDLED_MODEL, DAY_BUDGET, REQUEST_BUDGET, Settings

if TYPE_CHECKING:
    from service.adapters.database.database import Database
    from service.adapters.pricing import Prices


def fingerprint_for(embedder: Embedder) -> Fingerprint:
    """What an index must have been built with to be served with this embedder."""
    return Fingerprint(embedder.fingerprint, CHUNKER_VERSION, SCHEMA_VERSION)


def make_embedder(settings: Settings, ledger: Ledger | None = None) -> Embedder:
    """The embedding model that the settings name; what a paid one costs is booked in the ledger."""
    name = settings.embedding_model
    if name == "local":
        from service.adapters.local_embedder import LocalEmbedder  # noqa: PLC0415

        return LocalEmbedder(BUNDLED_MODEL)
    if name.startswith("text-embedding-") or settings.embedding_size:
        return _openai_embedder(settings, name, ledger)
    from service.adapters.fastembed_embedder import FastembedEmbedder  # noqa: PLC0415

    return FastembedEmbedder(name)


def _openai_embedder(settings: Settings, name: str, ledger: Ledger | None) -> Embedder:
    from service.adapters.bookkeeping import Bookkeeper  # noqa: PLC0415
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
    books = Bookkeeper(ledger, budgets_of(settings), prices_of(settings)) if ledger else None
    return OpenAIEmbedder(make_client(settings), name, size, str(server), books=books)


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
    """The chat model in all its layers, or None where answers are extractive.

    Raises:
        BadSetting: MASTERY_PRICES is wrong, or a budget was set that cannot be kept for want of a price.
    """
    if not settings.uses_chat_model:
        return None
    _require_prices(settings)
    from service.adapters import chat_stack  # noqa: PLC0415

    return chat_stack.make_chat_model(settings, ledger, budgets)


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


def _require_prices(settings: Settings) -> None:
    """Budgets that somebody set need prices; the default ones simply do not hold for a model without a price."""
    prices = prices_of(settings)
    own = {
        "MASTERY_BUDGET_REQUEST_USD": settings.budget_per_request != REQUEST_BUDGET,
        "MASTERY_BUDGET_DAY_USD": settings.budget_per_day != DAY_BUDGET,
        "MASTERY_BUDGET_KEY_DAY_USD": settings.budget_per_key_day is not None,
    }
    for model in filter(None, (settings.chat_model, settings.fallback_model)):
        variable = next((name for name, is_set in own.items() if is_set), None)
        if variable and prices.of(model) is None:
            raise BadSetting(
                f"{variable}: cannot be kept, since the price of {model} is not known; give it in MASTERY_PRICES, "
                f'such as {{"{model}": {{"input": 0, "output": 0}}}} for a model of your own'
            )


def prices_of(settings: Settings) -> Prices:
    """What tokens cost, with what the settings add to it.

    Raises:
        BadSetting: MASTERY_PRICES is wrong.
    """
    from service.adapters.pricing import load_prices  # noqa: PLC0415

    return load_prices(settings.prices)


def embedding_price(settings: Settings) -> Decimal | None:
    """US dollars per million tokens of the embedding model; None where it costs nothing, or the price is unknown."""
    if settings.embedding_model == "local":
        return None
    price = prices_of(settings).of(settings.embedding_model)
    return price.input if price else None
