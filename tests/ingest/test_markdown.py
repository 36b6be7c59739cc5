"""Markdown read into headings and blocks, with the lines they stand on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chapters import body_of, parse
from ingest.folder import scan
from ingest.markdown import Slugs, fenced, inner_blocks, outline, plain, resolve_links, visible_text
from ingest.sources import Source
from service.domain import Block, BlockKind

from .written import blocks, chapter


def only(text: str) -> Block:
    """The one block of a text."""
    (block,) = blocks(text)
    return block


def titles(text: str) -> list[str]:
    """The headings of a text."""
    return [heading.text for heading in outline(text).headings]


@pytest.mark.parametrize("mark", ["```", "~~~", "````", "   ```"])
def test_a_heading_inside_a_fence_is_code(mark: str) -> None:
    """Lines that begin with `#` in a fence of any kind are comments, not headings."""
    text = f"# Real\n\n{mark}bash\n# not a heading\n{mark}\n\n## Also real"
    assert titles(text) == ["Real", "Also real"]


def test_a_fence_ends_at_its_own_mark() -> None:
    """A longer fence holds shorter ones and their headings; so does a tilde fence."""
    for outer, inner in (("````", "```"), ("~~~", "```"), ("```", "~~~")):
        text = f"{outer}markdown\n{inner}\n# inside\n{inner}\n{outer}\n\n# After"
        assert titles(text) == ["After"]
        block = blocks(text)[0]
        assert (block.kind, block.start_line, block.end_line) == (BlockKind.CODE, 1, 5)
        assert f"{inner}\n# inside\n{inner}" in block.text


def test_setext_headings_count() -> None:
    """Titles underlined with `=` and `-` are headings of level 1 and 2, over several lines too."""
    headings = outline("Title\n=====\n\ntext\n\nA long\nheading\n---\n\ntext").headings
    assert [(h.level, h.text, h.anchor, h.line) for h in headings] == [
        (1, "Title", "title", 1),
        (2, "A long heading", "a-long-heading", 6),
    ]


def test_a_heading_in_an_html_block_a_quote_or_a_comment_is_none() -> None:
    """Only headings of the chapter itself part it into sections."""
    assert titles("<div>\n# html\n</div>\n\n> # quoted\n\n<!--\n# comment\n-->\n\n# Real") == ["Real"]


@pytest.mark.parametrize(
    ("heading", "text", "anchor"),
    [
        ("缓存穿透 (Cache Penetration)", "缓存穿透 (Cache Penetration)", "缓存穿透-cache-penetration"),
        ("🚀 Quick Start", "🚀 Quick Start", "-quick-start"),
        ("⚙️ Settings", "⚙️ Settings", "-settings"),
        ("Create & Verify", "Create & Verify", "create--verify"),
        ("`expire_on_commit=False`", "expire_on_commit=False", "expire_on_commitfalse"),
        ("See [the docs](https://x.dev)", "See the docs", "see-the-docs"),
        ("**Bold** and *it* and __init__", "Bold and it and init", "bold-and-it-and-init"),
        ("What does 2 * 3 mean?", "What does 2 * 3 mean?", "what-does-2--3-mean"),
        ("Step 3: Überblick", "Step 3: Überblick", "step-3-überblick"),
        ("Title {#own-id}", "Title", "own-id"),
        ("Closed ##", "Closed", "closed"),
        ("", "", ""),
    ],
)
def test_headings_are_shown_and_linked_as_on_github(heading: str, text: str, anchor: str) -> None:
    """A heading's text is what a reader sees, and its anchor the one that GitHub gives it, or its own."""
    (found,) = outline(f"## {heading}\n\ntext").headings
    assert (found.text, found.anchor) == (text, anchor)


def test_repeated_headings_are_numbered() -> None:
    """The second and third heading of the same name get `-1` and `-2`."""
    headings = outline("## Example\n\na\n\n## Example\n\nb\n\n## Example\n\nc").headings
    assert [heading.anchor for heading in headings] == ["example", "example-1", "example-2"]


@given(st.lists(st.sampled_from(["A", "a", "A 1", "A-1", "A 1 1", "🚀", "B"]), max_size=12))
@settings(max_examples=100)
def test_no_anchor_is_given_twice(texts: list[str]) -> None:
    """Anchors are unique, also where a heading is called what the numbering would give another one."""
    slugs = Slugs()
    anchors = [slugs.slug(text) for text in texts]
    assert len(set(anchors)) == len(anchors)


def test_a_section_knows_the_headings_above_it() -> None:
    """The trail of a section holds each open heading once, and ends with its own; skipped levels do no harm."""
    text = "intro\n\n# A\n\n1\n\n### B\n\n2\n\n## C\n\n3\n\n# D\n\n4"
    trails = [[heading.text for heading in section.trail] for section in outline(text).sections]
    assert trails == [[], ["A"], ["A", "B"], ["A", "C"], ["D"]]


def test_a_section_without_text_has_no_blocks_but_its_heading_counts() -> None:
    """Headings directly below each other make one section and two headings."""
    read = outline("# A\n\n## B\n\ntext")
    assert (len(read.headings), len(read.sections)) == (2, 1)


def test_each_block_is_what_it_is_and_knows_its_lines() -> None:
    """Paragraph, items, table, quote, code, indented code and HTML come apart with exact lines."""
    text = (
        "para\ngoes on\n\n- one\n- two\n  more\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n> more\n\n"
        "```python\nx = 1\n```\n\n    indented()\n\n<p>html</p>\n\n---\n\n1. first\n"
    )
    assert [(block.kind.value, block.start_line, block.end_line) for block in blocks(text)] == [
        ("prose", 1, 2), ("item", 4, 4), ("item", 5, 6), ("table", 8, 10), ("quote", 12, 13), ("code", 15, 17),
        ("code", 19, 19), ("html", 21, 21), ("item", 25, 25),
    ]  # fmt: skip


def test_lines_count_from_the_first_line_that_is_given() -> None:
    """Lines are those of the file, below its front matter."""
    read = outline("# T\n\ntext", 10)
    assert (read.headings[0].line, read.sections[0].blocks[0].start_line) == (10, 12)


@pytest.mark.parametrize("text", ["# A\r\n\r\none\r\n\r\n```\r\nx\r\n```\r\n", "\ufeff# A\n\none\n\n```\nx\n```\n"])
def test_line_ends_and_marks_of_windows_change_nothing(text: str, tmp_path: Path) -> None:
    """CRLF and a byte order mark give the same chapter as a plain file."""
    (tmp_path / "a.md").write_bytes(text.encode())
    (read,), problems = scan(tmp_path)
    assert problems == []
    assert parse(read)[0].headings == chapter("# A\n\none\n").headings
    assert blocks(read.text) == blocks("# A\n\none\n\n```\nx\n```\n")


def test_code_knows_its_language_and_comments() -> None:
    """The language is the info string's first word; comments are the block's sentences, on their own lines."""
    block = only('```Python {.numbered title="x"}\n# Why it works.\nx = 1\n```')
    assert (block.language, block.text) == ("python", "```python\n# Why it works.\nx = 1\n```")
    assert [(s.text, s.start_line) for s in block.sentences] == [("Why it works.", 2)]


def test_code_without_a_fence_gets_one_and_right_lines() -> None:
    """Indented code is fenced, and the lines of its comments are not moved by the fence."""
    block = only("    # Why it works.\n    x = 1")
    assert block.text == "```\n# Why it works.\nx = 1\n```"
    assert [s.start_line for s in block.sentences] == [1]


def test_a_fence_that_is_never_closed_runs_to_the_end() -> None:
    """What follows an open fence is code, and is closed where it is shown."""
    block = only("```python\nx = 1\n\n# a comment\n")
    assert (block.text, block.start_line, block.end_line) == ("```python\nx = 1\n\n# a comment\n```", 1, 4)


@pytest.mark.parametrize("code", ["a ``` b", "```\nx\n```", "`", "````````"])
def test_a_fence_is_longer_than_what_it_holds(code: str) -> None:
    """Code that holds backticks reads back as the same code."""
    assert only(fenced(code, "text")).text == fenced(code, "text")
    assert only(fenced(code, "text")).end_line == code.count("\n") + 3


def test_a_table_keeps_its_rows() -> None:
    """A table is one block; each body row can be quoted; the rule below its head is kept short."""
    block = only("| Option | Use |\n|:-----------|--------------:|\n| a | **one** |\n| b | two |")
    assert block.text == "| Option | Use |\n|:---|---:|\n| a | **one** |\n| b | two |"
    assert [(s.text, s.start_line) for s in block.sentences] == [("| a | **one** |", 3), ("| b | two |", 4)]


def test_html_shows_what_a_browser_shows() -> None:
    """Tags, scripts, styles and comments are gone; entities are characters; the lines are those of the block."""
    block = only("<div>\n  <p>A &amp; B &lt;c&gt;</p>\n  <script>var x</script><!-- no -->\n</div>")
    assert (block.kind, block.text, block.start_line, block.end_line) == (BlockKind.HTML, "A & B <c>", 1, 4)
    assert visible_text("<style>p {}</style><i>x</i>&nbsp;y &amp;lt;") == "x y &lt;"


def test_details_hold_ordinary_markdown() -> None:
    """The summary and the Markdown of a `details` element are read; its tags leave nothing behind."""
    text = "<details>\n<summary>More</summary>\n\nSome **prose**.\n\n```python\nx = 1\n```\n\n</details>"
    assert [(block.kind.value, block.text) for block in blocks(text)] == [
        ("html", "More"), ("prose", "Some **prose**."), ("code", "```python\nx = 1\n```"),
    ]  # fmt: skip


def test_a_block_without_words_is_left_out() -> None:
    """Rules, comments and lone marks are no passages."""
    assert blocks("---\n\n<!-- a comment -->\n\n***\n\n✅\n\n<br>\n\n```\n```") == []


@pytest.mark.parametrize("mark", ["```", "~~~"])
@pytest.mark.parametrize(("lead", "rest"), [("- ", "  "), ("> ", "> ")])
def test_an_item_that_holds_only_code_is_kept(mark: str, lead: str, rest: str) -> None:
    """A list item or quote that is nothing but a fence is a passage like any other."""
    block = only(f"{lead}{mark}bash\n{rest}make run\n{rest}{mark}")
    assert "make run" in block.text


def test_code_in_an_item_is_no_sentence() -> None:
    """The sentences of an item leave out its nested code, and their lines are not moved by it."""
    block = only("1. Run this.\n\n   ```bash\n   make run. Now.\n   ```\n\n   Then wait.")
    assert [(s.text, s.start_line) for s in block.sentences] == [("Run this.", 1), ("Then wait.", 7)]


def test_reference_links_stand_alone() -> None:
    """A reference link carries its target with it, or is its text where nothing defines it."""
    text = "See [the `x`][docs], [docs][] and [nothing][here].\n\n[docs]: https://x.dev"
    assert only(text).text == "See [the `x`](https://x.dev), [docs](https://x.dev) and nothing."


@pytest.mark.parametrize(
    "text",
    [
        "Use `rows = [r][0]` and ``a [b][c] ` d`` here.",
        "- run:\n\n  ```python\n  print([1][0])\n  ```",
        "Use `<!-- more -->` here.",
        "- page:\n\n  ```html\n  <!-- index -->\n  <p>\n  ```",
        "a[0][1] and x][y",
    ],
)
def test_code_is_never_rewritten(text: str) -> None:
    """What looks like a reference link or a comment inside code stays as it was written."""
    assert only(text).text == text


def test_a_paragraph_of_reference_links_alone_is_left_out() -> None:
    """Documentation sites put links into their API reference above a section; they say nothing to quote."""
    text = "## A\n\n**API**\n[`x.Y`][x.Y]<br>\n[`x.Z`][x.Z]<br>\n\nSee [`x.Y`][x.Y].\n"
    (section,) = outline(text).sections
    assert [block.text for block in section.blocks] == ["See `x.Y`."]


def test_a_reference_link_in_a_heading_is_its_text() -> None:
    """What a heading links to is no part of its text or its anchor."""
    (heading,) = outline("## Using [`Field()`][x.Field] here").headings
    assert (heading.text, heading.anchor) == ("Using Field() here", "using-field-here")


@pytest.mark.parametrize("text", ["[" + "`a`" * 40, "[" * 500, "`" * 501 + "[a" * 200])
def test_unclosed_brackets_are_left_alone(text: str) -> None:
    """A bracket that never closes is text (looking for its end once took years)."""
    assert resolve_links(text, {}) == text


def test_a_comment_leaves_the_lines_where_they_are() -> None:
    """An HTML comment inside a paragraph is gone, and the sentences below it keep their lines."""
    block = only("One. <!-- a\nb --> Two.\nThree.")
    assert "a" not in block.text
    assert [(s.text, s.start_line) for s in block.sentences] == [("One.", 1), ("Two.", 2), ("Three.", 3)]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [("![alt](x.png) and [a](b)", "alt and a"), ("`a*b*c`", "a*b*c"), ("snake_case_name", "snake_case_name"),
     ("C\\+\\+", "C++"), ("<b>x</b>", "x"), ("***x***", "x"),
     ("has no attribute '_id'", "has no attribute '_id'"), ("_a_ and __b `_c`__", "a and b _c")],
)  # fmt: skip
def test_inline_markup_is_taken_off(markdown: str, text: str) -> None:
    """Plain text has the words and not the marks."""
    assert plain(markdown) == text


def test_the_inside_of_an_item_or_a_quote() -> None:
    """An item's or a quote's own blocks come without marks and indentation, on the lines of the file."""
    item = only("1.  Do it:\n\n    ```bash\n    # why\n    make\n    ```\n\n    - a\n    - b")
    found = [(block.kind.value, block.text, block.start_line, block.end_line) for block in inner_blocks(item)]
    assert found == [
        ("prose", "Do it:", 1, 1), ("code", "```bash\n# why\nmake\n```", 3, 6), ("item", "- a", 8, 8),
        ("item", "- b", 9, 9),
    ]  # fmt: skip
    quote = only("> ### Title\n> text\n>\n> ```\n> x -> y > z\n> ```\n>\n> > inner")
    assert [block.text for block in inner_blocks(quote)] == ["### Title", "text", "```\nx -> y > z\n```", "> inner"]
    assert inner_blocks(only("just prose")) == []


def test_blocks_of_the_plain_chapters_stand_where_they_say(plain_sources: list[Source]) -> None:
    """Of every block of the plain chapters, the first and the last words stand on its first and last lines."""
    for read in plain_sources:
        lines = read.text.split("\n")
        parsed, _ = parse(read)
        for section in outline(body_of(parsed), parsed.body_line).sections:
            for block in section.blocks:
                if block.kind in (BlockKind.PROSE, BlockKind.ITEM, BlockKind.QUOTE, BlockKind.TABLE):
                    first, last = block.text.split("\n")[0], block.text.split("\n")[-1]
                    assert (lines[block.start_line - 1].strip(), lines[block.end_line - 1].strip()) == (
                        first.strip(),
                        last.strip(),
                    )
                if block.kind is BlockKind.CODE:
                    inside = block.text.split("\n")[1:-1]
                    assert lines[block.start_line : block.end_line - 1] == inside


def test_a_paragraph_of_links_stays_where_it_completes_a_sentence() -> None:
    """A box of links to the reference says nothing; what "three of them:" leads to is its answer."""
    links = "[`to_snake`][lib.to_snake]<br>\n[`to_camel`][lib.to_camel]<br>"
    (section,) = outline(f"# Names\n\n{links}\n\nThere are two of them:\n\n{links}\n").sections
    assert [(block.start_line, block.text) for block in section.blocks] == [
        (6, "There are two of them:"), (8, "`to_snake`<br>\n`to_camel`<br>"),
    ]  # fmt: skip
