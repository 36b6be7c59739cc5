"""`GET /read/{path}`: the page that a citation's link opens."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote, unquote

import httpx
import pytest

from ..small_index import PLAIN

pytestmark = pytest.mark.asyncio(loop_scope="session")

CACHE = "07_caching_layer/cache_strategies"
PATHS = sorted(file.relative_to(PLAIN).as_posix().removesuffix(".md") for file in PLAIN.rglob("*.md"))


async def test_every_link_of_an_answer_opens_at_its_heading(client: httpx.AsyncClient) -> None:
    """Citations and `Read on` lead to a page that has the anchor."""
    links = set()
    for question in (
        "How does keyset pagination work?",
        "How do I rotate refresh tokens?",
        "When do I need a heartbeat?",
    ):
        answer = (await client.post("/api/ask", json={"question": question})).json()
        links |= {cited["url"] for cited in answer["citations"]}
        links |= {unescape(link) for link in re.findall(r'href="(/read/[^"]+)"', answer["answer_html"])}
    assert len(links) >= 6
    for link in links:
        path, _, anchor = link.partition("#")
        page = await client.get(path)
        assert page.status_code == 200, link
        assert not anchor or f'id="{unquote(anchor)}"' in page.text, link


@pytest.mark.parametrize("path", PATHS)
async def test_a_chapter_is_a_page_with_all_its_headings(client: httpx.AsyncClient, path: str) -> None:
    """Every heading carries its anchor once, and the page has the chapter's title."""
    page = (await client.get(f"/read/{quote(path)}?part=view")).text
    chapter = (await client.get(f"/api/chapters/{quote(path)}")).json()
    ids = [unescape(id_) for id_ in re.findall(r'<h[1-6][^>]* id="([^"]*)"', page)]
    assert ids == [heading["anchor"] for heading in chapter["headings"] if heading["anchor"]]
    assert chapter["title"] in unescape(page)


async def test_nothing_runs_on_the_page(odd_client: httpx.AsyncClient) -> None:
    """Scripts, handlers and frames of a chapter are text, and the policy would stop them besides."""
    response = await odd_client.get("/read/attack")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; · Backend Mastery</title>" in response.text
    view = (await odd_client.get("/read/attack?part=view")).text
    assert view in response.text
    assert not re.search(r"<(script|iframe|img|svg|object)|<[^>]+ on\w+=|href=\"(javascript|data):", view)


async def test_blocks_carry_the_lines_they_were_written_on(client: httpx.AsyncClient) -> None:
    """Paragraphs, code and headings know their place in the file, so that a quote can be found and marked."""
    view = (await client.get(f"/read/{CACHE}?part=view")).text
    assert '<p data-lines="7-7">Read the cache, on a miss' in view
    assert '<figure class="code" data-lines="11-62"><figcaption>Python</figcaption><pre' in view
    assert '<h2 data-lines="5-5" id="cache-aside">Cache-Aside</h2>' in view


async def test_a_page_that_did_not_change_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """The tag of a page brings a 304, and a browser that takes gzip gets it."""
    first = await client.get(f"/read/{CACHE}")
    assert first.headers["content-encoding"] == "gzip"
    again = await client.get(f"/read/{CACHE}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_reader_who_takes_html_gets_a_page(client: httpx.AsyncClient) -> None:
    """A wrong address is a page for people and a problem document for programs, both with status 404."""
    response = await client.get("/read/nope", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "There is no such chapter" in response.text


@pytest.mark.parametrize(
    "path", ["nope", "", f"{CACHE}/x", "%2e%2e/%2e%2e/etc/passwd", "..%2fservice%2fsettings%2epy", "%00"]
)
async def test_any_other_path_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """What is not a chapter is a problem document, wherever it points."""
    response = await client.get(f"/read/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "root:" not in response.text


async def test_a_page_in_another_alphabet_opens(odd_client: httpx.AsyncClient) -> None:
    """Paths and anchors may be Chinese."""
    page = await odd_client.get(f"/read/{quote('七_缓存/redis 策略 💡')}")
    assert page.status_code == 200
    assert 'id="键-1"' in page.text
