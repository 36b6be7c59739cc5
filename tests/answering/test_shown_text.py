"""What is shown of a model's Markdown, in one piece or in many."""

from __future__ import annotations

import random

import pytest

from service.answering.drafting import Numbering
from service.answering.shown_text import ShownText, shown

KNOWN = "https://docs.python.org/3/x_(y)"


def _shown(markdown: str, passages: int = 5) -> str:
    return shown(markdown, Numbering(set(range(1, passages + 1))), lambda address: address == KNOWN)


CASES = {
    "Expire [3]. Version [1]. Again [3].": "Expire [1]. Version [2]. Again [1].",
    "Best [9]. One [2] and [9] more.": "Best. One [1] and more.",
    "Both [1][2], and [3, 1].": "Both [1] [2], and [3] [1].",
    "Twice [2, 2].": "Twice [1].",
    "[2] opens the line": "[1] opens the line",
    "`rows[3]` [3] ``a ` [1]`` [1]": "`rows[3]` [1] ``a ` [1]`` [2]",
    "```python\nx = rows[3]\n```\ny [1]": "```python\nx = rows[3]\n```\ny [1]",
    "````\n```\n[1]\n```\n````\n[2]": "````\n```\n[1]\n```\n````\n[1]",
    "~~~\n[3]\n~~~\n[2] a": "~~~\n[3]\n~~~\n[1] a",
    "- item [4]\n- ```py\n  a[1]\n  ```\n- x [2]": "- item [1]\n- ```py\n  a[1]\n  ```\n- x [2]",
    "an `unclosed [1]\n\nnext [1]": "an `unclosed [1]\n\nnext [1]",
    "list[dict[str, int]] [1]": "list[dict[str, int]] [1]",
    "[404] is no marker of two digits": "[404] is no marker of two digits",
    "![pixel](https://evil.test/p.png) [1]": "pixel [1]",
    "[click](https://evil.test/?q=secret) [1]": "click [1]",
    "[1](https://evil.test)": "1",
    f"[the docs]({KNOWN}) [1]": f"[the docs]({KNOWN}) [1]",
    f"![the docs]({KNOWN})": "the docs",
    "see https://evil.test/a?b=c, there": "see `https://evil.test/a?b=c`, there",
    f"see {KNOWN}x there": f"see `{KNOWN}x` there",
    "<https://evil.test>": "\\<`https://evil.test`>",
    "<script>alert(1)</script>": "\\<script>alert(1)\\</script>",
    "[<img src=x>](https://evil.test)": "\\<img src=x>",
    "a < b, and 1 <2": "a < b, and 1 <2",
    "[ref]: https://evil.test": "[ref]: `https://evil.test`",
    "half a [link": "half a [link",
    "half a [link](https://evil": "half a [link](`https://evil`",
    "odd ![ and !x": "odd ![ and !x",
    "emoji 😀 [5]! 中文 [4]": "emoji 😀 [1]! 中文 [2]",
    "httpx is http and https [1]": "httpx is http and https [1]",
    "": "",
}


@pytest.mark.parametrize(("markdown", "wanted"), CASES.items())
def test_a_text_is_shown_with_checked_markers_and_without_foreign_links(markdown: str, wanted: str) -> None:
    """Markers are numbered by first use, unknown ones left out; links, images and HTML lose their power; code stays."""
    assert _shown(markdown) == wanted


@pytest.mark.parametrize("markdown", CASES)
def test_pieces_add_up_to_the_whole(markdown: str) -> None:
    """However the text is cut, what is given out is never taken back and adds up to the same."""
    for seed in range(40):
        chance = random.Random(seed)
        text = ShownText(Numbering(set(range(1, 6))), lambda address: address == KNOWN)
        given, at = "", 0
        while at < len(markdown):
            size = chance.randint(1, 5)
            given += text.feed(markdown[at : at + size])
            at += size
        assert given + text.end() == _shown(markdown)


def test_plain_words_are_not_held_back() -> None:
    """A word is shown as soon as it is written; only what may be the start of something is held."""
    text = ShownText(Numbering({1}), lambda _: False)
    assert text.feed("Run it in a thread") == "Run it in a thread"
    assert text.feed(" [") == ""
    assert text.feed("1") == ""
    assert text.feed("]") == ""
    assert text.feed(".") == " [1]."


def test_an_endless_link_is_given_up() -> None:
    """Text that never closes what it opened is shown after all, as text."""
    text = ShownText(Numbering({1}), lambda _: False)
    assert text.feed("[a](" + "x" * 3000) != ""
    assert text.feed("`" + "y" * 3000) != ""
