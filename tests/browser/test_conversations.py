"""The drawer: found, renamed, deleted and brought back, exported, and the same in two tabs."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Page, expect

from . import made_answers as made
from .acts import answered, ask
from .conftest import Opened
from .stub import Script, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _drawer(page: Page):  # type: ignore[no-untyped-def]
    await page.get_by_role("button", name="Conversations").click()
    return page.get_by_role("dialog", name="Conversations")


async def test_conversations_are_listed_and_resumed(open_page: Opened, real: str) -> None:
    """What was asked stands in the drawer, is found by its words, and opens as it was left."""
    page = await open_page(real)
    await answered(page, "How do I rotate refresh tokens?")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Backend Mastery").click()
    await expect(page.locator(".exchange")).to_have_count(0)
    drawer = await _drawer(page)
    await drawer.get_by_role("searchbox").fill("rotate refresh")
    await expect(drawer.locator("li")).to_have_count(1)
    await drawer.get_by_role("link", name="How do I rotate refresh tokens?", exact=True).click()
    await expect(drawer).to_be_hidden()
    await expect(page.locator(".exchange .actions")).to_have_count(1)


async def test_a_conversation_is_renamed(open_page: Opened, real: str) -> None:
    """Another title is kept; Esc leaves the old one."""
    page = await open_page(real)
    await answered(page, "When do I need a heartbeat?")
    drawer = await _drawer(page)
    row = drawer.locator("li").first
    await row.get_by_role("button", name="Rename").click()
    await page.keyboard.type("Nothing")
    await page.keyboard.press("Escape")
    await expect(row.locator(".title")).to_have_text("When do I need a heartbeat?")
    await row.get_by_role("button", name="Rename").click()
    await page.keyboard.type("Heartbeats")
    await page.keyboard.press("Enter")
    await expect(row.locator(".title")).to_have_text("Heartbeats")
    await page.reload()
    await expect(page).to_have_title("Heartbeats · Backend Mastery")


async def test_a_deleted_conversation_can_be_brought_back(open_page: Opened, real: str) -> None:
    """Delete asks nothing and can be undone where it happened."""
    page = await open_page(real)
    await answered(page, "How do I make a Docker image small?")
    drawer = await _drawer(page)
    row = drawer.locator("li").first
    await row.get_by_role("button", name="Delete").click()
    await expect(row).to_contain_text("Deleted “How do I make a Docker image small?”.")
    await expect(page.locator(".exchange")).to_have_count(0)
    await row.get_by_role("button", name="Undo").click()
    await row.locator(".title").click()
    await expect(page.locator(".exchange .actions")).to_have_count(1)


async def test_a_conversation_is_exported(open_page: Opened, real: str) -> None:
    """Both files hold the question and its answer."""
    page = await open_page(real)
    await answered(page, "How does keyset pagination work?")
    row = (await _drawer(page)).locator("li").first
    for words, ending in (("Markdown", ".md"), ("JSON", ".json")):
        async with page.expect_download() as started:
            await row.get_by_role("link", name=words).click()
        file = await started.value
        assert file.suggested_filename.endswith(ending)
        text = await asyncio.to_thread((await file.path()).read_text, "utf-8")
        assert "How does keyset pagination work?" in text
        if ending == ".json":
            assert json.loads(text)["exchanges"][0]["answer"]["citations"]


async def test_older_ones_come_page_by_page(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Thirty at once, the next thirty on demand."""
    for days in range(40):
        stub.keep(f"Talk {days}", [made.answer("x")], days_ago=days)
    drawer = await _drawer(await open_page(scripted))
    await expect(drawer.locator("li")).to_have_count(30)
    await drawer.get_by_role("button", name="Show older").click()
    await expect(drawer.locator("li")).to_have_count(40)
    await expect(drawer.get_by_role("button", name="Show older")).to_be_hidden()


async def test_an_empty_drawer_and_a_search_without_result_say_so(open_page: Opened, scripted: str) -> None:
    """Both are sentences."""
    drawer = await _drawer(await open_page(scripted))
    await expect(drawer).to_contain_text("Nothing yet. What you ask is kept here")
    await drawer.get_by_role("searchbox").fill("zebra")
    await expect(drawer).to_contain_text("No conversation mentions “zebra”.")


async def test_another_tab_follows(open_page: Opened, real: str) -> None:
    """A conversation that is open in two tabs is the same in both after a question in one."""
    context = await open_page.context()
    one = await open_page.tab(context, real)
    await answered(one, "How does keyset pagination work?")
    other = await open_page.tab(context, one.url)
    await expect(other.locator(".exchange .actions")).to_have_count(1)
    await answered(one, "And when is offset pagination good enough?")
    await expect(other.locator(".exchange .actions")).to_have_count(2)


async def test_a_reload_in_mid_answer_finds_it_again(open_page: Opened, scripted: str, stub: Stub) -> None:
    """The answer goes on being made; the page opened anew waits for it."""
    gate, ready = asyncio.Event(), asyncio.Event()
    stub.scripts["Slow?"] = Script(gate=gate, ready=ready)
    page = await open_page(scripted)
    exchange = await ask(page, "Slow?")
    await expect(exchange.locator(".progress")).to_contain_text("Reading")
    await page.reload()
    await expect(page.locator(".progress")).to_have_text("Looking through the chapters…")
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    ready.set()
    await expect(page.locator(".exchange .actions")).to_be_visible()


async def test_a_long_conversation_shows_its_end_first(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Of 500 questions the last dozen stand there at once, the earlier ones come above without moving what is read."""
    kept = stub.keep("Long", [made.answer(f"Question {number}?") for number in range(500)])
    page = await open_page(f"{scripted}/c/{kept.id}")
    await expect(page.locator(".exchange")).to_have_count(12)
    await expect(page.locator(".question").last).to_have_text("Question 499?")
    first = page.locator(".question", has_text="Question 488?")
    await first.scroll_into_view_if_needed()
    before = (await first.bounding_box() or {})["y"]
    await page.get_by_role("button", name="Show earlier questions (488)").evaluate("(button) => button.click()")
    await expect(page.locator(".exchange")).to_have_count(24)
    assert abs((await first.bounding_box() or {})["y"] - before) < 2
