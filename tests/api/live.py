"""The application under uvicorn on loopback, with a scripted provider behind it: streams and disconnects are real."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from service.app import create_app
from service.wiring import Service, open_service

from ..fakes.upstream import Provider
from ..fakes.upstream.server import running
from ..small_index import settings_for

QUESTION = "How does keyset pagination with a cursor work?"


@dataclass(frozen=True)
class Live:
    """The service, its client, and the provider that it calls."""

    service: Service
    client: httpx.AsyncClient
    provider: Provider

    async def events(self, **body: Any) -> list[tuple[str, Any]]:
        """All events of a stream."""
        async with self.streaming(**body) as response:
            return [event async for event in events_of(response)]

    @asynccontextmanager
    async def streaming(self, **body: Any) -> AsyncIterator[httpx.Response]:
        """An open stream."""
        headers = {"Accept": "text/event-stream"}
        async with self.client.stream(
            "POST", "/api/ask", json={"question": QUESTION} | body, headers=headers
        ) as response:
            yield response


async def events_of(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Name and data of every event; comments are passed over."""
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def live(index: Path, state: Path, **changes: Any) -> AsyncIterator[Live]:
    """Serve the index in one data folder, keep what is kept in another, and call the provider."""
    provider = Provider()
    with running(provider) as address:
        url = f"sqlite+aiosqlite:///{state / 'state.sqlite'}"
        settings = settings_for(
            index, **{"openai_base_url": address, "openai_api_key": "sk-secret-of-ours", "database_url": url} | changes
        )
        async with (
            open_service(settings) as service,
            _served(service) as base,
            httpx.AsyncClient(base_url=base, timeout=30) as client,
        ):
            yield Live(service, client, provider)


@asynccontextmanager
async def _served(service: Service) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(service.settings, service), log_level="critical", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
