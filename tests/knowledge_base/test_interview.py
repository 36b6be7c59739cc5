"""The interview bank can be asked, graded and cited."""

from __future__ import annotations

import pytest

from service.domain import Chapter

from .bank import Bank, bank_problems, load_banks, missing_questions, question_problems, questions_about, repeated
from .contents import BANKS_COMPLETE
from .library import Library
from .report import fail_on


@pytest.mark.parametrize("bank", load_banks(), ids=lambda bank: bank.section)
def test_schema(bank: Bank) -> None:
    """Every question has its parts in the form the interviewer reads, and is about a chapter of its section."""
    fail_on(bank_problems(bank))


def test_nothing_stands_twice() -> None:
    """Ids name one question each, and no question is asked twice in the book."""
    fail_on(repeated(load_banks()))


def test_questions(chapter: Chapter) -> None:
    """Anchors lead to the chapter's headings, probes give nothing away, and the model answer covers the points."""
    fail_on(question_problems(chapter, questions_about(chapter.path, load_banks())))


@pytest.mark.parametrize("section", BANKS_COMPLETE)
def test_complete_banks_cover_every_chapter(section: str, library: Library) -> None:
    """A section whose bank was declared complete has at least four questions on each written chapter."""
    fail_on(missing_questions(section, load_banks(), library))


def test_every_question_has_its_chapter(library: Library) -> None:
    """No question is about a chapter that is not written."""
    asked = {f"{bank.section}/{question.chapter}" for bank in load_banks() for question in bank.questions}
    assert sorted(asked - library.chapters.keys()) == []
