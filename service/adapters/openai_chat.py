"""Chat Completions with a strict JSON schema: the form that OpenAI and all compatible servers honour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from openai import AsyncOpenAI
from openai.lib._pydantic import to_strict_json_schema
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from pydantic import BaseModel

from service.adapters.openai_client import translated
from service.adapters.pricing import Price
from service.domain import Usage
from service.errors import ModelMalformed, ModelRejected
from service.ports import Completion


class OpenAIChat:
    """A `ChatModel` over the openai SDK."""

    def __init__(self, client: AsyncOpenAI, model: str, prices: Mapping[str, Price]) -> None:
        self._client = client
        self._prices = prices
        self.name = model

    async def complete(self, prompt: str, schema: type[BaseModel]) -> Completion:
        """One call; cut, refused and empty outputs are errors of their own."""
        with translated(f"the chat model {self.name}"):
            response = await self._client.chat.completions.create(
                model=self.name,
                messages=[{"role": "user", "content": prompt}],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": schema.__name__, "strict": True, "schema": to_strict_json_schema(schema)},
                },
            )
        choice = _choice(response)
        if choice.message.refusal:
            raise ModelRejected(f"the chat model refused to answer: {choice.message.refusal[:200]}")
        if choice.finish_reason in ("length", "content_filter"):
            raise ModelMalformed(f"the chat model's answer was cut ({choice.finish_reason})")
        if not choice.message.content:
            raise ModelMalformed("the chat model returned an empty answer")
        return Completion(choice.message.content, _usage(response.usage), response.model or self.name)

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars by the price table; None for a model that is not in it."""
        price = self._prices.get(self.name)
        return price.of(usage) if price else None

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()


def _choice(response: ChatCompletion) -> Choice:
    """The first choice. The SDK checks nothing: what is no completion arrives as text, or with fields missing."""
    choices = response.choices if isinstance(response, ChatCompletion) else None
    if not choices:
        raise ModelMalformed("the chat model returned no choice; check OPENAI_BASE_URL")
    if not isinstance(choices[0], Choice) or not isinstance(choices[0].message, ChatCompletionMessage):
        raise ModelMalformed("the chat model returned a choice without a message; check OPENAI_BASE_URL")
    return choices[0]


def _usage(used: CompletionUsage | None) -> Usage:
    """Tokens; nought where a server leaves them out."""
    if used is None:
        return Usage()
    details = used.prompt_tokens_details
    return Usage(
        input_tokens=used.prompt_tokens or 0,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        output_tokens=used.completion_tokens or 0,
    )
