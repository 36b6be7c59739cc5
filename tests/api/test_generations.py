"""A running service moves to a new generation without a restart and without a failed request."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import structlog

from service.app import create_app

from ..small_index import PLAIN, ingest, settings_for
from .conftest import client_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROJECT = Path(__file__).parents[2]
QUESTION = {"question": "How does keyset pagination with a cursor work?", "limit": 1}
NEW_CHAPTER = "# Zeppelin Caches\n\n## Mooring\n\nA zeppelin cache is moored with two ropes before it is filled.\n"


@pytest.fixture
def data_dir(plain_data: Path, tmp_path: Path) -> Path:
    """A copy of the index that the test may change; the vectors in it spare the embedding."""
    # The database is left out: reading its file past SQLite drops this process's locks on it, and damages it.
    return Path(shutil.copytree(plain_data, tmp_path / "data", ignore=shutil.ignore_patterns("readers", "state*")))


@pytest.fixture
def changed_folder(tmp_path: Path) -> Path:
    """The plain chapters with one more."""
    folder = Path(shutil.copytree(PLAIN, tmp_path / "chapters"))
    (folder / "07_caching_layer" / "zeppelins.md").write_text(NEW_CHAPTER)
    return folder


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, for a minute at most."""
    async with asyncio.timeout(60):
        for pause in itertools.repeat(0.02):
            if await condition():
                return
            await asyncio.sleep(pause)


async def test_a_new_generation_is_served_while_questions_are_answered(
    data_dir: Path, changed_folder: Path, clean_environment: dict[str, str]
) -> None:
    """Another process ingests; every request meanwhile succeeds, from the old generation and then from the new one."""
    async with client_of(create_app(settings_for(data_dir))) as client:
        old = (await client.get("/readyz")).json()["generation"]
        seen: list[tuple[int, str]] = []

        async def asked() -> str:
            response = await client.post("/api/ask", json=QUESTION)
            generation = response.json().get("receipt", {}).get("index_generation", response.text)
            seen.append((response.status_code, generation))
            return str(generation)

        ingesting = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli", "ingest", str(changed_folder),
            cwd=PROJECT, env=clean_environment | {"MASTERY_DATA_DIR": str(data_dir)},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        running = asyncio.create_task(ingesting.communicate())

        async def moved() -> bool:
            return await asked() != old or (running.done() and ingesting.returncode != 0)

        await _until(moved)
        _, errors = await running
        assert ingesting.returncode == 0, errors.decode()
        assert {status for status, _ in seen} == {200}
        served = list(dict.fromkeys(generation for _, generation in seen))
        assert len(served) == 2
        assert served[0] == old
        ready = (await client.get("/readyz")).json()
        assert (ready["chapters"], ready["generation"]) == (9, seen[-1][1])
        answer = (await client.post("/api/ask", json={"question": "How is a zeppelin cache moored?"})).json()
        assert answer["citations"][0]["chapter"] == "07_caching_layer/zeppelins.md"
        assert len(list((data_dir / "index" / "generations").iterdir())) == 1
    assert list((data_dir / "index" / "readers").glob("*-*")) == []


async def test_a_pointer_that_cannot_be_read_ends_nothing(data_dir: Path, changed_folder: Path) -> None:
    """The old generation is served while the disk fails, and the next one is followed once it is well again."""
    pointer = data_dir / "index" / "CURRENT"
    with structlog.testing.capture_logs() as logged:
        async with client_of(create_app(settings_for(data_dir))) as client:
            old = (await client.get("/readyz")).json()["generation"]

            async def reported() -> bool:
                return any(event["event"] == "index_not_switched" for event in logged)

            async def moved() -> bool:
                return bool((await client.get("/readyz")).json()["generation"] != old)

            kept = pointer.rename(pointer.with_name("CURRENT.kept"))
            pointer.mkdir()
            await _until(reported)
            assert (await client.post("/api/ask", json=QUESTION)).status_code == 200
            pointer.rmdir()
            kept.rename(pointer)
            await ingest(data_dir, changed_folder)
            await _until(moved)


async def test_a_generation_that_cannot_be_opened_is_not_switched_to(data_dir: Path) -> None:
    """A pointer to nothing is reported once, and what was open goes on being served."""
    with structlog.testing.capture_logs() as logged:
        async with client_of(create_app(settings_for(data_dir))) as client:
            (data_dir / "index" / "CURRENT").write_text("20990101T000000-abcdef")

            async def reported() -> bool:
                return any(event["event"] == "index_not_switched" for event in logged)

            await _until(reported)
            assert (await client.post("/api/ask", json=QUESTION)).status_code == 200
    assert [event["code"] for event in logged if event["event"] == "index_not_switched"] == ["index_corrupted"]


async def test_the_first_ingest_makes_a_waiting_service_ready(tmp_path: Path) -> None:
    """A service that was started too early needs no restart."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "zeppelins.md").write_text(NEW_CHAPTER)
    async with client_of(create_app(settings_for(tmp_path / "data"))) as client:
        assert (await client.get("/readyz")).status_code == 503
        await ingest(tmp_path / "data", tmp_path / "chapters")

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == httpx.codes.OK

        await _until(ready)
