"""`/healthz`: the process is alive. `/readyz`: it can answer."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.api.dependencies import Running
from service.api.problems import Problem

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """What is being served."""

    status: str = "ready"
    generation: str = Field(examples=["20261122T201530-9f1c2d"])
    chapters: int
    chunks: int
    mode: str = Field(examples=["extractive"])


@router.get("/healthz")
async def healthz() -> Alive:
    """Alive, whatever else is missing."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Problem}})
async def readyz(service: Running) -> Ready:
    """Ready when an index is open that fits the settings."""
    generation = await service.index.generation()
    mode = "llm" if service.settings.uses_chat_model else "extractive"
    return Ready(generation=generation.id, chapters=len(generation.hashes), chunks=generation.chunks, mode=mode)
