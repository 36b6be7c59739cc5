"""The interview bank: its schema, and what ties each question to its chapter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from service.domain import Chapter

from .contents import contents
from .library import FOLDER, Library
from .text import folded, words

FILE_NAME = "interview.yaml"
QUESTIONS_A_CHAPTER = 4
GIVEN_AWAY_SHARE = 0.6
MODEL_ANSWER_WORDS = 20
_CODE = re.compile(r"`([^`]+)`")
_FUNCTION_WORDS = frozenset(
    "about after again against also although among another because been before being between both cannot could does "
    "done each either else even every from have here into itself just like many more most much must need needs never "
    "none only other over same shall should since some such than that their them then there these they this those "
    "through under until upon very want wants were what when where whether which while will with within without would "
    "your".split()
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeyPoint(_Strict):
    """One claim that an answer makes or misses, and how to ask for it."""

    point: Text
    anchor: Annotated[str, StringConstraints(min_length=1)]
    probe: Text
    hint: Text


class Question(_Strict):
    """One interview question; `chapter` is relative to its section's folder."""

    id: Annotated[str, StringConstraints(pattern=r"^\d\d-[a-z0-9]+(-[a-z0-9]+)*-\d\d$")]
    chapter: Annotated[str, StringConstraints(pattern=r"\.md$")]
    level: Literal["junior", "mid", "senior", "staff"]
    question: Text
    key_points: Annotated[list[KeyPoint], Field(min_length=3, max_length=6)]
    misconceptions: Annotated[list[Text], Field(min_length=1, max_length=3)]
    model_answer: Text


@dataclass(frozen=True)
class Bank:
    """One section's questions, and why its file could not be read where it could not."""

    section: str
    questions: tuple[Question, ...] = ()
    problems: tuple[str, ...] = ()


_QUESTIONS: TypeAdapter[list[Question]] = TypeAdapter(list[Question])


def bank_of(section: str, text: str) -> Bank:
    """Read a bank; every mistake against the schema is a problem that names the place."""
    name = f"{section}/{FILE_NAME}"
    try:
        return Bank(section, tuple(_QUESTIONS.validate_python(yaml.safe_load(text))))
    except yaml.YAMLError as error:
        return Bank(section, problems=(f"{name}: {' '.join(str(error).split())}",))
    except ValidationError as error:
        places = ((".".join(map(str, found["loc"])), found["msg"]) for found in error.errors())
        return Bank(section, problems=tuple(f"{name}: {place}: {message}" for place, message in places))


@cache
def load_banks(folder: Path = FOLDER) -> tuple[Bank, ...]:
    """Every section's bank on disk."""
    files = sorted(folder.glob(f"*/{FILE_NAME}"))
    return tuple(bank_of(file.parent.name, file.read_text("utf-8")) for file in files)


def bank_problems(bank: Bank) -> list[str]:
    """A bank that cannot be read, or that asks about chapters which its section does not have."""
    problems = list(bank.problems)
    for question in bank.questions:
        if f"{bank.section}/{question.chapter}" not in contents():
            problems.append(f"{question.id}: no chapter {question.chapter} in {bank.section}")
        if not question.id.startswith(bank.section[:3].replace("_", "-")):
            problems.append(f"{question.id}: the id does not begin with the number of {bank.section}")
    return problems


def repeated(banks: Iterable[Bank]) -> list[str]:
    """Ids and questions that stand more than once in the book."""
    questions = [question for bank in banks for question in bank.questions]
    ids = Counter(question.id for question in questions)
    asked = Counter(folded(question.question) for question in questions)
    return [f"used {count} times: {text}" for text, count in (ids + asked).items() if count > 1]


def questions_about(path: str, banks: Iterable[Bank]) -> list[Question]:
    """The questions on the chapter at this path."""
    return [q for bank in banks for q in bank.questions if f"{bank.section}/{q.chapter}" == path]


def question_problems(chapter: Chapter, questions: Sequence[Question]) -> list[str]:
    """Questions on the chapter that lead to no heading, give their answers away, or are not answered."""
    anchors = {heading.anchor for heading in chapter.headings}
    problems = []
    for question in questions:
        for number, point in enumerate(question.key_points, 1):
            place = f"{question.id}: key point {number}"
            if point.anchor not in anchors:
                problems.append(f"{place}: {chapter.path} has no heading #{point.anchor}")
            if told := given_away(question, point):
                problems.append(f"{place}: the probe gives it away: {', '.join(told)}")
            if not _content(point.point) & _content(question.model_answer):
                problems.append(f"{place}: the model answer does not mention it")
        if words(question.model_answer) < MODEL_ANSWER_WORDS:
            problems.append(f"{question.id}: the model answer is shorter than {MODEL_ANSWER_WORDS} words")
    return problems


def given_away(question: Question, point: KeyPoint) -> list[str]:
    """What the probe tells of the point that the question did not: its code, or most of its words."""
    known = _code(question.question)
    if shared := (_code(point.point) & _code(point.probe)) - known:
        return sorted(shared)
    decisive = _content(point.point) - _content(question.question)
    told = decisive & _content(point.probe)
    return sorted(told) if told and len(told) >= GIVEN_AWAY_SHARE * len(decisive) else []


def _code(text: str) -> set[str]:
    return set(_CODE.findall(text))


def _content(text: str) -> set[str]:
    """The words that carry the meaning, without the endings of the plural."""
    return {word.removesuffix("s") for word in folded(text).split() if len(word) > 3 and word not in _FUNCTION_WORDS}


def missing_questions(section: str, banks: Iterable[Bank], library: Library) -> list[str]:
    """Written chapters of a section that have fewer than four questions."""
    banks = tuple(banks)
    return [
        f"{path}: {count} interview questions; at least {QUESTIONS_A_CHAPTER} are needed"
        for path in library.chapters
        if path.startswith(f"{section}/") and (count := len(questions_about(path, banks))) < QUESTIONS_A_CHAPTER
    ]
