"""The reader, and search over it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from service.api.learning_paths import learning_paths
from service.domain import Chapter

from .acts import answered
from .conftest import DESKTOP, Opened

pytestmark = pytest.mark.asyncio(loop_scope="session")

CACHE = "/read/07_caching_layer/cache_strategies"


async def test_a_chapter_opens_without_a_script(browser, scripted: str) -> None:  # type: ignore[no-untyped-def]
    """With JavaScript off, contents and chapters are pages with their own titles, and lead to each other."""
    context = await browser.new_context(java_script_enabled=False, viewport=DESKTOP)
    page = await context.new_page()
    await page.goto(f"{scripted}/read")
    await page.locator(".sections").get_by_role("link", name="Cache Strategies with Redis").click()
    await expect(page).to_have_title("Cache Strategies with Redis 缓存策略 · Backend Mastery")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Cache Strategies with Redis")
    await expect(page.locator("#m-composer")).to_be_hidden()
    await page.locator(".pager .next").click()
    await expect(page.locator(".chapter")).to_have_attribute("data-path", "08_background_jobs/01_celery_basics.md")
    await context.close()


async def test_moving_between_chapters_keeps_the_page(open_page: Opened, scripted: str) -> None:
    """Next, back and the contents change what is shown, the title and the address, without loading the page anew."""
    page = await open_page(scripted + CACHE)
    await page.evaluate("window.kept = true")
    await page.locator(".pager .next").click()
    await expect(page.locator(".chapter")).to_have_attribute("data-path", "08_background_jobs/01_celery_basics.md")
    await expect(page).to_have_title(re.compile("Celery.* · Backend Mastery"))
    await page.go_back()
    await expect(page.locator(".chapter")).to_have_attribute("data-path", "07_caching_layer/cache_strategies.md")
    assert await page.evaluate("window.kept")


async def test_contents_follow_the_scroll(open_page: Opened, scripted: str) -> None:
    """The heading being read is the marked one of the contents; a click on another goes there."""
    page = await open_page(scripted + CACHE)
    link = page.locator(".outline").get_by_role("link", name="Write-Through & Write-Behind")
    await link.click()
    await expect(page.locator("[id='write-through--write-behind']")).to_be_in_viewport()
    await expect(link).to_have_attribute("aria-current", "location")
    assert page.url.endswith("#write-through--write-behind")


async def test_code_is_coloured_named_and_copied(open_page: Opened, scripted: str) -> None:
    """A code block says its language, and *Copy* gives its text."""
    context = await open_page.context(permissions=["clipboard-read", "clipboard-write"])
    page = await open_page.tab(context, scripted + CACHE)
    block = page.locator("figure.code").first
    await expect(block.locator("figcaption")).to_contain_text("Python")
    await block.get_by_role("button", name="Copy").click()
    assert (await page.evaluate("navigator.clipboard.readText()")).startswith("# app/cache_aside.py\nimport json")
    colour = "(token) => getComputedStyle(token).color"
    assert await block.locator(".kn").first.evaluate(colour) != await block.locator("code").evaluate(colour)


async def test_ask_about_this_chapter_keeps_to_it(open_page: Opened, scripted: str) -> None:
    """The question goes out with the chapter as its filter, shown as a chip."""
    page = await open_page(scripted + CACHE)
    await page.get_by_role("link", name="Ask about this chapter").first.click()
    await expect(page.locator(".chip.on")).to_have_text("Cache Strategies with Redis 缓存策略")
    async with page.expect_request("**/api/ask") as sent:
        await answered(page, "Which one is simplest?")
    assert (await sent.value).post_data_json["filters"]["chapters"] == ["07_caching_layer/cache_strategies.md"]


async def test_selected_words_can_be_asked_about(open_page: Opened, scripted: str) -> None:
    """A selection brings a button that takes the words into the question and keeps to the chapter."""
    page = await open_page(scripted + CACHE)
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#cache-aside').nextElementSibling)")
    button = page.get_by_role("button", name="Ask about this passage")
    await expect(button).to_be_in_viewport()
    await button.click()
    box = page.locator("#m-question")
    await expect(box).to_be_focused()
    assert (await box.input_value()).startswith("“Read the cache, on a miss read the database")
    await expect(page.locator(".chip.on")).to_have_count(1)


async def test_a_chapter_that_is_not_there_is_a_page(open_page: Opened, scripted: str) -> None:
    """A wrong address says so in words and leads on."""
    page = await open_page(f"{scripted}/read/nope")
    await expect(page.get_by_role("heading", level=1)).to_have_text("There is no such chapter")
    await page.get_by_role("link", name="All chapters").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Contents")


async def test_search_finds_headings_as_one_types(open_page: Opened, scripted: str) -> None:
    """`/` opens it, the beginnings of words are enough, arrows and Enter open the heading."""
    page = await open_page(scripted + "/read")
    await page.keyboard.press("/")
    await page.keyboard.type("write beh")
    option = page.get_by_role("option").first
    await expect(option).to_contain_text("Write-Through & Write-Behind")
    await expect(option).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.locator("[id='write-through--write-behind']")).to_be_in_viewport()


async def test_the_last_choice_of_search_asks(open_page: Opened, scripted: str) -> None:
    """Words that no heading has can be asked as a question from where one is."""
    page = await open_page(scripted + CACHE)
    await page.get_by_role("button", name="Search chapters").click()
    await page.keyboard.type("zzz qqq")
    await expect(page.get_by_role("status").filter(has_text="No title or heading")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator(".question")).to_have_text("zzz qqq")
    await expect(page.locator(".exchange .actions")).to_be_visible()


async def test_search_is_quick_at_full_size(open_page: Opened, scripted: str) -> None:
    """96 chapters of 40 headings are searched well within a frame or two; the figure is in the benchmarks."""
    page = await open_page(scripted)
    count = await page.evaluate(
        """async () => {
          const base = document.querySelector('script[type=module]').src.replace('app.js', 'chapter_search.js');
          const { entriesOf, found } = await import(base);
          const rows = Array.from({ length: 96 }, (_, n) => [`s/${n}.md`, `Chapter ${n} on pooling`, 'Section',
            Array.from({ length: 40 }, (_, h) => [`Heading ${h} about connection limits`, `h${h}`])]);
          return found(entriesOf(rows), 'connec lim 39').length;
        }"""
    )
    assert count == 12


def _chapter(path: str, section: str) -> Chapter:
    return Chapter(path, path, "", 1, section=section)


CHAPTERS = [
    _chapter("01_introduction/a.md", "01 - Introduction"),
    _chapter("08_background_jobs/b.md", "08 - Background Jobs and Task Queues"),
    _chapter("09_authentication/c.md", "09 - Authentication and Security"),
]


async def test_learning_paths_are_read_from_the_contents_page() -> None:
    """Steps find their sections by name, though the numbers are stale, or by their links; others are left out."""
    written = (
        "## Learning Path\n\n### Beginner Path\n1. Start with **00 - Introduction** to begin\n"
        "2. Implement **07 - Background Processing** for tasks\n3. Learn **11 - Juggling**\n"
        "### Linked\n- Read [security](09_authentication/c.md) first\n## Quick Start\n1. **Introduction**\n"
    )
    paths = learning_paths(written, CHAPTERS)
    assert [path.name for path in paths] == ["Beginner Path", "Linked"]
    assert [[one.path for one in step.chapters] for step in paths[0].steps] == [
        ["01_introduction/a.md"],
        ["08_background_jobs/b.md"],
    ]
    assert paths[1].steps[0].chapters == (CHAPTERS[2],)
    assert paths[0].steps[0].words == "Start with 00 - Introduction to begin"
