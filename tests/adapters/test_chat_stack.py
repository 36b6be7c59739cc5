"""The whole stack behind the chat port against a provider on loopback: what comes out, and what the ledger shows.

The provider counts for itself what it served; after every test its bill and the ledger must agree to the last token.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from service.adapters.breaker import Breaker
from service.adapters.chat_stack import make_chat_model
from service.adapters.openai_client import make_client
from service.adapters.retry_policy import RetryPolicy
from service.domain import (
    Answered,
    Budgets,
    CutByLength,
    Failed,
    Filtered,
    Malformed,
    Outcome,
    Refused,
    TextDelta,
    Usage,
)
from service.errors import BadSetting, RequestTooCostly
from service.ports import ChatModel
from service.settings import Settings

from ..fakes.ledger import FakeLedger
from ..fakes.played_model import Sleeps, call, said
from ..fakes.upstream import Provider, Reply, always, by_chance, in_turn, named
from ..fakes.upstream.reply import KEY
from ..small_index import settings_for
from ..waiting import until

TEXT = '{"answer": "Because — naïvely. 🙂", "passages": [1, 2]}'
WELL = Reply(text=TEXT)


class Stack:
    """A provider, a ledger, and the stack between them."""

    def __init__(self, provider: Provider, url: str, folder: Path) -> None:
        self.provider = provider
        self.ledger = FakeLedger()
        self.sleeps = Sleeps()
        self._settings: dict[str, Any] = {"openai_base_url": url, "openai_api_key": SecretStr(KEY)}
        self._folder = folder
        self._models: list[ChatModel] = []

    def settings(self, **settings: Any) -> Settings:
        """Settings for the provider."""
        return settings_for(self._folder, **self._settings | settings)

    def model(
        self, policy: RetryPolicy | None = None, breaker: Callable[[], Breaker] | None = None, **settings: Any
    ) -> ChatModel:
        """A stack by these settings; its retries do not really wait."""
        given = self.settings(**settings)
        more: dict[str, Any] = {"policy": policy} if policy else {}
        more |= {"breaker": breaker} if breaker else {}
        self._models.append(make_chat_model(given, self.ledger, Budgets(), sleep=self.sleeps, **more))
        return self._models[-1]

    async def closed(self) -> None:
        """Everything that was made, shut."""
        for model in self._models:
            await model.close()

    async def noticed(self) -> None:
        """The provider is done with every request."""
        await until(lambda: all(request.over for request in self.provider.requests))

    def agree(self) -> None:
        """The ledger and the provider count the same."""
        bill, used = self.provider.bill, self.ledger.used
        assert used.input_tokens == sum(one.input_tokens for one in bill)
        assert used.cached_tokens == sum(one.cached_tokens for one in bill)
        assert used.output_tokens == sum(one.output_tokens for one in bill)
        assert None not in self.ledger.outcomes


@pytest_asyncio.fixture
async def stack(upstream: tuple[Provider, str], tmp_path: Path) -> AsyncIterator[Stack]:
    """Over the provider; at the end the books must agree and no task may be left."""
    provider, url = upstream
    made = Stack(provider, url, tmp_path)
    yield made
    await made.closed()
    await made.noticed()
    made.agree()
    gc.collect()
    await asyncio.sleep(0)
    mine = asyncio.current_task()
    await until(lambda: not [task for task in asyncio.all_tasks() if task is not mine and not _of_pytest(task)])


def _of_pytest(task: asyncio.Task[Any]) -> bool:
    return "pytest_asyncio" in repr(task.get_coro()) or "fixture" in repr(task.get_coro())


OUTCOMES: dict[str, tuple[str | Reply, type[Outcome], str]] = {
    "an answer": (WELL, Answered, "answered"),
    "an answer from the cache": (Reply(text=TEXT, cached=5), Answered, "answered"),
    "an answer without usage": (Reply(text=TEXT, usage=False), Answered, "answered"),
    "an answer in single bytes": (Reply(text=TEXT, split=1, piece=1), Answered, "answered"),
    "a refusal": ("refusal", Refused, "refused"),
    "a refusal without usage": (Reply(refusal="I will not.", usage=False), Refused, "refused"),
    "a cut answer": ("length", CutByLength, "cut_by_length"),
    "a filtered answer": ("content-filter", Filtered, "filtered"),
    "another schema": ("wrong-schema", Malformed, "malformed"),
    "no JSON": ("not-json", Malformed, "malformed"),
    "no JSON, without usage": (Reply(text="I would rather not.", usage=False), Malformed, "malformed"),
    "no choices": ("empty-choices", Malformed, "malformed"),
    "no text": ("empty-text", Malformed, "malformed"),
    "broken events": ("malformed-json", Malformed, "malformed"),
}


@pytest.mark.parametrize(("reply", "kind", "booked"), OUTCOMES.values(), ids=OUTCOMES)
async def test_what_the_model_says_is_one_call_and_one_row(
    stack: Stack, reply: str | Reply, kind: type[Outcome], booked: str
) -> None:
    """Nothing of it is tried again here, and all of it is paid for."""
    stack.provider.play(named(reply) if isinstance(reply, str) else always(reply))
    pieces, outcome = await said(stack.model())
    assert type(outcome) is kind
    assert (stack.ledger.outcomes, outcome.bill.calls, len(stack.provider.requests)) == ([booked], 1, 1)
    assert outcome.bill.usage == stack.ledger.used
    assert outcome.bill.cost == stack.ledger.settlements[0].cost
    assert outcome.bill.cost is not None
    assert outcome.bill.cost > 0
    if kind is Answered:
        assert "".join(pieces) == outcome.text == TEXT


FAILURES: dict[str, tuple[str, str, int]] = {
    "401": ("401", "model_unauthorized", 1),
    "403": ("403", "model_rejected", 1),
    "404": ("404", "model_rejected", 1),
    "408": ("408", "model_timeout", 3),
    "409": ("409", "model_overloaded", 3),
    "429": ("429", "model_overloaded", 3),
    "429, now": ("429-now", "model_overloaded", 3),
    "429, soon": ("429-soon", "model_overloaded", 3),
    "429, in an hour": ("429-later", "model_overloaded", 1),
    "no credit": ("insufficient-quota", "model_quota", 1),
    "500": ("500", "model_overloaded", 3),
    "503": ("503", "model_overloaded", 3),
    "cut before the first byte": ("cut-before", "model_unreachable", 3),
    "cut in the middle": ("cut", "model_unreachable", 1),
    "no finish": ("no-finish", "model_unreachable", 1),
    "an error event": ("error-event", "model_overloaded", 3),
    "a web page": ("web-page", "model_rejected", 1),
}


@pytest.mark.parametrize(("script", "code", "calls"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_is_tried_again_only_where_that_can_help(
    stack: Stack, script: str, code: str, calls: int
) -> None:
    """Each try is a request and a row; what was not served costs nothing, and the key is in no outcome."""
    stack.provider.play(named(script))
    _, outcome = await said(stack.model())
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.bill.calls, len(stack.provider.requests)) == (code, calls, calls)
    assert stack.ledger.outcomes == ["failed"] * calls
    assert [row.call.attempt for row in stack.ledger.rows.values()] == list(range(1, calls + 1))
    assert outcome.bill.usage == stack.ledger.used
    assert "sk-" not in repr(outcome) + repr(stack.ledger.rows)
    assert all(seconds >= 2.0 for seconds in stack.sleeps.slept) or script != "429-soon"


async def test_after_passing_failures_the_answer_is_what_the_reader_sees(stack: Stack) -> None:
    """Three requests, one text."""
    stack.provider.play(in_turn(named("429-now")(0, {}), named("cut-before")(0, {}), WELL))
    pieces, outcome = await said(stack.model())
    assert ("".join(pieces), type(outcome)) == (TEXT, Answered)
    assert stack.ledger.outcomes == ["failed", "failed", "answered"]


async def test_no_connection_costs_nothing(stack: Stack, unused_tcp_port: int) -> None:
    """Nobody listens: three rows of nothing."""
    _, outcome = await said(stack.model(openai_base_url=f"http://127.0.0.1:{unused_tcp_port}/v1"))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.bill.calls, outcome.bill.cost) == ("model_unreachable", 3, 0)
    assert stack.provider.requests == []


@pytest.mark.parametrize(("after", "begun"), [(0, False), (3, True)], ids=["before the first word", "in the middle"])
async def test_a_silence_ends_with_the_models_timeout(stack: Stack, after: int, begun: bool) -> None:
    """What had come is told; where nothing had, it is tried again. The provider sees that nobody waits any longer."""
    stack.provider.play(always(Reply(text=TEXT, stall_after=after)))
    policy = RetryPolicy(attempts=2, first_wait=0, longest_wait=0, longest_wish=0)
    _, outcome = await said(stack.model(policy, model_timeout_seconds=0.3))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.begun, outcome.bill.calls) == ("model_timeout", begun, 1 if begun else 2)
    await stack.noticed()
    assert [request.left for request in stack.provider.requests] == [True] * outcome.bill.calls


async def test_one_deadline_holds_for_all_tries(stack: Stack) -> None:
    """A slow provider is not asked again once the request's time is over."""
    stack.provider.play(always(Reply(text=TEXT, stall_after=0)))
    _, outcome = await said(stack.model(), call(0.5))
    assert isinstance(outcome, Failed)
    assert (outcome.code, len(stack.provider.requests)) == ("model_timeout", 1)
    await stack.noticed()


async def test_a_slow_first_word_is_waited_for(stack: Stack) -> None:
    """Within the timeout, slowness is no failure."""
    stack.provider.play(always(Reply(text=TEXT, delay=0.3, gap=0.01)))
    _, outcome = await said(stack.model())
    assert isinstance(outcome, Answered)


async def test_closing_the_stream_closes_the_connection_and_books_what_came(stack: Stack) -> None:
    """A reader leaves in the middle: the provider notices, and both count what was written until then."""
    stack.provider.play(always(Reply(text=TEXT, stall_after=3)))
    async with aclosing(stack.model().stream(call())) as items:
        seen = [await anext(items) for _ in range(3)]
    assert seen == [TextDelta(TEXT[at : at + 12]) for at in (0, 12, 24)]
    assert stack.ledger.outcomes == ["cancelled"]
    await stack.noticed()
    assert [request.left for request in stack.provider.requests] == [True]


async def test_a_cancelled_task_closes_the_connection_too(stack: Stack) -> None:
    """While the provider is silent before its first word."""
    stack.provider.play(always(Reply(text=TEXT, stall_after=0)))
    task = asyncio.ensure_future(said(stack.model()))
    await until(lambda: bool(stack.provider.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stack.ledger.outcomes == ["cancelled"]
    await stack.noticed()


STEPS: dict[str, tuple[tuple[str, ...], int]] = {
    "the schema": (("json_schema",), 1),
    "any format": (("response_format",), 2),
    "stream options": (("stream_options",), 1),
    "the limit's new name": (("max_completion_tokens",), 1),
}


@pytest.mark.parametrize(("refuses", "steps"), STEPS.values(), ids=STEPS)
async def test_a_server_that_knows_less_is_met_step_by_step_once(
    stack: Stack, refuses: tuple[str, ...], steps: int
) -> None:
    """The first call takes the steps, each a row that cost nothing; the second goes right away."""
    stack.provider.play(always(Reply(text=TEXT, refuses=refuses)))
    model = stack.model()
    _, first = await said(model)
    _, second = await said(model)
    assert (type(first), first.text, type(second)) == (Answered, TEXT, Answered)
    assert (first.bill.calls, second.bill.calls) == (steps + 1, 1)
    assert stack.ledger.outcomes == ["failed"] * steps + ["answered", "answered"]
    assert stack.sleeps.slept == []


async def test_the_barest_server_answers_in_the_end(stack: Stack) -> None:
    """Neither formats nor usage nor the newer limit; the words that the schema takes are counted too."""
    refuses = ("response_format", "stream_options", "max_completion_tokens")
    stack.provider.play(always(Reply(text=TEXT, refuses=refuses)))
    pieces, outcome = await said(stack.model())
    assert (type(outcome), "".join(pieces), outcome.bill.calls) == (Answered, TEXT, 5)
    assert stack.provider.requests[-1].body.keys() == {"model", "messages", "max_tokens", "stream"}


async def test_a_server_that_keeps_failing_is_left_alone(stack: Stack) -> None:
    """After eight failures in a row nothing more is sent, and no caller waits."""
    stack.provider.play(named("503"))
    model = stack.model(breaker=lambda: Breaker(8, quiet=0))
    codes = []
    for _ in range(5):
        outcome = (await said(model))[1]
        assert isinstance(outcome, Failed)
        codes.append(outcome.code)
    assert codes == ["model_overloaded", "model_overloaded", *["model_circuit_open"] * 3]
    assert len(stack.provider.requests) == len(stack.ledger.rows) == 8


async def test_the_fallback_answers_where_the_primary_cannot(stack: Stack) -> None:
    """Its own tries, its own breaker, one bill; the outcome says who wrote."""
    stack.provider.play(lambda number, body: WELL if body["model"] == "gpt-6.1-terra" else named("503")(0, {}))
    model = stack.model(fallback_model="gpt-6.1-terra")
    pieces, outcome = await said(model)
    assert (model.name, outcome.model, "".join(pieces)) == ("gpt-6-luna", "gpt-6.1-terra-2026-10-01", TEXT)
    assert stack.ledger.outcomes == ["failed"] * 3 + ["answered"]
    assert [row.call.model for row in stack.ledger.rows.values()] == ["gpt-6-luna"] * 3 + ["gpt-6.1-terra"]
    assert [row.call.attempt for row in stack.ledger.rows.values()] == [1, 2, 3, 4]
    assert outcome.bill.calls == 4


async def test_a_fallback_that_is_the_model_itself_is_none(stack: Stack) -> None:
    """It would only fail a second time."""
    stack.provider.play(named("403"))
    await said(stack.model(fallback_model="gpt-6-luna"))
    assert len(stack.provider.requests) == 1


async def test_the_budget_is_asked_through_all_layers_before_anything_is_sent(stack: Stack) -> None:
    """A refusal is an error status then, and not half a stream."""
    model = make_chat_model(stack.settings(fallback_model="gpt-6.1-terra"), stack.ledger, Budgets(Decimal("0.0001")))
    with pytest.raises(RequestTooCostly):
        await model.afford(call())
    await model.close()
    assert (stack.provider.requests, stack.ledger.rows) == ([], {})


async def test_wrong_prices_stop_the_start(stack: Stack) -> None:
    """Before anything is asked."""
    with pytest.raises(BadSetting, match="MASTERY_PRICES"):
        stack.model(prices="cheap")


async def test_prices_by_setting_are_what_is_billed(stack: Stack) -> None:
    """Also for a model that the table does not know."""
    stack.provider.play(always(WELL))
    model = stack.model(chat_model="mine", prices='{"mine": {"input": 1000000, "output": 0}}')
    _, outcome = await said(model)
    assert outcome.bill.cost == Decimal(outcome.bill.usage.input_tokens)


async def test_a_thousand_calls_to_a_server_that_fails_three_in_ten(stack: Stack) -> None:
    """Fifty at a time: every call ends in an outcome, and the books agree with the provider's to the last token."""
    chance = by_chance(0.3, seed=7)
    stack.provider.play(lambda number, body: _short(chance(number, body)))
    model = stack.model(fallback_model="gpt-6.1-terra")
    gate = asyncio.Semaphore(50)

    async def one(number: int) -> Outcome:
        async with gate:
            return (await said(model, call(60, trace_id=f"trace-{number}")))[1]

    outcomes = await asyncio.gather(*(one(number) for number in range(1000)))
    answered = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
    assert len(outcomes) == 1000
    assert {type(outcome) for outcome in outcomes} <= {Answered, Failed}
    assert all(outcome.text == TEXT for outcome in answered)
    assert len(answered) > 950
    assert 1300 < len(stack.provider.requests) == len(stack.ledger.rows) == sum(one.bill.calls for one in outcomes)
    total = Usage()
    for outcome in outcomes:
        total += outcome.bill.usage
    assert total == stack.ledger.used
    assert "sk-" not in repr(outcomes) + repr(stack.ledger.rows)


def _short(reply: Reply) -> Reply:
    """The same reply with a short text."""
    return reply if reply.error else Reply(text=TEXT, cut_after=reply.cut_after, finish=reply.finish, usage=reply.usage)


async def test_the_client_of_the_stack_is_the_settings(
    stack: Stack, tmp_path: Path, upstream: tuple[Provider, str]
) -> None:
    """A client that is given is used; the key goes into the header and nowhere else."""
    stack.provider.play(always(WELL))
    settings = settings_for(tmp_path, openai_base_url=upstream[1], openai_api_key=SecretStr(KEY))
    client = make_client(settings)
    model = make_chat_model(settings, stack.ledger, Budgets(), client=client)
    await said(model)
    (request,) = stack.provider.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in request.raw
    await model.close()
    assert client.is_closed()
