"""Engines to test on: empty, or holding one generation of the plain corpus."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from qdrant_client import AsyncQdrantClient

from service.adapters.edge_store import EdgeStore

from .corpus import FIRST, Corpus, plain_corpus, publish
from .engines import EdgeEngine, Engine, QdrantEngine

QDRANT_URL = os.environ.get("QDRANT_URL")
ENGINES = ["edge", "local", *(["server"] if QDRANT_URL else [])]


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The plain chapters, cut."""
    return plain_corpus()


@pytest.fixture(scope="session")
def built(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus as the embedded engine keeps it, built once; never write to it, use a copy (`linked`)."""
    folder = tmp_path_factory.mktemp("built") / "index"
    asyncio.run(publish(EdgeStore(folder), corpus, corpus.generation(FIRST)))
    return folder


@pytest.fixture
def linked(built: Path, tmp_path: Path) -> Path:
    """A copy of the built folder. Its large files are hard links: replace them, never write into them."""
    return Path(shutil.copytree(built, tmp_path / "index", copy_function=os.link))


@pytest_asyncio.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """Each engine, empty."""
    made = _engine(request.param, tmp_path / "index")
    yield made
    await made.close()


@pytest_asyncio.fixture(params=ENGINES)
async def filled(request: pytest.FixtureRequest, corpus: Corpus, linked: Path) -> AsyncIterator[Engine]:
    """Each engine, serving the first generation."""
    made = _engine(request.param, linked)
    if request.param != "edge":
        await made.fill(corpus, corpus.generation(FIRST))
    yield made
    await made.close()


def _engine(name: str, folder: Path) -> Engine:
    if name == "edge":
        return EdgeEngine(folder)
    client = AsyncQdrantClient(location=":memory:") if name == "local" else AsyncQdrantClient(url=QDRANT_URL)
    return QdrantEngine(client, f"mastery_test_{uuid.uuid4().hex[:8]}", folder.parent)
