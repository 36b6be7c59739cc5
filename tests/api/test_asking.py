"""The contract of `POST /api/ask` and `POST /api/search`."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination with a cursor work?"
PAGINATION = "04_relational_databases_sql/pagination_strategies.md"
JWT = "09_authentication_and_security/jwt_implementation.md"

ANSWER = ("id question status answer answer_html citations passages follow_ups mode degraded receipt code").split()
CITATION = "number chapter title heading anchor url quote start_line end_line".split()
PASSAGE = "chapter title heading anchor start_line end_line score text use".split()
USAGE = "input_tokens cached_tokens cache_write_tokens output_tokens".split()
RECEIPT = (
    "prompt prompt_hash model index_generation embedding_model retrieval_query usage cost_usd latency_ms attempts"
    " dropped_citations trace_id degraded_reason experiment cached stored uncited_sentences"
).split()


async def _ask(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/api/ask", json={"question": QUESTION} | body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


async def test_an_answer_has_every_field_of_the_contract(client: httpx.AsyncClient) -> None:
    """Clients find exactly the documented fields, at every level."""
    answer = await _ask(client)
    assert list(answer) == ANSWER
    assert [list(cited) for cited in answer["citations"]] == [CITATION] * len(answer["citations"])
    assert [list(passage) for passage in answer["passages"]] == [PASSAGE] * 8
    assert list(answer["receipt"]) == RECEIPT
    assert list(answer["receipt"]["usage"]) == USAGE
    assert list(answer["receipt"]["latency_ms"]) == ["retrieve", "generate", "total", "first_token"]


async def test_an_answer_says_what_it_is(client: httpx.AsyncClient) -> None:
    """The values are those of an extractive answer out of the right chapter."""
    answer = await _ask(client)
    assert (answer["question"], answer["status"], answer["mode"]) == (QUESTION, "answered", "extractive")
    assert answer["degraded"] is False
    assert uuid.UUID(answer["id"])
    assert answer["citations"][0]["chapter"] == PAGINATION
    assert answer["citations"][0]["url"].startswith("/read/04_relational_databases_sql/pagination_strategies")
    assert '<a href="/read/' in answer["answer_html"]
    assert answer["receipt"]["cost_usd"] == "0"
    assert answer["receipt"]["usage"] == dict.fromkeys(USAGE, 0)


async def test_a_question_that_is_not_covered_is_no_error(client: httpx.AsyncClient) -> None:
    """It is an answer with its own status, and without citations."""
    answer = await _ask(client, question="Who won the football world cup in 1998?")
    assert (answer["status"], answer["citations"]) == ("not_in_knowledge_base", [])


async def test_history_is_taken_into_account(client: httpx.AsyncClient) -> None:
    """A follow-up is searched with the question that it follows."""
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Remember the last row."}]
    answer = await _ask(client, question="and why is it faster?", history=history)
    assert answer["receipt"]["retrieval_query"] == f"{QUESTION}\nand why is it faster?"


async def test_filters_are_kept_to(client: httpx.AsyncClient) -> None:
    """Only passages of the sections and chapters that were named come back."""
    answer = await _ask(client, question="How do I keep a token safe?", filters={"sections": ["09"]})
    assert {passage["chapter"] for passage in answer["passages"]} == {JWT}


@pytest.mark.parametrize("limit", [0, 3, 50])
async def test_the_limit_bounds_the_passages(client: httpx.AsyncClient, limit: int) -> None:
    """As many passages as asked for come with the answer."""
    assert len((await _ask(client, limit=limit))["passages"]) == limit


async def test_search_gives_passages_best_first(client: httpx.AsyncClient) -> None:
    """A search is a list of passages of the documented shape."""
    response = await client.post("/api/search", json={"query": "refresh token rotation", "limit": 4})
    passages = response.json()
    assert response.status_code == 200
    assert [list(passage) for passage in passages] == [PASSAGE] * 4
    assert passages[0]["chapter"] == JWT
    assert [p["score"] for p in passages] == sorted((p["score"] for p in passages), reverse=True)


async def test_search_returns_ten_unless_told_otherwise(client: httpx.AsyncClient) -> None:
    """Ten passages are enough for most."""
    assert len((await client.post("/api/search", json={"query": "token"})).json()) == 10


async def _problem(client: httpx.AsyncClient, path: str, body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == 422
    return problem


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "question: Field required"),
        ({"question": QUESTION, "temperature": 1}, "temperature: Extra inputs are not permitted"),
        ({"question": 7}, "question: Input should be a valid string"),
        ({"question": None}, "question: Input should be a valid string"),
        ({"question": ["x"]}, "question: Input should be a valid string"),
        ({"question": QUESTION, "history": "before"}, "history: Input should be a valid list"),
        ({"question": QUESTION, "history": [{"role": "system", "content": "x"}]}, "history.0.role: Input should be"),
        ({"question": QUESTION, "history": [{"role": "user"}]}, "history.0.content: Field required"),
        ({"question": QUESTION, "history": [{"role": "user", "content": "x"}] * 201}, "history: List should have at"),
        ({"question": QUESTION, "filters": []}, "filters: Input should be"),
        ({"question": QUESTION, "filters": {"section": ["04"]}}, "filters.section: Extra inputs"),
        ({"question": QUESTION, "filters": {"sections": "04"}}, "filters.sections: Input should be a valid list"),
        ({"question": QUESTION, "filters": {"sections": [" "]}}, "filters.sections.0: String should have at least"),
        ({"question": QUESTION, "limit": -1}, "limit: Input should be greater than or equal to 0"),
        ({"question": QUESTION, "limit": 51}, "limit: Input should be less than or equal to 50"),
        ({"question": QUESTION, "limit": "many"}, "limit: Input should be a valid integer"),
        ({"question": QUESTION, "limit": 1.5}, "limit: Input should be a valid integer"),
        ({"question": QUESTION, "prompt": 0}, "prompt: Input should be greater than or equal to 1"),
        ({"question": "x" * 1_000_001}, "question: String should have at most 1000000 characters"),
        ([QUESTION], "Input should be a valid dictionary or object"),
        (None, "Field required"),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_named(client: httpx.AsyncClient, body: Any, detail: str) -> None:
    """Unknown fields, wrong types and values out of range give a problem that names the field, and repeats nothing."""
    problem = await _problem(client, "/api/ask", body)
    assert problem["code"] == "invalid_request"
    assert problem["detail"].startswith(detail)
    assert len(problem["detail"]) < 200


@pytest.mark.parametrize("question", ["", " ", "a", "🙂", "x" * 4001, "x" * 100_000])
async def test_a_question_that_cannot_be_used_is_a_problem(client: httpx.AsyncClient, question: str) -> None:
    """Too short and too long have a code of their own, for asking and searching."""
    for path, field in (("/api/ask", "question"), ("/api/search", "query")):
        problem = await _problem(client, path, {field: question})
        assert problem["code"] == "invalid_question"
        assert len(problem["detail"]) < 200


async def test_an_unknown_filter_lists_what_there_is(client: httpx.AsyncClient) -> None:
    """A filter that matches nothing is a problem, never an empty list."""
    problem = await _problem(client, "/api/search", {"query": "token", "filters": {"sections": ["99"]}})
    assert problem["code"] == "unknown_filter"
    assert "09 - Authentication And Security" in problem["detail"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"question": "How', 422),
        (b"", 422),
        (b"question=How", 422),
        (b'{"question": "\\ud800 is half a character"}', 422),
        (b'{"question": "caf\xe9 is not UTF-8"}', 400),
        (b"[" * 100_000, 400),
    ],
)
async def test_a_body_that_is_no_json_is_a_problem(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    """Half a document, none, a form, broken characters and endless nesting are the client's errors."""
    response = await client.post("/api/ask", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_json_by_another_name_is_refused(client: httpx.AsyncClient) -> None:
    """A body that does not say that it is JSON is not guessed at, so no foreign form can post here."""
    response = await client.post(
        "/api/ask", content=b'{"question": "How do I?"}', headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 422


async def test_odd_characters_arrive_unchanged(client: httpx.AsyncClient) -> None:
    """Control characters, emoji and other alphabets go through JSON both ways."""
    question = "pagination\x00 \x1b[31m 🙂 如何 \u202e كيف"
    assert (await _ask(client, question=question))["question"] == question
