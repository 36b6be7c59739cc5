"""WCAG 2.2 AA: axe-core finds nothing on any view in either theme, and the keyboard alone is enough."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from . import made_answers as made
from .acts import answered, ask
from .conftest import PHONE, Opened
from .stub import Script, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES: dict[str, object] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST: dict[str, object] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What a theme can change."""
HOLD = "What is cache-aside?"
CHAPTER = "/read/07_caching_layer/cache_strategies?lines=7-7"


async def _violations(page: Page, rules: dict[str, object] = RULES) -> list[str]:
    await page.evaluate("scrollTo(0, 0)")  # what has scrolled under the header counts as covered by it
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found = await page.evaluate(f"axe.run(document, {json.dumps(rules)})")
    nodes = [(one["id"], node) for one in found["violations"] for node in one["nodes"]]
    return [f"{rule}: {node['html'][:160]} {node['failureSummary']}" for rule, node in nodes]


async def _answer(page: Page) -> None:
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Receipt").click()
    await exchange.get_by_role("button", name="Bad answer").click()


async def _source(page: Page) -> None:
    exchange = await answered(page, HOLD)
    await exchange.locator(".cite").first.click()
    await expect(page.locator("#m-source .passage")).to_be_visible()


async def _search(page: Page) -> None:
    await page.get_by_role("button", name="Search chapters").click()
    await page.keyboard.type("cache")
    await expect(page.get_by_role("option").first).to_be_visible()


async def _drawer(page: Page) -> None:
    await page.get_by_role("button", name="Conversations").click()
    await expect(page.locator(".conversation-list li").first).to_be_visible()


async def _help(page: Page) -> None:
    await page.keyboard.press("Escape")
    await page.locator("#m-main").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def _filters(page: Page) -> None:
    await page.get_by_role("button", name="All sections").click()


async def _failed(page: Page) -> None:
    await expect((await ask(page, "Broken?")).locator(".state")).to_be_visible()


async def _nothing(page: Page) -> None:
    await expect(page.locator("h1:visible").first).to_be_visible()


VIEWS: dict[str, tuple[str, Callable[[Page], Awaitable[None]]]] = {
    "welcome": ("/", _nothing),
    "answer": ("/", _answer),
    "source": ("/", _source),
    "problem": ("/", _failed),
    "filters": ("/", _filters),
    "search": ("/", _search),
    "conversations": ("/", _drawer),
    "help": ("/", _help),
    "contents": ("/read", _nothing),
    "chapter": (CHAPTER, _nothing),
    "usage": ("/usage", _nothing),
}


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("view", VIEWS)
async def test_axe_finds_nothing(open_page: Opened, scripted: str, stub: Stub, view: str, size: str) -> None:
    """Neither in the light theme nor in the dark one."""
    document = {"title": "Problem", "status": 503, "code": "index_missing", "detail": "nothing"}
    stub.scripts["Broken?"] = Script(problem=(503, document, {}))
    stub.keep("An older talk", [made.answer("x")])
    tokens = {"input_tokens": 1800, "cached_tokens": 600, "cache_write_tokens": 0, "output_tokens": 220}
    row = {"key": "2026-11-25", "calls": 4, "answers": 3, "failed": 1, "usage": tokens, "cost": "0.25", "unpriced": 0}
    stub.usage = {"rows": [row], "budgets": [{"name": "per_day", "limit": "1", "spent": "0.25", "left": "0.75"}]}
    options = {"viewport": PHONE} if size == "phone" else {}
    address, act = VIEWS[view]
    page = await open_page(scripted + address, **options)
    if view == "usage":
        await expect(page.locator(".chart").first).to_be_visible()
    await act(page)
    found = await _violations(page)
    await page.emulate_media(color_scheme="dark")
    assert found + await _violations(page, CONTRAST) == []


async def test_the_keyboard_alone_is_enough(open_page: Opened, scripted: str) -> None:
    """From the address bar to the source of an answer and back, with Tab, Enter and Esc."""
    page = await open_page(scripted + "/usage")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#m-main")).to_be_focused()
    await page.keyboard.press("i")
    await expect(page.locator("#m-question")).to_be_focused()
    await page.keyboard.type(HOLD)
    await page.keyboard.press("Enter")
    exchange = page.locator(".exchange").last
    await expect(exchange.locator(".actions")).to_be_visible()
    await page.keyboard.press("Shift+Tab")
    for _ in range(40):
        if await page.evaluate("document.activeElement.matches('.prose .cite')"):
            break
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#m-source-title")).to_be_focused()
    await page.keyboard.press("Escape")
    assert await page.evaluate("document.activeElement.matches('.prose .cite')")


async def test_focus_is_always_seen(open_page: Opened, scripted: str) -> None:
    """Whatever Tab reaches on the first pages shows a ring or a border of its own."""
    page = await open_page(scripted + "/read")
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 1.5")


async def test_sheets_hold_the_focus_and_give_it_back(open_page: Opened, scripted: str) -> None:
    """In a sheet Tab stays there; closed, the focus is where it was."""
    page = await open_page(scripted)
    opener = page.get_by_role("button", name="Conversations")
    await opener.focus()
    await page.keyboard.press("Enter")
    for _ in range(8):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        )
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()


async def test_screen_readers_hear_the_beginning_and_the_end(open_page: Opened, scripted: str) -> None:
    """The live region says that an answer begins and that it is complete, and none of its words."""
    page = await open_page(scripted)
    await page.evaluate(
        """() => {
          window.heard = [];
          const region = document.getElementById('m-announcer');
          new MutationObserver(() => region.textContent && window.heard.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    await answered(page, HOLD)
    assert await page.evaluate("window.heard.at(-1)") == "The answer is complete, with 2 sources"
    heard = await page.evaluate("window.heard")
    assert heard[0] == "Reading 3 passages"
    assert len(heard) <= 3


async def test_single_keys_can_be_switched_off(open_page: Opened, scripted: str) -> None:
    """Whoever speaks to the computer can do without them."""
    page = await open_page(scripted + "/read")
    await page.keyboard.press("?")
    await page.get_by_label("Single keys work").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.locator(".search-sheet")).to_be_hidden()


async def test_targets_are_large_enough(open_page: Opened, scripted: str) -> None:
    """Buttons and links that stand alone are at least 24 by 24 pixels."""
    page = await open_page(scripted, viewport=PHONE)
    await answered(page, HOLD)
    small = await page.evaluate(
        """() => [...document.querySelectorAll('button, .places a, .sources a, .actions a, .suggestions a')]
          .filter((target) => target.checkVisibility())
          .map((target) => [target.outerHTML.slice(0, 80), target.getBoundingClientRect()])
          .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"""
    )
    assert small == []
