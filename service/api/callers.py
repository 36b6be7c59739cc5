"""Who asks: the holder of the key in `Authorization: Bearer KEY`, or nobody by name."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.api.dependencies import Running

_bearer = HTTPBearer(auto_error=False, description="A key made by `mastery key NAME`; optional unless required.")


async def calling(
    service: Running,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The caller's name.

    Raises:
        UnknownKey
    """
    return service.keyring.caller(credentials.credentials if credentials else None)


Caller = Annotated[str, Depends(calling)]
