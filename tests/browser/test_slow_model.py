"""The real service with a slow model: what the reader does meanwhile, and what the network does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from ..fakes.upstream import Provider, Reply, always
from ..waiting import until
from .acts import ask
from .conftest import Opened
from .relay import relayed

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination work?"
SLOW = Reply(gap=0.04, piece=8)


@pytest.fixture
def slow(provider: Provider) -> Iterator[Provider]:
    """The provider, writing word by word."""
    provider.play(always(SLOW))
    yield provider
    provider.play(always(Reply()))


async def test_stop_ends_the_call_of_the_model(open_page: Opened, modelled: str, slow: Provider) -> None:
    """Stopped is stopped everywhere: the text stays, the provider's connection is closed, a reload says so."""
    page = await open_page(modelled)
    exchange = await ask(page, QUESTION)
    await expect(exchange.locator(".prose")).not_to_be_empty()
    await page.keyboard.press("Escape")
    await expect(exchange.locator(".state")).to_contain_text("Stopped. This is what was written until then.")
    await until(lambda: slow.requests[-1].left)
    await page.reload()
    await expect(page.locator(".exchange .state")).to_contain_text("The answer was stopped.")
    await expect(page.locator(".answer[data-tone=neutral]")).to_be_visible()
    await expect(page.get_by_role("button", name="Stop")).to_be_hidden()


async def test_a_cut_wire_loses_no_answer(open_page: Opened, modelled: str, slow: Provider) -> None:
    """The connection breaks in mid-answer; the service writes on, and the page shows the whole of it."""
    async with relayed(modelled) as (address, relay):
        page = await open_page(address)
        exchange = await ask(page, QUESTION)
        await expect(exchange.locator(".prose")).not_to_be_empty()
        relay.cut()
        await expect(exchange.locator(".state")).to_contain_text("The connection was lost.")
        await expect(exchange.locator(".actions")).to_be_visible(timeout=20_000)
        await expect(exchange.locator(".prose pre")).to_contain_text("values = [1, 2, 3]")
        assert not slow.requests[-1].left


async def test_reading_meanwhile_does_not_end_the_answer(open_page: Opened, modelled: str, slow: Provider) -> None:
    """Whoever reads a chapter while the answer is written finds it complete on the way back."""
    page = await open_page(modelled)
    exchange = await ask(page, QUESTION)
    await expect(exchange.locator(".prose")).not_to_be_empty()
    await page.get_by_role("link", name="Read", exact=True).click()
    await expect(page.locator(".contents")).to_be_visible()
    await expect(exchange.locator(".actions")).to_be_attached(timeout=20_000)
    await page.get_by_role("link", name="Ask", exact=True).click()
    await expect(exchange.locator(".prose .cite").first).to_be_visible()
    await expect(page.locator(".exchange")).to_have_count(1)
