"""Sizes, themes, motion, paper: what must hold wherever the page is looked at."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from . import made_answers as made
from .acts import answered, ask
from .conftest import PHONE, Opened
from .stub import Script, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOLD = "What is cache-aside?"
PLACES = ("/", "/read", "/read/07_caching_layer/cache_strategies", "/usage")
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


async def test_the_theme_follows_the_system_and_the_switch(open_page: Opened, scripted: str) -> None:
    """Dark for whoever's system is dark; the switch goes system, light, dark, and is kept without a flash."""
    page = await open_page(scripted, color_scheme="dark")
    dark = await page.evaluate(BACKGROUND)
    button = page.get_by_role("button", name="Theme")
    await button.click()
    await expect(button).to_have_accessible_name("Theme: light")
    light = await page.evaluate(BACKGROUND)
    assert dark != light
    await page.reload(wait_until="commit")
    await page.wait_for_selector("body", state="attached")
    assert await page.evaluate(BACKGROUND) == light
    await page.wait_for_selector("html[data-ready]", state="attached")
    await button.click()
    assert await page.evaluate(BACKGROUND) == dark
    await page.emulate_media(color_scheme="light")
    assert await page.evaluate(BACKGROUND) == dark
    await button.click()
    assert await page.evaluate(BACKGROUND) == light


@pytest.mark.parametrize("width", [320, 768, 1100, 2560])
async def test_nothing_is_wider_than_the_window(open_page: Opened, scripted: str, width: int) -> None:
    """From a small phone to a very wide screen no place scrolls sideways."""
    page = await open_page(scripted, viewport={"width": width, "height": 800})
    for place in PLACES:
        await page.goto(scripted + place)
        await page.wait_for_selector("html[data-ready]", state="attached")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
    await page.goto(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Receipt").click()
    await exchange.locator(".cite").first.click()
    await expect(page.locator("#m-source .passage")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_text_that_stands_does_not_move_while_streaming(open_page: Opened, scripted: str, stub: Stub) -> None:
    """No layout shift from the question to the end of the answer."""
    gate = asyncio.Event()
    pieces = [f"Paragraph {number} of some length, to fill the window with text [1].\n\n" for number in range(30)]
    stub.scripts[HOLD] = Script(answer=made.answer(HOLD, "".join(pieces)), pieces=pieces, gate=gate)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".reading-list")).to_be_visible()
    await _watch_shifts(page)
    stub.scripts[HOLD].let_go()
    await expect(exchange.locator(".actions")).to_be_attached()
    assert await page.evaluate("window.shifts") < 0.001


async def _watch_shifts(page: Page) -> None:
    await page.evaluate(
        """() => {
          window.shifts = 0;
          new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifts += entry.value; })
            .observe({ type: 'layout-shift' });
        }"""
    )


async def test_reduced_motion_is_honoured(open_page: Opened, scripted: str) -> None:
    """Nothing is animated for whoever asks for that, and something is for others."""
    moving = "document.querySelector('.suggestions a, .send, .cite, .button')"
    duration = f"getComputedStyle({moving}).transitionDuration"
    still = await open_page(scripted)
    await answered(still, HOLD)
    assert await still.evaluate(duration.replace(moving, "document.querySelector('.cite')")) == "0s"
    lively = await open_page(scripted, reduced_motion="no-preference")
    await answered(lively, HOLD)
    assert await lively.evaluate(duration.replace(moving, "document.querySelector('.cite')")) != "0s"


async def test_paper_has_the_answer_and_its_sources(open_page: Opened, scripted: str) -> None:
    """Printed are question, answer and sources; neither header nor buttons."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await page.emulate_media(media="print")
    for hidden in (".site-header", ".composer", ".exchange .actions", ".follow-ups"):
        await expect(page.locator(hidden).first).to_be_hidden()
    for shown in (".question", ".prose", ".sources"):
        await expect(exchange.locator(shown)).to_be_visible()


async def test_the_whole_way_on_a_phone(open_page: Opened, scripted: str) -> None:
    """Ask, read on, search, conversations: all of it works at 390 by 844 with a finger."""
    page = await open_page(scripted, viewport=PHONE, has_touch=True)
    await answered(page, HOLD)
    await page.get_by_role("link", name="Read", exact=True).tap()
    await page.locator(".sections").get_by_role("link", name="Cache Strategies").tap()
    await page.locator(".outline summary").tap()
    await page.locator(".outline").get_by_role("link", name="Cache-Aside").tap()
    await expect(page.locator("[id='cache-aside']")).to_be_in_viewport()
    await page.get_by_role("button", name="Search chapters").tap()
    await page.get_by_role("combobox").fill("celery")
    await page.get_by_role("option").first.tap()
    await page.get_by_role("button", name="Conversations").tap()
    await page.locator(".conversation-list a.title").first.tap()
    await expect(page.locator(".exchange .prose")).to_be_visible()


async def test_the_page_is_light(open_page: Opened, scripted: str) -> None:
    """Everything that a first visit loads is compressed and comes to less than 120 KB, and is kept for ever."""
    page = await open_page(scripted)
    size = await page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".reduce((sum, entry) => sum + entry.transferSize, 0)"
    )
    assert 10_000 < size < 120_000
    script = await page.evaluate("document.querySelector('script[type=module]').src")
    response = await page.request.get(script, headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert "immutable" in response.headers["cache-control"]


async def test_usage_has_charts_with_tables(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Cost by day, model and prompt is drawn with labels, and the figures stand in tables below."""
    tokens = {"input_tokens": 1800, "cached_tokens": 600, "cache_write_tokens": 0, "output_tokens": 220}
    day = await _today(await open_page(scripted))

    def rows(*keys: str) -> dict[str, object]:
        made_rows = [
            {
                "key": key,
                "calls": 4,
                "answers": 3,
                "failed": 1,
                "usage": tokens,
                "cost": "0.25",
                "unpriced": 0,
                "estimated": 0,
            }
            for key in keys
        ]
        return {"rows": made_rows, "budgets": [{"name": "per_day", "limit": "1.00", "spent": "0.25", "left": "0.75"}]}

    stub.usage = {"day": rows(day), "model": rows("gpt-6-luna", "local"), "prompt": rows("answer/v2")}
    page = await open_page(f"{scripted}/usage")
    await expect(page.locator(".figures")).to_contain_text("$0.25")
    await expect(page.locator(".chart")).to_have_count(4)
    await expect(page.get_by_role("img", name="US dollars a day")).to_be_visible()
    await expect(page.locator(".usage")).to_contain_text("$0.75 left")
    await page.get_by_text("Table by model").click()
    await expect(page.get_by_role("row", name="gpt-6-luna 4 3 1 1,800 600 220 $0.25")).to_be_visible()


async def _today(page: Page) -> str:
    return str(await page.evaluate("new Date().toISOString().slice(0, 10)"))


async def test_usage_without_calls_and_with_a_model(open_page: Opened, scripted: str, modelled: str) -> None:
    """Nothing spent yet is said; after a question of the real service the figures are there."""
    page = await open_page(f"{scripted}/usage")
    await expect(page.locator(".lede").first).to_contain_text("No model was called yet")
    other = await open_page(modelled)
    await answered(other, "How does keyset pagination work?")
    await other.get_by_role("link", name="Usage").click()
    await expect(other.get_by_role("img", name="US dollars a day")).to_be_visible()
    await expect(other.locator(".figures")).to_contain_text("Spent")


async def test_where_to_read_on_is_no_part_of_the_answer(open_page: Opened, real: str) -> None:
    """Further sections stand smaller than what is quoted, each a link with what it says, and lead to the reader."""
    page = await open_page(real)
    exchange = await answered(page, HOLD)
    head = exchange.get_by_text("Read on:", exact=True)
    item = exchange.locator(".block:has(> .pointer) + .block > ul > li").first
    size = "part => parseFloat(getComputedStyle(part).fontSize)"
    assert await head.evaluate(size) == await item.evaluate(size)
    assert await item.evaluate(size) < await exchange.locator(".prose p").first.evaluate(size)
    await item.get_by_role("link").first.click()
    await expect(page.locator("article h1")).to_be_visible()
