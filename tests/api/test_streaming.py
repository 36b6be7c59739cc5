"""Streams over a real connection, against a provider that does what it should and one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from service.api.streaming import with_pings
from service.keys import hash_of

from ..fakes.upstream.reply import KEY, NAMED, Reply, always, in_turn
from .live import QUESTION, Live, events_of, live

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wired(plain_data: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The service with a provider behind it; no stored answer is given again."""
    changes = {"answer_cache": False}
    async with live(plain_data, tmp_path_factory.mktemp("wired"), **changes) as made:
        yield made


async def _spent(live: Live) -> tuple[int, int]:
    rows = await live.service.ledger.usage("model")
    return sum(row.usage.input_tokens for row in rows), sum(row.usage.output_tokens for row in rows)


async def test_a_stream_is_the_same_answer(wired: Live) -> None:
    """Sources, pieces, answer; what the pieces add up to is what a client without a stream gets."""
    wired.provider.play(always(Reply()))
    (first, sources), *pieces, (last, answer) = await wired.events()
    assert (first, last) == ("sources", "answer")
    assert {name for name, _ in pieces} == {"delta"}
    assert sources["id"] == answer["id"]
    assert "".join(data["text"] for _, data in pieces) == answer["answer"]
    whole = (await wired.client.post("/api/ask", json={"question": QUESTION})).json()
    assert {key: whole[key] for key in ("answer", "citations", "status", "mode")} == {
        key: answer[key] for key in ("answer", "citations", "status", "mode")
    }
    assert answer["mode"] == "llm"


async def test_an_answer_can_be_had_by_its_id(wired: Live) -> None:
    """The record tells what was asked, read and answered."""
    wired.provider.play(always(Reply()))
    answer = (await wired.client.post("/api/ask", json={"question": QUESTION})).json()
    record = (await wired.client.get(f"/api/answers/{answer['id']}")).json()
    assert record["answer"] == answer
    assert record["ask"]["question"] == QUESTION
    assert record["readings"][0]["number"] == 1


# What the provider does -> who answers, why the answer is degraded, and how many requests that takes.
FAULTS: dict[str, tuple[str, str | None, int]] = {
    "well": ("llm", None, 1),
    "no-usage": ("llm", None, 1),
    "unicode-split": ("llm", None, 1),
    "no-json-schema": ("llm", None, 2),
    "no-response-format": ("llm", None, 3),
    "no-stream-options": ("llm", None, 2),
    "no-max-completion-tokens": ("llm", None, 2),
    "401": ("extractive", "model_unauthorized", 1),
    "403": ("extractive", "model_rejected", 1),
    "404": ("extractive", "model_rejected", 1),
    "408": ("extractive", "model_", 3),
    "409": ("extractive", "model_", 3),
    "429-now": ("extractive", "model_overloaded", 3),
    "429-later": ("extractive", "model_overloaded", 1),
    "insufficient-quota": ("extractive", "model_quota", 1),
    "500": ("extractive", "model_", 3),
    "503": ("extractive", "model_overloaded", 3),
    "stall": ("extractive", "model_timeout", 1),
    "cut": ("extractive", "model_unreachable", 1),
    "cut-before": ("extractive", "model_", 3),
    "no-finish": ("extractive", "model_unreachable", 1),
    "malformed-json": ("extractive", "model_malformed", 2),
    "wrong-schema": ("extractive", "model_malformed", 2),
    "not-json": ("extractive", "model_malformed", 2),
    "refusal": ("extractive", "model_refused", 1),
    "length": ("extractive", "model_cut", 1),
    "content-filter": ("extractive", "model_filtered", 1),
    "empty-choices": ("extractive", "model_malformed", 2),
    "web-page": ("extractive", "model_", 1),
    "error-event": ("extractive", "model_", 3),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_the_provider_does_there_is_an_answer(plain_data: Path, tmp_path: Path, fault: str) -> None:
    """A model's answer or the quotations with the reason; every request that was made is in the ledger."""
    mode, reason, calls = FAULTS[fault]
    changes = {"model_timeout_seconds": 0.6} if fault == "stall" else {}
    async with live(plain_data, tmp_path, **changes) as made:
        made.provider.play(always(NAMED[fault]))
        events = await made.events()
        answer = events[-1][1]
        assert [name for name, _ in events if name != "delta"] == ["sources", "answer"]
        assert (answer["mode"], answer["degraded"]) == (mode, reason is not None)
        assert (answer["receipt"]["degraded_reason"] or "").startswith(reason or "")
        assert answer["citations"]
        assert KEY not in str(events)
        rows = await made.service.ledger.usage("purpose")
        assert sum(row.calls for row in rows) == len(made.provider.requests) == answer["receipt"]["attempts"] == calls


async def test_leaving_a_stream_cancels_the_call(wired: Live) -> None:
    """The provider sees the connection close, and what was used is booked as cancelled."""
    wired.provider.play(always(Reply(gap=0.05)))
    before = await _spent(wired)
    async with wired.streaming() as response:
        async for name, _ in events_of(response):
            if name == "delta":
                break
    await _until(lambda: wired.provider.requests and wired.provider.requests[0].left)
    await _until(lambda: not wired.service.desk._open)
    spent = await _spent(wired)
    assert spent[0] > before[0]
    assert spent[1] > before[1]


async def test_leaving_before_the_first_word_cancels_the_call(wired: Live) -> None:
    """A model that thinks is not left thinking for nobody."""
    wired.provider.play(always(Reply(stall_after=0)))
    async with wired.streaming() as response:
        async for name, _ in events_of(response):
            assert name == "sources"
            await _until(lambda: wired.provider.requests)
            break
    await _until(lambda: wired.provider.requests and wired.provider.requests[0].left)


async def test_a_client_without_a_stream_may_leave_too(wired: Live) -> None:
    """The call to the model ends with the request."""
    wired.provider.play(always(Reply(stall_after=0)))
    with pytest.raises(httpx.ReadTimeout):
        await wired.client.post("/api/ask", json={"question": QUESTION}, timeout=0.3)
    await _until(lambda: wired.provider.requests and wired.provider.requests[0].left)


async def test_an_answer_can_be_stopped_by_its_id(wired: Live) -> None:
    """The stream ends with an error that says so."""
    wired.provider.play(always(Reply(gap=0.05)))
    events: list[tuple[str, Any]] = []
    async with wired.streaming() as response:
        async for event in events_of(response):
            if len(events) == 3:
                stopped = await wired.client.post(f"/api/answers/{events[0][1]['id']}/stop")
                assert stopped.status_code == 202
            events.append(event)
    assert events[-1][0] == "error"
    assert events[-1][1]["code"] == "stopped"
    await _until(lambda: wired.provider.requests and wired.provider.requests[0].left)


async def test_a_conversations_answer_survives_a_lost_connection(wired: Live) -> None:
    """It is there under its id once it is finished, and part of the conversation."""
    wired.provider.play(always(Reply(gap=0.02)))
    conversation = (await wired.client.post("/api/conversations", json={"title": "Pages"})).json()
    async with wired.streaming(conversation=conversation["id"]) as response:
        async for name, data in events_of(response):
            if name == "sources":
                id_ = data["id"]
            if name == "delta":
                break
    open_ = await wired.client.get(f"/api/answers/{id_}")
    assert (open_.status_code, open_.json()) == (202, {"status": "answering"})
    await _until(lambda: not wired.service.desk.is_open(id_))
    record = (await wired.client.get(f"/api/answers/{id_}")).json()
    assert record["answer"]["mode"] == "llm"
    talk = (await wired.client.get(f"/api/conversations/{conversation['id']}")).json()
    assert [exchange["answer"]["id"] for exchange in talk["exchanges"]] == [id_]


async def test_a_stored_answer_is_free_and_can_be_refused(plain_data: Path, tmp_path: Path) -> None:
    """The same question costs once; `Cache-Control: no-cache` asks anew."""
    async with live(plain_data, tmp_path) as made:
        ask = {"question": QUESTION}
        one = (await made.client.post("/api/ask", json=ask)).json()
        two = (await made.client.post("/api/ask", json=ask)).json()
        fresh = (await made.client.post("/api/ask", json=ask, headers={"Cache-Control": "no-cache"})).json()
    assert [answer["receipt"]["cached"] for answer in (one, two, fresh)] == [False, True, False]
    assert Decimal(two["receipt"]["cost_usd"]) == 0
    assert len(made.provider.requests) == 2


async def test_a_spent_budget_is_a_problem_with_a_time(plain_data: Path, tmp_path: Path) -> None:
    """429, when it will work again, and no call; streamed or not, it is a status and not an event."""
    async with live(plain_data, tmp_path, budget_per_day=Decimal("0.000001")) as made:
        for headers in ({}, {"Accept": "text/event-stream"}):
            refused = await made.client.post("/api/ask", json={"question": QUESTION}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (429, "budget_spent")
            assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert made.provider.requests == []


async def test_budgets_hold_under_concurrency(plain_data: Path, tmp_path: Path) -> None:
    """Of many questions at once only so many are asked as the day's budget allows at most."""
    async with live(plain_data, tmp_path, budget_per_day=Decimal("0.01"), answer_cache=False) as made:
        made.provider.play(always(Reply(gap=0.01)))
        replies = await asyncio.gather(*(made.client.post("/api/ask", json={"question": QUESTION}) for _ in range(30)))
        allowed = [reply for reply in replies if reply.status_code == 200]
        assert {reply.status_code for reply in replies} == {200, 429}
        (day,) = [
            state for state in await made.service.ledger.budgets(made.service.budgets, "x") if "day" in state.name
        ][:1]
        assert day.spent <= Decimal("0.01")
        assert len(made.provider.requests) == len(allowed) > 0


async def test_keys_name_their_callers(plain_data: Path, tmp_path: Path) -> None:
    """Usage goes by the key's name; a wrong key and, where one is required, no key are 401."""
    changes = {"api_keys": f"anna:{hash_of('bm-anna')}", "require_key": True}
    async with live(plain_data, tmp_path, **changes) as made:
        ask = {"question": QUESTION}
        for headers in ({}, {"Authorization": "Bearer bm-nobody"}):
            refused = await made.client.post("/api/ask", json=ask, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "unknown_key")
        await made.client.post("/api/ask", json=ask, headers={"Authorization": "Bearer bm-anna"})
        assert [row.key for row in await made.service.ledger.usage("caller")] == ["anna"]


async def test_a_fallback_model_answers_for_the_first(plain_data: Path, tmp_path: Path) -> None:
    """The receipt names the model that answered, and the answer is not degraded."""
    async with live(plain_data, tmp_path, fallback_model="gpt-6.1-terra") as made:
        made.provider.play(in_turn(NAMED["404"], Reply()))
        answer = (await made.client.post("/api/ask", json={"question": QUESTION})).json()
        assert (answer["mode"], answer["degraded"]) == ("llm", False)
        assert answer["receipt"]["model"].startswith("gpt-6.1-terra")


async def test_silence_is_broken_by_comments() -> None:
    """A proxy that cuts silent connections sees something; the events come through whole and in order."""
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"one"
        await go_on.wait()
        yield b"two"

    seen = []
    async for piece in with_pings(slow(), seconds=0.01):
        seen.append(piece)
        if len(seen) == 3:
            go_on.set()
    assert seen[:3] == [b"one", b": ping\n\n", b": ping\n\n"]
    assert seen[-1] == b"two"


async def _until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about within five seconds")
