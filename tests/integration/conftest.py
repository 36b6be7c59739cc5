"""Ingests in other processes, and a small folder for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..small_index import PLAIN
from .ingests import Ingests


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes keep compiled modules, so that each starts quickly."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture(scope="session")
def ingests(bytecode: Path) -> Iterator[Ingests]:
    """A process that ingests on demand."""
    with Ingests(bytecode) as runner:
        yield runner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two short chapters."""
    made = tmp_path / "chapters"
    made.mkdir()
    for path in ("15_deployment_and_performance/dockerizing.md", "notes/random_tips.md"):
        shutil.copy(PLAIN / path, made)
    return made
