"""Admonitions, tabs and directives of documentation sites, read as CommonMark."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.dialects import to_commonmark


def shown(text: str) -> str:
    """The text as CommonMark."""
    return "\n".join(to_commonmark(text.split("\n")))


@pytest.mark.parametrize(
    "marker",
    ['!!! note "Title"', '!!! note inline end "Title"', '??? tip "Title"', '???+ tip "Title"', '=== "Title"',
     '===+ "Title"', '??? "Title"'],
)  # fmt: skip
def test_an_indented_block_reads_as_a_bold_title_and_its_text(marker: str) -> None:
    """An admonition or a tab becomes its title in bold with its body at the margin."""
    assert shown(f"{marker}\n    Body.\n\n    More.\nAfter.") == "**Title**\nBody.\n\nMore.\nAfter."


def test_a_title_that_is_missing_leaves_a_blank_line() -> None:
    """An admonition without a title, or with an empty one, keeps only its body."""
    assert shown('!!! note\n    One.\n!!! note ""\n    Two.') == "\nOne.\n\nTwo."


def test_blocks_inside_each_other_lose_one_indentation_each() -> None:
    """A tab inside an admonition is shown at the margin, and what follows each of them at its own depth."""
    text = '!!! note "Outer"\n    === "Inner"\n        deep\n    middle\nmargin'
    assert shown(text) == "**Outer**\n**Inner**\ndeep\nmiddle\nmargin"


def test_a_block_in_a_list_item_stays_in_the_item() -> None:
    """The title keeps the indentation that makes it a part of its list item."""
    text = '* item\n\n    !!! note "T"\n        body\n    after\n* next'
    assert shown(text) == "* item\n\n    **T**\n    body\n    after\n* next"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/// note | Mind this\nBody.\n///", "**Note: Mind this.**\nBody.\n"),
        ("/// details-warning | Old\nBody.\n///", "**Details warning: Old.**\nBody.\n"),
        ("/// note\nBody.\n///", "\nBody.\n"),
        ("//// tab | A\nBody.\n////", "**Tab: A.**\nBody.\n"),
    ],
)
def test_slash_blocks_become_titles(text: str, expected: str) -> None:
    """`/// kind | title` reads as a bold title; its marks are gone."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    "line",
    ["[](){#anchor}", "::: pydantic.BaseModel", "{#anchor}", "{ .annotate }", "{: .wide }", "{{ sponsors }}",
     '{% include "x.md" %}', '--8<-- "README.md"'],
)  # fmt: skip
def test_what_nobody_sees_is_gone(line: str) -> None:
    """Invisible anchors and module directives are not quoted as prose."""
    assert shown(f"a\n\n{line}\n\nb") == "a\n\n\n\nb"


@pytest.mark.parametrize("mark", ["```", "~~~", "````"])
@pytest.mark.parametrize("indent", ["", "   ", "      "])
def test_code_is_left_as_it_is(mark: str, indent: str) -> None:
    """Inside a fence, also one in a list item, nothing is a marker."""
    code = "\n".join(f"{indent}{line}" for line in (mark, '!!! note "T"', '=== "Tab"', "/// summary", "::: x", mark))
    assert shown(code) == code


def test_after_a_fence_the_dialects_are_read_again() -> None:
    """A fence ends with a run of its own mark that is long enough, not with a shorter or another one."""
    code = "````text\n```\n~~~~\n!!! note\n````"
    assert shown(f"{code}\n!!! note\n    body") == f"{code}\n\nbody"


def test_three_backticks_around_words_are_no_fence() -> None:
    """A line that begins with a code span does not hide the admonitions below it."""
    assert shown('```span``` here\n!!! note "T"\n    body') == "```span``` here\n**T**\nbody"


def test_code_left_of_its_block_keeps_its_letters() -> None:
    """A fence that was never closed inside an admonition does not cost the lines below their first letters."""
    assert shown("!!! note\n    ```\n    code\n\nNormal text") == "\n```\ncode\n\nNormal text"


@pytest.mark.parametrize("underline", ["===", "=== ", "======"])
def test_a_setext_underline_is_no_tab(underline: str) -> None:
    """A row of equals signs below a title stays what it is."""
    assert shown(f"Title\n{underline}\n\ntext") == f"Title\n{underline}\n\ntext"


@pytest.mark.parametrize("line", [f"=== {'word' * 20}.", f"!!! {'word' * 20}.", f"??? {'a-b ' * 500}?", '=== "open'])
def test_a_line_that_only_begins_like_a_marker_is_prose(line: str) -> None:
    """Prose after the characters of a marker is kept, however long its words (this once took years)."""
    assert shown(line) == line


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                '!!! note "T"',
                "=== ",
                '=== "Tab"',
                "/// tip",
                "```",
                "~~~",
                "    body",
                "        deep",
                "",
                "- item",
                "x",
            ]
        ),
        max_size=25,
    )
)
def test_lines_stay_lines_and_words_stay(lines: list[str]) -> None:
    """Every line keeps its number, and only markers ever change their words."""
    result = to_commonmark(lines)
    assert len(result) == len(lines)
    for before, after in zip(lines, result, strict=True):
        assert after.strip() == before.strip() or before.startswith(("!!!", "===", "///"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Pay attention. {#attention}", "Pay attention."),
        ("See [the docs](x.md){ .md-button } now.", "See [the docs](x.md) now."),
        ("### :simple-slack: Slack {#slack}", "### Slack {#slack}"),
        ("Use `#!python print()` here.", "Use `print()` here."),
        ("A set: {.5, .7} and `{{ name }}`, at 10:30: done.", "A set: {.5, .7} and `{{ name }}`, at 10:30: done."),
    ],
)
def test_what_only_the_generator_reads_is_gone_from_a_line(line: str, expected: str) -> None:
    """Attribute lists, icons and the language of a code span are not quoted; a heading keeps its own anchor."""
    assert shown(line) == expected


def test_code_keeps_what_looks_like_markup() -> None:
    """In a fence every line stays as it is."""
    text = "```jinja\n{{ macro }}\n{% if x %} {#note}\n`#!python x`\n```"
    assert shown(text) == text
