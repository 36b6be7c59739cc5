"""What people write in a filter -> the values that the index holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from service.domain import Chapter, SearchFilter
from service.errors import UnknownFilter


def resolve(where: SearchFilter, chapters: Sequence[Chapter]) -> SearchFilter:
    """Accept a section by its title, folder or number, a level in any case, a chapter by its path or file name.

    Raises:
        UnknownFilter: a value matches nothing; the message lists what there is.
    """
    sections = {chapter.section for chapter in chapters if chapter.section}
    folders = {chapter.section: chapter.path.partition("/")[0] for chapter in chapters if chapter.section}
    levels = {chapter.level for chapter in chapters if chapter.level}
    paths = {chapter.path for chapter in chapters}
    return replace(
        where,
        sections=_matching("section", where.sections, sections, lambda name: {name, folders[name], _number(name)}),
        levels=_matching("level", where.levels, levels, lambda name: {name}),
        chapters=_matching("chapter", where.chapters, paths, lambda path: {path, path.rsplit("/", 1)[-1]}),
    )


def _matching(kind: str, wanted: Iterable[str], there: set[str], names: Callable[[str], set[str]]) -> tuple[str, ...]:
    found: list[str] = []
    for value in wanted:
        folded = _folded(value)
        matches = sorted(known for known in there if folded in set(map(_folded, names(known))))
        if not matches:
            shown = ", ".join(sorted(there)[:20]) or "none"
            raise UnknownFilter(f"there is no {kind} {value!r}; there are: {shown}")
        found.extend(matches)
    return tuple(found)


def _folded(name: str) -> str:
    """In any case; `6` is `06`."""
    name = name.strip().casefold()
    return str(int(name)) if name.isdecimal() else name


def _number(section: str) -> str:
    found = re.match(r"\d+", section)
    return found[0] if found else section
