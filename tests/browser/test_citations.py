"""From a mark to the words it rests on."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from .acts import answered, marked_words
from .conftest import Opened

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination work?"
HOLD = "What is cache-aside?"


async def test_a_click_opens_the_chapter_at_the_quoted_words(open_page: Opened, real: str) -> None:
    """The quote of the citation is what is marked in the chapter beside the answer, and it is in sight."""
    page = await open_page(real, viewport={"width": 1440, "height": 900})
    exchange = await answered(page, QUESTION)
    top = (await exchange.bounding_box() or {})["y"]
    await exchange.locator(".cite").first.click()
    await expect(page.locator("#m-source-title")).to_be_focused()
    cited = await page.evaluate(
        "fetch(location.pathname.replace('/c/', '/api/conversations/')).then((r) => r.json())"
        ".then((said) => said.exchanges.at(-1).answer.citations[0])"
    )
    words = re.sub(r"\W+", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cited["quote"]))
    assert re.sub(r"\W+", "", "".join(await marked_words(page))) == words
    passage = page.locator("#m-source .passage").first
    await expect(passage).to_be_in_viewport()
    assert (await exchange.bounding_box() or {})["y"] == top


async def test_hover_and_focus_show_the_quote(open_page: Opened, scripted: str) -> None:
    """The quote with its chapter and heading appears on hover and on focus, stays under the pointer, goes with Esc."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    card = page.get_by_role("tooltip")
    await exchange.locator(".cite").first.hover()
    await expect(card).to_contain_text("the code owns both steps.")
    await expect(card).to_contain_text("› Cache-Aside")
    await card.hover()
    await expect(card).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(card).to_be_hidden()
    await page.keyboard.press("Tab")
    await exchange.locator(".prose .cite").nth(1).focus()
    await expect(card).to_contain_text("write-behind answers")


async def test_the_same_number_is_the_same_passage(open_page: Opened, scripted: str) -> None:
    """The mark in the text and the line under the answer open the same place."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    mark = await exchange.locator(".prose .cite").nth(1).get_attribute("href")
    line = exchange.locator(".sources li").nth(1).get_by_role("link")
    assert await line.get_attribute("href") == mark
    await line.click()
    await expect(page.locator("#m-source .passage")).to_contain_text(
        "Write-through updates cache and database together"
    )


async def test_a_link_to_a_passage_opens_there(open_page: Opened, scripted: str) -> None:
    """Whoever follows a shared link sees the chapter with the passage marked and in sight, also as the first page."""
    page = await open_page(f"{scripted}/read/07_caching_layer/cache_strategies?lines=66-66#write-through--write-behind")
    passage = page.locator("#m-view-read .passage")
    await expect(passage).to_have_count(1)
    await expect(passage).to_contain_text("Write-through updates cache and database together")
    await expect(passage).to_be_in_viewport()


async def test_lines_within_code_mark_the_block(open_page: Opened, scripted: str) -> None:
    """A citation of code marks the code block that holds its lines, and nothing else."""
    page = await open_page(f"{scripted}/read/07_caching_layer/cache_strategies?lines=58-60")
    passage = page.locator("#m-view-read .passage")
    await expect(passage).to_have_count(1)
    assert await passage.evaluate("(block) => block.tagName") == "FIGURE"


async def test_the_pane_leads_on_to_the_reader(open_page: Opened, scripted: str) -> None:
    """*Open in reader* shows the same passage there, and the way back keeps the conversation."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.locator(".cite").first.click()
    await page.get_by_role("link", name="Open in reader").click()
    await expect(page.locator("#m-view-read .passage")).to_contain_text("the code owns both steps.")
    await page.get_by_role("link", name="Ask", exact=True).click()
    await expect(exchange.locator(".prose")).to_be_visible()


@pytest.mark.parametrize(
    ("quote", "lines", "words"),
    [
        ("Read the cache, on a miss read the database and fill the cache; the code owns both steps.", (7, 7), None),
        ("strings instead of bytes", (11, 62), None),
        ("1. write the database (commit!)  2. DELETE the key, don't overwrite it.", (11, 62), None),
        (
            (
                "A BlockingConnectionPool waits for a free one instead.\n"
                "Fail open: without the cache we're slow, not down."
            ),
            (11, 62),
            [
                "A BlockingConnectionPool waits for a free one instead.",
                "Fail open: without the cache we're slow, not down.",
            ],
        ),
        ("This stands nowhere in the chapter.", (7, 7), []),
    ],
)
async def test_quotes_are_found_in_prose_and_code(
    open_page: Opened, scripted: str, quote: str, lines: tuple[int, int], words: list[str] | None
) -> None:
    """A quote is marked word for word, comments of code too; what stands apart is marked apart."""
    page = await open_page(f"{scripted}/read/07_caching_layer/cache_strategies")
    marked = await page.evaluate(
        """async ([quote, lines]) => {
          const base = document.querySelector('script[type=module]').src.replace('app.js', 'passage.js');
          const { markPassage } = await import(base);
          markPassage(document.getElementById('m-view-read'), lines, quote);
          return [...(CSS.highlights.get('quote') ?? [])].map((range) => range.toString().replace(/\\s+/g, ' '));
        }""",
        [quote, list(lines)],
    )
    assert marked == ([quote.replace("  ", " ")] if words is None else words)
