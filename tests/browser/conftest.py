"""One browser a session, a context a test, and two services to look at: the real one, and a scripted one."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from service.app import create_app
from service.wiring import Service, open_service

from ..fakes.upstream import Provider, running
from ..small_index import settings_for
from .serving import serving
from .stub import Stub, app_of

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE = 8_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's browser."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        reason = "Chromium is not installed; `make browser` installs it on Debian as root"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """The browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        await browser.close()


class Opened:
    """Opens pages, and knows what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    async def context(self, **options: Any) -> BrowserContext:
        """A context: a browser profile of its own."""
        context = await self._browser.new_context(**({"viewport": DESKTOP, "reduced_motion": "reduce"} | options))
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        return context

    async def __call__(self, url: str, **options: Any) -> Page:
        """A page in a context of its own, once its scripts have run."""
        return await self.tab(await self.context(**options), url)

    async def tab(self, context: BrowserContext, url: str) -> Page:
        """One more page of a context."""
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(url)
        await page.wait_for_selector("html[data-ready]", state="attached")
        return page

    async def close(self) -> None:
        """Close every context."""
        for context in self._contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Opened]:
    """Opens pages; no script of theirs may have failed by the end of the test."""
    opened = Opened(browser)
    yield opened
    await opened.close()
    assert opened.errors == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _index(plain_data: Path) -> AsyncIterator[Service]:
    async with open_service(settings_for(plain_data)) as service:
        yield service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _scripted(_index: Service) -> AsyncIterator[tuple[Stub, str]]:
    stub = Stub()
    async with serving(app_of(stub, _index)) as address:
        yield stub, address


@pytest.fixture
def stub(_scripted: tuple[Stub, str]) -> Stub:
    """The scripted service, as if it had just begun."""
    _scripted[0].__init__()  # type: ignore[misc] - the application holds on to this very object
    return _scripted[0]


@pytest.fixture
def scripted(_scripted: tuple[Stub, str], stub: Stub) -> str:
    """The address of the scripted service."""
    return _scripted[1]


@pytest.fixture(scope="session")
def data(plain_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the index of the plain chapters, and a database that only these tests write to."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(plain_data / "index", folder / "index", ignore=shutil.ignore_patterns("readers"))
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(data: Path) -> AsyncIterator[str]:
    """The address of the real service, which quotes."""
    async with serving(create_app(settings_for(data))) as address:
        yield address


@pytest.fixture(scope="session")
def provider() -> Provider:
    """The provider of models behind `modelled`; tests choose what it does."""
    return Provider()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def modelled(data: Path, provider: Provider) -> AsyncIterator[str]:
    """The address of the real service with a model of the scripted provider."""
    with running(provider) as upstream:
        settings = settings_for(data, openai_base_url=upstream, openai_api_key="sk-test", answer_cache=False)
        async with serving(create_app(settings)) as address:
            yield address


@asynccontextmanager
async def served(folder: Path, **changes: Any) -> AsyncIterator[str]:
    """A real service of a test's own."""
    async with serving(create_app(settings_for(folder, **changes))) as address:
        yield address
