"""A small application over real stores in a file of SQLite: the routers of state, and nothing that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from service.adapters.database import Database, open_database
from service.api import answers, conversations, problems, usage
from service.api.tracing import RequestTracing
from service.domain import Budgets
from service.keys import Keyring
from service.ports import AnswerStore, ConversationStore, Ledger

from ...adapters.database.conftest import Clock
from ..conftest import client_of


@dataclass
class Desk:
    """Knows the answers that are said to be in the making."""

    open: set[str] = field(default_factory=set)

    def is_open(self, id_: str) -> bool:
        """Whether it is being made."""
        return id_ in self.open

    def stop(self, id_: str) -> bool:
        """Stop it; whether it was being made."""
        there = id_ in self.open
        self.open.discard(id_)
        return there


@dataclass
class StateService:
    """What the routers of state need of the service."""

    answers: AnswerStore
    ledger: Ledger
    conversations: ConversationStore
    desk: Desk
    keyring: Keyring
    budgets: Budgets


class StateApplication(FastAPI):
    """With our errors in its document, as the real one."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
        return problems.described(super().openapi())


def application(service: StateService) -> FastAPI:
    """The routers over this service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, StateService]]:
        yield {"service": service}

    app = StateApplication(lifespan=lifespan)
    problems.install(app)
    app.add_middleware(RequestTracing)
    for router in (answers.router, usage.router, conversations.router):
        app.include_router(router)
    return app


@pytest.fixture
def clock() -> Clock:
    """Noon, until a test moves it."""
    return Clock()


@pytest_asyncio.fixture
async def database(tmp_path: Path, clock: Clock) -> AsyncIterator[Database]:
    """Empty stores."""
    async with open_database(None, tmp_path, clock=clock, busy_seconds=0.05) as opened:
        yield opened


@pytest.fixture
def service(database: Database) -> StateService:
    """The stores, with a budget of half a dollar a day and no keys."""
    keyring = Keyring.parse("", required=False)
    budgets = Budgets(per_request=Decimal("0.1"), per_day=Decimal("0.50"))
    return StateService(database.answers, database.ledger, database.conversations, Desk(), keyring, budgets)


@pytest_asyncio.fixture
async def client(service: StateService) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with client_of(application(service)) as opened:
        yield opened
