"""The FastAPI application: lifespan, middleware, routers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, TypedDict

import structlog
from fastapi import FastAPI

from service.answering.answerer import Answerer
from service.api import answers, asking, chapters, conversations, health, pages, problems, reading, usage
from service.api.assets import page_assets
from service.api.tracing import RequestTracing
from service.errors import MasteryError
from service.ports import VectorIndex
from service.settings import Settings
from service.wiring import Service, open_service

_log = structlog.get_logger()
_REFRESH_SECONDS = 0.5


class State(TypedDict):
    """What requests find in `request.state`."""

    service: Service


class _Application(FastAPI):
    """FastAPI, with our errors in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """The document; FastAPI makes it once."""
        return problems.described(super().openapi())


def create_app(settings: Settings, opened: Service | None = None) -> FastAPI:
    """An application for these settings. Nothing is opened before its lifespan begins.

    `opened` is a service that the caller opened and will close.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with nullcontext(opened) if opened else open_service(settings) as service:
            await asyncio.gather(_open_index(service.index), _warm_up(service.answerer), asyncio.to_thread(page_assets))
            watcher = asyncio.create_task(_follow(service.index))
            yield {"service": service}
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    app = _Application(
        title="Backend Mastery",
        summary="Cited answers out of a knowledge base on FastAPI backends.",
        version="0.1.0",
        lifespan=lifespan,
        openapi_tags=[{"name": name} for name in ("ask", "answers", "conversations", "usage", "chapters", "health")],
    )
    problems.install(app)
    app.add_middleware(RequestTracing)
    for room in (asking, answers, conversations, usage, chapters, pages, reading, health):
        app.include_router(room.router)
    return app


async def _open_index(index: VectorIndex) -> None:
    """Open the index before the first request; without one the service still starts, and says so when asked."""
    try:
        generation = await index.generation()
        await index.statistics()
        _log.info("index_opened", generation=generation.id, chapters=len(generation.hashes), chunks=generation.chunks)
    except (MasteryError, OSError) as error:
        _log.error("index_not_opened", code=_code(error), detail=str(error))


async def _warm_up(answerer: Answerer) -> None:
    """Load the embedding model; one that is unreachable now may answer by the time somebody asks."""
    try:
        await answerer.warm_up()
    except MasteryError as error:
        _log.error("embedding_model_not_ready", code=error.code, detail=str(error))


async def _follow(index: VectorIndex) -> None:
    """Move to a new generation as soon as one is published; keep the old one if the new one cannot be opened."""
    failing = ""
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        try:
            if await index.refresh():
                _log.info("index_switched", generation=(await index.generation()).id)
            failing = ""
        except (MasteryError, OSError) as error:  # a disk that fails for a moment must not end the watch
            if str(error) != failing:  # once, not twice a second
                _log.error("index_not_switched", code=_code(error), detail=str(error))
            failing = str(error)


def _code(error: MasteryError | OSError) -> str:
    return error.code if isinstance(error, MasteryError) else "file_system"
