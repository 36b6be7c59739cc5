"""A folder of Markdown read into chapters, whatever is wrong with some of its files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ingest.chapters import body_of, check, parse, section_title, words_of
from ingest.folder import scan
from ingest.sources import MAX_CHAPTER_BYTES, Problem
from service.errors import EmptyKnowledgeBase, MissingKnowledgeBase

from .written import chapter, problems_of, source, write_tree


def paths(folder: Path) -> list[str]:
    """The chapters of a folder without problems."""
    sources, problems = scan(folder)
    assert problems == []
    return [read.path for read in sources]


def problem(folder: Path) -> Problem:
    """The one problem of a folder whose other chapter is read."""
    sources, problems = scan(folder)
    assert [read.path for read in sources] == ["good.md"]
    (found,) = problems
    assert found.skipped
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good chapter."""
    return write_tree(tmp_path / "kb", {"good.md": "# Good\n\ntext\n"})


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing folder, and a file in its place, are refused with what they are."""
    with pytest.raises(MissingKnowledgeBase, match="nowhere does not exist"):
        scan(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(MissingKnowledgeBase, match="file is not a folder"):
        scan(tmp_path / "file")


def test_a_folder_without_markdown_is_refused(tmp_path: Path) -> None:
    """An empty folder, and one with other files, hold no knowledge base."""
    with pytest.raises(EmptyKnowledgeBase, match="holds no Markdown"):
        scan(tmp_path)
    write_tree(tmp_path, {"notes.txt": "x", ".hidden/a.md": "# A", "x.md/inside.rst": "x"})
    with pytest.raises(EmptyKnowledgeBase):
        scan(tmp_path)


def test_every_markdown_file_is_read_in_the_order_of_the_paths(tmp_path: Path) -> None:
    """Any tree works: nested, with other endings and case; hidden folders and other files are left out."""
    names = ["b/2.md", "b/10.md", "a.MD", "b/c/d.markdown", "é/中文 🚀.md"]
    write_tree(tmp_path, dict.fromkeys([*names, ".git/x.md", "b/.draft.md", "b/x.txt"], "text"))
    assert paths(tmp_path) == sorted(names)


def test_the_contents_page_is_no_chapter_unless_it_is_all_there_is(tmp_path: Path) -> None:
    """`README.md` at the top is left out beside other chapters; further down it is one."""
    write_tree(tmp_path, {"README.md": "# Contents"})
    assert paths(tmp_path) == ["README.md"]
    write_tree(tmp_path, {"a.md": "# A", "part/README.md": "# Part"})
    assert paths(tmp_path) == ["a.md", "part/README.md"]


def test_the_hash_is_that_of_the_bytes(folder: Path) -> None:
    """A change of a single byte, also one that the text hides, gives another hash."""
    (plain,), _ = scan(folder)
    assert plain.content_hash == hashlib.sha256((folder / "good.md").read_bytes()).hexdigest()
    write_tree(folder, {"good.md": "# Good\r\n\r\ntext\r\n"})
    (windows,), _ = scan(folder)
    assert windows.text == plain.text
    assert windows.content_hash != plain.content_hash


def test_a_file_that_is_not_utf8_is_named_with_its_line(folder: Path) -> None:
    """Latin-1 and binary files are reported and the others are read."""
    (folder / "latin.md").write_bytes(b"# Titel\n\nZur\xfcck\n")
    found = problem(folder)
    assert str(found) == "latin.md:3: is not UTF-8 (byte 0xfc); save it as UTF-8"


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    """A 20 MB file is reported with the limit, and one at the limit is read."""
    with (folder / "huge.md").open("wb") as stream:
        stream.truncate(20_000_000)
    assert str(problem(folder)) == "huge.md: is 20.0 MB, over the limit of 8.4 MB for a chapter; split it"
    with (folder / "huge.md").open("wb") as stream:
        stream.truncate(MAX_CHAPTER_BYTES)
    assert paths(folder) == ["good.md", "huge.md"]


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """A linked file elsewhere is reported, not read; a link inside the folder is a chapter like any other."""
    write_tree(tmp_path, {"secret.md": "# Secret"})
    (folder / "leak.md").symlink_to("../secret.md")
    assert "link to a file outside" in problem(folder).message
    (folder / "leak.md").unlink()
    (folder / "again.md").symlink_to("good.md")
    assert paths(folder) == ["again.md", "good.md"]


def test_a_linked_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """A link to chapters elsewhere is reported; one to pictures, or back into the folder, does no harm."""
    write_tree(tmp_path, {"other/secret.md": "# Secret", "images/a.png": ""})
    (folder / "more").symlink_to(tmp_path / "other")
    assert problem(folder) == Problem(
        "more", "is a link to a folder outside the knowledge base; copy the folder into it instead"
    )
    (folder / "more").unlink()
    (folder / "images").symlink_to(tmp_path / "images")
    (folder / "self").symlink_to(folder)
    assert paths(folder) == ["good.md"]


@pytest.mark.parametrize("target", ["gone.md", "bad.md"])
def test_a_link_to_nothing_is_reported(folder: Path, target: str) -> None:
    """A dangling link and a link to itself cannot be read, and say so."""
    (folder / "bad.md").symlink_to(target)
    assert problem(folder).message.startswith("cannot be read: ")


def test_a_name_that_is_not_utf8_is_reported(folder: Path) -> None:
    """A file whose name no JSON could hold is reported in letters that one can."""
    with open(os.path.join(os.fsencode(folder), b"na\xefve.md"), "w") as stream:  # noqa: PTH118, PTH123 - paths are texts
        stream.write("# X")
    assert str(problem(folder)) == "na\\udcefve.md: has a name that is not UTF-8; rename it"


def test_null_bytes_do_not_pass(folder: Path) -> None:
    """A null byte, which no engine stores, is shown as the replacement character."""
    (folder / "good.md").write_bytes(b"a\0b")
    (read,), _ = scan(folder)
    assert read.text == "a\N{REPLACEMENT CHARACTER}b"


def test_front_matter_says_what_a_chapter_is() -> None:
    """All keys are read, and the text below keeps its lines."""
    made = chapter(
        "---\ntitle: The Title\nsection: 07 - Caching\nlevel: Advanced\nsummary: In short.\n"
        "tags: [redis, ttl]\nquestions:\n  - What is X, and why?\nprerequisites: a.md, b.md\n"
        "versions: {fastapi: 0.165, python: '3.11'}\n---\n\n# Heading\n\ntext\n"
    )
    assert (made.title, made.section, made.level, made.summary) == (
        "The Title",
        "07 - Caching",
        "advanced",
        "In short.",
    )
    assert (made.tags, made.prerequisites) == (("redis", "ttl"), ("a.md", "b.md"))
    assert made.questions == ("What is X, and why?",)
    assert made.versions == {"fastapi": "0.165", "python": "3.11"}
    assert (made.body_line, made.headings[0].line) == (12, 13)
    assert body_of(made) == "\n# Heading\n\ntext\n"


def test_without_front_matter_the_text_says_it() -> None:
    """The title is the first heading of level 1, or else the file's name; the section is the top folder."""
    made = chapter("Intro\n\n# Motor Setup: Complete Guide\n\n# Two", "06_nosql_mongodb/02_motor.md")
    assert (made.title, made.section, made.body_line) == ("Motor Setup: Complete Guide", "06 - Nosql Mongodb", 1)
    assert chapter("## Only level two", "06_nosql/02_motor-async_setup.md").title == "Motor async setup"
    assert chapter("text", "notes.markdown").section == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("06_nosql_mongodb/02_motor-setup.md", "nosql mongodb motor setup"),
        ("notes/random.tips.MD", "notes random tips"),
        ("x.markdown", "x"),
        ("3d/2024.md", "3d 2024"),
    ],
)
def test_words_of_a_path(path: str, words: str) -> None:
    """Numbers that order files, and endings, are no words."""
    assert words_of(path) == words


def test_sections_without_a_number_have_their_name() -> None:
    """A folder's number stays in the section's title, where there is one."""
    assert section_title("01-intro/x/y.md") == "01 - Intro"
    assert section_title("http_clients/a.md") == "Http Clients"


@pytest.mark.parametrize(
    ("front", "line", "reason"),
    [
        ("title: a: b", 2, "mapping values are not allowed"),
        ("title: x\ntags: [a, b", 4, "expected"),
        ("title: x\n\ttabs: y", 3, "tab"),
        ("date: 2026-13-45", 2, "month must be in 1..12"),
        ("size: 0x_", 2, "invalid literal"),
        ("title: \x07", 2, "control characters"),
        ("a: *nowhere", 2, "undefined alias"),
        ("? [a]\n: b", 2, "unhashable"),
        ("a: " + "[" * 5000, 3, "did not find"),
    ],
)
def test_broken_front_matter_is_named_with_its_line(front: str, line: int, reason: str) -> None:
    """The file and the line of the fault are named, and the chapter's text still counts."""
    text = f"---\n{front}\n---\n# Heading\n\ntext\n"
    made, (found,) = parse(source(text))
    assert (found.path, found.line, found.skipped) == ("notes/chapter.md", line, False)
    assert found.message.startswith("front matter is broken: ")
    assert reason in found.message
    assert (made.title, body_of(made)) == ("Heading", "# Heading\n\ntext\n")
    assert check(source(text)) == [found]


@pytest.mark.parametrize("rest", ["\n# Heading\n\ntext\n", "\n# Heading\n\nfirst\n\n---\n\nsecond: it\n"])
def test_front_matter_without_an_end_costs_no_text(rest: str) -> None:
    """Where the closing rule was forgotten the text begins at its heading, though a rule may follow further down."""
    made, (found,) = parse(source(f"---\ntitle: x\nwrong: [\n{rest}"))
    assert "front matter is broken" in found.message
    assert body_of(made).lstrip("\n") == rest.lstrip("\n")
    assert made.headings[0].line == 5


def test_front_matter_without_an_end_and_without_a_heading() -> None:
    """The text begins at the first blank line."""
    made, (found,) = parse(source("---\ntitle: x\n\ntext\n"))
    assert (found.line, found.message) == (1, "front matter is broken: it has no closing `---`")
    assert body_of(made).strip() == "text"


@pytest.mark.parametrize(
    ("front", "line", "message"),
    [
        ("title: ok\ntags: {a: b}", 3, "`tags` must be a list of texts"),
        ("questions: [[a]]", 2, "`questions` must be a list of texts"),
        ("prerequisites: 3", 2, "`prerequisites` must be a list of texts"),
        ("title: [a, b]", 2, "`title` must be a text"),
        ("level: {a: b}", 2, "`level` must be a text"),
        ("versions: new", 2, "`versions` must be a mapping"),
    ],
)
def test_front_matter_of_a_wrong_type_is_named_and_left_out(front: str, line: int, message: str) -> None:
    """A value that cannot be used is reported with its line; the others are."""
    text = f"---\n{front}\nsummary: Kept.\n---\n# Heading\n"
    made, (found,) = parse(source(text))
    assert (found.line, found.skipped) == (line, False)
    assert message in found.message
    assert made.summary == "Kept."
    assert (made.tags, made.questions, made.prerequisites, made.versions) == ((), (), (), {})
    assert check(source(text)) == [found]


@pytest.mark.parametrize(
    "front", ["title: 2026\nlevel: 3", "tags:\nquestions:", "date: 2026-11-22", "", "# only a note"]
)
def test_front_matter_that_can_be_used_is_no_problem(front: str) -> None:
    """Numbers for texts, empty keys, unknown keys and empty front matter are fine."""
    assert problems_of(f"---\n{front}\n---\n# Heading\n") == []


@pytest.mark.parametrize(
    "text", ["---\n# Title\n", "---\n\ntext: x\n", "---\njust words\n---\n# T\n", "---\n- a\n---\n# T\n"]
)
def test_a_chapter_may_begin_with_a_rule(text: str) -> None:
    """A thematic break at the top is no front matter, and nothing below it is lost."""
    assert body_of(chapter(text)) == text


def test_one_question_may_be_a_text() -> None:
    """Questions are parted by lines, since commas belong to them; tags by commas."""
    made = chapter("---\nquestions: What is X, and why?\ntags: a, b\n---\n")
    assert (made.questions, made.tags) == (("What is X, and why?",), ("a", "b"))
