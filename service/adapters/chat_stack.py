"""The layers of a chat model, in their order, from the outside in.

    fallback → retrying → breaker → stepping down → metering → one HTTP request

- Metering is next to the request, so that every request that could be billed has a row of its own.
- Stepping down is right above it: a refused form is no fault of the upstream, which neither the breaker nor the
  policy of retries should hear of; only its bill is passed on.
- The breaker is below the retries: each attempt counts, and once it opens, the retries stop at once.
- The fallback is outermost: it has the primary's last word. Each model has layers of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openai import AsyncOpenAI

from service.adapters.bookkeeping import Bookkeeper
from service.adapters.breaker import Breaker, BreakingChat
from service.adapters.fallback import FallbackChat
from service.adapters.metering import MeteredChat
from service.adapters.openai_chat import OpenAIChat
from service.adapters.openai_client import make_client
from service.adapters.pricing import load_prices
from service.adapters.retry_policy import ANSWER, RetryPolicy, Sleep
from service.adapters.retrying import RetryingChat
from service.adapters.stepping_down import SteppingDownChat
from service.domain import Budgets
from service.ports import ChatModel, Ledger
from service.settings import Settings


def make_chat_model(
    settings: Settings,
    ledger: Ledger,
    budgets: Budgets,
    *,
    client: AsyncOpenAI | None = None,
    policy: RetryPolicy = ANSWER,
    sleep: Sleep = asyncio.sleep,
    breaker: Callable[[], Breaker] = Breaker,
) -> ChatModel:
    """The configured model, and the fallback behind it where one is named.

    Tests give a `client`, a `sleep` that does not, and makers of breakers that open sooner.

    Raises:
        BadSetting: MASTERY_PRICES is wrong.
    """
    client = client or make_client(settings)
    books = Bookkeeper(ledger, budgets, load_prices(settings.prices))

    def layers(model: str) -> ChatModel:
        metered = MeteredChat(OpenAIChat(client, model), books)
        return RetryingChat(BreakingChat(SteppingDownChat(metered), breaker()), policy, sleep)

    primary = layers(settings.chat_model)
    if settings.fallback_model in (None, settings.chat_model):
        return primary
    assert settings.fallback_model is not None
    return FallbackChat(primary, layers(settings.fallback_model))
