"""`mastery doctor`: looks at everything that has to be right, and says what to do about what is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable

from rich.console import Console

from service.errors import EmptyKnowledgeBase, MasteryError, MissingKnowledgeBase
from service.parts import (
    fingerprint_for,
    make_database,
    make_embedder,
    make_index,
    make_keyring,
    make_prompting,
    prices_of,
)
from service.settings import Settings, without_password

_LOW_DISK_BYTES = 500_000_000


async def examine(settings: Settings) -> bool:
    """Run every check; whether all is well."""
    console = Console()
    healthy = True
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
        ("settings", _settings),
        ("knowledge base", _knowledge_base),
        ("disk", _disk),
        ("embedding model", _embedding),
        ("index", _index),
        ("database", _database),
        ("answers", _answers),
    )
    for name, check in checks:
        try:
            console.print(f"ok       {name}: {await check(settings)}", markup=False, highlight=False, soft_wrap=True)
        except (MasteryError, OSError) as error:
            healthy = False
            console.print(f"problem  {name}: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
    return healthy


async def _settings(_: Settings) -> str:
    known = {field.alias for field in Settings.model_fields.values()}
    unknown = sorted(name for name in os.environ if name.startswith("MASTERY_") and name not in known)
    if unknown:
        raise MasteryError(f"unknown variables, which have no effect: {', '.join(unknown)}")
    given = sorted(name for name in os.environ if name in known)
    return f"set in the environment: {', '.join(given)}" if given else "all defaults"


async def _knowledge_base(settings: Settings) -> str:
    if not settings.knowledge_base.is_dir():
        raise MissingKnowledgeBase(settings.knowledge_base)
    files = sum(1 for _ in settings.knowledge_base.rglob("*.md"))
    if not files:
        raise EmptyKnowledgeBase(settings.knowledge_base)
    return f"{settings.knowledge_base} with {files} Markdown files"


async def _disk(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < _LOW_DISK_BYTES:
        raise MasteryError(f"only {free / 1e6:.0f} MB free in {settings.data_dir}; an ingest needs about 500 MB")
    return f"{free / 1e9:.0f} GB free in {settings.data_dir}"


async def _embedding(settings: Settings) -> str:
    embedder = make_embedder(settings)
    try:
        await embedder.embed_query("ready?")
        return f"{embedder.name}, {embedder.size} dimensions"
    finally:
        await embedder.close()


async def _index(settings: Settings) -> str:
    embedder = make_embedder(settings)
    index = make_index(settings, fingerprint_for(embedder))
    try:
        generation = await index.generation()
        where = without_password(str(settings.qdrant_url)) if settings.qdrant_url else settings.index_dir
        return f"{len(generation.hashes)} chapters, {generation.chunks} chunks, generation {generation.id} in {where}"
    finally:
        await index.close()
        await embedder.close()


async def _database(settings: Settings) -> str:
    async with make_database(settings) as database:
        calls = sum(row.calls for row in await database.ledger.usage("purpose"))
        return f"{database.place.removeprefix('the database ')}, with {calls} calls to models in its ledger"


async def _answers(settings: Settings) -> str:
    if not settings.uses_chat_model:
        return "extractive (set OPENAI_API_KEY or OPENAI_BASE_URL to let a model write them)"
    make_prompting(settings)
    make_keyring(settings)
    server = without_password(str(settings.openai_base_url)) if settings.openai_base_url else "OpenAI"
    price = prices_of(settings).of(settings.chat_model)
    rate = f"${price.input} in and ${price.output} out a million tokens" if price else "price unknown, no budget holds"
    return f"written by {settings.chat_model} at {server} ({rate})"
