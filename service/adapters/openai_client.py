"""The one place that makes an OpenAI client and translates its errors.

Works with OpenAI and with every server that speaks its API (`OPENAI_BASE_URL`). The SDK's own retries are off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import openai

from service.errors import ModelMalformed, ModelRejected, ModelUnreachable
from service.settings import Settings

_NO_KEY = "not-needed"  # local servers want no key, but the SDK insists on one


def make_client(settings: Settings) -> openai.AsyncOpenAI:
    """A client for the configured server."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else _NO_KEY
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=str(settings.openai_base_url) if settings.openai_base_url else None,
        timeout=settings.model_timeout_seconds,
        max_retries=0,
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """The vendor's errors as ours; the message never holds a key."""
    try:
        yield
    except openai.APITimeoutError as error:
        raise ModelUnreachable(f"{what} did not answer in time") from error
    except openai.APIConnectionError as error:
        raise ModelUnreachable(f"{what} cannot be reached; check OPENAI_BASE_URL and the network") from error
    except openai.APIStatusError as error:
        code = error.code or error.type or error.status_code
        passing = error.status_code in (408, 409, 429) or error.status_code >= 500
        if passing and "insufficient_quota" not in (error.code, error.type):
            raise ModelUnreachable(f"{what} answered {error.status_code} ({code})") from error
        raise ModelRejected(f"{what} refused the call: {error.status_code} ({code})") from error
    except UnicodeEncodeError:  # its own text would hold the key
        raise ModelRejected(f"{what} was not called: the key or the text has a character that cannot be sent") from None
    except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:  # what parsing meets, the SDK lets out
        raise ModelMalformed(f"{what} sent something that is no valid response; check OPENAI_BASE_URL") from error
