"""What a reader does on the page, in one line each."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, Page, expect

from ..waiting import PATIENCE


async def ask(page: Page, question: str) -> Locator:
    """Type a question and press Enter; gives its exchange."""
    await page.locator("#m-question").fill(question)
    await page.locator("#m-question").press("Enter")
    return page.locator(".exchange").last


async def answered(page: Page, question: str) -> Locator:
    """Ask, and wait for the whole answer; gives its exchange."""
    exchange = await ask(page, question)
    await expect(exchange.locator(".question")).to_have_text(question)
    await expect(exchange.locator(".actions")).to_be_visible()
    return exchange


async def marked_words(page: Page) -> list[str]:
    """The words that the page marks as a quote, once it marks some.

    Raises:
        TimeoutError: it marks none.
    """
    words: list[str] = []
    async with asyncio.timeout(PATIENCE):  # Playwright's own waiting needs `eval`, which the page's policy forbids
        while not words:
            words = await page.evaluate("[...(CSS.highlights.get('quote') ?? [])].map(String)")
    return words
