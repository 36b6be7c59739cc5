"""What routers need of the running service."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from service.wiring import Service


async def running_service(request: Request) -> Service:
    """The service that the lifespan opened; `async`, since FastAPI sends other dependencies through a thread."""
    return cast(Service, request.state.service)


Running = Annotated[Service, Depends(running_service)]
