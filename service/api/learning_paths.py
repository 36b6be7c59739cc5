"""The learning paths of the knowledge base, read out of its contents page.

The page is written by hand: `### Beginner Path` with numbered steps below, each naming a section in bold or linking to
chapters. A step's section is found by its name, since the numbers of such a page are the first thing to go stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from service.domain import Chapter

_PATHS = re.compile(r"^##\s+.*\blearning paths?\b", re.IGNORECASE)
_PATH = re.compile(r"^###\s+(.+?)\s*#*$")
_STEP = re.compile(r"^\s*(?:\d+\.|[-*])\s+(.+)$")
_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)[^)]*\)")
_BOLD = re.compile(r"\*\*(?:\d+\s*[-–—:.]\s*)?(.+?)\*\*")
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what the page says of it, and the chapters to read."""

    words: str
    chapters: tuple[Chapter, ...]


@dataclass(slots=True)
class LearningPath:
    """A named row of steps."""

    name: str
    steps: list[Step] = field(default_factory=list)


def learning_paths(contents: str, chapters: Sequence[Chapter]) -> list[LearningPath]:
    """The paths of a contents page whose steps lead to chapters that are there; none where it has none."""
    paths: list[LearningPath] = []
    for line in _lines_of_the_paths(contents):
        if named := _PATH.match(line):
            paths.append(LearningPath(named[1]))
        elif paths and (written := _STEP.match(line)):
            found = _chapters_of(written[1], chapters)
            if found:
                paths[-1].steps.append(Step(_plain(written[1]), found))
    return [path for path in paths if path.steps]


def _lines_of_the_paths(contents: str) -> Iterator[str]:
    inside = False
    for line in contents.splitlines():
        if line.startswith("## "):
            inside = bool(_PATHS.match(line))
        elif inside:
            yield line


def _chapters_of(step: str, chapters: Sequence[Chapter]) -> tuple[Chapter, ...]:
    linked = {target.removeprefix("./").strip("/") for target in _LINK.findall(step)}
    if linked:
        return tuple(one for one in chapters if any(one.path == to or one.path.startswith(f"{to}/") for to in linked))
    named = _BOLD.search(step)
    section = _section_named(named[1], chapters) if named else None
    return tuple(one for one in chapters if one.section == section) if section else ()


def _section_named(name: str, chapters: Sequence[Chapter]) -> str | None:
    """The section that shares most words with a name, if it shares the first of them."""
    wanted = _words(name)
    shared = {section: len(_words(section) & wanted) for section in dict.fromkeys(one.section for one in chapters)}
    best = max(shared, key=lambda section: (shared[section], -len(_words(section))), default=None)
    first = next(iter(_WORD.findall(name.lower())), "")
    return best if best is not None and first in _words(best) else None


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if not word.isdigit() and word != "and"}


def _plain(markdown: str) -> str:
    """A step's words without their marks."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown).replace("**", "").replace("`", "")
