"""What people ask leads to every section of every chapter."""

from __future__ import annotations

from service.domain import Chapter

from .asked import question_problems, section_problems
from .library import Library
from .report import fail_on


def test_every_section_is_asked_for(chapter: Chapter) -> None:
    """Each has questions of its own, and each question of the front matter has its section."""
    fail_on(section_problems(chapter))


def test_every_question_leads_to_one_place(chapter: Chapter, library: Library) -> None:
    """None stands twice in the book, and all are short enough to be typed."""
    fail_on(question_problems(chapter, library))
