"""The one place that makes an OpenAI client: for OpenAI and for every server that speaks its API.

The SDK's own retries are off: it retries what cannot succeed and knows no deadline.
"""

from __future__ import annotations

import openai

from service.settings import Settings

_NO_KEY = "not-needed"  # local servers want no key, but the SDK insists on one
_CONNECT_SECONDS = 10.0


def make_client(settings: Settings) -> openai.AsyncOpenAI:
    """A client for the configured server. A connection has ten seconds, each silence within a reply the whole time."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else _NO_KEY
    seconds = settings.model_timeout_seconds
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=str(settings.openai_base_url) if settings.openai_base_url else None,
        timeout=openai.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS)),
        max_retries=0,
    )


def server_of(settings: Settings) -> str:
    """The server's name, as fingerprints and breakers know it."""
    return str(settings.openai_base_url.host) if settings.openai_base_url else "openai"
