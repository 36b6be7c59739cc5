"""`questions.yaml`: what people ask, given to the section that answers it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.chapters import check, parse
from ingest.chunking import chunk as chunks_of
from ingest.folder import scan
from ingest.placing import with_questions
from ingest.questions import add
from ingest.sources import Problem
from ingest.token_counts import TokenCounts
from service.domain import Chapter

from .written import write_tree

CACHING = "# Caching\n\nWhat is read often is kept.\n\n## Expiry\n\nEvery key has a time to live.\n"
SHEET = "caching.md:\n  expiry:\n    - How long does a value live?\n    - redis ttl\n"


def read(folder: Path) -> tuple[list[Chapter], list[str]]:
    """A folder's chapters and everything that is wrong with it."""
    sources, problems = scan(folder)
    parsed = [parse(source) for source in sources]
    return [chapter for chapter, _ in parsed], [str(p) for p in [*problems, *(p for _, some in parsed for p in some)]]


def wrong(folder: Path, sheet: str) -> str:
    """The one thing that is wrong with a sheet; the chapter beside it is read all the same."""
    write_tree(folder, {"07_cache/caching.md": CACHING, "07_cache/questions.yaml": sheet})
    chapters, problems = read(folder)
    assert [chapter.path for chapter in chapters] == ["07_cache/caching.md"]
    (found,) = problems
    return found


def test_a_sheet_gives_questions_to_the_sections_of_the_chapters_beside_it(tmp_path: Path) -> None:
    """The sheet is no chapter; a chapter of the same name in another folder has nothing to do with it."""
    write_tree(tmp_path, {"a/caching.md": CACHING, "a/questions.yaml": SHEET, "b/caching.md": CACHING})
    chapters, problems = read(tmp_path)
    assert problems == []
    assert [(chapter.path, dict(chapter.asked)) for chapter in chapters] == [
        ("a/caching.md", {"expiry": ("How long does a value live?", "redis ttl")}),
        ("b/caching.md", {}),
    ]


def test_a_sheet_at_the_top_belongs_to_the_chapters_at_the_top(tmp_path: Path) -> None:
    """Folders are not needed."""
    write_tree(tmp_path, {"caching.md": CACHING, "questions.yaml": SHEET})
    (chapter,), problems = read(tmp_path)
    assert (problems, list(chapter.asked)) == ([], ["expiry"])


def test_one_sheet_may_serve_a_whole_tree(tmp_path: Path) -> None:
    """It names chapters by their paths; what a sheet beside the chapter says as well is added to it."""
    write_tree(tmp_path, {"a/caching.md": CACHING, "a/questions.yaml": SHEET})
    write_tree(tmp_path, {"questions.yaml": "a/caching.md:\n  caching: [What is kept?]\n"})
    (chapter,), problems = read(tmp_path)
    assert problems == []
    assert chapter.asked == {"expiry": ("How long does a value live?", "redis ttl"), "caching": ("What is kept?",)}


def test_the_text_before_the_first_heading_goes_by_a_name_of_its_own(tmp_path: Path) -> None:
    """Pages of documentation sites often begin without a heading; a chapter that has no such text is named."""
    sheet = "page.md:\n  (introduction): [What is it for?]\ncaching.md:\n  (introduction): [Why?]\n"
    write_tree(tmp_path, {"caching.md": CACHING, "page.md": "It is for lists.\n\n## More\n", "questions.yaml": sheet})
    chapters, problems = read(tmp_path)
    assert {chapter.path: dict(chapter.asked) for chapter in chapters} == {
        "caching.md": {}, "page.md": {"": ("What is it for?",)},
    }  # fmt: skip
    assert problems == ["caching.md: has no (introduction) before its first heading, which questions.yaml names"]
    page = chunks_of(chapters[1], TokenCounts(lambda texts: list(map(len, texts))))
    vectors = np.eye(2, dtype=np.float32)
    assert [chunk.questions for chunk, _ in with_questions(chapters[1:], page, vectors)] == [("What is it for?",)]


def test_an_introduction_is_written_by_its_name(tmp_path: Path) -> None:
    """An empty key would be hard to read and to write by hand."""
    add(tmp_path / "questions.yaml", "page.md", {"": ["What is it for?"], "more": ["Why?"]})
    text = (tmp_path / "questions.yaml").read_text(encoding="utf-8")
    assert text == "page.md:\n  (introduction):\n  - What is it for?\n  more:\n  - Why?\n"


def test_a_changed_question_changes_its_chapter_and_no_other(tmp_path: Path) -> None:
    """The next ingest sees it, although the chapter's file is the same."""
    write_tree(tmp_path, {"a.md": CACHING, "caching.md": CACHING, "questions.yaml": SHEET})
    before = {source.path: source.content_hash for source in scan(tmp_path)[0]}
    write_tree(tmp_path, {"questions.yaml": SHEET.replace("redis", "valkey")})
    after = {source.path: source.content_hash for source in scan(tmp_path)[0]}
    assert [path for path in before if before[path] != after[path]] == ["caching.md"]


def test_readers_are_offered_whole_questions(tmp_path: Path) -> None:
    """Front matter decides what is suggested; without it, the first whole question of each section."""
    write_tree(tmp_path, {"caching.md": CACHING, "questions.yaml": SHEET})
    assert read(tmp_path)[0][0].questions == ("How long does a value live?",)
    write_tree(tmp_path, {"caching.md": f"---\nquestions: [What is kept?]\n---\n{CACHING}"})
    assert read(tmp_path)[0][0].questions == ("What is kept?",)


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("caching.md: [\n", "07_cache/questions.yaml:2: is broken: "),
        (
            "- a list\n",
            "07_cache/questions.yaml:1: must be a mapping of chapter files to anchors to lists of questions",
        ),
        ("\ncaching.md:\n  - a\n", "07_cache/questions.yaml:2: `caching.md` must be a mapping of anchors to lists"),
        ("caching.md:\n  expiry: one\n", "07_cache/questions.yaml:1: `caching.md` must be a mapping of anchors to"),
        ("caching.md:\n  expiry: [1]\n", "07_cache/questions.yaml:1: `caching.md` must be a mapping of anchors to"),
        (
            '"cashing.md":\n  expiry: [a]\n',
            "07_cache/questions.yaml:1: `cashing.md` is not a chapter below this fol",
        ),
        ("caching.md:\n  expiri: [a]\n", "07_cache/caching.md: has no heading with the anchor `expiri`, which quest"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_named_with_its_line(tmp_path: Path, sheet: str, said: str) -> None:
    """The chapters beside it are ingested without it."""
    assert wrong(tmp_path, sheet).startswith(said)


@pytest.mark.parametrize("sheet", ["", "# nothing yet\n", "caching.md: {}\n", "caching.md:\n  expiry: []\n"])
def test_a_sheet_may_be_empty(tmp_path: Path, sheet: str) -> None:
    """Nothing is asked, and nothing is wrong."""
    write_tree(tmp_path, {"caching.md": CACHING, "questions.yaml": sheet})
    (chapter,), problems = read(tmp_path)
    assert (problems, [text for texts in chapter.asked.values() for text in texts]) == ([], [])


def test_a_question_without_a_section_is_named_again_when_nothing_changed(tmp_path: Path) -> None:
    """An ingest that has nothing to do still says what is wrong."""
    sheet = SHEET.replace("expiry", "expiri")
    write_tree(tmp_path, {"caching.md": CACHING, "questions.yaml": sheet})
    (source,), _ = scan(tmp_path)
    said = "has no heading with the anchor `expiri`, which questions.yaml names"
    assert check(source) == [Problem("caching.md", said, skipped=False)]
    write_tree(tmp_path, {"questions.yaml": SHEET})
    assert check(scan(tmp_path)[0][0]) == []


def test_a_sheet_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """As a chapter that does."""
    outside = tmp_path / "questions.yaml"
    outside.write_text(SHEET, encoding="utf-8")
    folder = write_tree(tmp_path / "kb", {"caching.md": CACHING})
    (folder / "questions.yaml").symlink_to(outside)
    chapters, problems = read(folder)
    assert [dict(chapter.asked) for chapter in chapters] == [{}]
    assert "a link to a file outside the knowledge base" in problems[0]
