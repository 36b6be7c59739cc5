"""The rules for front matter, and for the chapters' places, questions and prerequisites among each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeGuard

import yaml

from service.domain import Chapter

from .contents import contents
from .library import Library
from .text import folded, words

LEVELS = ("beginner", "intermediate", "advanced", "expert")
QUESTIONS = range(6, 13)
SUMMARY_WORDS = range(5, 61)
_TAG = re.compile(r"[a-z0-9][a-z0-9.+#-]*")


def _is_line(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value.strip()


def _is_lines(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(_is_line(item) for item in value)


def _is_summary(value: object) -> bool:
    return _is_line(value) and words(value) in SUMMARY_WORDS and not re.search(r"[.!?]\s+[A-Z]", value)


def _are_tags(value: object) -> bool:
    return _is_lines(value) and bool(value) and all(_TAG.fullmatch(tag) for tag in value)


def _are_versions(value: object) -> bool:
    return isinstance(value, dict) and all(_is_line(name) and _is_line(version) for name, version in value.items())


def _are_questions(value: object) -> bool:
    return _is_lines(value) and len(value) in QUESTIONS


# Each key with what its value has to be, and the check that says whether it is.
_KEYS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "title": ("one line of text", _is_line),
    "section": ("one line of text", _is_line),
    "level": (f"one of {', '.join(LEVELS)}", lambda value: value in LEVELS),
    "summary": (f"one sentence of {SUMMARY_WORDS[0]} to {SUMMARY_WORDS[-1]} words", _is_summary),
    "tags": ("a list of lower-case words", _are_tags),
    "prerequisites": ("a list of paths", _is_lines),
    "versions": ("a mapping of names to quoted versions", _are_versions),
    "questions": (f"a list of {QUESTIONS[0]} to {QUESTIONS[-1]} texts", _are_questions),
}


def _front_of(chapter: Chapter) -> Mapping[str, object]:
    """The front matter as YAML gives it, before the loader makes the best of it.

    Raises:
        yaml.YAMLError: it is no YAML for the parser in Python, which is stricter than the one in C.
    """
    lines = chapter.text.split("\n")[1 : max(1, chapter.body_line - 2)]
    front = yaml.safe_load("\n".join(lines))
    return front if isinstance(front, dict) else {}


def value_problems(chapter: Chapter) -> list[str]:
    """Keys that are missing or unknown, and values of the wrong kind."""
    try:
        front = _front_of(chapter)
    except yaml.YAMLError as error:
        return [f"{chapter.path}: front matter is broken: {' '.join(str(error).split())}"]
    problems = [f"{chapter.path}: front matter has no `{key}`" for key in _KEYS if key not in front]
    problems += [f"{chapter.path}: front matter has an unknown key `{key}`" for key in front if key not in _KEYS]
    for key, (wanted, holds) in _KEYS.items():
        if key in front and not holds(front[key]):
            problems.append(f"{chapter.path}: front matter `{key}` is not {wanted}: {front[key]!r}")
    return problems


def place_problems(chapter: Chapter) -> list[str]:
    """Path, section and title against the contents page."""
    entry = contents().get(chapter.path)
    if entry is None:
        return [f"{chapter.path}: is not on the contents page"]
    problems = []
    if chapter.section != entry.section:
        problems.append(f"{chapter.path}: section `{chapter.section}`; the contents page says `{entry.section}`")
    if not _is_same_title(chapter.title, entry.title):
        problems.append(f"{chapter.path}: title `{chapter.title}`; the contents page says `{entry.title}`")
    tops = [heading.text for heading in chapter.headings if heading.level == 1]
    if tops[:1] != [chapter.title]:
        problems.append(f"{chapter.path}: the heading `{'`, `'.join(tops)}` is not the title `{chapter.title}`")
    return problems


def _is_same_title(title: str, listed: str) -> bool:
    """Equal up to case and punctuation, or longer than the listed title by a subtitle."""
    return f"{folded(title)} ".startswith(f"{folded(listed)} ")


def question_problems(chapter: Chapter, library: Library) -> list[str]:
    """Questions that this or another chapter asks as well."""
    problems = []
    for key in dict.fromkeys(map(folded, chapter.questions)):
        places = _questions(library)[key]
        if len(places) > 1:
            problems.append(f"{chapter.path}: the question `{key}` is asked in {' and '.join(places)}")
    return problems


@lru_cache(maxsize=4)  # one index for all chapters of a library
def _questions(library: Library) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for chapter in library.chapters.values():
        for question in chapter.questions:
            found.setdefault(folded(question), []).append(chapter.path)
    return found


def prerequisite_problems(chapter: Chapter, library: Library) -> list[str]:
    """Prerequisites off the contents page, and ones that lead back to the chapter."""
    problems = [
        f"{chapter.path}: the prerequisite {path} is not on the contents page"
        for path in chapter.prerequisites
        if path not in contents()
    ]
    if cycle := _way_back(chapter, library):
        problems.append(f"{chapter.path}: its prerequisites lead back to it: {' -> '.join(cycle)}")
    return problems


def _way_back(chapter: Chapter, library: Library) -> list[str]:
    """The shortest way from the chapter over prerequisites to itself; empty where there is none."""
    ways = [[chapter.path]]
    seen: set[str] = set()
    for way in ways:
        known = library.chapters.get(way[-1])
        for path in known.prerequisites if known else ():
            if path == chapter.path:
                return [*way, path]
            if path not in seen:
                seen.add(path)
                ways.append([*way, path])
    return []
