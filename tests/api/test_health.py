"""`/healthz` and `/readyz`: alive is not yet ready."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from service.app import create_app

from ..small_index import settings_for
from .conftest import client_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_service_with_an_index_is_ready(client: httpx.AsyncClient) -> None:
    """It says which generation it serves, how much is in it, and who writes the answers."""
    ready = (await client.get("/readyz")).json()
    assert ready.pop("chunks") > 100
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{6}", ready.pop("generation"))
    assert ready == {"status": "ready", "chapters": 8, "mode": "extractive"}


async def test_a_service_without_an_index_is_alive_but_not_ready(empty_client: httpx.AsyncClient) -> None:
    """It starts, says that it is alive, and that something has to be ingested first."""
    assert (await empty_client.get("/healthz")).json() == {"status": "ok"}
    response = await empty_client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "5"
    problem = response.json()
    assert problem["code"] == "index_missing"
    assert "mastery ingest" in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/ask", {"question": "How do I?"}),
        ("POST", "/api/search", {"query": "token"}),
        ("GET", "/api/chapters", None),
        ("GET", "/api/chapters/a.md", None),
    ],
)
async def test_without_an_index_every_resource_says_so(
    empty_client: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None
) -> None:
    """An error is an error status, with the command that mends it."""
    response = await empty_client.request(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (503, "index_missing")


async def test_a_model_changes_the_mode(plain_data: Path) -> None:
    """With a key or a server set, a model writes the answers."""
    settings = settings_for(plain_data, openai_base_url="http://127.0.0.1:9/v1")
    async with client_of(create_app(settings)) as client:
        assert (await client.get("/readyz")).json()["mode"] == "llm"


async def test_a_model_that_cannot_be_reached_degrades_the_answer(plain_data: Path) -> None:
    """No server at the address: the answer is composed of quotations, and says why."""
    settings = settings_for(plain_data, openai_base_url="http://127.0.0.1:9/v1", openai_api_key="sk-secret-key")
    async with client_of(create_app(settings)) as client:
        answer = (await client.post("/api/ask", json={"question": "How does keyset pagination work?"})).json()
    assert (answer["mode"], answer["degraded"]) == ("extractive", True)
    assert answer["receipt"]["degraded_reason"].startswith("model_unreachable")
    assert "sk-secret-key" not in str(answer)


async def test_an_index_of_another_model_is_refused(plain_data: Path) -> None:
    """A fingerprint that does not fit the settings is never served; the problem names the command."""
    settings = settings_for(
        plain_data, embedding_model="text-embedding-3-small", openai_base_url="http://127.0.0.1:9/v1"
    )
    async with client_of(create_app(settings)) as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "index_mismatch")
    assert "text-embedding-3-small" in response.json()["detail"]
    assert "mastery ingest" in response.json()["detail"]
