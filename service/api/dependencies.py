"""What routers need of the running service."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from service.wiring import Service


def running_service(request: Request) -> Service:
    """The service that the lifespan opened."""
    return cast(Service, request.state.service)


Running = Annotated[Service, Depends(running_service)]
