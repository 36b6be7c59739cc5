"""The openai SDK's errors as the domain's failures. The only place that knows both.

The SDK's messages repeat what the server said, and a server may repeat the key: only statuses, and codes that look
like codes, get into `detail`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from service.domain import Failed, Usage

_CODE = re.compile(r"(?!sk-)[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")
_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "access_terminated"}
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_NOTHING_USED = Usage()


def failure(error: Exception, model: str, what: str, *, begun: bool = False) -> Failed:
    """What a call's error means. `what` names the model for people; `usage` is set where nothing can be billed."""
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error, model, what)
    if isinstance(error, UnicodeEncodeError):  # its own text holds the key
        return _failed(model, "model_rejected", f"{what} was not called: the key has a character that cannot be sent")
    sent = not isinstance(error.__cause__, _NOT_SENT)
    usage = None if sent else _NOTHING_USED
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        detail = f"{what} did not answer in time"
        return Failed(model=model, code="model_timeout", passing=True, detail=detail, begun=begun, usage=usage)
    if isinstance(error, openai.APIConnectionError):
        detail = f"{what} broke the connection" if sent else f"{what} cannot be reached; check OPENAI_BASE_URL"
    elif isinstance(error, openai.APIError):  # an error event within a stream
        return _event_failure(error, model, what, begun=begun)
    else:  # httpx2's own, where the SDK lets it out
        detail = f"{what} broke off ({type(error).__name__})"
    return Failed(model=model, code="model_unreachable", passing=True, detail=detail, begun=begun, usage=usage)


def _status_failure(error: openai.APIStatusError, model: str, what: str) -> Failed:
    status = error.status_code
    detail = f"{what} answered {status} ({_named(error) or 'no code'})"
    if _QUOTA & {error.code, error.type} or status == 402:
        return _failed(model, "model_quota", f"{detail}; the provider's account is out of credit")
    if status == 401:
        return _failed(model, "model_unauthorized", f"{detail}; check OPENAI_API_KEY")
    asked = retry_after(error.response.headers)
    passing = status in (408, 409, 429) or (status >= 500 and status != 501)
    if not passing or error.response.headers.get("x-should-retry") == "false":
        return _failed(model, "model_rejected", detail)
    code = "model_timeout" if status in (408, 504) else "model_overloaded"
    return Failed(model=model, code=code, passing=True, detail=detail, retry_after=asked, usage=_NOTHING_USED)


def _event_failure(error: openai.APIError, model: str, what: str, *, begun: bool) -> Failed:
    if _QUOTA & {error.code, error.type}:
        return _failed(model, "model_quota", f"{what} stopped ({_named(error)}); the account is out of credit")
    if error.type == "invalid_request_error":
        return _failed(model, "model_rejected", f"{what} stopped ({_named(error)})")
    detail = f"{what} stopped with an error ({_named(error) or 'no code'})"
    return Failed(model=model, code="model_overloaded", passing=True, detail=detail, begun=begun)


def _failed(model: str, code: str, detail: str) -> Failed:
    """A failure that will not pass, of a call that was not served."""
    return Failed(model=model, code=code, detail=detail, usage=_NOTHING_USED)


def _named(error: openai.APIError) -> str:
    """Code or type, and the parameter, where they look like such."""
    kind = next((str(part) for part in (error.code, error.type) if _CODE.fullmatch(str(part or ""))), "")
    param = f", parameter {error.param}" if _CODE.fullmatch(str(error.param or "")) else ""
    return f"{kind}{param}".removeprefix(", ")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds a server asks to wait, as `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            asked = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(asked):
            return max(asked, 0.0)
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
