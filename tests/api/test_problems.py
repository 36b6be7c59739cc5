"""Every error is a problem document with a code and the request's id, and tells nothing that it should not."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import structlog

from service import errors
from service.adapters.local_embedder import LocalEmbedder
from service.app import create_app
from service.errors import IndexBusy, IndexCorrupted, IndexUnreachable, MasteryError
from service.settings import BUNDLED_MODEL
from service.wiring import Service

from ..fakes.index import BrokenIndex
from ..small_index import settings_for
from ..small_service import service_of
from .conftest import client_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "password=hunter2 in /srv/private/file.py"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedder() -> AsyncIterator[LocalEmbedder]:
    """The bundled model."""
    embedder = LocalEmbedder(BUNDLED_MODEL)
    yield embedder
    await embedder.close()


def _service(error: Exception, data_dir: Path, embedder: LocalEmbedder) -> Service:
    index = BrokenIndex(error)
    return service_of(settings_for(data_dir), index, embedder)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/chapters/none.md", 404, "chapter_not_found"),
        ("GET", "/api/ask", 405, "method_not_allowed"),
        ("DELETE", "/api/chapters", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("POST", "/api/ask", 422, "invalid_request"),
    ],
)
async def test_an_error_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """RFC 9457: the media type, the members, and the status both times."""
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert list(problem) == ["type", "title", "status", "detail", "code", "request_id"]
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", status, code)
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    """The Allow header of a 405 survives."""
    assert (await client.put("/api/ask", json={})).headers["allow"] == "POST"


async def test_an_unexpected_error_tells_nothing(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """A 500 carries the request's id in body and header, and nothing of the error."""
    service = _service(RuntimeError(SECRET), tmp_path, embedder)
    async with client_of(create_app(service.settings, service)) as client:
        for response in (
            await client.get("/api/chapters"),
            await client.get("/api/chapters/a.md"),
            await client.post("/api/ask", json={"question": "How do I?"}),
        ):
            assert response.status_code == 500
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert (problem["code"], problem["status"]) == ("internal", 500)
            assert problem["request_id"] == response.headers["x-request-id"]
            assert "hunter2" not in response.text
            assert "Traceback" not in response.text
        assert (await client.get("/healthz")).status_code == 200


async def test_an_unexpected_error_is_logged_under_its_id(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """Whoever reports the id of a 500 leads to its traceback in the log."""
    service = _service(RuntimeError(SECRET), tmp_path, embedder)
    async with client_of(create_app(service.settings, service)) as client:
        with structlog.testing.capture_logs() as logged:
            await client.get("/api/chapters", headers={"X-Request-ID": "trace-me-12345678"})
    (event,) = [event for event in logged if event["event"] == "unexpected_error"]
    assert event["request_id"] == "trace-me-12345678"
    assert isinstance(event["exc_info"], RuntimeError)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (IndexCorrupted("the index is damaged; run `mastery ingest --rebuild`"), 503, "index_corrupted"),
        (IndexUnreachable("Qdrant does not answer"), 503, "index_unreachable"),
        (IndexBusy("another ingest is running"), 503, "index_busy"),
        (MasteryError("something of ours"), 500, "internal"),
    ],
)
async def test_errors_of_ours_keep_status_code_and_words(
    tmp_path: Path, embedder: LocalEmbedder, error: MasteryError, status: int, code: str
) -> None:
    """What went wrong with the index is said in its own words, with when to try again."""
    service = _service(error, tmp_path, embedder)
    async with client_of(create_app(service.settings, service)) as client:
        response = await client.post("/api/search", json={"query": "token"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["detail"] == str(error)
    assert response.headers.get("retry-after") == ("5" if status == 503 else None)


async def test_a_request_id_is_kept(client: httpx.AsyncClient) -> None:
    """A caller's id comes back and stands in problems, so that both logs can be joined."""
    given = "0123-abcd_EFGH"
    response = await client.get("/nowhere", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] == response.json()["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "id with spaces", "nul\0in the id", "a\x1b[31mred", "<b>bold</b>"]
)
async def test_a_request_id_that_is_not_plain_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    """Too short, too long or with anything but letters, digits, - and _: a fresh one is made."""
    response = await client.get("/healthz", headers={"X-Request-ID": given} if given else {})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


async def test_request_ids_differ(client: httpx.AsyncClient) -> None:
    """Each request without an id gets one of its own."""
    ids = {(await client.get("/healthz")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


def _classes(of: type[MasteryError]) -> list[type[MasteryError]]:
    return [of, *(inner for child in of.__subclasses__() for inner in _classes(child))]


async def test_every_error_has_a_code_of_its_own() -> None:
    """Clients can tell errors apart by code, and each has a fitting status and a title."""
    ours = [kind for kind in _classes(MasteryError) if kind.__module__ == errors.__name__]
    codes = [kind.code for kind in ours]
    assert len(codes) == len(set(codes)) > 15
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert all(kind.status in (401, 404, 409, 422, 429, 500, 502, 503) and kind.title for kind in ours)
    drawn = set(re.findall(r"\b[A-Z]\w+", (errors.__doc__ or "").split("\n\n", 1)[1]))
    assert {kind.__name__ for kind in ours} <= drawn


async def test_problems_are_described_in_the_api(client: httpx.AsyncClient) -> None:
    """The OpenAPI document shows the problem document wherever one may come."""
    document = (await client.get("/openapi.json")).json()
    for path, method, status in (
        ("/api/ask", "post", "422"),
        ("/api/ask", "post", "503"),
        ("/api/search", "post", "422"),
        ("/api/chapters", "get", "503"),
        ("/api/chapters/{path}", "get", "404"),
        ("/readyz", "get", "503"),
    ):
        response = document["paths"][path][method]["responses"][status]
        assert "#/components/schemas/Problem" in json.dumps(response), (path, status)
        assert list(response["content"]) == ["application/problem+json"], (path, status)
