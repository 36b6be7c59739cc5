"""The OpenAPI document is valid, complete, and its examples work."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUTES = {
    ("post", "/api/ask"),
    ("post", "/api/search"),
    ("get", "/api/chapters"),
    ("get", "/api/chapters/{path}"),
    ("get", "/healthz"),
    ("get", "/readyz"),
}


async def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get("/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def _validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


async def test_the_document_is_valid(client: httpx.AsyncClient) -> None:
    """It fits the OpenAPI 3.1 schema, and every schema in it is a JSON Schema."""
    document = await _document(client)
    assert document["openapi"].startswith("3.1")
    Draft202012Validator(OPENAPI_31).validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_every_resource_is_documented(client: httpx.AsyncClient) -> None:
    """Each route has a summary and a description, and operation ids are unique."""
    paths = (await _document(client))["paths"]
    operations = {(method, path): operation for path, item in paths.items() for method, operation in item.items()}
    assert operations.keys() >= ROUTES
    assert all(operation["summary"] and operation["description"] for operation in operations.values())
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(ids) == len(set(ids))


async def test_examples_fit_their_schemas(client: httpx.AsyncClient) -> None:
    """An example that the document itself would refuse helps nobody."""
    document = await _document(client)
    seen = 0
    for schema in document["components"]["schemas"].values():
        for part in schema.get("properties", {}).values():
            for example in part.get("examples", ()):
                Draft202012Validator(part | {"components": document["components"]}).validate(example)
                seen += 1
    assert seen >= 8


async def test_the_examples_of_a_request_can_be_sent(client: httpx.AsyncClient) -> None:
    """Asking and searching by the document's own examples gives what the document promises."""
    document = await _document(client)
    for path, name in (("/api/ask", "AskIn"), ("/api/search", "SearchIn")):
        properties = document["components"]["schemas"][name]["properties"]
        body = {field: part["examples"][0] for field, part in properties.items() if part.get("examples")}
        assert body
        response = await client.post(path, json=body)
        assert response.status_code == 200, response.text
        schema = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator(schema | {"components": document["components"]}).validate(response.json())


async def test_responses_fit_the_document(client: httpx.AsyncClient, empty_client: httpx.AsyncClient) -> None:
    """Chapters, health and problems are what the document says that they are."""
    document = await _document(client)
    listed = (await client.get("/api/chapters")).json()
    for chapter in (listed[0], (await client.get(f"/api/chapters/{listed[0]['path']}")).json()):
        _validator(document, "Chapter").validate(chapter)
    _validator(document, "Ready").validate((await client.get("/readyz")).json())
    _validator(document, "Problem").validate((await empty_client.get("/readyz")).json())
    _validator(document, "Problem").validate((await client.post("/api/ask", json={})).json())


async def test_the_reference_is_served(client: httpx.AsyncClient) -> None:
    """The address that `mastery serve` prints for the API reference works."""
    assert (await client.get("/docs")).status_code == 200
