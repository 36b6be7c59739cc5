"""Asking: from the first question to the cited answer, and everything that can come between."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import expect

from service.domain import Mode

from ..waiting import until
from . import made_answers as made
from .acts import answered, ask, marked_words
from .conftest import PHONE, Opened
from .stub import Script, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination work?"
HOLD = "What is cache-aside?"


async def test_a_first_question_leads_to_a_cited_answer(open_page: Opened, real: str) -> None:
    """A visitor types a question and gets an answer whose marks name their sources, with its own address."""
    page = await open_page(real)
    exchange = await answered(page, QUESTION)
    mark = exchange.locator(".prose .cite").first
    await expect(mark).to_have_text("1")
    assert (await mark.get_attribute("aria-label") or "").startswith("Source 1: ")
    await expect(exchange.locator(".sources li").first).to_be_visible()
    await expect(exchange.locator(".state")).to_have_text("Quoted from the chapters; no model was used.")
    assert "no model was used" not in await exchange.locator(".prose").inner_text()
    assert "/c/" in page.url


async def test_a_model_writes_the_answer(open_page: Opened, modelled: str) -> None:
    """With a model, its text is streamed with marks, and no line says that it was quoted."""
    page = await open_page(modelled)
    exchange = await answered(page, QUESTION)
    await expect(exchange.locator(".prose .cite").first).to_be_visible()
    await expect(exchange.locator(".prose pre code")).to_contain_text("values = [1, 2, 3]")
    await expect(exchange.locator(".state")).to_be_hidden()
    await exchange.get_by_role("button", name="Receipt").click()
    await expect(exchange.locator(".receipt")).to_contain_text("gpt-6-luna")


async def test_sources_come_before_the_first_word(open_page: Opened, scripted: str, stub: Stub) -> None:
    """While nothing is written yet, the passages that are read are listed and can be opened."""
    gate = asyncio.Event()
    stub.scripts[HOLD] = Script(gate=gate)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".progress")).to_have_text("Reading 3 passages from 2 chapters")
    await expect(exchange.locator(".reading-list li")).to_have_count(3)
    await expect(exchange.locator(".prose")).to_have_text("")
    await exchange.locator(".reading-list a").first.click()
    await expect(page.locator("#m-source")).to_contain_text("Cache-Aside")
    gate.set()
    await expect(exchange.locator(".reading-list")).to_be_hidden()


async def test_a_mark_opens_its_source_while_the_answer_is_written(
    open_page: Opened, scripted: str, stub: Stub
) -> None:
    """A mark works from the moment it appears, although its quote comes only with the whole answer."""
    gate = asyncio.Event()
    stub.scripts[HOLD] = Script(gate=gate, pieces=["The code fills it [1].\n\n", "More ", "words [2]."])
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    gate.set()
    await exchange.locator(".cite").first.click()
    await expect(page.locator("#m-source .passage")).to_contain_text("the code owns both steps")
    await expect(exchange.locator(".actions")).to_have_count(0)
    assert not gate.is_set()


async def test_stop_keeps_what_was_written(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Stop stands where send was, tells the service, and leaves the text so far."""
    gate = asyncio.Event()
    stub.scripts[HOLD] = Script(gate=gate, pieces=["First words.\n\n", "Never shown."])
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    gate.set()
    await expect(exchange.locator(".prose")).to_have_text("First words.")
    await expect(page.locator("#m-send")).to_be_hidden()
    await page.get_by_role("button", name="Stop").click()
    await expect(exchange.locator(".state")).to_contain_text("Stopped. This is what was written until then.")
    await expect(exchange.locator(".prose")).to_have_text("First words.")
    await expect(page.locator("#m-send")).to_be_visible()
    assert len(stub.stopped) == 1


async def test_stop_before_the_sources_stops_the_answer_too(open_page: Opened, scripted: str, stub: Stub) -> None:
    """The page is free at once; the service is told as soon as it says which answer it is."""
    found = asyncio.Event()
    stub.scripts[HOLD] = Script(before_sources=found)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await until(lambda: bool(stub.asked))
    await page.get_by_role("button", name="Stop").click()
    await expect(exchange.locator(".state")).to_contain_text("Stopped before anything was written.")
    await expect(page.locator("#m-send")).to_be_visible()
    assert stub.stopped == []
    found.set()
    await until(lambda: len(stub.stopped) == 1)
    await expect(exchange.locator(".prose")).to_be_empty()
    await expect(exchange.locator(".actions")).to_have_count(0)


async def test_leaving_before_the_sources_stops_nothing(open_page: Opened, scripted: str, stub: Stub) -> None:
    """A new conversation is not a stop: the question that was asked is answered where it was asked."""
    found = asyncio.Event()
    stub.scripts[HOLD] = Script(before_sources=found)
    page = await open_page(scripted)
    await ask(page, HOLD)
    await until(lambda: bool(stub.asked))
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("n")
    await expect(page.locator(".exchange")).to_have_count(0)
    found.set()
    await answered(page, QUESTION)
    assert stub.stopped == []


async def test_a_cut_connection_brings_the_finished_answer(open_page: Opened, scripted: str, stub: Stub) -> None:
    """When the stream breaks in mid-answer, the page fetches the answer once it is made."""
    ready = asyncio.Event()
    stub.scripts[HOLD] = Script(cut_after=1, ready=ready)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".state")).to_contain_text("The connection was lost.")
    await expect(exchange.locator(".prose")).to_contain_text("cache-aside")
    ready.set()
    await expect(exchange.locator(".actions")).to_be_visible()
    await expect(exchange.locator(".prose")).to_contain_text("Write-behind answers")
    await expect(exchange.locator(".state")).to_be_hidden()


async def test_a_question_cannot_be_sent_twice(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Enter and clicks while an answer is being made send nothing."""
    gate = asyncio.Event()
    stub.scripts[HOLD] = Script(gate=gate)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".progress")).to_contain_text("Reading")
    await page.locator("#m-question").fill("Again")
    await page.locator("#m-question").press("Enter")
    await page.evaluate("document.getElementById('m-composer').requestSubmit()")
    await expect(page.locator("#m-question")).to_have_value("Again")
    assert len(stub.asked) == 1
    gate.set()


async def test_asking_again_asks_for_a_fresh_answer(open_page: Opened, scripted: str, stub: Stub) -> None:
    """*Ask again* puts the same question once more, below."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    async with page.expect_request("**/api/ask") as sent:
        await exchange.get_by_role("button", name="Ask again", exact=True).click()
    request = await sent.value
    assert (await request.all_headers())["cache-control"] == "no-cache"
    await expect(page.locator(".exchange")).to_have_count(2)


async def test_edit_puts_the_question_back_into_the_box(open_page: Opened, scripted: str) -> None:
    """The pencil beside a question, and the up arrow in an empty box, bring it back to be changed."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Edit this question").click()
    await expect(page.locator("#m-question")).to_have_value(HOLD)
    await expect(page.locator("#m-question")).to_be_focused()
    await page.locator("#m-question").fill("")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#m-question")).to_have_value(HOLD)


async def test_copy_gives_markdown_with_sources(open_page: Opened, scripted: str, stub: Stub) -> None:
    """The copied answer is Markdown, its sources with links; copied code is the code alone."""
    context = await open_page.context(permissions=["clipboard-read", "clipboard-write"])
    page = await open_page.tab(context, scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Copy", exact=True).last.click()
    await expect(page.locator("#m-announcer")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"## {HOLD}\n\nWith cache-aside")
    assert f"{scripted}/read/07_caching_layer/cache_strategies?lines=7-7#cache-aside" in copied
    await exchange.locator(".copy-code").click()
    await expect(exchange.locator(".copy-code")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "value = await cache.get(key)"


async def test_a_follow_up_belongs_to_the_conversation(open_page: Opened, real: str) -> None:
    """A second question goes to the same conversation, and a reload brings both back."""
    page = await open_page(real)
    await answered(page, QUESTION)
    address = page.url
    await answered(page, "And when is offset pagination good enough?")
    assert page.url == address
    await page.reload()
    await expect(page.locator(".exchange .actions")).to_have_count(2)
    await expect(page.locator(".question").first).to_have_text(QUESTION)


async def test_a_suggested_follow_up_is_one_press(open_page: Opened, scripted: str, stub: Stub) -> None:
    """The suggestion under an answer is asked as it stands."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("list", name="Ask next").get_by_role("button").click()
    await expect(page.locator(".exchange")).to_have_count(2)
    await expect(page.locator(".question").last).to_have_text("When should a key be deleted instead of overwritten?")


async def test_filters_are_sent_and_shown(open_page: Opened, real: str) -> None:
    """A chosen section is a chip, goes with the question, and can be taken away again."""
    page = await open_page(real)
    await page.get_by_role("button", name="All sections").click()
    box = page.get_by_role("dialog", name="Choose sections").get_by_role("checkbox").first
    chosen = await box.get_attribute("value")
    await box.check()
    await page.keyboard.press("Escape")
    async with page.expect_request("**/api/ask") as sent:
        exchange = await ask(page, QUESTION)
    assert (await sent.value).post_data_json["filters"]["sections"] == [chosen]
    await expect(exchange.locator(".narrowed")).to_contain_text(f"Only in: {chosen}")
    await page.locator(".chip.on").click()
    await expect(page.locator(".chip.on")).to_have_count(0)


async def test_the_box_grows_and_counts(open_page: Opened, scripted: str) -> None:
    """Shift+Enter starts a line, eight lines are the most, and a question that is too long is not sent."""
    page = await open_page(scripted)
    box = page.locator("#m-question")
    one = (await box.bounding_box() or {})["height"]
    await box.fill("a")
    for _ in range(3):
        await box.press("Shift+Enter")
    assert (await box.bounding_box() or {})["height"] > 2.5 * one
    await box.fill("\n".join("abcdefghijklmnop"))
    assert (await box.bounding_box() or {})["height"] < 8 * one
    await box.fill("x" * 4010)
    await expect(page.locator("#m-composer-note")).to_have_text("10 characters too long; the most is 4,000.")
    await box.press("Enter")
    await expect(page.locator(".exchange")).to_have_count(0)


async def test_a_service_that_sends_no_html_is_shown_too(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Plain deltas stand as text until the whole answer comes."""
    gate = asyncio.Event()
    stub.scripts[HOLD] = Script(plain=True, gate=gate)
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    gate.set()
    await expect(exchange.locator(".prose")).to_contain_text("With cache-aside the code reads")
    await expect(exchange.locator(".cite")).to_have_count(0)
    stub.scripts[HOLD].let_go()
    await expect(exchange.locator(".prose .cite")).to_have_count(2)


async def test_the_welcome_makes_room_for_the_first_answer(open_page: Opened, scripted: str) -> None:
    """A first visit says what there is to ask; after the first question it is out of the way."""
    page = await open_page(scripted)
    await expect(page.locator(".welcome")).to_contain_text("8 chapters in")
    await answered(page, HOLD)
    await expect(page.locator(".welcome")).to_be_hidden()


async def test_the_source_is_a_sheet_on_a_phone(open_page: Opened, real: str) -> None:
    """On a phone the source covers the answer as a sheet; closing it leads back to the mark."""
    page = await open_page(real, viewport=PHONE, has_touch=True)
    exchange = await answered(page, QUESTION)
    mark = exchange.locator(".cite").first
    await mark.click()
    assert await page.evaluate("document.getElementById('m-source').matches(':modal')")
    assert await marked_words(page)
    await page.keyboard.press("Escape")
    await expect(page.locator("#m-source")).to_be_hidden()
    await expect(mark).to_be_focused()


async def test_an_answer_has_an_address_of_its_own(open_page: Opened, real: str) -> None:
    """`/a/{id}` shows the answer to whoever has the link, and a follow-up begins a conversation there."""
    page = await open_page(real)
    await answered(page, QUESTION)
    shared = await page.evaluate("fetch(location.pathname.replace('/c/', '/api/conversations/')).then((r) => r.json())")
    other = await open_page(f"{real}/a/{shared['exchanges'][0]['answer_id']}")
    await expect(other.locator(".question")).to_have_text(QUESTION)
    await expect(other.locator(".prose .cite").first).to_be_visible()
    await answered(other, "And when is offset pagination good enough?")
    assert "/c/" in other.url


async def test_without_a_database_questions_are_answered_all_the_same(
    open_page: Opened, scripted: str, stub: Stub
) -> None:
    """Where no conversation can be kept, the answer comes, and the history goes along with the next question."""
    stub.keeps_conversations = False
    page = await open_page(scripted)
    await answered(page, HOLD)
    await answered(page, "And then?")
    assert stub.asked[1]["history"][0] == {"role": "user", "content": HOLD}
    assert "conversation" not in stub.asked[1]
    assert stub.asked[1]["history"][1]["content"].startswith(made.TEXT[:20])


def _with_code(lines: int, mode: Mode) -> Script:
    code = "\n".join(f"step_{number}()" for number in range(lines))
    text = f"The code fills it [1].\n\n```python\n{code}\n```\n"
    return Script(answer=made.answer(HOLD, text, citations=made.CITATIONS[:1], mode=mode))


async def test_long_code_of_a_quotation_is_folded(open_page: Opened, scripted: str, stub: Stub) -> None:
    """What follows it stays in sight; one press shows all of it, another folds it again, and paper has all."""
    stub.scripts[HOLD] = _with_code(60, Mode.EXTRACTIVE)
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    code = exchange.locator("pre")
    folded = await code.bounding_box()
    await exchange.get_by_role("button", name="Show all 60 lines").press("Enter")
    whole = await code.bounding_box()
    assert folded
    assert whole
    assert whole["height"] > 2 * folded["height"]
    less = exchange.get_by_role("button", name="Show less")
    await expect(less).to_have_attribute("aria-expanded", "true")
    await less.click()
    await expect(exchange.get_by_role("button", name="Show all 60 lines")).to_be_visible()
    await page.emulate_media(media="print")
    printed = await code.bounding_box()
    assert printed
    assert printed["height"] > 2 * folded["height"]


@pytest.mark.parametrize(("lines", "mode"), [(28, Mode.EXTRACTIVE), (60, Mode.LLM)])
async def test_other_code_stands_whole(open_page: Opened, scripted: str, stub: Stub, lines: int, mode: Mode) -> None:
    """Folding a few lines saves nothing, and what a model has just written does not shrink under the reader's eyes."""
    stub.scripts[HOLD] = _with_code(lines, mode)
    exchange = await answered(await open_page(scripted), HOLD)
    await expect(exchange.locator("pre")).to_contain_text(f"step_{lines - 1}()")
    await expect(exchange.locator(".unfold")).to_have_count(0)


async def test_sources_of_one_section_are_told_apart(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Two passages under one heading have their lines behind it; the others need none."""
    first, other = made.CITATIONS
    second = replace(first, number=2, start_line=20, end_line=22)
    text = "One [1]. Two [2]. Three [3]."
    cited = (first, second, replace(other, number=3))
    stub.scripts[HOLD] = Script(answer=made.answer(HOLD, text, citations=cited))
    exchange = await answered(await open_page(scripted), HOLD)
    names = await exchange.locator(".sources .place").all_inner_texts()
    assert names[0].endswith("› Cache-Aside, line 7")
    assert names[1].endswith("› Cache-Aside, lines 20–22")
    assert names[2].endswith("› Write-Through & Write-Behind")
