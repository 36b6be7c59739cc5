"""The front matter of every chapter holds what the index, the contents page and the search need."""

from __future__ import annotations

from service.domain import Chapter

from .front_matter import prerequisite_problems, question_problems, value_problems
from .library import Library
from .report import fail_on


def test_the_loader_reads_everything(library: Library) -> None:
    """The product's loader finds nothing to complain about in any file."""
    fail_on([str(problem) for problem in library.problems])


def test_values(chapter: Chapter) -> None:
    """Every key is there, none is unknown, and each value is of its kind."""
    fail_on(value_problems(chapter))


def test_questions_are_asked_once(chapter: Chapter, library: Library) -> None:
    """No question stands twice in the book, whatever its case and punctuation."""
    fail_on(question_problems(chapter, library))


def test_prerequisites(chapter: Chapter, library: Library) -> None:
    """Prerequisites are chapters of the book and never lead back to where they started."""
    fail_on(prerequisite_problems(chapter, library))
