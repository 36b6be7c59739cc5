"""The contents page of the knowledge base names every chapter as it is, and its paths lead somewhere."""

from __future__ import annotations

import re

from ingest.chapters import parse
from ingest.folder import scan
from service.api.learning_paths import learning_paths
from service.settings import PROJECT

FOLDER = PROJECT / "knowledge_base"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
CHAPTERS = [parse(source)[0] for source in scan(FOLDER)[0]]
_ENTRY = re.compile(r"^- \[(.+)\]\((.+)\) \((\w+)\): (.+)$", re.MULTILINE)


def test_every_chapter_is_listed_as_it_is() -> None:
    """Title, path, level and summary are those of the chapter, in the order of the folders."""
    assert _ENTRY.findall(PAGE) == [(one.title, one.path, one.level, one.summary) for one in CHAPTERS]


def test_every_step_of_a_learning_path_leads_to_chapters() -> None:
    """No step names a section or a chapter that is not there."""
    paths = learning_paths(PAGE, CHAPTERS)
    assert [path.name for path in paths] == [
        "Beginner path",
        "Intermediate path",
        "Advanced path",
        "Before an interview",
    ]
    written = len(re.findall(r"^\d+\. ", PAGE, re.MULTILINE))
    assert sum(len(path.steps) for path in paths) == written


def test_every_link_of_the_page_names_a_chapter_by_its_title() -> None:
    """A renamed chapter is noticed."""
    titles = {one.path: one.title for one in CHAPTERS}
    links = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", PAGE)
    assert [(title, path) for title, path in links if titles.get(path) != title] == []
