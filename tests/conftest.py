"""What several packages of tests share: the small index, built once a run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from filelock import FileLock

from service.settings import Settings
from service.wiring import Service, open_service

from .fakes.upstream import Provider, Reply, always, running
from .small_index import PLAIN, ingest, settings_for


@pytest.fixture(scope="session")
def plain_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the index of the plain chapters, read only; built once for all workers of xdist."""
    own = tmp_path_factory.getbasetemp()
    data_dir = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "plain_data"
    with FileLock(f"{data_dir}.lock"):
        if not (data_dir / "index" / "CURRENT").exists():
            asyncio.run(ingest(data_dir, PLAIN))
    return data_dir


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment for a process of ours, without any of our settings."""
    known = {field.alias for field in Settings.model_fields.values()}
    return {name: value for name, value in os.environ.items() if name.upper() not in known}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plain_service(plain_data: Path) -> AsyncIterator[Service]:
    """The service over the plain chapters, without a chat model; its tests run in the session's event loop."""
    async with open_service(settings_for(plain_data)) as service:
        yield service


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[tuple[Provider, str]]:
    """The scripted provider of models on loopback, and its base URL; one for all tests of a process."""
    provider = Provider()
    with running(provider) as url:
        yield provider, url


@pytest.fixture
def upstream(upstream_server: tuple[Provider, str]) -> tuple[Provider, str]:
    """The scripted provider, answering well, with an empty bill; and its base URL. Change it by `provider.play`."""
    provider, _ = upstream_server
    provider.play(always(Reply()))
    return upstream_server
