"""The rules for `questions.yaml`: every section is asked for, and every question has one place in the book."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from service.domain import Chapter

from .library import Library
from .text import folded

FEWEST = 2
LONGEST = 160
UNASKED = frozenset({"See also", "In an interview", "When it goes wrong"})
FEW = frozenset({"Trade-offs"})
"""Sections about which there may be only one question."""


def section_problems(chapter: Chapter) -> list[str]:
    """Sections that nobody asks for, and questions of the front matter that lead to none."""
    problems = []
    for heading in chapter.headings:
        count, least = len(chapter.asked.get(heading.anchor, ())), 1 if heading.text in FEW else FEWEST
        if heading.text not in UNASKED and count < least:
            problems.append(f"{chapter.path}#{heading.anchor}: has {count} questions, and needs {least}")
    placed = {question for questions in chapter.asked.values() for question in questions}
    return problems + [
        f"{chapter.path}: questions.yaml does not say which section answers `{question}`"
        for question in chapter.questions
        if question not in placed
    ]


def question_problems(chapter: Chapter, library: Library) -> list[str]:
    """Questions that are asked twice in the book, or that nobody would type."""
    problems = []
    for anchor, question in _asked(chapter):
        place = f"{chapter.path}#{anchor}"
        if len(places := _places(library)[folded(question)]) > 1:
            problems.append(f"{place}: `{question}` is asked in {' and '.join(places)}")
        if len(question) > LONGEST:
            problems.append(f"{place}: `{question}` has {len(question)} characters, over {LONGEST}")
    return problems


def _asked(chapter: Chapter) -> Iterator[tuple[str, str]]:
    for anchor, questions in chapter.asked.items():
        for question in questions:
            yield anchor, question


@lru_cache(maxsize=4)  # one index for all chapters of a library
def _places(library: Library) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for chapter in library.chapters.values():
        for anchor, question in _asked(chapter):
            found.setdefault(folded(question), []).append(f"{chapter.path}#{anchor}")
    return found
