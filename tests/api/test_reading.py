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
    page = (await client.get(f"/read/{quote(path)}")).text
    chapter = (await client.get(f"/api/chapters/{quote(path)}")).json()
    ids = [unescape(id_) for id_ in re.findall(r'<h[1-6] id="([^"]*)"', page)]
    assert ids == [heading["anchor"] for heading in chapter["headings"] if heading["anchor"]]
    assert chapter["title"] in unescape(page)


async def test_nothing_runs_on_the_page(odd_client: httpx.AsyncClient) -> None:
    """Scripts, handlers and frames of a chapter are text, and the policy would stop them besides."""
    response = await odd_client.get("/read/attack")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    head, body = response.text.split("<main>", 1)
    assert "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>" in head
    assert not re.search(r"<(script|iframe|img|svg|object)|<[^>]+ on\w+=|href=\"(javascript|data):", body)


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
