"""`mastery ask` and `mastery search`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from service.app import create_app

from ..small_index import settings_for
from .conftest import Mastery

QUESTION = "How does keyset pagination with a cursor work?"
PAGINATION = "04_relational_databases_sql/pagination_strategies.md"


def test_an_answer_is_printed_with_its_sources(mastery: Mastery) -> None:
    """People see the text, then each source with file and line, then one line of facts; the exit code is 0."""
    done = mastery("ask", QUESTION)
    assert (done.code, done.err) == (0, "")
    assert re.search(rf"\[1\] Pagination Strategies › .*\n\s+{re.escape(PAGINATION)}:\d+", done.out)
    assert re.search(r"answered · extractive · \d+ ms · \$0", done.out)
    assert "no model was used" in done.out


def test_a_question_that_is_not_covered_exits_with_3(mastery: Mastery) -> None:
    """A script can tell it from an answer and from a failure."""
    done = mastery("ask", "Who won the football world cup in 1998?")
    assert done.code == 3
    assert "does not cover this" in done.out
    done = mastery("ask", "--json", "Who won the football world cup in 1998?")
    assert (done.code, done.json["status"]) == (3, "not_in_knowledge_base")


@pytest.mark.parametrize("question", ["", " ", "a", "x" * 5000])
def test_a_question_that_cannot_be_used_exits_with_2(mastery: Mastery, question: str) -> None:
    """One line says why."""
    done = mastery("ask", question)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"error: the question .*\n", done.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--section", "99"), "error: there is no section '99'; there are: 04 - "),
        (("--level", "expert"), "error: there is no level 'expert'; there are: none"),
        (("--chapter", "nope.md"), "error: there is no chapter 'nope.md'; there are: 04_"),
    ],
)
def test_an_unknown_filter_exits_with_2(mastery: Mastery, arguments: tuple[str, str], message: str) -> None:
    """The values that there are stand in the line."""
    for command in ("ask", "search"):
        done = mastery(command, "refresh token", *arguments)
        assert done.code == 2
        assert done.err.startswith(message)
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", QUESTION, "--colour"),
        ("ask", "How", "do", "I"),
        ("search", "token", "--limit", "0"),
        ("search", "token", "--limit", "many"),
        ("serve", "--port", "99999"),
        ("sing",),
    ],
)
def test_wrong_use_exits_with_2(mastery: Mastery, arguments: tuple[str, ...]) -> None:
    """Missing and unknown arguments, values out of range and unknown commands are wrong use."""
    done = mastery(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_without_an_index_it_exits_with_1(mastery: Mastery, tmp_path: Path) -> None:
    """The line names the command that is missing."""
    for arguments in (("ask", QUESTION), ("search", "token"), ("ask", "--json", QUESTION)):
        done = mastery(*arguments, MASTERY_DATA_DIR=str(tmp_path))
        assert (done.code, done.out) == (1, "")
        assert done.err == "error: nothing is ingested yet; run `mastery ingest`\n"


async def _served(plain_data: Path, path: str, body: dict[str, Any]) -> Any:
    async with LifespanManager(create_app(settings_for(plain_data))) as manager:
        transport = httpx.ASGITransport(app=manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.post(path, json=body)).json()


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is different every time."""
    receipt = {key: value for key, value in answer["receipt"].items() if key not in ("latency_ms", "trace_id")}
    return {key: value for key, value in answer.items() if key != "id"} | {"receipt": receipt}


@pytest.fixture(scope="module")
def served(plain_data: Path) -> tuple[Any, Any]:
    """What the API answers to the same question and search."""
    where = {"sections": ["04"]}
    ask = _served(plain_data, "/api/ask", {"question": QUESTION, "filters": where})
    search = _served(plain_data, "/api/search", {"query": "cursor", "filters": where, "limit": 3})
    return asyncio.run(ask), asyncio.run(search)


def test_json_is_exactly_that_of_the_api(mastery: Mastery, served: tuple[Any, Any]) -> None:
    """The same question gives the same document, key for key, on one line."""
    done = mastery("ask", "--json", QUESTION, "--section", "04")
    assert done.out.count("\n") == 1
    assert _comparable(done.json) == _comparable(served[0])
    assert list(done.json) == list(served[0])
    assert list(done.json["receipt"]) == list(served[0]["receipt"])
    done = mastery("search", "--json", "cursor", "--section", "04", "--limit", "3")
    assert done.json == served[1]
    assert len(done.json) == 3


def test_passages_are_printed_as_they_are_written(mastery: Mastery) -> None:
    """Brackets in a passage are text, not the terminal's markup; place and score stand above it."""
    arguments = ("search", "type hints: list[dict], dict[str, int]", "--limit", "50")
    passages = mastery(*arguments, "--json").json
    shown = mastery(*arguments).out
    assert re.search(r"^1\. .+ › .+\n   \S+\.md:\d+  score \d\.\d\d$", shown, re.MULTILINE)
    marked = [passage["text"] for passage in passages if re.search(r"\[[a-z]+\]", passage["text"][:400])]
    assert len(marked) >= 3
    for text in marked:
        lines = [line for line in text[:400].split("\n")[:-1] if len(line) < 150]
        assert all(line in shown for line in lines)


def test_several_filters_may_be_given(mastery: Mastery) -> None:
    """An option may stand more than once."""
    done = mastery("search", "--json", "token", "--section", "04", "--section", "09", "--limit", "50")
    assert {passage["chapter"].split("_")[0] for passage in done.json} == {"04", "09"}
