"""The text of every chapter keeps the form that readers and the retrieval rely on."""

from __future__ import annotations

from ingest.token_counts import TokenCounts
from service.domain import Chapter

from .library import Library
from .prose import (
    cut_problems,
    form_problems,
    heading_problems,
    length_problems,
    link_problems,
    opening_problems,
    sharing_problems,
    wording_problems,
)
from .report import fail_on


def test_length(chapter: Chapter) -> None:
    """A chapter has at least 1,200 words outside its code, and no section has more than 450 of prose."""
    fail_on(length_problems(chapter))


def test_no_paragraph_is_cut(chapter: Chapter, count: TokenCounts) -> None:
    """Every paragraph and list item fits into one chunk of the bundled embedding model."""
    fail_on(cut_problems(chapter, count))


def test_opening(chapter: Chapter) -> None:
    """A chapter opens with its one title and a paragraph that answers its main question."""
    fail_on(opening_problems(chapter))


def test_headings(chapter: Chapter) -> None:
    """No two headings of a chapter read the same, so that each names one place."""
    fail_on(heading_problems(chapter))


def test_closing_sections(chapter: Chapter) -> None:
    """The four closing sections are there: four problems, a table, interview advice, links with reasons."""
    fail_on(form_problems(chapter))


def test_links(chapter: Chapter, library: Library) -> None:
    """Every link leads to a chapter of the contents page and to a heading that exists."""
    fail_on(link_problems(chapter, library))


def test_wording(chapter: Chapter) -> None:
    """The text has no emoji and does not announce what it is going to say."""
    fail_on(wording_problems(chapter))


def test_no_paragraph_twice(chapter: Chapter, library: Library) -> None:
    """No paragraph of more than twelve words stands twice in the book."""
    fail_on(sharing_problems(chapter, library))
