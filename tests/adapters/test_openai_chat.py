"""The chat adapter over the real SDK: what is sent, what is read, and every way in which one request can end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest
from pydantic import SecretStr

from service.adapters.openai_chat import FORM_REFUSED, OpenAIChat
from service.adapters.openai_client import make_client, server_of
from service.adapters.openai_errors import failure as failure_of
from service.adapters.openai_errors import retry_after
from service.domain import Answered, CutByLength, Failed, Filtered, Malformed, Outcome, Refused, TextDelta, Usage

from ..fakes.openai_server import KEY, USED, OpenAIServer, Reply, chunk, completion, failure, streamed
from ..fakes.played_model import call, said
from ..small_index import settings_for

TEXT = '{"answer": "Because — naïvely.", "passages": [1]}'
WIRE = (
    '{"model":"gpt-6-luna","stream":true,"messages":[{"role":"system","content":"Answer."},{"role":"user","content":"Why?"}],'
    '"max_completion_tokens":500,'
    '"response_format":{"type":"json_schema","json_schema":{"name":"Draft","strict":true,"schema":'
    '{"description":"An answer, as a schema asks for it.","properties":{"answer":{"title":"Answer","type":"string"},'
    '"passages":{"items":{"type":"integer"},"title":"Passages","type":"array"}},"required":["answer","passages"],'
    '"title":"Draft","type":"object","additionalProperties":false}}},'
    '"stream_options":{"include_usage":true}}'
)


def chat_over(*replies: Reply, key: str = KEY) -> tuple[OpenAIServer, OpenAIChat]:
    """The adapter and the server behind it."""
    server = OpenAIServer(*replies)
    return server, OpenAIChat(server.client(key), "gpt-6-luna")


async def ended(*replies: Reply, key: str = KEY) -> Outcome:
    """How one call ends."""
    _, chat = chat_over(*replies, key=key)
    try:
        return (await said(chat))[1]
    finally:
        await chat.close()


async def test_what_goes_over_the_wire() -> None:
    """The request, byte for byte: model, messages, limit, strict schema, and a stream that ends with the usage."""
    server, chat = chat_over(completion(TEXT))
    await said(chat)
    (request,) = server.requests
    assert request.content.decode() == WIRE
    assert (request.method, str(request.url)) == ("POST", "http://openai.test/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    await chat.close()


async def test_an_answer_is_its_pieces_then_the_whole_with_what_the_provider_counted() -> None:
    """Cached and written tokens are told apart; the model is the one that answered."""
    server, chat = chat_over(completion(TEXT))
    pieces, outcome = await said(chat)
    assert (len(pieces), "".join(pieces)) == (2, TEXT)
    used = Usage(input_tokens=1000, cached_tokens=400, cache_write_tokens=100, output_tokens=50)
    assert outcome == Answered(model="gpt-6-luna-2026-10-01", text=TEXT, usage=used)
    assert (chat.name, len(server.requests)) == ("gpt-6-luna", 1)
    await chat.close()


async def test_a_character_that_is_cut_between_two_packets_arrives_whole() -> None:
    """The text comes byte by byte; no piece holds half a character."""

    async def slowly() -> AsyncIterator[bytes]:
        whole = completion(TEXT.replace("—", "— 🙂")).content
        for at in range(len(whole)):
            yield whole[at : at + 1]

    reply = httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=slowly())
    _, chat = chat_over(reply)
    pieces, outcome = await said(chat)
    assert isinstance(outcome, Answered)
    assert "".join(pieces) == outcome.text == TEXT.replace("—", "— 🙂")
    await chat.close()


REPLIES: dict[str, tuple[Reply, type[Outcome], str]] = {
    "a refusal": (
        streamed(chunk(delta=None) | {"choices": [{"delta": {"refusal": "I will "}}]},
                 chunk() | {"choices": [{"delta": {"refusal": "not."}, "finish_reason": "stop"}]}),
        Refused, "I will not.",
    ),
    "a cut answer": (completion(TEXT[:20], "length"), CutByLength, ""),
    "a filtered answer": (completion(TEXT[:20], "content_filter"), Filtered, ""),
    "an empty answer": (completion(""), Malformed, "the text is empty"),
    "another schema": (completion('{"answer": 1}'), Malformed, "answer: Input should be a valid string; passages: Fi"),
    "no JSON": (completion("Because."), Malformed, "the text: Invalid JSON"),
    "no choices": (streamed(chunk() | {"choices": []}), Malformed, "no choice came"),
    "choices that are null": (streamed({"choices": None}), Malformed, "no choice came"),
    "choices that are text": (streamed({"choices": "yes"}), Malformed, "no part of a completion"),
    "a choice that is none": (streamed({"choices": [7]}), Malformed, "no part of a completion"),
    "a piece that is a number": (streamed(chunk(7)), Malformed, "no part of a completion"),
    "a list": (streamed([1, 2]), Malformed, "no part of a completion"),
    "half a JSON": (streamed('{"choices": ['), Malformed, "no part of a completion"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "kind", "detail"), REPLIES.values(), ids=REPLIES)
async def test_every_ending_of_a_stream_is_a_type_of_its_own(reply: Reply, kind: type[Outcome], detail: str) -> None:
    """The detail says what is wrong, in one line, without repeating the text."""
    outcome = await ended(reply)
    assert type(outcome) is kind
    assert outcome.detail.startswith(detail) or detail in outcome.detail
    assert "\n" not in outcome.detail


async def test_what_came_of_a_cut_answer_is_kept() -> None:
    """Its text and its usage, for who can use them."""
    outcome = await ended(completion(TEXT[:20], "length"))
    assert (outcome.text, outcome.usage and outcome.usage.output_tokens) == (TEXT[:20], 50)


FAILURES: dict[str, tuple[Reply, str, bool, str]] = {
    "a wrong key": (failure(401, "invalid_api_key"), "model_unauthorized", False, "401 (invalid_api_key)"),
    "a key without rights": (failure(403), "model_rejected", False, "403 (no code)"),
    "an unknown model": (failure(404, "model_not_found"), "model_rejected", False, "404 (model_not_found)"),
    "a bad request": (
        failure(400, "unsupported_value", param="temperature"),
        "model_rejected", False, "400 (unsupported_value, parameter temperature)",
    ),
    "no credit left": (failure(429, "insufficient_quota"), "model_quota", False, "out of credit"),
    "no credit left, by type": (failure(429, kind="insufficient_quota"), "model_quota", False, "out of credit"),
    "payment required": (failure(402), "model_quota", False, "402"),
    "a rate limit": (failure(429, "rate_limit_exceeded"), "model_overloaded", True, "429 (rate_limit_exceeded)"),
    "a conflict": (failure(409), "model_overloaded", True, "409"),
    "an upstream timeout": (failure(408), "model_timeout", True, "408"),
    "a gateway's timeout": (failure(504), "model_timeout", True, "504"),
    "a server error": (failure(500), "model_overloaded", True, "500"),
    "a server that says it is no use": (
        failure(500, headers={"x-should-retry": "false"}), "model_rejected", False, "500",
    ),
    "an overloaded server": (httpx2.Response(503, text="busy"), "model_overloaded", True, "503"),
    "not implemented": (failure(501), "model_rejected", False, "501"),
    "a key in the code": (failure(400, KEY), "model_rejected", False, "400 (no code)"),
    "a web page": (httpx2.Response(200, html="<html>It works!"), "model_rejected", False, "and not with a stream"),
    "no connection": (httpx2.ConnectError("refused"), "model_unreachable", True, "cannot be reached"),
    "no connection in time": (httpx2.ConnectTimeout("slow"), "model_timeout", True, "did not answer in time"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "code", "passing", "detail"), FAILURES.values(), ids=FAILURES)
async def test_a_call_that_was_not_served_says_why_and_used_nothing(
    reply: Reply, code: str, passing: bool, detail: str
) -> None:
    """A stable code, whether it may pass, a line for people without the key, and no usage to pay for."""
    outcome = await ended(reply)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing, outcome.begun, outcome.usage) == (code, passing, False, Usage())
    assert detail in outcome.detail
    assert KEY not in repr(outcome)
    assert "sk-" not in repr(outcome)


BROKEN: dict[str, tuple[Reply, str, bool]] = {
    "silence": (httpx2.ReadTimeout("slow"), "model_timeout", False),
    "a cut connection": (httpx2.RemoteProtocolError("cut"), "model_unreachable", False),
    "an end without a word": (streamed(done=False), "model_unreachable", False),
    "an end without a finish": (streamed(chunk(TEXT)), "model_unreachable", True),
    "an error in the stream": (
        streamed(chunk(TEXT[:9]), {"error": {"message": KEY, "type": "server_error"}}), "model_overloaded", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "code", "begun"), BROKEN.values(), ids=BROKEN)
async def test_a_call_that_broke_off_may_have_cost_something(reply: Reply, code: str, begun: bool) -> None:
    """Its usage is unknown; whether text had come is told."""
    outcome = await ended(reply)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing, outcome.begun, outcome.usage) == (code, True, begun, None)
    assert "sk-" not in repr(outcome)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "insufficient_quota"}, "model_quota"),
        ({"type": "invalid_request_error", "code": "context_length_exceeded"}, "model_rejected"),
    ],
)
async def test_an_error_event_that_will_not_pass_is_told_from_one_that_may(error: dict[str, str], code: str) -> None:
    """It is read as an error status would be."""
    outcome = await ended(streamed({"error": {"message": "no"} | error}))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing) == (code, False)


async def test_an_answer_whose_connection_breaks_before_the_usage_is_an_answer() -> None:
    """What the reader came for is whole; only its cost is not known."""

    async def cut() -> AsyncIterator[bytes]:
        yield streamed(chunk(TEXT), chunk(finish_reason="stop"), done=False).content
        raise httpx2.ReadError("cut")

    outcome = await ended(httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=cut()))
    assert (type(outcome), outcome.text, outcome.usage) == (Answered, TEXT, None)


async def test_a_usage_that_does_not_come_is_not_waited_for_long() -> None:
    """The stream stays open after the last word: the reader has the answer all the same."""

    async def silent() -> AsyncIterator[bytes]:
        yield streamed(chunk(TEXT), chunk(finish_reason="stop"), done=False).content
        await asyncio.Event().wait()

    reply = httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=silent())
    chat = OpenAIChat(OpenAIServer(reply).client(), "gpt-6-luna", usage_seconds=0.05)
    _, outcome = await said(chat, call(600))
    assert (type(outcome), outcome.usage) == (Answered, None)
    await chat.close()


async def test_servers_that_leave_things_out_are_read_all_the_same() -> None:
    """No model, no usage, a null delta, an unknown finish_reason: the text counts."""
    outcome = await ended(
        streamed(
            {"choices": [{"delta": None}]},
            {"choices": [{"delta": {"content": TEXT}}], "usage": {}},
            {"choices": [{"finish_reason": "eos"}]},
        )
    )
    assert outcome == Answered(model="gpt-6-luna", text=TEXT)


async def test_a_refused_form_is_remembered_and_the_next_call_goes_right_away() -> None:
    """Each refusal is an outcome of its own; what was learned holds for every later call of this object."""
    refusals = [failure(400, "unsupported_parameter", param=name) for name in ("response_format", "stream_options")]
    server, chat = chat_over(*refusals, completion(TEXT))
    codes = [outcome.code for outcome in [(await said(chat))[1] for _ in range(4)] if isinstance(outcome, Failed)]
    assert codes == [FORM_REFUSED, FORM_REFUSED]
    assert [body.get("response_format", {}).get("type") for body in server.bodies] == [
        "json_schema",
        *["json_object"] * 3,
    ]
    assert ["stream_options" in body for body in server.bodies] == [True, True, False, False]
    assert "max_completion_tokens" in server.bodies[3]
    assert len(chat.sent(call())[0][0].content) > len("Answer.")
    await chat.close()


async def test_calls_that_are_refused_at_the_same_time_take_one_step() -> None:
    """Fifty calls that all meet the same refusal do not push the form down fifty times."""
    server = OpenAIServer(
        lambda request: (
            completion(TEXT)
            if json.loads(request.content)["response_format"]["type"] == "json_object"
            else failure(400, param="response_format")
        )
    )
    chat = OpenAIChat(server.client(), "gpt-6-luna")
    first = await asyncio.gather(*(said(chat) for _ in range(50)))
    assert {type(outcome) for _, outcome in first} == {Failed}
    second = await asyncio.gather(*(said(chat) for _ in range(50)))
    assert {type(outcome) for _, outcome in second} == {Answered}
    await chat.close()


async def test_calls_at_the_same_time_that_meet_different_refusals_learn_both() -> None:
    """Whichever is read last does not undo what the other one learned."""
    sent = 0

    def refuse(request: httpx2.Request) -> httpx2.Response:
        nonlocal sent
        sent += 1
        if sent > 2:
            return completion(TEXT)
        return failure(400, param="response_format" if sent == 1 else "stream_options")

    server, chat = chat_over(refuse)
    await asyncio.gather(said(chat), said(chat))
    assert server.bodies[0] == server.bodies[1]
    await said(chat)
    assert server.bodies[2]["response_format"] == {"type": "json_object"}
    assert "stream_options" not in server.bodies[2]
    await chat.close()


async def test_a_usage_that_came_before_the_stream_broke_is_the_providers_word() -> None:
    """Some servers send it with every chunk."""
    running = chunk(TEXT[:9], usage={"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23})
    outcome = await ended(streamed(running, {"error": {"message": "busy", "type": "server_error"}}))
    assert isinstance(outcome, Failed)
    assert outcome.usage == Usage(input_tokens=20, output_tokens=3)


async def test_a_server_on_which_the_schema_has_no_effect_is_told_it_in_words() -> None:
    """It took the schema and answered in plain words: from the next call on the schema is sent both ways."""
    server, chat = chat_over(completion("Because it is."), completion(TEXT))
    kinds = [type((await said(chat))[1]) for _ in range(3)]
    assert kinds == [Malformed, Answered, Answered]
    assert [body["response_format"]["type"] for body in server.bodies] == ["json_schema"] * 3
    assert ["JSON schema" in body["messages"][0]["content"] for body in server.bodies] == [False, True, True]
    await chat.close()


async def test_one_object_that_does_not_fit_changes_nothing() -> None:
    """The schema was understood, and missed."""
    server, chat = chat_over(completion('{"answer": 1}'), completion(TEXT))
    for _ in range(2):
        await said(chat)
    assert server.bodies[0] == server.bodies[1]
    await chat.close()


async def test_a_fence_around_the_object_is_taken_off() -> None:
    """Text that is merely asked for may come dressed; pieces and text are the object alone."""
    _, chat = chat_over(completion(f"Here:\n```json\n{TEXT}\n```"))
    pieces, outcome = await said(chat)
    assert isinstance(outcome, Answered)
    assert "".join(pieces) == outcome.text == TEXT
    await chat.close()


async def test_a_deadline_that_is_over_sends_nothing() -> None:
    """Nothing was used."""
    server, chat = chat_over(completion(TEXT))
    _, outcome = await said(chat, call(-1))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.usage, server.requests) == ("model_timeout", Usage(), [])
    await chat.close()


async def test_a_deadline_in_the_middle_of_the_stream_ends_it() -> None:
    """However lively the stream is, it ends with the request's time; what came is kept."""
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield streamed(chunk(TEXT[:9]), done=False).content
        try:
            while True:
                await asyncio.sleep(0.01)
                yield b": still here\n\n"
        finally:
            closed.set()

    _, chat = chat_over(httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=endless()))
    pieces, outcome = await said(chat, call(0.3))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.begun, outcome.text, pieces) == ("model_timeout", True, TEXT[:9], [TEXT[:9]])
    await asyncio.wait_for(closed.wait(), 10)
    await chat.close()


async def test_a_key_with_a_character_that_no_header_takes_is_named_and_not_shown() -> None:
    """A key pasted with typographic quotes."""
    outcome = await ended(completion(TEXT), key="“sk-secret”")
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.passing) == ("model_rejected", False)
    assert "the key has a character that cannot be sent" in outcome.detail
    assert "sk-" not in repr(outcome)


def test_every_error_of_the_sdk_becomes_a_failure() -> None:
    """None was forgotten: each class that the SDK can raise has a code, and its message is not repeated."""
    request = httpx2.Request("POST", "http://openai.test/v1")
    errors: list[Exception] = [
        openai.APITimeoutError(request),
        openai.APIConnectionError(message=KEY, request=request),
        openai.APIResponseValidationError(httpx2.Response(200, request=request), None),
        openai.APIError(KEY, request, body=None),
        openai.OpenAIError(KEY),
        UnicodeEncodeError("ascii", KEY, 0, 1, "no"),
    ]
    statuses = [
        kind
        for kind in list(vars(openai).values())
        if isinstance(kind, type) and issubclass(kind, openai.APIStatusError) and kind is not openai.OAuthError
    ]
    for kind in statuses:
        status = getattr(kind, "status_code", 500)
        response = httpx2.Response(status if isinstance(status, int) else 500, request=request)
        errors.append(kind(KEY, response=response, body=None))
    errors.append(openai.OAuthError(response=httpx2.Response(401, request=request), body=None))
    assert len(errors) > 12
    for error in errors:
        made = failure_of(error, "m", "the chat model m")
        assert made.code.startswith("model_"), error
        assert KEY not in repr(made)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds before seconds, a date in the past is now, and nonsense is nothing."""
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_is_told_in_seconds() -> None:
    """As HTTP words it."""
    asked = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)})
    assert asked is not None
    assert 60 < asked <= 90


async def test_the_wish_of_a_rate_limit_is_in_the_outcome() -> None:
    """For the policy to honour."""
    outcome = await ended(failure(429, headers={"retry-after": "12"}))
    assert isinstance(outcome, Failed)
    assert outcome.retry_after == 12.0


async def test_the_client_is_made_from_the_settings(tmp_path) -> None:
    """No retries of its own, our timeouts, and a key only where there is one."""
    settings = settings_for(tmp_path, openai_base_url="http://models.test/v1", openai_api_key=SecretStr(KEY))
    client = make_client(settings)
    assert (str(client.base_url), client.api_key, client.max_retries) == ("http://models.test/v1/", KEY, 0)
    assert client.timeout == openai.Timeout(60.0, connect=10.0)
    assert server_of(settings) == "models.test"
    await client.close()
    local = make_client(settings_for(tmp_path, openai_base_url="http://models.test/v1"))
    assert local.api_key == "not-needed"
    await local.close()
    assert server_of(settings_for(tmp_path)) == "openai"


def test_text_deltas_are_what_streams() -> None:
    """The port's own type, so that layers can tell text from an outcome."""
    assert not isinstance(TextDelta("x"), Outcome)


def test_the_usage_chunk_is_as_openai_sends_it() -> None:
    """The fake is held to the SDK's own type."""
    assert openai.types.chat.ChatCompletionChunk.model_validate(USED).usage is not None
