"""`make screenshots`: pictures of the main views, of the real service over the shipped chapters, into docs/screenshots.

Only the figures of the usage page are made up, since a fresh service has spent nothing.
"""

from __future__ import annotations

import asyncio
import io
import json
import math
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, Route, async_playwright

from service import logs
from service.app import create_app
from service.settings import PROJECT

from ..small_index import ingest, settings_for
from .acts import answered
from .serving import serving

FOLDER = PROJECT / "docs" / "screenshots"
DESKTOP, PHONE = (1440, 900), (390, 844)
COLOURS = 256
QUESTION = "How do I call a blocking library from async code?"
CHAPTER = "/read/04_relational_databases_sql/pagination_strategies"


@dataclass(frozen=True)
class View:
    """One picture."""

    name: str
    address: str
    act: Callable[[Page], Awaitable[Any]] | None = None
    size: tuple[int, int] = DESKTOP
    theme: str = "light"


async def _answer(page: Page) -> None:
    await answered(page, QUESTION)
    await page.mouse.move(0, 0)


async def _source(page: Page) -> None:
    exchange = await answered(page, QUESTION)
    await exchange.locator(".cite").first.click()
    await page.locator("#m-source .passage").first.wait_for()


async def _receipt(page: Page) -> None:
    exchange = await answered(page, "Does a CTE act as an optimization fence in PostgreSQL?")
    await exchange.get_by_role("button", name="Receipt").click()
    await exchange.locator(".receipt").scroll_into_view_if_needed()
    await exchange.get_by_role("button", name="Receipt").evaluate("(b) => b.scrollIntoView({ block: 'start' })")


async def _not_covered(page: Page) -> None:
    await answered(page, "What is the best recipe for pancakes?")


async def _search(page: Page) -> None:
    await page.get_by_role("button", name="Search chapters").click()
    await page.keyboard.type("connection po")
    await page.get_by_role("option").nth(1).wait_for()


async def _conversations(page: Page) -> None:
    await answered(page, "How do I rotate refresh tokens?")
    await page.get_by_role("button", name="Conversations").click()
    await page.locator(".conversation-list li").first.wait_for()


async def _usage(page: Page) -> None:
    await page.route("**/api/usage*", _example_usage)
    await page.goto(page.url)
    await page.locator(".chart").first.wait_for()


VIEWS = (
    View("welcome", "/"),
    View("answer", "/", _answer, theme="dark"),
    View("source", "/", _source),
    View("source_dark", "/", _source, theme="dark"),
    View("receipt", "/", _receipt),
    View("not_covered", "/", _not_covered),
    View("search", CHAPTER, _search, theme="dark"),
    View("conversations", "/", _conversations),
    View("contents", "/read"),
    View("chapter", CHAPTER),
    View("chapter_dark", CHAPTER, theme="dark"),
    View("usage", "/usage", _usage, size=(1440, 1100)),
    View("phone_welcome", "/", size=PHONE),
    View("phone_answer", "/", _answer, size=PHONE),
    View("phone_source", "/", _source, size=PHONE, theme="dark"),
    View("phone_chapter", CHAPTER, size=PHONE, theme="dark"),
)


async def take(folder: Path = FOLDER) -> None:
    """Take every picture anew."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as data:
        await ingest(Path(data), PROJECT / "knowledge_base")
        settings = settings_for(Path(data), knowledge_base=PROJECT / "knowledge_base", log_level="error")
        logs.configure(settings)
        async with serving(create_app(settings)) as address, async_playwright() as playwright:
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            browser = await playwright.chromium.launch(executable_path=chromium, args=options)
            for view in VIEWS:
                picture = await _taken(browser, address, view)
                (folder / f"{view.name}.png").write_bytes(_compressed(picture))
            await browser.close()


async def _taken(browser: Browser, address: str, view: View) -> bytes:
    width, height = view.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if view.theme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=view.size == PHONE,
    )
    page = await context.new_page()
    await page.goto(address + view.address)
    await page.wait_for_selector("html[data-ready]", state="attached")
    if view.act:
        await view.act(page)
    await page.wait_for_load_state("networkidle")
    picture = await page.screenshot()
    await context.close()
    return picture


def _compressed(picture: bytes) -> bytes:
    """Text on plain ground needs few colours."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


async def _example_usage(route: Route) -> None:
    by = route.request.url.partition("by=")[2].partition("&")[0]
    today = datetime.now(UTC).date()
    days = [
        (str(today - timedelta(days=ago)), 0.01 + 0.05 * abs(math.sin(ago * 1.3))) for ago in range(30) if ago % 6 != 3
    ]
    keys = {
        "day": days,
        "model": [("gpt-6-luna", 0.81), ("gpt-6.1-terra", 0.27)],
        "prompt": [("answer/v2", 0.93), ("rewrite/v1", 0.1), ("repair/v1", 0.05)],
    }[by]
    rows = [_row(key, cost) for key, cost in keys]
    budgets = [
        {"name": "per_day", "limit": "1.00", "spent": "0.31", "left": "0.69"},
        {"name": "per_caller_day", "limit": "0.25", "spent": "0.20", "left": "0.05"},
    ]
    await route.fulfill(body=json.dumps({"rows": rows, "budgets": budgets}), content_type="application/json")


def _row(key: str, cost: float) -> dict[str, Any]:
    calls = round(cost * 900)
    tokens = {
        "input_tokens": calls * 1800,
        "cached_tokens": calls * 600,
        "cache_write_tokens": 0,
        "output_tokens": calls * 220,
    }
    counts = {"calls": calls, "answers": calls - calls // 10, "failed": calls // 40, "unpriced": 0, "estimated": 0}
    return {"key": key, "usage": tokens, "cost": f"{cost:.4f}", **counts}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    asyncio.run(take())
