"""A client of the application over the plain chapters, without a socket in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import structlog
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from service.app import create_app

from ..small_index import ingest, settings_for


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Logs go nowhere: structlog's own default shows tracebacks with all variables, which takes seconds."""
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    yield
    structlog.reset_defaults()


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose lifespan runs meanwhile; errors in it become responses, as under uvicorn."""
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(plain_data: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service over the plain chapters."""
    async with client_of(create_app(settings_for(plain_data))) as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def empty_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that has no index."""
    async with client_of(create_app(settings_for(tmp_path_factory.mktemp("nothing")))) as client:
        yield client


UNICODE_CHAPTER = """# 键

## 键

A Redis cache key may live for at most one hour. Longer lives make stale answers.
"""


HOSTILE_CHAPTER = """---
title: "</title><script>alert(1)</script>"
---
# <script>alert(1)</script>

## "><img src=x onerror=alert(1)>

Text <script>alert(1)</script> and [a link](javascript:alert(1)), <svg onload=alert(1)>.

<iframe src="javascript:alert(1)"></iframe>
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def odd_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service over a chapter whose path and headings are Chinese, and one that means harm."""
    root = tmp_path_factory.mktemp("odd")
    for path, chapter in (("七_缓存/redis 策略 💡.md", UNICODE_CHAPTER), ("attack.md", HOSTILE_CHAPTER)):
        file = root / "chapters" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(chapter, encoding="utf-8")
    await ingest(root / "data", root / "chapters")
    async with client_of(create_app(settings_for(root / "data"))) as client:
        yield client
