"""The chat adapter over the real SDK: what is sent, what is read, and every way in which it goes wrong."""

from __future__ import annotations

import inspect
from decimal import Decimal

import httpx2
import openai
import pytest
from pydantic import BaseModel, Field, SecretStr

from service.adapters.openai_chat import OpenAIChat
from service.adapters.openai_client import make_client, translated
from service.adapters.pricing import CHAT_PRICES
from service.domain import Usage
from service.errors import ModelMalformed, ModelProblem, ModelRejected, ModelUnreachable

from ..fakes.openai_server import KEY, OpenAIServer, Reply, completion, failure
from ..small_index import settings_for


class Draft(BaseModel):
    """An answer, as the schema asks for it."""

    answer: str
    passages: list[int] = Field(default_factory=list)


async def ask(reply: Reply, key: str = KEY) -> object:
    """One completion from a server that gives this reply."""
    chat = OpenAIChat(OpenAIServer(reply).client(key), "gpt-6-luna", CHAT_PRICES)
    try:
        return await chat.complete("Why?", Draft)
    finally:
        await chat.close()


async def test_a_call_is_one_message_and_a_strict_schema() -> None:
    """The body is exactly the model, the prompt and the schema, with every field required; the key is in the header."""
    server = OpenAIServer(completion('{"answer": "Because."}'))
    chat = OpenAIChat(server.client(), "gpt-6-luna", CHAT_PRICES)
    await chat.complete("Why?", Draft)
    await chat.close()
    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    schema = {
        "type": "object",
        "title": "Draft",
        "description": "An answer, as the schema asks for it.",
        "properties": {
            "answer": {"title": "Answer", "type": "string"},
            "passages": {"title": "Passages", "type": "array", "items": {"type": "integer"}},
        },
        "required": ["answer", "passages"],
        "additionalProperties": False,
    }
    assert server.bodies == [
        {
            "model": "gpt-6-luna",
            "messages": [{"role": "user", "content": "Why?"}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "Draft", "strict": True, "schema": schema},
            },
        }
    ]


async def test_a_completion_has_text_usage_and_the_model_that_answered() -> None:
    """Tokens are counted as the provider counts them; cached ones are billed at their own rate."""
    server = OpenAIServer(completion('{"answer": "Because."}'))
    chat = OpenAIChat(server.client(), "gpt-6-luna", CHAT_PRICES)
    made = await chat.complete("Why?", Draft)
    assert made.text == '{"answer": "Because."}'
    assert made.usage == Usage(input_tokens=1000, cached_tokens=400, output_tokens=50)
    assert made.model == "gpt-6-luna-2026-10-01"
    assert chat.cost(made.usage) == Decimal("0.000089")  # 600 at 0.10, 400 at 0.01, 50 at 0.50 a million
    assert OpenAIChat(server.client(), "another-model", CHAT_PRICES).cost(made.usage) is None
    await chat.close()


async def test_a_server_that_leaves_out_usage_and_model_is_read_all_the_same() -> None:
    """Compatible servers leave fields out; nothing is counted, and the model is the one that was asked."""
    bare = httpx2.Response(200, json={"choices": [{"message": {"content": "{}"}}], "usage": {}})
    server = OpenAIServer(bare)
    chat = OpenAIChat(server.client(), "local-model", CHAT_PRICES)
    made = await chat.complete("Why?", Draft)
    assert (made.text, made.usage, made.model) == ("{}", Usage(), "local-model")
    await chat.close()


def answer(body: object) -> httpx2.Response:
    """Any JSON, as a success."""
    return httpx2.Response(200, json=body)


FAILURES: dict[str, tuple[Reply, type[ModelProblem], str]] = {
    "a refusal": (completion(None, refusal="I will not."), ModelRejected, "refused to answer: I will not."),
    "a cut answer": (completion('{"answer": "Bec', "length"), ModelMalformed, "cut (length)"),
    "a filtered answer": (completion("", "content_filter"), ModelMalformed, "cut (content_filter)"),
    "an empty answer": (completion(""), ModelMalformed, "empty answer"),
    "no answer": (completion(None), ModelMalformed, "empty answer"),
    "no choices": (answer({"choices": []}), ModelMalformed, "no choice"),
    "an error as a success": (answer({"error": {"message": KEY}}), ModelMalformed, "OPENAI_BASE_URL"),
    "a choice without a message": (answer({"choices": [{}]}), ModelMalformed, "without a message"),
    "choices that are text": (answer({"choices": "yes"}), ModelMalformed, "without a message"),
    "another JSON": (answer([1, 2]), ModelMalformed, "OPENAI_BASE_URL"),
    "a web page": (httpx2.Response(200, html="<html>It works!"), ModelMalformed, "OPENAI_BASE_URL"),
    "half a JSON": (
        httpx2.Response(200, text='{"choices"', headers={"Content-Type": "application/json"}),
        ModelMalformed,
        "OPENAI_BASE_URL",
    ),
    "a wrong key": (failure(401, "invalid_api_key"), ModelRejected, "401 (invalid_api_key)"),
    "a key without rights": (failure(403), ModelRejected, "403"),
    "an unknown model": (failure(404, "model_not_found"), ModelRejected, "404 (model_not_found)"),
    "a bad request": (failure(400, kind="invalid_request_error"), ModelRejected, "400 (invalid_request_error)"),
    "no money left": (failure(429, "insufficient_quota"), ModelRejected, "insufficient_quota"),
    "no money left, by type": (failure(429, kind="insufficient_quota"), ModelRejected, "insufficient_quota"),
    "a rate limit": (failure(429, "rate_limit_exceeded"), ModelUnreachable, "429 (rate_limit_exceeded)"),
    "a conflict": (failure(409), ModelUnreachable, "409"),
    "an upstream timeout": (failure(408), ModelUnreachable, "408"),
    "a server error": (failure(500), ModelUnreachable, "500"),
    "an overloaded server": (httpx2.Response(503, text="busy"), ModelUnreachable, "503"),
    "a timeout": (httpx2.ReadTimeout("slow"), ModelUnreachable, "did not answer in time"),
    "a timeout of the connection": (httpx2.ConnectTimeout("slow"), ModelUnreachable, "did not answer in time"),
    "no connection": (httpx2.ConnectError("refused"), ModelUnreachable, "cannot be reached"),
    "a cut connection": (httpx2.RemoteProtocolError("cut"), ModelUnreachable, "cannot be reached"),
}


@pytest.mark.parametrize(("reply", "kind", "said"), FAILURES.values(), ids=FAILURES)
async def test_what_goes_wrong_is_named_without_the_key(reply: Reply, kind: type[ModelProblem], said: str) -> None:
    """Each failure is its own error with a line for people, in which the key never stands."""
    with pytest.raises(ModelProblem) as raised:
        await ask(reply)
    assert type(raised.value) is kind
    assert said in str(raised.value)
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_key_with_a_character_that_no_header_takes_is_named_and_not_shown() -> None:
    """A key pasted with typographic quotes: an error of ours, whose causes do not hold the key either."""
    with pytest.raises(ModelRejected, match="the key or the text has a character that cannot be sent") as raised:
        await ask(completion("{}"), key="“sk-secret”")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


async def test_the_sdk_does_not_retry() -> None:
    """One failure is one request: retries are decided in one place, and that is not the SDK."""
    server = OpenAIServer(failure(500))
    chat = OpenAIChat(server.client(), "gpt-6-luna", CHAT_PRICES)
    with pytest.raises(ModelUnreachable):
        await chat.complete("Why?", Draft)
    assert len(server.requests) == 1
    await chat.close()


async def test_a_client_is_made_as_the_settings_say() -> None:
    """Address, key and timeout come from the settings, without retries; a server without a key gets a placeholder."""
    settings = settings_for(
        ".", openai_api_key=SecretStr(KEY), openai_base_url="http://models.test/v1", model_timeout_seconds=7
    )
    client = make_client(settings)
    assert (str(client.base_url), client.api_key) == ("http://models.test/v1/", KEY)
    assert (client.timeout, client.max_retries) == (7, 0)
    await client.close()
    local = make_client(settings_for(".", openai_base_url="http://models.test/v1"))
    assert local.api_key == "not-needed"
    await local.close()


def test_every_error_of_the_sdk_is_translated() -> None:
    """None of the vendor's classes of error gets out as itself, also none that a later version adds."""
    request = httpx2.Request("POST", "http://openai.test")
    response = httpx2.Response(418, request=request)
    made = {
        "message": "m",
        "request": request,
        "response": response,
        "body": None,
        "completion": openai.types.Completion.model_construct(usage=None),
        "unsent_data": [],
        "code": 1000,
        "reason": "",
        "max_size": 1,
    }
    named = (getattr(openai, name) for name in openai.__all__ if name.endswith("Error"))
    kinds = {kind for kind in named if issubclass(kind, openai.OpenAIError)}
    assert len(kinds) > 15
    for kind in kinds:
        wanted = list(inspect.signature(kind.__init__).parameters.values())[1:]
        positional = [made[one.name] for one in wanted if one.kind is one.POSITIONAL_OR_KEYWORD and one.name in made]
        keywords = {one.name: made[one.name] for one in wanted if one.kind is one.KEYWORD_ONLY and one.name in made}
        with pytest.raises(ModelProblem), translated("the model"):
            raise kind(*positional, **keywords)
