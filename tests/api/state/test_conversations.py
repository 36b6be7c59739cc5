"""`/api/conversations`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from ...adapters.database.conftest import Clock
from ...adapters.database.samples import record
from .conftest import StateService


async def _begin(client: httpx.AsyncClient, title: str = "") -> dict[str, Any]:
    response = await client.post("/api/conversations", json={"title": title} if title else {})
    assert response.status_code == 201
    begun: dict[str, Any] = response.json()
    return begun


async def test_a_conversation_is_begun_asked_in_and_read(client: httpx.AsyncClient, service: StateService) -> None:
    """Its exchanges hold whole answers."""
    begun = await _begin(client, "  Pagination ")
    assert (begun["title"], begun["turns"]) == ("Pagination", 0)
    saved = record()
    await service.answers.save(saved)
    await service.conversations.ask(begun["id"], "How?", saved.answer.id)
    await service.conversations.ask(begun["id"], "And?", "coming")
    response = await client.get(f"/api/conversations/{begun['id']}")
    thread = response.json()
    assert response.status_code == 200
    assert thread["conversation"]["turns"] == 2
    first, second = thread["exchanges"]
    assert (first["question"], first["answer"]["citations"][0]["number"]) == ("How?", 1)
    assert (second["answer_id"], second["answer"], second["error"]) == ("coming", None, None)


async def test_the_list_is_searched_and_paged(client: httpx.AsyncClient, clock: Clock) -> None:
    """`before` takes what a row says of itself."""
    for number in range(5):
        await _begin(client, f"Über {number}")
    await _begin(client, "else")
    first = (await client.get("/api/conversations", params={"q": "uber", "limit": 3})).json()
    assert [row["title"] for row in first] == ["Über 4", "Über 3", "Über 2"]
    rest = await client.get("/api/conversations", params={"q": "uber", "before": first[-1]["updated_at"]})
    assert [row["title"] for row in rest.json()] == ["Über 1", "Über 0"]
    assert (await client.get("/api/conversations", params={"before": "2026-11-25"})).json() == []


async def test_it_is_renamed_deleted_and_restored(client: httpx.AsyncClient) -> None:
    """Deleting can be undone, and is not done twice."""
    place = f"/api/conversations/{(await _begin(client, 'Old'))['id']}"
    renamed = await client.patch(place, json={"title": " New "})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "New")
    deleted = await client.delete(place)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [(await client.delete(place)).status_code, (await client.get(place)).status_code] == [404, 404]
    restored = await client.post(f"{place}/restore")
    assert (restored.status_code, restored.json()) == (200, renamed.json())
    assert (await client.get(place)).status_code == 200


async def test_an_unknown_conversation_is_a_problem(client: httpx.AsyncClient) -> None:
    """On every route."""
    place = "/api/conversations/none"
    for response in (
        await client.get(place),
        await client.patch(place, json={"title": "x"}),
        await client.delete(place),
        await client.post(f"{place}/restore"),
        await client.get(f"{place}/export"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("title", ["", "  \n ", "x" * 301, None, 7])
async def test_a_title_that_is_none_is_a_problem(client: httpx.AsyncClient, title: object) -> None:
    """Renaming needs words, and not a book of them."""
    place = f"/api/conversations/{(await _begin(client))['id']}"
    response = await client.patch(place, json={"title": title})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_it_is_exported_as_json(client: httpx.AsyncClient, service: StateService) -> None:
    """A file with what `GET` gives."""
    begun = await _begin(client, "Pagination")
    await service.conversations.ask(begun["id"], "How?", "a")
    response = await client.get(f"/api/conversations/{begun['id']}/export", params={"format": "json"})
    assert response.headers["content-type"] == "application/json"
    assert response.json() == (await client.get(f"/api/conversations/{begun['id']}")).json()
    assert "pagination.json" in response.headers["content-disposition"]


NAMES = {
    "Keyset pagination": ("keyset-pagination.md", "Keyset pagination.md"),
    'a/b\\c:"d" <e>?': ("a-b-c-d-e.md", "a b c d e.md"),
    "缓存 Über": ("ber.md", "缓存 Über.md"),
    "缓存": ("conversation.md", "缓存.md"),
    "..": ("conversation.md", "conversation.md"),
    "x\r\nSet-Cookie: y": ("x-set-cookie-y.md", "x Set-Cookie y.md"),
}


@pytest.mark.parametrize("title", NAMES)
async def test_the_exported_file_has_the_name_of_the_conversation(client: httpx.AsyncClient, title: str) -> None:
    """In a form that every browser and file system takes, whatever the title holds."""
    begun = await _begin(client, title)
    response = await client.get(f"/api/conversations/{begun['id']}/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    plain, full = NAMES[title]
    assert f'filename="{plain}"' in response.headers["content-disposition"]
    kind, _, given = response.headers["content-disposition"].partition("filename*=UTF-8''")
    assert kind.startswith("attachment; ")
    assert httpx.URL(f"http://x/{given}").path == f"/{full}"


async def test_the_document_describes_the_routes(client: httpx.AsyncClient) -> None:
    """It fits the OpenAPI schema, each route has words for people, and every example fits its own schema."""
    document = (await client.get("/openapi.json")).json()
    Draft202012Validator(OPENAPI_31).validate(document)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len(operations) == 11
    assert all(operation["summary"] and operation["description"] for operation in operations)
    seen = 0
    for name, schema in document["components"]["schemas"].items():
        for part, described in schema.get("properties", {}).items():
            for example in described.get("examples", ()):
                place = {"$ref": f"#/components/schemas/{name}/properties/{part}", "components": document["components"]}
                Draft202012Validator(place).validate(example)
                seen += 1
    for operation in operations:
        for parameter in operation.get("parameters", ()):
            for example in parameter["schema"].get("examples", ()):
                Draft202012Validator(parameter["schema"]).validate(example)
                seen += 1
    assert seen > 30
