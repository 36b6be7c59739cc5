"""A thousand questions, fifty at a time, against a provider that fails three calls of ten."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..api.live import live
from ..fakes.upstream.reply import KEY, by_chance

QUESTIONS = (
    "How does keyset pagination with a cursor work?",
    "How do I verify a JWT?",
    "How do I revoke a refresh token of a JWT login?",
    "How does cache stampede protection work?",
    "Who won the football world cup in 1998?",
)
REQUESTS, CONNECTIONS = 1000, 50


async def test_a_thousand_questions_against_a_failing_provider(plain_data: Path, tmp_path: Path) -> None:
    """All get an answer or a problem; the ledger equals the provider's bill to the last token; nothing is left over."""
    async with live(plain_data, tmp_path, answer_cache=False) as made:
        made.provider.play(by_chance(0.3))
        numbers = iter(range(REQUESTS))
        statuses: dict[int, int] = {}
        degraded = 0

        async def ask() -> None:
            nonlocal degraded
            for number in numbers:
                body = {"question": QUESTIONS[number % len(QUESTIONS)], "limit": 1}
                reply = await made.client.post("/api/ask", json=body)
                statuses[reply.status_code] = statuses.get(reply.status_code, 0) + 1
                content = reply.json()
                if reply.status_code == 200:
                    degraded += content["degraded"]
                    assert content["status"] in ("answered", "partial", "not_in_knowledge_base")
                    assert content["citations"] or content["status"] == "not_in_knowledge_base"
                else:
                    assert content["code"]
                    assert content["detail"]

        tasks = len(asyncio.all_tasks())
        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
        assert sum(statuses.values()) == REQUESTS
        assert statuses[200] > 0.95 * REQUESTS
        rows = await made.service.ledger.usage("model")
        bill = made.provider.bill
        assert sum(row.usage.input_tokens for row in rows) == sum(one.input_tokens for one in bill)
        assert sum(row.usage.output_tokens for row in rows) == sum(one.output_tokens for one in bill)
        assert sum(row.calls for row in rows) == len(made.provider.requests)
        assert len(asyncio.all_tasks()) - tasks <= CONNECTIONS  # connections that are kept alive
        assert not made.service.desk._open
    kept = _kept(tmp_path)
    assert b"answered" in kept
    assert b"sk-" not in kept
    assert KEY.encode() not in kept


def _kept(folder: Path) -> bytes:
    """All that the service wrote."""
    return b"".join(file.read_bytes() for file in folder.iterdir())
