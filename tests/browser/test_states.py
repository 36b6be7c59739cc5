"""Every state that is not an answer: what happened, what still works, what to do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from service.domain import Mode, PassageUse, Status

from ..fakes.upstream import Provider, always, named
from ..waiting import until
from . import made_answers as made
from .acts import answered, ask
from .conftest import PHONE, Opened, served
from .stub import Script, Stub
from .stub import exchange as said

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOLD = "What is cache-aside?"


def _refusal(status: int, code: str, detail: str, **headers: str) -> Script:
    document = {"title": "Problem", "status": status, "code": code, "detail": detail}
    return Script(problem=(status, document, {name.replace("_", "-"): value for name, value in headers.items()}))


UNREACHED = {"status": 503, "code": "model_unreachable", "title": "The model cannot be reached"}
UNREACHED["detail"] = "no answer in 60 s"
PROBLEMS = [
    (
        _refusal(429, "budget_spent", "spent", Retry_After="12000"),
        "Today's budget for answers is spent. It opens again in 3 h 20 min",
    ),
    (
        _refusal(429, "rate_limited", "slow down", Retry_After="30"),
        "Too many questions at once. You can ask again in 30 seconds.",
    ),
    (_refusal(503, "index_missing", "nothing"), "Nothing is ingested yet, so there is nothing to answer from."),
    (_refusal(503, "index_corrupted", "a file is cut short"), "The index is damaged: a file is cut short"),
    (_refusal(401, "unknown_key", "no key"), "This service answers only those who have a key."),
    (
        _refusal(422, "unknown_filter", "there is no section '99'"),
        "There is no section '99'. Take the filter away and ask again.",
    ),
    (_refusal(500, "internal", "the log has it"), "Problem. The log has it."),
    (_refusal(404, "conversation_not_found", "gone"), "This conversation is not here any more"),
    (Script(error=UNREACHED), "The model cannot be reached. No answer in 60 s."),
]


@pytest.mark.parametrize(("script", "sentence"), PROBLEMS)
async def test_a_problem_is_a_sentence(
    open_page: Opened, scripted: str, stub: Stub, script: Script, sentence: str
) -> None:
    """What went wrong is said in words, the question stays, and one can go on."""
    stub.scripts[HOLD] = script
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".state")).to_contain_text(sentence)
    await expect(exchange.locator(".answer")).to_have_attribute("data-tone", "failed")
    del stub.scripts[HOLD]
    await answered(page, "And now?")


async def test_the_command_that_mends_the_index_stands_there(open_page: Opened, tmp_path: Path) -> None:
    """A service without an index says what to run, on the first page already."""
    async with served(tmp_path) as address:
        page = await open_page(address)
        await expect(page.locator(".exchange .state")).to_contain_text("Nothing is ingested yet")
        await expect(page.locator(".remedy code")).to_have_text("mastery ingest")
        reading = await open_page(f"{address}/read")
        await expect(reading.get_by_role("heading", level=1)).to_have_text("Nothing is ingested yet")


async def test_a_key_is_asked_for_and_used(open_page: Opened, scripted: str, stub: Stub) -> None:
    """The question is asked again with the key, and files come with it too."""
    stub.scripts[HOLD] = _refusal(401, "unknown_key", "no key")
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await exchange.get_by_label("Key").fill("k-123")
    del stub.scripts[HOLD]
    async with page.expect_request("**/api/ask") as sent:
        await exchange.get_by_role("button", name="Use this key").click()
    await expect(page.locator(".exchange .actions")).to_be_visible()
    assert (await (await sent.value).all_headers())["authorization"] == "Bearer k-123"
    await page.get_by_role("button", name="Conversations").click()
    async with page.expect_download() as started:
        await page.get_by_role("link", name="as Markdown").first.click()
    assert (await started.value).url.startswith("blob:")


async def test_what_the_chapters_do_not_cover(open_page: Opened, real: str) -> None:
    """It is said without alarm, and the nearest chapters are one press away."""
    page = await open_page(real)
    exchange = await answered(page, "What is the best recipe for pancakes?")
    await expect(exchange.locator(".prose")).to_have_text("The knowledge base does not cover this. Nearest:")
    await expect(exchange.locator(".answer")).to_have_attribute("data-tone", "missing")
    await exchange.get_by_role("list", name="Nearest chapters").get_by_role("link").first.click()
    await expect(page.locator(".chapter")).to_be_visible()


async def test_a_model_that_fails_is_said_plainly(open_page: Opened, modelled: str, provider: Provider) -> None:
    """The real service without its model quotes, and the page says why."""
    provider.play(named("401"))
    page = await open_page(modelled)
    exchange = await answered(page, "How does keyset pagination work?")
    await expect(exchange.locator(".answer")).to_have_attribute("data-tone", "degraded")
    await expect(exchange.locator(".state")).to_contain_text("these are the passages it would have read.")
    assert "no model was used" not in await exchange.inner_text()
    provider.play(always(replace(named("well")(0, {}))))


STATES = [
    (
        {
            "degraded": True,
            "mode": Mode.EXTRACTIVE,
            "receipt": made.receipt(degraded_reason="model_unreachable: no answer"),
        },
        "The model could not be reached; these are the passages it would have read.",
    ),
    (
        {"degraded": True, "mode": Mode.EXTRACTIVE, "receipt": made.receipt(degraded_reason="budget_spent: spent")},
        "Today's budget for the model is spent; these are the passages it would have read.",
    ),
    (
        {"degraded": True, "mode": Mode.EXTRACTIVE, "receipt": made.receipt(degraded_reason="uncited: none holds")},
        "None of the citations in the model's answer held, so it is not shown; these are the passages it was given.",
    ),
    ({"receipt": made.receipt(uncited_sentences=1)}, "1 sentence in it carries no citation."),
    ({"receipt": made.receipt(uncited_sentences=2)}, "2 sentences in it carry no citation."),
    ({"status": Status.PARTIAL}, "The chapters cover only a part of this."),
    (
        {"receipt": made.receipt(cached=True)},
        "Given before to the same question; it cost nothing this time. Ask afresh",
    ),
    ({"receipt": made.receipt(stored=False)}, "The database could not keep it, so it has no address of its own."),
]


@pytest.mark.parametrize(("changes", "sentence"), STATES)
async def test_an_answer_says_what_it_is(
    open_page: Opened, scripted: str, stub: Stub, changes: dict[str, object], sentence: str
) -> None:
    """Degraded, partial, given before: one plain line."""
    stub.scripts[HOLD] = Script(answer=made.answer(HOLD, **changes))
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await expect(exchange.locator(".state")).to_have_text(sentence)


async def test_offline_is_said_and_recovers(open_page: Opened, scripted: str) -> None:
    """A banner while there is no network; a question asked meanwhile can be asked again."""
    context = await open_page.context()
    page = await open_page.tab(context, scripted)
    await context.set_offline(True)
    await expect(page.locator("#m-offline")).to_contain_text("You are offline.")
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".state")).to_contain_text("The question is kept")
    await context.set_offline(False)
    await expect(page.locator("#m-offline")).to_be_hidden()
    await exchange.get_by_role("button", name="Ask again", exact=True).click()
    await expect(page.locator(".exchange .actions")).to_be_visible()


async def test_a_follow_up_without_a_network_promises_nothing(open_page: Opened, scripted: str) -> None:
    """Nobody knows whether it arrived; when the network is back and it did not, it can be asked again."""
    context = await open_page.context()
    page = await open_page.tab(context, scripted)
    await answered(page, HOLD)
    await context.set_offline(True)
    exchange = await ask(page, "And then?")
    await expect(exchange.locator(".state")).to_contain_text("If the question arrived, its answer will appear here.")
    await context.set_offline(False)
    await exchange.get_by_role("button", name="Ask again", exact=True).click()
    await expect(page.locator(".exchange").last.locator(".actions")).to_be_visible()


async def test_a_stream_cut_before_its_first_event(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Where the page does not know the answer's id yet, the conversation tells it."""
    stub.scripts[HOLD] = Script(before_sources=asyncio.Event())
    page = await open_page(scripted)
    exchange = await ask(page, HOLD)
    await expect(exchange.locator(".progress")).to_have_text("Looking through the chapters…")
    await until(lambda: bool(stub.asked))
    await page.route("**/api/ask", lambda route: route.abort())
    answer = made.answer("Cut?")
    stub.answers[answer.id] = (answer, None)
    await page.get_by_role("button", name="Stop").click()
    kept = next(iter(stub.conversations.values()))
    kept.exchanges.append(said(1, answer, done=False))
    again = await ask(page, "Cut?")
    await expect(again.locator(".actions")).to_be_visible()


async def test_very_long_things_stay_in_their_place(open_page: Opened, scripted: str, stub: Stub) -> None:
    """A long question, a word without end, wide code, a wide table: none makes the page scroll sideways."""
    wide = f"{'x' * 400}\n\n```python\n{'y' * 500}\n```\n\n| {' | '.join('abcdefghij' * 3)} |\n|{'---|' * 30}\n"
    question = "word " * 700 + "?"
    stub.scripts[question.strip()] = Script(answer=made.answer(question.strip(), wide + "text " * 20_000))
    page = await open_page(scripted, viewport=PHONE)
    exchange = await ask(page, question)
    await expect(exchange.locator(".actions")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (await exchange.locator(".question").bounding_box() or {})["height"] < 200


async def test_a_wrong_address_of_an_answer(open_page: Opened, scripted: str) -> None:
    """An answer or a conversation that is not there is a sentence, and a question can be asked below."""
    page = await open_page(f"{scripted}/c/nope")
    await expect(page.locator(".state")).to_contain_text("This conversation is not here any more")
    await answered(page, HOLD)


async def test_passages_say_what_became_of_them(open_page: Opened, scripted: str) -> None:
    """The receipt names time, model, prompt, tokens, dollars and the fate of each passage."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Receipt").click()
    receipt = exchange.get_by_role("region", name="Receipt")
    for words in (
        "1.9 s in all",
        "gpt-6-luna",
        "answer/v2",
        "1,200 read (400 of them cached), 180 written",
        "$0.0002",
        "left out: ranked lower",
        "0.910",
        "parses and imports what exists",
    ):
        await expect(receipt).to_contain_text(words)
    assert PassageUse.RANKED_LOWER in [passage.use for passage in made.PASSAGES]


async def test_an_unknown_price_is_said(open_page: Opened, scripted: str, stub: Stub) -> None:
    """No dollars are invented."""
    stub.scripts[HOLD] = Script(answer=made.answer(HOLD, receipt=made.receipt(cost_usd=None)))
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Receipt").click()
    await expect(exchange.locator(".receipt")).to_contain_text("unknown; the price of this model is not known")


async def test_thumbs_with_a_reason(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Up is one press; down takes a reason and words."""
    page = await open_page(scripted)
    exchange = await answered(page, HOLD)
    await exchange.get_by_role("button", name="Good answer").click()
    await expect(exchange.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    await exchange.get_by_role("button", name="Bad answer").click()
    await exchange.get_by_label("A source does not say this").check()
    await exchange.get_by_label("More about it").fill("Line 7")
    await exchange.get_by_role("button", name="Send").click()
    await expect(exchange.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    assert [(one["verdict"], one.get("reason"), one.get("comment")) for one in stub.feedback] == [
        ("up", None, None),
        ("down", "wrong_citation", "Line 7"),
    ]


async def test_feedback_reaches_the_real_service(open_page: Opened, real: str) -> None:
    """What was said of an answer is there when its address is opened later."""
    page = await open_page(real)
    exchange = await answered(page, "How does keyset pagination work?")
    async with page.expect_response("**/feedback") as sent:
        await exchange.get_by_role("button", name="Good answer").click()
    response = await sent.value
    assert response.status == 204
    other = await open_page(f"{real}/a/{response.url.split('/')[-2]}")
    await expect(other.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
