"""Prose cut into sentences, tables into rows and code into its comments: what an answer may quote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sentences import comments_of, rows_of, sentences_of


def texts(markdown: str) -> list[str]:
    """The sentences' texts."""
    return [sentence.text for sentence in sentences_of(markdown, 1)]


def comments(code: str, language: str, first_line: int = 1) -> list[tuple[str, int, int]]:
    """Each comment and its lines."""
    return [(found.text, found.start_line, found.end_line) for found in comments_of(code, language, first_line)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Use a pool, e.g. PgBouncer, with i.e. Ten connections.",
        "It differs, cf. Fig. 3, from MySQL etc. in this.",
        "Mr. B. Smith vs. Dr. J. Doe.",
        "Call `session.execute. Then` and ``a. B`` first.",
        "It needs Python 3.11. and later 3.12 to run v1.20 well.",
        "See https://example.com/a.b?c=d. it is short.",
        "See [the docs. All](https://x.dev/a.b) now.",
        "The file app.main.py is loaded.",
        "It works (mostly. Or so. They say) here.",
        "A pause... goes on.",
        "Version 2. of it.",
        "It costs approx. five, incl. tax.",
        "It is e.g. `one` or [two](https://x.dev/a.b).",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    """Abbreviations, code spans, links, versions, dotted names and brackets keep a sentence whole."""
    assert texts(f"{sentence} Next one.") == [sentence, "Next one."]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("It is **bold.** Next.", ["It is **bold.**", "Next."]),
        ("(A whole one.) Next.", ["(A whole one.)", "Next."]),
        ("它很快。真的？是的！好", ["它很快。", "真的？", "是的！", "好"]),
        ("他说“好。”然后走了。", ["他说“好。”", "然后走了。"]),
        ("**Why Motor?** Native async support.", ["**Why Motor?**", "Native async support."]),
        ("See https://example.com. Then go.", ["See https://example.com.", "Then go."]),
        ("Ends with `code`. Then more.", ["Ends with `code`.", "Then more."]),
        ("An open (bracket. Then more.", ["An open (bracket.", "Then more."]),
        ("It is slow. `$facet` runs it twice.", ["It is slow.", "`$facet` runs it twice."]),
        ("Read on. [The docs](https://x.dev) say so.", ["Read on.", "[The docs](https://x.dev) say so."]),
        ("It needs a server. mongomock does without.", ["It needs a server.", "mongomock does without."]),
        ("See https://x.dev/A_(b for it. Then (so) on.", ["See https://x.dev/A_(b for it.", "Then (so) on."]),
    ],
)
def test_sentences_end_where_they_end(markdown: str, expected: list[str]) -> None:
    """Full stops of every script end a sentence, together with the marks that close behind them."""
    assert texts(markdown) == expected


@pytest.mark.parametrize("mark", ["- ", "* ", "+ ", "1. ", "12) ", "> ", "> - ", "- [ ] ", "- [x] "])
def test_marks_of_lists_and_quotes_are_no_words(mark: str) -> None:
    """A sentence begins behind the mark of its list item or quote."""
    assert texts(f"{mark}First one. Second one.") == ["First one.", "Second one."]


def test_a_list_item_ends_a_sentence() -> None:
    """Items and paragraphs without a full stop do not run into each other."""
    assert texts("Do this\n- one\n- two\n\nthen that") == ["Do this", "one", "two", "then that"]


def test_what_holds_no_word_is_no_sentence() -> None:
    """Emoji, rules and empty lines are left out, and move no line."""
    found = sentences_of("✅ !\n\n***\n\n✅ Done", 1)
    assert [(sentence.text, sentence.start_line) for sentence in found] == [("✅ Done", 5)]


def test_sentences_know_the_lines_they_cover() -> None:
    """A sentence over several lines is one text, from its first line to its last."""
    found = sentences_of("One\nis long. Two is\nlong\ntoo. Three.\n\n> Four\n> is quoted.", 10)
    assert [(sentence.text, sentence.start_line, sentence.end_line) for sentence in found] == [
        ("One is long.", 10, 11), ("Two is long too.", 11, 13), ("Three.", 13, 13), ("Four is quoted.", 15, 16),
    ]  # fmt: skip


def test_text_that_is_not_the_files_covers_all_of_its_block() -> None:
    """Sentences of an HTML block stand somewhere in it: each has the whole block's lines."""
    assert [(s.start_line, s.end_line) for s in sentences_of("One.\nTwo.", 5, inside=9)] == [(5, 9), (5, 9)]


@settings(max_examples=150)
@given(st.text(alphabet="ab.!? ()[]`\n>-1。*", max_size=120))
def test_no_word_is_lost_or_moved(markdown: str) -> None:
    """Whatever the punctuation, every sentence's words stand, in order, on the lines that it names."""
    lines = markdown.split("\n")
    letters = ""
    for sentence in sentences_of(markdown, 1):
        there = "".join(lines[sentence.start_line - 1 : sentence.end_line])
        assert set("".join(sentence.text.split())) <= set(there)
        letters += sentence.text
    assert [c for c in letters if c in "ab"] == [c for c in markdown if c in "ab"]


@pytest.mark.parametrize("text", ["A short one (as said). ", "An open ( one. ", "a. ", "e.g. this "])
def test_a_huge_paragraph_is_cut_too(text: str) -> None:
    """A paragraph of 300 kB is no single sentence, and takes moments (every full stop once looked at all of it)."""
    assert len(sentences_of(text * (300_000 // len(text)), 1)) > 100


def test_table_rows_are_quoted_whole() -> None:
    """Each body row with its line; the head is none of them."""
    assert [(row.text, row.start_line) for row in rows_of("| a |\n|---|\n| 1. x |\n\n| 2 |", 7)] == [
        ("| 1. x |", 9),
        ("| 2 |", 11),
    ]


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("python", "x = 1\n# Why\n# it works.\n# Next.\n", [("Why it works.", 2, 3), ("Next.", 4, 4)]),
        ("py", 'def f():\n    """Does it.\n\n    Slowly.\n    """', [("Does it.", 2, 2), ("Slowly.", 4, 4)]),
        ("py", 'async def f():\n\n    """Does it."""\n    return """no"""', [("Does it.", 3, 3)]),
        ("cython", 'def f():\n    """Does it."""\n    return 1\n"""just data"""', [("Does it.", 2, 2)]),
        ("bash", "#!/bin/sh\n# start it\nrun --now  # at once", [("start it", 2, 2), ("at once", 3, 3)]),
        ("javascript", "/**\n * Adds up.\n */\nlet a; // one", [("Adds up.", 2, 2), ("one", 4, 4)]),
        ("typescript", "// first\n// second\nlet a", [("first second", 1, 2)]),
        ("sql", "SELECT 1; -- the one\n/* all\n   of it */", [("the one", 1, 1), ("all of it", 2, 3)]),
        ("c", "#include <stdio.h>\n#define A 1\n/* The answer */", [("The answer", 3, 3)]),
        ("rust", "//! The crate.\nuse x;\n/// Adds one.\nfn f() {}", [("The crate.", 1, 1), ("Adds one.", 3, 3)]),
        ("swift", "/// A line.\nlet a = 1", [("A line.", 1, 1)]),
        ("html", "<p>\n<!-- the page -->", [("the page", 2, 2)]),
        ("yaml", "a: 1  # the limit", [("the limit", 1, 1)]),
        ("dockerfile", "# why slim\nFROM python", [("why slim", 1, 1)]),
        ("ini", "; the part\n[a]", [("the part", 1, 1)]),
        ("no-such-language", "# one\nx # two\n-- three\n// four", [("one", 1, 1), ("three four", 3, 4)]),
        ("", "# one", [("one", 1, 1)]),
        ("text", "// one", [("one", 1, 1)]),
    ],
)
def test_comments_in_many_languages(language: str, code: str, expected: list[tuple[str, int, int]]) -> None:
    """Comments and docstrings of the languages that chapters use, without their marks, on their lines."""
    assert comments(code, language) == expected


def test_lines_of_comments_count_from_the_first_line_of_the_code() -> None:
    """A block's comments have the lines of the file."""
    assert comments("x\n# Why not", "python", 41) == [("Why not", 42, 42)]


def test_comments_on_neighbouring_code_are_not_one_text() -> None:
    """A comment after code is about that line: the next line's comment is another text."""
    code = "a = 5  # seconds\nb = 3  # tries at most\n       # in a row\n# now c\nc = 1"
    assert comments(code, "python") == [("seconds", 1, 1), ("tries at most in a row", 2, 3), ("now c", 4, 4)]


def test_marks_inside_code_are_no_comments() -> None:
    """A `#` in a string, printed output and strings that are data are not quoted."""
    code = 'a = "# not this"\nprint(a)\n#> # not this\n"""\n# printed too\n"""\nb = """# nor this"""\n# but this'
    assert comments(code, "python") == [("but this", 8, 8)]


def test_options_in_comments_keep_their_dashes() -> None:
    """Only the comment's own mark is taken off."""
    assert comments("# --reload is for development", "bash") == [("--reload is for development", 1, 1)]
