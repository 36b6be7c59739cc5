"""`/api/answers`."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import TypeAdapter

from service.domain import AnswerRecord, Feedback, Reason, Verdict
from service.keys import Keyring, hash_of

from ...adapters.database.samples import answer, record
from ..conftest import client_of
from .conftest import StateService, application


async def test_an_answer_is_given_again_with_all_it_rests_on(client: httpx.AsyncClient, service: StateService) -> None:
    """The document holds the whole record, and reads back to it."""
    saved = record(cache_key="key")
    await service.answers.save(saved)
    response = await client.get(f"/api/answers/{saved.answer.id}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert TypeAdapter(AnswerRecord).validate_json(response.content) == saved
    assert response.json()["answer"]["receipt"]["cost_usd"] == "0.00017"
    assert response.json()["created_at"] == "2026-11-25T12:00:00Z"


async def test_an_answer_in_the_making_is_asked_for_again(client: httpx.AsyncClient, service: StateService) -> None:
    """202 says that it will come."""
    service.desk.open.add("coming")
    response = await client.get("/api/answers/coming")
    assert (response.status_code, response.json()) == (202, {"status": "answering"})
    assert response.headers["retry-after"] == "1"


async def test_an_unknown_answer_is_a_problem(client: httpx.AsyncClient) -> None:
    """For reading, rating and stopping."""
    for response in (
        await client.get("/api/answers/none"),
        await client.post("/api/answers/none/feedback", json={"verdict": "up"}),
        await client.post("/api/answers/none/stop"),
    ):
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "answer_not_found"
        assert "'none'" in response.json()["detail"]


async def test_feedback_is_kept_with_the_answer(client: httpx.AsyncClient, service: StateService) -> None:
    """The latest word counts, and an answer that was rated down does not stand for another."""
    saved = record(cache_key="key")
    await service.answers.save(saved)
    place = f"/api/answers/{saved.answer.id}/feedback"
    down = {"verdict": "down", "reason": "wrong_citation", "comment": "Line 12."}
    for body in ({"verdict": "up"}, down):
        response = await client.post(place, json=body)
        assert (response.status_code, response.content) == (204, b"")
    said = Feedback(Verdict.DOWN, Reason.WRONG_CITATION, "Line 12.")
    assert await service.answers.get(saved.answer.id) == replace(saved, feedback=said)
    assert await service.answers.cached("key") is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "sideways"},
        {"verdict": "up", "reason": "missing"},
        {"verdict": "down", "reason": "boring"},
        {"verdict": "down", "comment": "x" * 4001},
        {"verdict": "down", "comments": "typo"},
    ],
)
async def test_feedback_that_cannot_be_read_is_a_problem(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    """Before anything is looked up."""
    response = await client.post("/api/answers/any/feedback", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_an_answer_in_the_making_is_stopped(client: httpx.AsyncClient, service: StateService) -> None:
    """Once; then there is nothing to stop."""
    service.desk.open.add("coming")
    first, second = [await client.post("/api/answers/coming/stop") for _ in range(2)]
    assert (first.status_code, first.json()) == (202, {"status": "stopping"})
    assert second.status_code == 404
    assert "'coming' is being made" in second.json()["detail"]


async def test_a_database_that_cannot_be_used_is_a_problem(
    client: httpx.AsyncClient, service: StateService, tmp_path: Path
) -> None:
    """503 with a time to come again, and 204 once it is back."""
    await service.answers.save(saved := record(answer(id="there")))
    other = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    response = await client.post("/api/answers/there/feedback", json={"verdict": "up"})
    assert (response.status_code, response.json()["code"]) == (503, "state_problem")
    assert response.headers["retry-after"] == "5"
    other.close()
    assert (await client.post(f"/api/answers/{saved.answer.id}/feedback", json={"verdict": "up"})).status_code == 204


async def test_where_a_key_is_required_nothing_is_shown_without_one(service: StateService) -> None:
    """Every route of state asks for it."""
    service.keyring = Keyring.parse(f"me:{hash_of('secret')}", required=True)
    async with client_of(application(service)) as client:
        routes = [
            ("GET", "/api/answers/x"),
            ("POST", "/api/answers/x/stop"),
            ("POST", "/api/answers/x/feedback"),
            ("GET", "/api/usage"),
            ("GET", "/api/conversations"),
            ("POST", "/api/conversations"),
            ("GET", "/api/conversations/x"),
            ("PATCH", "/api/conversations/x"),
            ("DELETE", "/api/conversations/x"),
            ("POST", "/api/conversations/x/restore"),
            ("GET", "/api/conversations/x/export"),
        ]
        for method, path in routes:
            response = await client.request(method, path, json={"verdict": "up"} if "feedback" in path else None)
            assert (response.status_code, response.json()["code"]) == (401, "unknown_key"), path
        allowed = await client.get("/api/usage", headers={"Authorization": "Bearer secret"})
        assert allowed.status_code == 200
