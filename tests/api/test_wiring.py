"""The settings choose the parts, and what cannot be put together is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.adapters.edge_index import EdgeIndex
from service.adapters.local_embedder import LocalEmbedder
from service.domain import CHUNKER_VERSION, Budgets
from service.errors import BadSetting, EmbeddingFailed, IndexMissing
from service.parts import fingerprint_for, make_chat_model, make_embedder, make_index, make_store
from service.wiring import open_service

from ..fakes.ledger import FakeLedger
from ..small_index import settings_for

LOCAL = "http://127.0.0.1:9/v1"


async def test_without_settings_everything_runs_here(tmp_path: Path) -> None:
    """The bundled model, the embedded engine, and no chat model."""
    settings = settings_for(tmp_path)
    embedder = make_embedder(settings)
    assert isinstance(embedder, LocalEmbedder)
    fingerprint = fingerprint_for(embedder)
    assert (fingerprint.embedding, fingerprint.chunker) == (embedder.fingerprint, CHUNKER_VERSION)
    assert isinstance(make_index(settings, fingerprint), EdgeIndex)
    assert make_chat_model(settings, FakeLedger(), Budgets()) is None
    await embedder.close()


async def test_a_key_chooses_the_chat_model(tmp_path: Path) -> None:
    """The model is the one that was set, its price known or not; the key is in no message."""
    settings = settings_for(tmp_path, openai_api_key="sk-secret", chat_model="gpt-6-luna")
    model = make_chat_model(settings, FakeLedger(), Budgets())
    assert model is not None
    assert model.name == "gpt-6-luna"
    assert "sk-secret" not in repr(model)
    await model.close()


async def test_a_key_alone_never_changes_the_embedding_model(tmp_path: Path) -> None:
    """Setting a key does not invalidate an index."""
    one, other = make_embedder(settings_for(tmp_path)), make_embedder(settings_for(tmp_path, openai_api_key="sk-x"))
    assert one.fingerprint == other.fingerprint
    await one.close()
    await other.close()


async def test_a_qdrant_server_is_chosen_by_its_url(tmp_path: Path) -> None:
    """Index and store are those of the server then."""
    settings = settings_for(tmp_path, qdrant_url="http://127.0.0.1:9")
    index = make_index(settings, fingerprint_for(make_embedder(settings_for(tmp_path))))
    assert type(index).__name__ == "QdrantIndex"
    assert type(make_store(settings)).__name__ == "QdrantStore"
    await index.close()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"embedding_model": "text-embedding-3-small"}, "MASTERY_EMBEDDING_MODEL"),
        ({"embedding_model": "text-embedding-9-huge", "openai_base_url": LOCAL}, "MASTERY_EMBEDDING_SIZE"),
    ],
)
async def test_parts_that_do_not_fit_name_the_setting(tmp_path: Path, changes: dict[str, Any], name: str) -> None:
    """What one setting makes another one need is said by its variable."""
    with pytest.raises(BadSetting, match=f"^{name}: "):
        make_embedder(settings_for(tmp_path, **changes))


BUDGETS = {"budget_per_request": 1, "budget_per_day": 1, "budget_per_key_day": 1}


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_budget_needs_a_price(tmp_path: Path, budget: str) -> None:
    """A budget that somebody set is refused at the start if it could not be kept; with a price it is fine."""
    changes = {"openai_base_url": LOCAL, "chat_model": "my-own-model", budget: BUDGETS[budget]}
    with pytest.raises(BadSetting, match=r"^MASTERY_BUDGET_\w+: cannot be kept, .* my-own-model .* MASTERY_PRICES"):
        make_chat_model(settings_for(tmp_path, **changes), FakeLedger(), Budgets())
    prices = '{"my-own-model": {"input": 0, "output": 0}}'
    assert make_chat_model(settings_for(tmp_path, **changes, prices=prices), FakeLedger(), Budgets())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"answer_prompt": 99}, "MASTERY_ANSWER_PROMPT"),
        ({"experiment": "answer:v1=50"}, "MASTERY_EXPERIMENT"),
        ({"api_keys": "anna:not-a-hash"}, "MASTERY_API_KEYS"),
        ({"require_key": True}, "MASTERY_REQUIRE_KEY"),
        ({"openai_base_url": LOCAL, "prices": "{"}, "MASTERY_PRICES"),
        ({"database_url": "mysql://root:hunter2@127.0.0.1/x"}, "DATABASE_URL"),
    ],
)
async def test_a_setting_that_cannot_work_stops_the_start(tmp_path: Path, changes: dict[str, Any], name: str) -> None:
    """One line names the variable, and shows no password."""
    with pytest.raises(BadSetting, match=f"^{name}: ") as refused:
        async with open_service(settings_for(tmp_path, **changes)):
            pass
    assert "hunter2" not in str(refused.value)


async def test_a_service_opens_without_an_index_and_closes_what_it_opened(tmp_path: Path) -> None:
    """Opening needs no index, using it does; afterwards it embeds no more."""
    async with open_service(settings_for(tmp_path)) as service:
        await service.answerer.warm_up()
        with pytest.raises(IndexMissing):
            await service.index.generation()
    with pytest.raises(EmbeddingFailed, match="is closed"):
        await service.answerer.warm_up()
