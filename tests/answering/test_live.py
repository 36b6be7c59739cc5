"""What can be shown of an answer while it is being written."""

from __future__ import annotations

import json

import pytest

from service.answering.live_draft import LiveDraft
from service.answering.live_html import LiveHtml
from service.answering.rendering import to_html

ANSWER = 'Say "hi" — 😀 中文\n\n```python\nx = "a\\n"\n```\nEnd.'
DRAFT = {"answer": ANSWER, "citations": [{"passage": 1, "quote": "answer"}], "status": "answered", "follow_ups": []}


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_answer_is_read_out_of_json_that_is_not_complete(size: int, ascii_only: bool) -> None:
    """Escapes and surrogate pairs that are cut in half are waited for; other fields are never shown."""
    raw = json.dumps(DRAFT, ensure_ascii=ascii_only)
    draft = LiveDraft()
    pieces = [draft.feed(raw[at : at + size]) for at in range(0, len(raw), size)]
    assert "".join(pieces) == ANSWER


def test_a_fence_around_the_json_is_looked_through() -> None:
    """Models without a schema like to wrap their JSON."""
    draft = LiveDraft()
    assert draft.feed("```json\n" + json.dumps(DRAFT)) == ANSWER


@pytest.mark.parametrize("raw", ["I am sorry, I cannot", '["answer"]', '{"answer": 7', '{"text": "x"', ""])
def test_what_is_no_draft_shows_nothing(raw: str) -> None:
    """Prose, lists and other fields are not the answer."""
    assert LiveDraft().feed(raw) == ""


MARKDOWN = "Run **it**.\n\n- a\n- b\n\n1. one\n\n```python\nx = 1\n```\n\n| a |\n|---|\n| b |\n\nEnd <b>.\n"


@pytest.mark.parametrize("size", [1, 3, 11])
def test_blocks_add_up_to_the_whole_page(size: int) -> None:
    """Each block replaced by its latest HTML, in order, is the HTML of the whole."""
    live, blocks = LiveHtml(), {}
    for at in range(0, len(MARKDOWN), size):
        blocks |= {block.block: block.html for block in live.feed(MARKDOWN[at : at + size], ())}
    assert [*blocks] == sorted(blocks)
    assert "".join(blocks.values()) == to_html(MARKDOWN)


def test_a_finished_block_is_not_sent_again() -> None:
    """Only the block that is being written changes."""
    live = LiveHtml()
    live.feed("First.\n\nSec", ())
    assert [block.block for block in live.feed("ond.", ())] == [1]
    assert [block.block for block in live.feed("\n\nThird", ())] == [1, 2]


def test_code_gets_its_colours_when_it_is_complete() -> None:
    """While it grows it is only escaped, in the same frame."""
    live = LiveHtml()
    (growing,) = live.feed("```python\nx = 1 < 2\n", ())
    assert growing.html == '<pre class="highlight"><code class="language-python">x = 1 &lt; 2\n</code></pre>\n'
    finished, _ = live.feed("```\n\nNext", ())
    assert '<span class="n">x</span>' in finished.html
