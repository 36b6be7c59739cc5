"""`GET /api/chapters` and `GET /api/chapters/{path}`."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from ..small_index import PLAIN, source_lines

pytestmark = pytest.mark.asyncio(loop_scope="session")

CACHE = "07_caching_layer/cache_strategies.md"


async def test_the_list_has_every_chapter_without_its_text(client: httpx.AsyncClient) -> None:
    """Chapters come in the order of their paths, with titles and headings, and small enough for a contents page."""
    response = await client.get("/api/chapters")
    chapters = response.json()
    assert response.status_code == 200
    assert [chapter["path"] for chapter in chapters] == sorted(
        file.relative_to(PLAIN).as_posix() for file in PLAIN.rglob("*.md")
    )
    assert {chapter["text"] for chapter in chapters} == {""}
    assert all(chapter["title"] and chapter["headings"] for chapter in chapters)
    assert list(chapters[0]["headings"][0]) == ["level", "text", "anchor", "line"]


@pytest.mark.parametrize("path", [CACHE, CACHE.removesuffix(".md")])
async def test_a_chapter_is_found_with_and_without_its_ending(client: httpx.AsyncClient, path: str) -> None:
    """The chapter comes with its Markdown as written."""
    response = await client.get(f"/api/chapters/{path}")
    chapter = response.json()
    assert response.status_code == 200
    assert chapter["path"] == CACHE
    assert chapter["section"] == "07 - Caching Layer"
    assert chapter["text"].split("\n") == source_lines(CACHE)


async def test_a_heading_stands_in_its_line(client: httpx.AsyncClient) -> None:
    """The line of a heading is that of the text, so that the page can jump there."""
    chapter = (await client.get(f"/api/chapters/{CACHE}")).json()
    lines = chapter["text"].split("\n")
    for heading in chapter["headings"]:
        assert lines[heading["line"] - 1].lstrip("# ").startswith(heading["text"][:4])


@pytest.mark.parametrize(
    "path",
    [
        "nope.md",
        "07_caching_layer",
        "07_caching_layer/",
        "07_CACHING_LAYER/cache_strategies.md",
        f"{CACHE}.md",
        f"{CACHE}/",
        f"/{CACHE}",
        f"./{CACHE}",
        "../service/settings.py",
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..\\..\\etc\\passwd",
        f"notes/../{CACHE}",
        f"notes%2f..%2f{CACHE}",
        "%00",
        f"{CACHE}%00",
        "%ff%fe",
        "statistics",
        "*",
        "%7B%22match%22%3A%22%22%7D",
        "a" * 5000,
        quote("七/缓存.md"),
        quote("../🙂"),
    ],
)  # fmt: skip
async def test_any_other_path_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """A path is looked up, never opened: what is not a chapter is a 404, wherever it points."""
    dots_kept = path.replace(".", "%2e")  # else the client itself would take `..` out
    response = await client.get(f"/api/chapters/{dots_kept}")
    assert response.status_code == 404
    problem = response.json()
    assert (problem["status"], problem["code"]) == (404, "chapter_not_found")
    assert "root:" not in response.text


async def test_the_root_of_the_chapters_is_no_chapter(client: httpx.AsyncClient) -> None:
    """An empty path names nothing."""
    assert (await client.get("/api/chapters/")).status_code == 404


async def test_a_path_in_another_alphabet_is_found(odd_client: httpx.AsyncClient) -> None:
    """Folders and files may have any name; links to them are escaped."""
    listed = [chapter["path"] for chapter in (await odd_client.get("/api/chapters")).json()]
    assert listed == ["attack.md", "七_缓存/redis 策略 💡.md"]
    for path in (listed[1], listed[1].removesuffix(".md")):
        response = await odd_client.get(f"/api/chapters/{quote(path)}")
        assert response.status_code == 200
        assert response.json()["headings"][1]["anchor"] == "键-1"


async def test_a_citation_links_to_a_path_in_another_alphabet(odd_client: httpx.AsyncClient) -> None:
    """The URL of a citation is the escaped path and anchor."""
    response = await odd_client.post("/api/ask", json={"question": "How long may a Redis cache key live?"})
    cited = response.json()["citations"][0]
    assert cited["anchor"] == "键-1"
    assert cited["url"] == f"/read/{quote('七_缓存/redis 策略 💡')}#{quote('键-1')}"
    assert f'href="{cited["url"]}"' in response.json()["answer_html"]
