"""The chapters stand where the contents page says, under its titles."""

from __future__ import annotations

import pytest

from service.domain import Chapter

from .contents import COMPLETE_SECTIONS, contents, folder_of
from .front_matter import place_problems
from .library import Library
from .report import fail_on

CHAPTERS = 96


def test_the_contents_page_lists_the_whole_book() -> None:
    """The list that the other tests compare with has every chapter, each path once."""
    assert len(contents()) == CHAPTERS


def test_place(chapter: Chapter) -> None:
    """A chapter's path, section and title are those of the contents page."""
    fail_on(place_problems(chapter))


@pytest.mark.parametrize("folder", COMPLETE_SECTIONS)
def test_complete_sections_have_all_their_chapters(folder: str, library: Library) -> None:
    """A section that was declared complete misses no chapter."""
    listed = {path for path in contents() if folder_of(path) == folder}
    assert listed, f"{folder} is no section of the contents page"
    assert sorted(listed - library.chapters.keys()) == []
