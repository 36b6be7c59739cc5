"""Nothing that anybody says becomes a program: not a question, not a chapter, not a model, not an address."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from ..small_index import ingest
from . import made_answers as made
from .acts import ask
from .conftest import Opened, served
from .payloads import PAYLOADS
from .stub import Script, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEB = Path(__file__).parents[2] / "service" / "web"
SENTINEL = """
window.__xss = 0;
window.__blocked = [];
addEventListener('securitypolicyviolation', ({ violatedDirective: directive, sample }) =>
  window.__blocked.push(`${directive} ${sample}`));
"""


async def _watched(open_page: Opened, address: str) -> Page:
    context = await open_page.context(viewport={"width": 1280, "height": 900})
    await context.add_init_script(SENTINEL)
    dialogs: list[str] = []
    context.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page = await open_page.tab(context, address)
    page.dialogs = dialogs  # type: ignore[attr-defined]
    return page


async def _poke(page: Page) -> None:
    """Hover, focus and press what a payload may have become."""
    await page.evaluate(
        """() => {
          for (const one of document.querySelectorAll('.prose *, .question, .sources *, .conversation-list *')) {
            for (const kind of ['mouseover', 'focus', 'pointerover', 'toggle', 'error', 'load', 'animationstart'])
              one.dispatchEvent(new Event(kind));
          }
        }"""
    )


async def _assert_nothing_ran(page: Page) -> None:
    await _poke(page)
    assert await page.evaluate("window.__xss") == 0
    assert await page.evaluate("window.__blocked") == []
    assert page.dialogs == []  # type: ignore[attr-defined]
    foreign = await page.evaluate(
        """() => [...document.querySelectorAll('main *, dialog *')]
          .filter((one) => /^(script|iframe|object|embed|base|meta|link|style|img|video|audio|math)$/i.test(one.tagName)
            || [...one.attributes].some(({ name, value }) =>
              /^on/i.test(name) || /^\\s*(javascript|data|vbscript):/i.test(value)))
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert foreign == []


async def test_there_are_enough_of_them() -> None:
    """At least forty payloads, all different."""
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 40


async def test_in_what_is_asked_and_answered(open_page: Opened, scripted: str, stub: Stub) -> None:
    """Question, history, text, quote, heading, title, file name, follow-up, receipt: all of each payload at once."""
    answers = [_hostile(payload) for payload in PAYLOADS]
    kept = stub.keep(PAYLOADS[0], answers)
    for payload in PAYLOADS[1:12]:
        stub.keep(payload, [answers[0]])
    page = await _watched(open_page, f"{scripted}/c/{kept.id}")
    while await page.locator(".earlier").count():
        await page.locator(".earlier").evaluate("(button) => button.click()")
    await expect(page.locator(".exchange")).to_have_count(len(PAYLOADS))
    await page.evaluate(
        "document.querySelectorAll('.actions button[aria-expanded]').forEach((button) => button.click())"
    )
    await page.locator(".cite").first.hover()
    await page.get_by_role("button", name="Conversations").click()
    await expect(page.locator(".conversation-list li")).to_have_count(12)
    await _assert_nothing_ran(page)


def _hostile(payload: str) -> Any:
    cited = replace(
        made.CITATIONS[0],
        quote=payload,
        heading=payload,
        title=payload,
        chapter=f"{payload}.md",
        url=f"javascript:window.__xss++//{payload}",
    )
    passage = replace(made.PASSAGES[0], heading=payload, title=payload, text=payload, chapter=payload)
    return made.answer(
        payload,
        f"{payload} [1]\n\n{payload}\n\n- {payload}\n\n> {payload}\n\n# {payload}",
        citations=(cited,),
        passages=(passage,),
        follow_ups=(payload,),
        receipt=made.receipt(prompt=payload, model=payload, retrieval_query=payload, degraded_reason=payload),
    )


@pytest.mark.parametrize("payload", PAYLOADS[::6])
async def test_in_a_stream(open_page: Opened, scripted: str, stub: Stub, payload: str) -> None:
    """Typed by hand, streamed in pieces as HTML, and given back as a source."""
    answer = _hostile(payload)
    pieces = [answer.answer[at : at + 7] for at in range(0, len(answer.answer), 7)]
    stub.scripts[payload] = Script(answer=answer, pieces=pieces)
    page = await _watched(open_page, scripted)
    exchange = await ask(page, payload)
    await expect(exchange.locator(".actions")).to_be_visible()
    assert await exchange.locator(".question").text_content() == payload
    await _assert_nothing_ran(page)


async def test_as_plain_deltas(open_page: Opened, scripted: str, stub: Stub) -> None:
    """A service that sends no HTML is shown as text, tags and all."""
    gate = asyncio.Event()
    stub.scripts["Plain?"] = Script(
        answer=made.answer("Plain?", "x"), pieces=["\n\n".join(PAYLOADS), "end"], plain=True, gate=gate
    )
    page = await _watched(open_page, scripted)
    exchange = await ask(page, "Plain?")
    gate.set()
    await expect(exchange.locator(".prose")).to_contain_text("<svg onload=")
    await _assert_nothing_ran(page)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hostile(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A real service over chapters whose titles, headings, text, front matter and file names are payloads."""
    root = tmp_path_factory.mktemp("hostile")
    for number, payload in enumerate(PAYLOADS):
        name = re.sub(r"[/\0\n]", "_", payload)[:80]
        file = root / "chapters" / f"{number:02} {name}.md"
        file.parent.mkdir(exist_ok=True)
        heading = payload.replace("\n", " ")
        said = _yaml(heading)
        fields = "\n".join(f"{name}: {said}" for name in ("title", "section", "level", "summary"))
        front = f"{fields}\nquestions: [{said}]\nversions: {{x: {said}}}"
        text = f"# {heading}\n\n## {heading} {number}\n\n{payload}\n\nEnough words on zebras for passage {number}.\n"
        file.write_text(f"---\n{front}\n---\n{text}", encoding="utf-8")
    await ingest(root / "data", root / "chapters")
    async with served(root / "data", knowledge_base=root / "chapters") as address:
        yield address


def _yaml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def test_in_chapters(open_page: Opened, hostile: str) -> None:
    """Contents, chapters, their outlines, search and suggestions show the payloads as text."""
    page = await _watched(open_page, f"{hostile}/read")
    links = await page.locator(".sections a").evaluate_all("(links) => links.map((link) => link.href)")
    assert len(links) == len(PAYLOADS)
    await _assert_nothing_ran(page)
    for link in links:
        await page.goto(link)
        await page.wait_for_selector("html[data-ready]", state="attached")
        await expect(page.locator(".chapter")).to_be_visible()
        await _assert_nothing_ran(page)
    await page.keyboard.press("/")
    await page.keyboard.type("script")
    await expect(page.get_by_role("option").nth(1)).to_be_visible()
    await _assert_nothing_ran(page)


async def test_in_answers_out_of_such_chapters(open_page: Opened, hostile: str) -> None:
    """What is quoted of them, and the source beside it, is text too."""
    page = await _watched(open_page, hostile)
    await _assert_nothing_ran(page)
    exchange = await ask(page, "Which passage on zebras is number 7?")
    await expect(exchange.locator(".actions")).to_be_visible()
    if await exchange.locator(".cite").count():
        await exchange.locator(".cite").first.click()
        await expect(page.locator("#m-source .chapter")).to_be_visible()
    await _assert_nothing_ran(page)


@pytest.mark.parametrize(
    "address",
    [
        "/?q={}",
        "/?chapter={}",
        "/read/{}",
        "/c/{}",
        "/a/{}",
        "/read?lines={}",
        "/#{}",
        "/read/07_caching_layer/cache_strategies?lines={}#{}",
    ],
)
async def test_in_an_address(open_page: Opened, scripted: str, address: str) -> None:
    """What stands in the address is shown as text or not at all, and nothing is asked by merely opening it."""
    page = await _watched(open_page, scripted)
    for payload in PAYLOADS[::9]:
        await page.goto(scripted + address.replace("{}", quote(payload, safe="")))
        await page.wait_for_selector("html[data-ready]", state="attached")
        await _assert_nothing_ran(page)


async def test_the_policy_would_stop_what_gets_through(open_page: Opened, scripted: str) -> None:
    """Stray HTML, a handler and an inline script do nothing, even where our own code had let them in."""
    page = await _watched(open_page, scripted)
    refused = await page.evaluate(
        """() => {
          const image = document.createElement('img');
          const script = document.createElement('script');
          const tries = [
            () => { document.body.innerHTML = '<img src=x onerror="window.__xss = 9">'; },
            () => image.setAttribute('onerror', 'window.__xss = 9'),
            () => { script.text = 'window.__xss = 9'; },
            () => { script.src = 'https://evil.example/x.js'; },
          ];
          return tries.map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.name; } });
        }"""
    )
    assert refused == ["TypeError"] * 4
    await page.evaluate(
        "document.body.append("
        "Object.assign(document.createElement('a'), { href: 'javascript:window.__xss = 9', id: 'go' }))"
    )
    await page.evaluate("document.getElementById('go').click()")
    await page.wait_for_function("window.__blocked.length >= 5")
    assert await page.evaluate("window.__xss") == 0


async def test_every_page_carries_the_policy(open_page: Opened, scripted: str) -> None:
    """No place is served without it, and none allows inline code or other hosts."""
    page = await open_page(scripted)
    for path in ("/", "/read", "/read/nope", "/read/07_caching_layer/cache_strategies", "/usage", "/c/x", "/a/x"):
        response = await page.request.get(scripted + path, headers={"Accept": "text/html"})
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


async def test_html_becomes_elements_in_one_place() -> None:
    """No module but `markup.js` touches a way to make elements out of text."""
    sinks = re.compile(
        r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|setHTML|srcdoc"
    )
    found = {file.name for file in (WEB / "scripts").glob("*.js") if sinks.search(file.read_text(encoding="utf-8"))}
    assert found == {"markup.js"}


@pytest.mark.parametrize(
    "path",
    [
        "../settings.py",
        "..%2fsettings.py",
        "%2e%2e/%2e%2e/etc/passwd",
        "scripts/../../api/pages.py",
        "index.html",
        "",
        "scripts",
        "/etc/passwd",
        "styles/tokens.css",
    ],
)
async def test_assets_are_only_the_pages_own(open_page: Opened, scripted: str, path: str) -> None:
    """No address leads out of the list of files that was read at the start."""
    page = await open_page(scripted)
    response = await page.request.get(f"{scripted}/assets/x/{path}")
    assert response.status == 404
